"""Deployment: every resource is checked before any is kept, and all are kept in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any

from towpath import bpmn, dmn
from towpath.engine import start_timers
from towpath.faults import Faulty
from towpath.process.base import Base
from towpath.process.batch import Work
from towpath.process.host import set_start_timer
from towpath.process.models import (
    DECISION,
    FORM,
    PROCESS,
    REQUIREMENTS,
    Definition,
    Registry,
    deployed_decision,
    deployed_process,
    read_form,
)
from towpath.storage.tables import DEFINITION, DEPLOYED, RESOURCE, TIMER
from towpath.wire import DeployedResource, Deployment, ProcessError, Resource

MAX_RESOURCES = 500
MAX_NAME = 512  # characters of a resource's name


@dataclass(slots=True)
class _Model:
    """One thing that a resource defines. ``of``: the id of the decision requirements around a decision."""

    kind: str
    id: str
    name: str | None
    version_tag: str | None
    graph: Any = None
    of: str | None = None


@dataclass(slots=True)
class _Read:
    resource: Resource
    checksum: str
    models: list[_Model] = field(default_factory=list)


class Deploying(Base):
    async def deploy(self, resources: list[Resource]) -> Deployment:
        """Deploy all of ``resources`` or none.

        An unchanged resource keeps its version. Raises ProcessError INVALID_ARGUMENT with every fault
        of every resource in ``faults``.
        """
        if not resources:
            raise ProcessError("INVALID_ARGUMENT", "A deployment needs at least one resource.")
        if len(resources) > MAX_RESOURCES:
            raise ProcessError("INVALID_ARGUMENT", f"A deployment has at most {MAX_RESOURCES} resources.")
        read = await asyncio.to_thread(_read_all, resources)

        def write(work: Work) -> Deployment:
            return _Writing(work, self.registry).write(read)

        # One after the other: a version is counted from what is committed.
        async with self.deploying:
            return await self.host.run(write)


class _Writing:
    """The rows of a deployment, within the host's transaction: versions are counted there."""

    def __init__(self, work: Work, registry: Registry) -> None:
        self.work = work
        self.registry = registry
        self.key = work.key()
        self.added: list[Definition] = []
        self.compiled: dict[int, Any] = {}
        self.meant: dict[tuple[int, str, str], int] = {}
        self.resources: list[DeployedResource] = []

    def write(self, read: list[_Read]) -> Deployment:
        for one in read:
            resource_key: int | None = None
            parents: dict[str, int] = {}
            for model in one.models:
                latest = self.registry.latest(model.kind, model.id)
                duplicate = (
                    latest is not None
                    and latest.checksum == one.checksum
                    and latest.resource_name == one.resource.name
                )
                if duplicate:
                    assert latest is not None
                    definition = latest
                else:
                    if resource_key is None:
                        resource_key = self._resource(one)
                    definition = self._definition(one, model, resource_key, parents, latest)
                if model.kind == REQUIREMENTS:
                    parents[model.id] = definition.key
                self._mean(definition)
                self.resources.append(_answer(definition, duplicate))
        added, compiled, meant, registry = self.added, self.compiled, self.meant, self.registry
        self.work.told.on_commit.append(lambda: registry.add(added, meant, compiled))
        return Deployment(deployment_key=str(self.key), resources=self.resources)

    def _resource(self, one: _Read) -> int:
        work = self.work
        key = work.key()
        row = [work.b, key, one.resource.name, one.checksum, one.resource.content, work.now]
        work.changes.row(RESOURCE, key, row)
        return key

    def _definition(
        self, one: _Read, model: _Model, resource_key: int, parents: dict[str, int], latest: Definition | None
    ) -> Definition:
        work = self.work
        definition = Definition(
            key=work.key(),
            kind=model.kind,
            id=model.id,
            name=model.name,
            version=latest.version + 1 if latest else 1,
            version_tag=model.version_tag,
            resource_key=resource_key,
            resource_name=one.resource.name,
            checksum=one.checksum,
            deployment_key=self.key,
            parent_key=parents.get(model.of or ""),
            created_at=work.now,
        )
        work.changes.row(DEFINITION, definition.key, [work.b, *definition])
        self.added.append(definition)
        if model.kind == PROCESS:
            self.compiled[definition.key] = deployed_process(definition, model.graph)
            self._start_timers(definition, model.graph, latest)
        elif model.kind == DECISION:
            self.compiled[definition.key] = deployed_decision(definition, model.graph)
        return definition

    def _start_timers(self, definition: Definition, graph: bpmn.Process, latest: Definition | None) -> None:
        """Only the latest version starts by the clock."""
        work = self.work
        if latest is not None:
            for key in work.session.start_timers(work.b, latest.key):
                work.changes.drop(TIMER, key, [work.b, key])
        try:
            timers = start_timers(graph, work.now)
        except ValueError as error:
            raise ProcessError(
                "INVALID_ARGUMENT", f"{definition.resource_name}: {error}", [str(error)]
            ) from None
        for timer in timers:
            set_start_timer(work, definition.key, timer)

    def _mean(self, definition: Definition) -> None:
        name = (self.key, definition.kind, definition.id)
        self.meant[name] = definition.key
        self.work.changes.row(DEPLOYED, name, [self.work.b, *name, definition.key])


def _answer(definition: Definition, duplicate: bool) -> DeployedResource:
    return DeployedResource(
        kind=definition.kind,
        id=definition.id,
        key=str(definition.key),
        version=definition.version,
        resource_name=definition.resource_name,
        name=definition.name,
        version_tag=definition.version_tag,
        is_duplicate=duplicate,
    )


# --- reading ----------------------------------------------------------------------------------------


def _read_all(resources: list[Resource]) -> list[_Read]:
    faults: list[str] = []
    read: list[_Read] = []
    imports = dmn.by_namespace(
        (resource.name, resource.content) for resource in resources if resource.name.endswith(".dmn")
    )
    seen: dict[tuple[str, str], str] = {}
    for resource in resources:
        try:
            one = _read(resource, imports)
        except Faulty as error:
            faults += [str(fault if fault.file else fault.in_file(resource.name)) for fault in error.faults]
            continue
        except ValueError as error:
            faults.append(f"{resource.name}: {error}")
            continue
        for model in one.models:
            other = seen.setdefault((model.kind, model.id), resource.name)
            if other != resource.name:
                faults.append(
                    f"{resource.name}: the {model.kind} {model.id!r} is in {other} too; "
                    "a deployment has each id once."
                )
        read.append(one)
    if faults:
        raise ProcessError(
            "INVALID_ARGUMENT",
            f"Nothing was deployed: {len(faults)} fault{'s' * (len(faults) > 1)} found. {faults[0]}",
            faults,
        )
    return read


def _read(resource: Resource, imports: dict[str, bytes]) -> _Read:
    """``imports`` are the decision models of the deployment, which its models may import, by namespace."""
    name, content = resource.name, resource.content
    if not name or len(name) > MAX_NAME:
        raise ValueError(f"a resource's name has 1 to {MAX_NAME} characters")
    checksum = hashlib.sha256(content)
    found = _Read(resource, checksum.hexdigest())
    if name.endswith((".bpmn", ".bpmn20.xml")):
        definitions = bpmn.read(content, name)
        found.models = [
            _Model(PROCESS, process.id, process.name, process.version_tag, process)
            for process in definitions.processes
        ]
        if not found.models:
            raise ValueError('it has no executable process (isExecutable="true")')
    elif name.endswith(".dmn"):
        model = dmn.read(content, name, imports=imports)
        for document in dmn.imported_by(content, imports):
            # With another import it is another decision, though its own document is the same.
            checksum.update(document)
        found.checksum = checksum.hexdigest()
        found.models = [_Model(REQUIREMENTS, model.id, model.name, None)]
        found.models += [
            _Model(DECISION, decision.id, decision.name, None, model, of=model.id)
            for decision in model.decisions.values()
        ]
    elif name.endswith(".form"):
        id_, title = read_form(content)
        found.models = [_Model(FORM, id_, title, None)]
    else:
        raise ValueError("its name must end in .bpmn, .dmn or .form")
    return found
