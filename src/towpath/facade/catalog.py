"""What is deployed, under the names of the business; kept current as deployments happen."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from towpath.client import ProcessClient
from towpath.facade.definitions import Definition, MessageElement, TaskElement, read_definition
from towpath.facade.forms import Form, compile_form
from towpath.facade.settings import FacadeSettings, ResourceSettings
from towpath.http import Problem
from towpath.wire import Page, ProcessDefinition, ProcessError, Search

OWNER = "_owner"
"""Variable that holds the starter's subject by itself, because no index reaches inside ``customer``."""

PAGE = 1000  # definitions asked for at a time
log = structlog.get_logger()


@dataclass(slots=True)
class Resource:
    """A process under its business name. ``configured`` False: no table names it, so it is for operators.

    ``messages`` and ``tasks`` include those of the processes it calls, at any depth.
    """

    name: str
    settings: ResourceSettings
    definition_key: str
    title: str
    singular: str
    id_prefix: str
    configured: bool
    start_form: Form | None
    calls: bool
    messages: dict[str, list[MessageElement]] = field(default_factory=dict)
    tasks: dict[str, TaskElement] = field(default_factory=dict)
    message_forms: dict[str, Form] = field(default_factory=dict)
    task_forms: dict[str, Form] = field(default_factory=dict)  # by element id

    @property
    def process_id(self) -> str:
        """The id of the BPMN process."""
        return self.settings.process

    @property
    def owner_variable(self) -> str:
        """The variable that holds the owner's subject, itself or inside."""
        return self.settings.owner.split(".")[0]

    @property
    def reserved(self) -> frozenset[str]:
        """Variables that the facade sets and callers cannot."""
        return frozenset({"id", "customer", OWNER, self.owner_variable})


@dataclass(slots=True)
class _Deployed:
    """One version of a definition, read once: a deployed version never changes."""

    definition: Definition
    start_form: Form | None


@dataclass(frozen=True, slots=True)
class View:
    """The catalog at one moment. ``revision`` changes whenever something is deployed."""

    revision: str
    resources: dict[str, Resource]
    by_process: dict[str, Resource]


class Catalog:
    """Looks the definitions up at the process server, at most every ``settings.refresh`` seconds."""

    def __init__(self, process: ProcessClient, settings: FacadeSettings) -> None:
        self._process = process
        self._settings = settings
        self._deployed: dict[str, _Deployed] = {}
        self._view: View | None = None
        self._checked = -1e9  # time.monotonic()
        self._lock = asyncio.Lock()
        self.missing: str | None = "The deployed processes are not known yet."

    async def view(self) -> View:
        """The resources as deployed now. Raises :class:`towpath.wire.ProcessError`."""
        if self._view is not None and time.monotonic() - self._checked < self._settings.refresh:
            return self._view
        async with self._lock:
            if self._view is None or time.monotonic() - self._checked >= self._settings.refresh:
                await self._refresh()
            assert self._view is not None
            return self._view

    async def resource(self, name: str) -> Resource:
        """A resource by its name. Raises :class:`Problem` 404."""
        found = (await self.view()).resources.get(name)
        if found is not None:
            return found
        if name in self._settings.resources:
            process = self._settings.resources[name].process
            raise Problem(503, f"/{name} is not available yet: the process {process!r} is not deployed.")
        raise Problem(404, f"There is no resource /{name}; GET /catalog lists what there is.")

    async def _refresh(self) -> None:
        try:
            latest = await self._latest()
        except ProcessError as error:
            self.missing = f"The process server does not answer: {error.detail}"
            if self._view is None or error.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                raise
            return  # what is deployed hardly changes; the call that follows finds out by itself
        revision = " ".join(sorted(row.process_definition_key for row in latest.values()))
        if self._view is None or revision != self._view.revision:
            self._view = await self._read(latest, revision)
        self._checked = time.monotonic()
        absent = [r.process for r in self._settings.resources.values() if r.process not in latest]
        self.missing = f"Not deployed yet: {', '.join(sorted(absent))}." if absent else None

    async def _latest(self) -> dict[str, ProcessDefinition]:
        latest: dict[str, ProcessDefinition] = {}
        after: str | None = None
        while True:
            found = await self._process.search_process_definitions(Search(page=Page(limit=PAGE, after=after)))
            for row in found.items:
                known = latest.get(row.process_definition_id)
                if known is None or row.version > known.version:
                    latest[row.process_definition_id] = row
            after = found.page.end_cursor
            if len(found.items) < PAGE or after is None:
                return latest

    async def _read(self, latest: dict[str, ProcessDefinition], revision: str) -> View:
        deployed = {id_: await self._definition(row) for id_, row in latest.items()}
        self._deployed = {latest[id_].process_definition_key: found for id_, found in deployed.items()}
        names = {settings.process: name for name, settings in self._settings.resources.items()}
        resources: dict[str, Resource] = {}
        for process_id, row in latest.items():
            name = names.get(process_id, process_id)
            settings = self._settings.resources.get(name) if process_id in names else None
            if settings is None and name in self._settings.resources:
                continue  # a process whose id is another one's resource name
            resources[name] = await self._resource(name, settings, row, deployed)
        return View(revision, resources, {r.process_id: r for r in resources.values()})

    async def _definition(self, row: ProcessDefinition) -> _Deployed:
        known = self._deployed.get(row.process_definition_key)
        if known is not None:
            return known
        xml = await self._process.process_definition_xml(row.process_definition_key)
        form = await self._process.start_form(row.process_definition_key)
        try:
            definition = read_definition(xml, row.process_definition_id)
        except ValueError as error:
            log.error("process not readable", process=row.process_definition_id, reason=str(error))
            definition = Definition(row.process_definition_id, row.name or row.process_definition_id)
        return _Deployed(definition, _compiled(form.schema, row.process_definition_id) if form else None)

    async def _resource(
        self,
        name: str,
        settings: ResourceSettings | None,
        row: ProcessDefinition,
        deployed: dict[str, _Deployed],
    ) -> Resource:
        own = deployed[row.process_definition_id]
        title = (settings.title if settings else "") or own.definition.name
        singular = (settings.singular if settings else "") or own.definition.name
        initial = next((c for c in singular.upper() if c.isascii() and c.isalpha()), "X")
        resource = Resource(
            name=name,
            settings=settings or ResourceSettings(process=row.process_definition_id),
            definition_key=row.process_definition_key,
            title=title,
            singular=singular,
            id_prefix=(settings.id_prefix if settings else "") or initial,
            configured=settings is not None,
            start_form=own.start_form,
            calls=bool(own.definition.calls),
        )
        for definition in _closure(own.definition, deployed):
            for message in definition.messages:
                resource.messages.setdefault(message.message, []).append(message)
                if message.form_id and (form := await self._form(message.form_id, row)):
                    resource.message_forms[message.message] = form
            for task in definition.tasks:
                resource.tasks[task.element_id] = task
                compiled = _compiled(task.form_text, row.process_definition_id) if task.form_text else None
                if compiled is None and task.form_id:
                    compiled = await self._form(task.form_id, row)
                if compiled is not None:
                    resource.task_forms[task.element_id] = compiled
        return resource

    async def _form(self, form_id: str, row: ProcessDefinition) -> Form | None:
        form = await self._process.form(form_id)
        return _compiled(form.schema, row.process_definition_id) if form else None


def _closure(definition: Definition, deployed: dict[str, _Deployed]) -> list[Definition]:
    """The definition and those that it calls, each once."""
    found = {definition.process_id: definition}
    waiting = [definition]
    while waiting:
        for called in sorted(waiting.pop().calls):
            if called in deployed and called not in found:
                found[called] = deployed[called].definition
                waiting.append(found[called])
    return list(found.values())


def _compiled(text: str, process_id: str) -> Form | None:
    try:
        return compile_form(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("form not readable", process=process_id, reason=str(error))
        return None
