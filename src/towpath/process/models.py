"""What is deployed: an index of every definition in memory, and the models compiled when first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from towpath import bpmn, dmn
from towpath.bpmn.graph import Message, Signal
from towpath.engine.models import DeployedDecision, DeployedProcess
from towpath.storage.store import Store

PROCESS, DECISION, REQUIREMENTS, FORM = "process", "decision", "decisionRequirements", "form"


class Definition(NamedTuple):
    """A row of the table of definitions, without its bucket."""

    key: int
    kind: str
    id: str
    name: str | None
    version: int
    version_tag: str | None
    resource_key: int
    resource_name: str
    checksum: str
    deployment_key: int
    parent_key: int | None
    created_at: int


class Registry:
    """Implements :class:`towpath.engine.models.Models`. Changed on the host's thread only, after a commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._b = store.buckets[0]  # definitions live in the first bucket
        self.definitions: dict[int, Definition] = {}
        self._versions: dict[tuple[str, str], dict[int, Definition]] = {}
        self._latest: dict[tuple[str, str], Definition] = {}
        self._deployed: dict[tuple[int, str, str], int] = {}
        self._compiled: dict[int, Any] = {}  # definition or resource key -> what the core knows it as
        self._message_starts: dict[str, list[tuple[int, str]]] = {}
        self._signal_starts: dict[str, list[tuple[int, str]]] = {}
        self._condition_starts: list[int] = []

    def load(self) -> None:
        """Read the index, and the latest version of every process: their start events are needed."""
        with self._store.reading() as session:
            rows = session.rows(
                f"SELECT {', '.join(Definition._fields)} FROM definition WHERE b = ? ORDER BY key",  # noqa: S608
                (self._b,),
            )
            deployed = session.rows(
                "SELECT deployment_key, kind, id, key FROM deployed WHERE b = ?", (self._b,)
            )
        for row in rows:
            self._add(Definition(*row))
        self._deployed = {(row[0], row[1], row[2]): row[3] for row in deployed}
        self._index_starts()

    def add(
        self,
        definitions: list[Definition],
        deployed: dict[tuple[int, str, str], int],
        compiled: dict[int, Any],
    ) -> None:
        """What a committed deployment brought; ``compiled`` by definition key."""
        for definition in definitions:
            self._add(definition)
        self._deployed.update(deployed)
        self._compiled.update(compiled)
        if any(definition.kind == PROCESS for definition in definitions):
            self._index_starts()

    # --- finding -------------------------------------------------------------------------------

    def latest(self, kind: str, id_: str) -> Definition | None:
        return self._latest.get((kind, id_))

    def version(self, kind: str, id_: str, version: int) -> Definition | None:
        """``version`` -1: the latest."""
        if version == -1:
            return self.latest(kind, id_)
        return self._versions.get((kind, id_), {}).get(version)

    def find(
        self, kind: str, id_: str, binding: str, version_tag: str | None, caller: int
    ) -> Definition | None:
        """What ``id_`` means to the definition ``caller`` under its binding."""
        if binding == "deployment":
            calling = self.definitions.get(caller)
            key = self._deployed.get((calling.deployment_key, kind, id_)) if calling else None
            return self.definitions.get(key) if key is not None else None
        if binding == "versionTag":
            versions = self._versions.get((kind, id_), {})
            tagged = [one for one in versions.values() if one.version_tag == version_tag]
            return max(tagged, key=lambda one: one.version) if tagged else None
        return self.latest(kind, id_)

    def content(self, key: int) -> bytes | None:
        """The file from which a definition came."""
        definition = self.definitions.get(key)
        if definition is None:
            return None
        with self._store.reading() as session:
            rows = session.rows(
                "SELECT content FROM resource WHERE b = ? AND key = ?", (self._b, definition.resource_key)
            )
        return bytes(rows[0][0]) if rows else None

    # --- what the core asks --------------------------------------------------------------------

    def process(self, definition_key: int) -> DeployedProcess | None:
        found: DeployedProcess | None = self._compiled.get(definition_key)
        if found is None:
            definition = self.definitions.get(definition_key)
            if definition is not None and definition.kind == PROCESS:
                self._compile(definition)
                found = self._compiled.get(definition_key)
        return found

    def decision(self, decision_key: int) -> DeployedDecision | None:
        found: DeployedDecision | None = self._compiled.get(decision_key)
        if found is None:
            definition = self.definitions.get(decision_key)
            if definition is not None and definition.kind == DECISION:
                self._compile(definition)
                found = self._compiled.get(decision_key)
        return found

    def find_process(
        self, process_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> DeployedProcess | None:
        definition = self.find(PROCESS, process_id, binding, version_tag, caller)
        return self.process(definition.key) if definition else None

    def find_decision(
        self, decision_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> DeployedDecision | None:
        definition = self.find(DECISION, decision_id, binding, version_tag, caller)
        return self.decision(definition.key) if definition else None

    def find_form(
        self, form_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> int | None:
        definition = self.find(FORM, form_id, binding, version_tag, caller)
        return definition.key if definition else None

    def message_starts(self, message_name: str) -> list[tuple[int, str]]:
        return self._message_starts.get(message_name, [])

    def signal_starts(self, signal_name: str) -> list[tuple[int, str]]:
        return self._signal_starts.get(signal_name, [])

    def condition_starts(self) -> list[int]:
        """Keys of the latest definitions that a condition starts."""
        return self._condition_starts

    # --- inside --------------------------------------------------------------------------------

    def _add(self, definition: Definition) -> None:
        name = (definition.kind, definition.id)
        self.definitions[definition.key] = definition
        self._versions.setdefault(name, {})[definition.version] = definition
        latest = self._latest.get(name)
        if latest is None or definition.version > latest.version:
            self._latest[name] = definition

    def _index_starts(self) -> None:
        messages: dict[str, list[tuple[int, str]]] = {}
        signals: dict[str, list[tuple[int, str]]] = {}
        conditions: list[int] = []
        for (kind, _), definition in self._latest.items():
            if kind != PROCESS:
                continue
            process = self.process(definition.key)
            if process is None:
                continue
            graph: bpmn.Process = process.graph
            if graph.condition_starts:
                conditions.append(definition.key)
            for found, elements in ((messages, graph.message_starts), (signals, graph.signal_starts)):
                for element in elements:
                    assert isinstance(element.event, Message | Signal)
                    found.setdefault(element.event.name.text, []).append((definition.key, element.id))
        self._message_starts, self._signal_starts = messages, signals
        self._condition_starts = conditions

    def _compile(self, definition: Definition) -> None:
        content = self.content(definition.key)
        if content is None:
            return
        siblings = [
            other
            for other in list(self.definitions.values())
            if other.resource_key == definition.resource_key
        ]
        models: dict[str, Any]
        if definition.kind == PROCESS:
            read = bpmn.read(content, definition.resource_name)
            models = {process.id: process for process in read.processes}
            make: Callable[[Definition, Any], Any] = deployed_process
        else:
            model = dmn.read(content, definition.resource_name, imports=self._imports(definition))
            models = dict.fromkeys((other.id for other in siblings), model)
            make = deployed_decision
        for other in siblings:
            if other.kind == definition.kind and other.id in models:
                self._compiled[other.key] = make(other, models[other.id])

    def _imports(self, definition: Definition) -> dict[str, bytes]:
        """The decision models that were deployed together with ``definition``, by namespace."""
        together = [
            self.definitions[key]
            for (deployment, kind, _), key in self._deployed.items()
            if deployment == definition.deployment_key and kind == REQUIREMENTS
        ]
        if len(together) < 2:
            return {}
        return dmn.by_namespace((other.resource_name, self.content(other.key) or b"") for other in together)


def deployed_process(definition: Definition, graph: bpmn.Process) -> DeployedProcess:
    return DeployedProcess(
        key=definition.key,
        process_id=definition.id,
        version=definition.version,
        version_tag=definition.version_tag,
        graph=graph,
    )


def deployed_decision(definition: Definition, model: Any) -> DeployedDecision:
    return DeployedDecision(
        key=definition.key,
        decision_id=definition.id,
        version=definition.version,
        version_tag=definition.version_tag,
        model=model,
    )


def read_form(content: bytes) -> tuple[str, str | None]:
    """``(id, name)`` of a form-js document. Raises ValueError saying what is missing."""
    try:
        schema = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(schema, dict) or not isinstance(schema.get("id"), str) or not schema["id"]:
        raise ValueError("it has no id; form-js writes one as the member `id`")
    if not isinstance(schema.get("components"), list):
        raise ValueError("it has no list `components`")
    return schema["id"], schema.get("name") if isinstance(schema.get("name"), str) else None
