"""What a step may ask of the deployed models: immutable, and the same for every step of a batch."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct


class DeployedProcess(Struct, frozen=True, kw_only=True):
    key: int
    process_id: str
    version: int
    version_tag: str | None
    graph: Any  # towpath.bpmn.Process, compiled


class DeployedDecision(Struct, frozen=True, kw_only=True):
    key: int
    decision_id: str
    version: int
    version_tag: str | None
    model: Any  # towpath.dmn.Model


class Models(Protocol):
    """Deployed resources. Lookups answer None where nothing is deployed under that name."""

    def process(self, definition_key: int) -> DeployedProcess | None: ...

    def find_process(
        self, process_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> DeployedProcess | None:
        """``binding``: latest, deployment (that of the definition ``caller``) or versionTag."""

    def find_decision(
        self, decision_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> DeployedDecision | None: ...

    def find_form(
        self, form_id: str, binding: str = "latest", version_tag: str | None = None, *, caller: int
    ) -> int | None:
        """The form's key."""

    def message_starts(self, message_name: str) -> list[tuple[int, str]]:
        """``(definition key, start event id)`` of every latest definition that the message starts."""

    def signal_starts(self, signal_name: str) -> list[tuple[int, str]]:
        """``(definition key, start event id)`` of every latest definition that the signal starts."""


class Keys(Protocol):
    """A block of keys reserved by the host, given out in ascending order."""

    def next(self) -> int: ...
