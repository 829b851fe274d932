"""The event feed: what commands did, written with the state, read as CloudEvents from a resumable position.

What one command did to one aggregate is one row, so that the feed costs a command little; its events have
consecutive positions. A row holds the core's effects as they were, and is made into the API's events when
it is read. A position is the last one seen of each bucket: ``1.42`` or ``1.42,2.17``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from towpath.engine.commands import Command
from towpath.engine.effects import (
    AnyEffect,
    Broadcast,
    CloseJob,
    CloseSubscription,
    DecisionRecord,
    ElementRecord,
    FlowRecord,
    IncidentRecord,
    InstanceRecord,
    MessageRecord,
    OfferJob,
    OpenSubscription,
    UpdateJob,
    UserTaskRecord,
    VariablesRecord,
)
from towpath.wire import EventQuery, ProcessError

# Bits of a row's ``kinds``, by position. Only ever appended to: they are stored.
KINDS = (
    "instance.created",
    "instance.completed",
    "instance.terminated",
    "element.activated",
    "element.completed",
    "element.terminated",
    "flow.taken",
    "variable.created",
    "variable.updated",
    "incident.created",
    "incident.resolved",
    "user-task.created",
    "user-task.assigned",
    "user-task.updated",
    "user-task.completed",
    "user-task.canceled",
    "job.created",
    "job.updated",
    "job.failed",
    "job.completed",
    "job.canceled",
    "job.error-thrown",
    "message.published",
    "message.correlated",
    "message.expired",
    "subscription.opened",
    "subscription.closed",
    "decision.evaluated",
    "signal.broadcast",
)
PREFIX = "towpath."
MILESTONE = 1 << 62
_NUMBER = {kind: number for number, kind in enumerate(KINDS)}


class Head(Struct, frozen=True, kw_only=True, array_like=True):
    """What the host keeps beside an instance's state: what its rows and events say of it."""

    definition_key: int
    process_id: str
    version: int
    business_id: str | None
    parent_key: int | None
    parent_element_key: int | None
    root_key: int
    root_process_id: str
    root_business_id: str | None


class JobNote(Struct, frozen=True):
    """What the feed keeps of an effect on a job (not its variables)."""

    key: int
    type: str | None = None
    element_id: str | None = None
    element_instance_key: int | None = None
    retries: int | None = None
    message: str | None = None


class VariableNote(Struct, frozen=True):
    """What the feed keeps of one variable that was set."""

    name: str
    value: Any
    scope_key: int
    created: bool


class Block(Struct, array_like=True):
    """A row of the feed. ``effects`` are ``(number of the kind, effect)``."""

    head: Head | None
    instance_key: int | None
    actor: str | None
    effects: list[tuple[int, Any]]
    at: int
    kinds: int


def notes(effects: Iterable[AnyEffect]) -> list[AnyEffect | VariableNote]:
    """The effects, with each variable on its own: its change is an event."""
    found: list[AnyEffect | VariableNote] = []
    for effect in effects:
        if type(effect) is VariablesRecord:
            found += [
                VariableNote(name, value, effect.scope_key, name not in effect.before)
                for name, value in effect.values.items()
            ]
        else:
            found.append(effect)
    return found


def pack(
    head: Head | None,
    instance_key: int | None,
    command: Command,
    effects: Sequence[AnyEffect | VariableNote],
) -> Block | None:
    """The row for what ``command`` did; None where nobody would want to know."""
    kept: list[tuple[int, Any]] = []
    kinds = 0
    for effect in effects:
        found = _classify(effect)
        if found is not None:
            number, note = found
            kinds |= 1 << number
            if number == _COMPLETED and effect.milestone:  # type: ignore[union-attr]
                kinds |= MILESTONE
            kept.append((number, note))
    if not kept:
        return None
    return Block(head, instance_key, command.actor, kept, command.at, kinds)


_COMPLETED = _NUMBER["element.completed"]
_FLOW = _NUMBER["flow.taken"]
_VARIABLE = (_NUMBER["variable.updated"], _NUMBER["variable.created"])
_ELEMENT = {kind: _NUMBER[f"element.{kind}"] for kind in ("activated", "completed", "terminated")}
_FAMILIES = {
    InstanceRecord: "instance",
    IncidentRecord: "incident",
    UserTaskRecord: "user-task",
    MessageRecord: "message",
}


def _classify(effect: AnyEffect | VariableNote) -> tuple[int, Any] | None:
    kind = type(effect)
    if kind is ElementRecord:
        return _ELEMENT[effect.kind], effect  # type: ignore[union-attr]
    if kind is FlowRecord:
        return _FLOW, effect
    match effect:
        case VariableNote():
            return _VARIABLE[effect.created], effect
        case OfferJob():
            return _NUMBER["job.created"], JobNote(
                effect.key, effect.type, effect.element_id, effect.element_instance_key, effect.retries
            )
        case CloseJob():
            return _NUMBER[f"job.{effect.outcome}"], JobNote(effect.key)
        case UpdateJob():
            failed = effect.suspended or effect.retry_at is not None or bool(effect.error_message)
            number = _NUMBER["job.failed" if failed else "job.updated"]
            return number, JobNote(effect.key, retries=effect.retries, message=effect.error_message)
        case OpenSubscription():
            return _NUMBER["subscription.opened"], effect
        case CloseSubscription():
            return _NUMBER["subscription.closed"], effect
        case Broadcast():
            return _NUMBER["signal.broadcast"], effect
        case DecisionRecord():
            return _NUMBER["decision.evaluated"], effect
        case UserTaskRecord(kind="creating" | "assigning" | "updating" | "completing" | "denied"):
            return None  # on its way; what comes of it is told
        case InstanceRecord() | IncidentRecord() | UserTaskRecord() | MessageRecord():
            return _NUMBER[f"{_FAMILIES[kind]}.{effect.kind}"], effect
        case _:
            return None


def kinds_of(query: EventQuery) -> int:
    """The bits that a query wants; 0 for all. Raises ProcessError where a type is unknown."""
    if query.milestones:
        return MILESTONE
    bits = 0
    for name in query.types or ():
        short = name.removeprefix(PREFIX)
        wanted = (
            [kind for kind in KINDS if short == "*" or kind.startswith(short[:-1])]
            if short.endswith("*")
            else [kind for kind in KINDS if kind == short]
        )
        if not wanted:
            known = ", ".join(PREFIX + kind for kind in KINDS)
            raise ProcessError("INVALID_ARGUMENT", f"types: {name!r} is no type of event; known are {known}.")
        for kind in wanted:
            bits |= 1 << _NUMBER[kind]
    return bits


def read_position(text: str, buckets: Iterable[int]) -> dict[int, int]:
    """Bucket -> last position seen. Raises ProcessError where the text is no position."""
    found = dict.fromkeys(buckets, 0)
    if text:
        for part in text.split(","):
            b, dot, pos = part.partition(".")
            if (
                not (dot and b.isascii() and b.isdigit() and pos.isascii() and pos.isdigit())
                or len(part) > 30
            ):
                raise ProcessError("INVALID_ARGUMENT", f"after: {text[:80]!r} is not a position of the feed.")
            if int(b) in found:
                found[int(b)] = int(pos)
    return found


def write_position(seen: dict[int, int]) -> str:
    return ",".join(f"{b}.{pos}" for b, pos in sorted(seen.items()))


def read_block(data: bytes) -> Block:
    """A stored row; its effects are plain JSON values."""
    return _block_decoder.decode(data)


_block_decoder = msgspec.json.Decoder(Block)
