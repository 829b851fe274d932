"""Reading the event feed: rows taken apart into CloudEvents, filtered, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from towpath.process.base import Base, parse_key
from towpath.process.clock import iso, iso_or_none
from towpath.process.feed import (
    KINDS,
    MILESTONE,
    PREFIX,
    Block,
    Head,
    kinds_of,
    read_block,
    read_position,
    write_position,
)
from towpath.process.values import to_text
from towpath.storage.store import KEYS_IN, EventRow, Session, as_json
from towpath.wire import Event, EventPage, EventQuery, ProcessError

SOURCE = "/process"
LATEST = "latest"
MAX_EVENTS = 10_000  # events of one answer
MAX_WAIT = 60_000  # ms
_ENDED = {"created": "ACTIVE", "completed": "COMPLETED", "terminated": "TERMINATED"}


class Events(Base):
    async def events(self, query: EventQuery) -> EventPage:
        """Events after a position, in order and without a gap.

        Waits up to ``query.wait`` ms for a first one. Raises ProcessError INVALID_ARGUMENT.
        """
        kinds = kinds_of(query)
        if not 1 <= query.limit <= MAX_EVENTS:
            raise ProcessError("INVALID_ARGUMENT", f"limit must be between 1 and {MAX_EVENTS}.")
        instance = None
        if query.process_instance_key is not None:
            instance = parse_key(query.process_instance_key, "process instance")
        if query.after == LATEST:
            seen = {b: await self.host.read(lambda session, b=b: session.position(b)) for b in self._buckets}
        else:
            seen = read_position(query.after, self._buckets)
        deadline = asyncio.get_running_loop().time() + min(max(0, query.wait), MAX_WAIT) / 1000
        while True:
            # Taken before the look: what is committed after it sets the event.
            news = self.host.news()
            found, seen = await self.host.read(
                lambda session, seen=seen: _read(session, seen, query, kinds, instance)
            )
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0 or self.host.closing:
                return EventPage(events=found, position=write_position(seen))
            try:
                async with asyncio.timeout(left):
                    await news.wait()
            except TimeoutError:
                return EventPage(events=[], position=write_position(seen))


def _read(
    session: Session, seen: dict[int, int], query: EventQuery, kinds: int, instance: int | None
) -> tuple[list[Event], dict[int, int]]:
    seen = dict(seen)
    events: list[Event] = []
    for b in seen:
        room = query.limit - len(events)
        if room <= 0:
            break
        end = session.position(b)
        rows = session.events(
            b, seen[b], room, kinds=kinds, process_id=query.process_definition_id, instance_key=instance
        )
        details = _Details(session, b, [(row, read_block(row.data)) for row in rows])
        for position, event in details.events(seen, kinds):
            if len(events) == query.limit:
                return events, seen
            seen[b] = position
            event.id = write_position(seen)
            events.append(event)
        # All of these rows was looked at: what did not match need not be looked at again.
        seen[b] = max(seen[b], end if len(rows) < room else rows[-1].pos + rows[-1].n - 1)
    return events, seen


def _wanted(number: int, effect: Any, kinds: int) -> bool:
    if not kinds:
        return True
    if kinds == MILESTONE:
        return KINDS[number] == "element.completed" and bool(effect.get("milestone"))
    return bool(kinds >> number & 1)


class _Details:
    """Rows of the feed with what is told of jobs, subscriptions and instances by other tables."""

    def __init__(self, session: Session, b: int, blocks: list[tuple[EventRow, Block]]) -> None:
        self.b = b
        self.blocks = blocks
        jobs: set[int] = set()
        subscriptions: set[int] = set()
        instances: set[int] = set()
        for _, block in blocks:
            for number, effect in block.effects:
                kind = KINDS[number]
                if kind.startswith("job.") and effect.get("type") is None:
                    jobs.add(effect["key"])
                elif kind == "subscription.closed":
                    subscriptions.add(effect["key"])
                elif kind == "message.correlated" and effect.get("instance_key"):
                    instances.add(effect["instance_key"])
        self.jobs = _by_key(
            session, b, "job", "type, element_id, element_instance_key, retries, error_message", jobs
        )
        self.subscriptions = _by_key(
            session,
            b,
            "subscription",
            "element_id, element_instance_key, message_name, correlation_key",
            subscriptions,
        )
        self.heads = {
            key: Head(
                definition_key=row[0],
                process_id=row[1],
                version=row[2],
                business_id=row[3],
                parent_key=row[4],
                parent_element_key=None,
                root_key=row[5],
                root_process_id=row[6],
                root_business_id=row[7],
            )
            for key, row in _instances(session, b, instances).items()
        }

    def events(self, seen: dict[int, int], kinds: int) -> Iterator[tuple[int, Event]]:
        """``(position, event)`` of what is wanted and was not seen."""
        for row, block in self.blocks:
            for position, (number, effect) in enumerate(block.effects, row.pos):
                if position > seen[self.b] and _wanted(number, effect, kinds):
                    yield position, self._event(row, block, number, effect)

    def _event(self, row: EventRow, block: Block, number: int, effect: dict[str, Any]) -> Event:
        kind = KINDS[number]
        family, _, change = kind.partition(".")
        subject, data = _FAMILIES[family](self, effect, change)
        instance_key = block.instance_key or effect.get("instance_key")
        head = block.head or self.heads.get(instance_key or 0)
        if head is not None:
            data |= {
                "processInstanceKey": str(instance_key),
                "processDefinitionId": head.process_id,
                "processDefinitionKey": str(head.definition_key),
                "businessId": head.business_id,
                "rootProcessInstanceKey": str(head.root_key),
                "rootProcessDefinitionId": head.root_process_id,
                "rootBusinessId": head.root_business_id,
            }
            if head.parent_key is not None:
                data["parentProcessInstanceKey"] = str(head.parent_key)
            if family == "instance":
                data["processDefinitionVersion"] = head.version
        if block.actor is not None:
            data["actor"] = block.actor
        return Event(
            id="",
            type=PREFIX + kind,
            source=SOURCE,
            time=iso(row.at),
            subject=subject if subject is not None else str(instance_key),
            data=data,
        )


def _by_key(session: Session, b: int, table: str, columns: str, keys: set[int]) -> dict[int, Any]:
    if not keys:
        return {}
    rows = session.rows(
        f"SELECT key, {columns} FROM {table} WHERE b = ? AND key IN ({KEYS_IN})",  # noqa: S608
        (b, as_json(sorted(keys))),
    )
    return {row[0]: row[1:] for row in rows}


def _instances(session: Session, b: int, keys: set[int]) -> dict[int, Any]:
    if not keys:
        return {}
    sql = (
        "SELECT p.key, p.definition_key, p.process_id, p.version, p.business_id, p.parent_key, p.root_key, "
        "r.process_id, r.business_id FROM process_instance p JOIN process_instance r "
        "ON r.b = p.b AND r.key = p.root_key WHERE p.b = ? AND p.key IN "
    )
    rows = session.rows(f"{sql}({KEYS_IN})", (b, as_json(sorted(keys))))
    return {row[0]: row[1:] for row in rows}


# --- the data of each family: (subject, data) -------------------------------------------------------

_Data = tuple[str | None, dict[str, Any]]


def _instance(_: _Details, e: dict[str, Any], change: str) -> _Data:
    return str(e["key"]), {"state": _ENDED[change]}


def _element(_: _Details, e: dict[str, Any], change: str) -> _Data:
    key = str(e["key"])
    return key, {
        "elementInstanceKey": key,
        "elementId": e["element_id"],
        "elementName": e["name"],
        "type": e["type"],
        "state": "ACTIVE" if change == "activated" else _ENDED[change],
        "scopeKey": str(e["scope_key"]),
        "milestone": e["milestone"],
    }


def _flow(_: _Details, e: dict[str, Any], __: str) -> _Data:
    return None, {"elementId": e["flow_id"], "sequenceFlowId": e["flow_id"], "scopeKey": str(e["scope_key"])}


def _variable(_: _Details, e: dict[str, Any], __: str) -> _Data:
    return None, {"name": e["name"], "value": to_text(e["value"]), "scopeKey": str(e["scope_key"])}


def _incident(_: _Details, e: dict[str, Any], change: str) -> _Data:
    return str(e["key"]), {
        "incidentKey": str(e["key"]),
        "errorType": e["error_type"],
        "errorMessage": e["message"],
        "elementId": e["element_id"],
        "elementInstanceKey": str(e["element_instance_key"]),
        "jobKey": None if e["job_key"] is None else str(e["job_key"]),
        "state": "ACTIVE" if change == "created" else "RESOLVED",
    }


def _user_task(_: _Details, e: dict[str, Any], change: str) -> _Data:
    t = e["task"]
    return str(t["key"]), {
        "userTaskKey": str(t["key"]),
        "elementId": t["element_id"],
        "elementInstanceKey": str(t["element_instance_key"]),
        "name": t["name"],
        "state": {"completed": "COMPLETED", "canceled": "CANCELED"}.get(change, "CREATED"),
        "assignee": t["assignee"],
        "candidateGroups": t["candidate_groups"],
        "candidateUsers": t["candidate_users"],
        "dueDate": iso_or_none(t["due_at"]),
        "followUpDate": iso_or_none(t["follow_up_at"]),
        "priority": t["priority"],
        "formKey": None if t["form_key"] is None else str(t["form_key"]),
        "externalFormReference": t["external_form"],
        "action": e["action"],
    }


def _job(details: _Details, e: dict[str, Any], change: str) -> _Data:
    kind, element_id, element_key, retries, message = (
        e["type"],
        e["element_id"],
        e["element_instance_key"],
        e["retries"],
        e["message"],
    )
    if kind is None and (row := details.jobs.get(e["key"])):
        kind, element_id, element_key = row[:3]
        retries = row[3] if retries is None else retries
        message = message or row[4]
    return str(e["key"]), {
        "jobKey": str(e["key"]),
        "type": kind,
        "elementId": element_id,
        "elementInstanceKey": None if element_key is None else str(element_key),
        "retries": retries,
        "errorMessage": message or None,
        "state": {"updated": "CREATED"}.get(change, change.replace("-", "_").upper()),
    }


def _message(_: _Details, e: dict[str, Any], __: str) -> _Data:
    return str(e["key"]), {
        "messageKey": str(e["key"]),
        "messageName": e["name"],
        "correlationKey": e["correlation_key"],
    }


def _subscription(details: _Details, e: dict[str, Any], change: str) -> _Data:
    element_id, element_key, name, correlation_key = (
        (e["element_id"], e["element_instance_key"], e["message_name"], e["correlation_key"])
        if change == "opened"
        else details.subscriptions.get(e["key"], (None, None, None, None))
    )
    state = "CREATED" if change == "opened" else "CORRELATED" if e["correlated"] else "DELETED"
    return str(e["key"]), {
        "messageSubscriptionKey": str(e["key"]),
        "elementId": element_id,
        "elementInstanceKey": None if element_key is None else str(element_key),
        "messageName": name,
        "correlationKey": correlation_key,
        "messageSubscriptionState": state,
    }


def _decision(_: _Details, e: dict[str, Any], __: str) -> _Data:
    return str(e["key"]), {
        "decisionInstanceKey": str(e["key"]),
        "decisionDefinitionId": e["decision_id"],
        "decisionDefinitionKey": str(e["decision_key"]),
        "elementId": e["element_id"],
        "elementInstanceKey": str(e["element_instance_key"]),
        "state": "FAILED" if e["failed"] else "EVALUATED",
        "result": e["result"],
        "failureMessage": e["message"] or None,
    }


def _signal(_: _Details, e: dict[str, Any], __: str) -> _Data:
    return str(e["key"]), {"signalKey": str(e["key"]), "signalName": e["signal_name"]}


_FAMILIES: dict[str, Callable[[_Details, dict[str, Any], str], _Data]] = {
    "instance": _instance,
    "element": _element,
    "flow": _flow,
    "variable": _variable,
    "incident": _incident,
    "user-task": _user_task,
    "job": _job,
    "message": _message,
    "subscription": _subscription,
    "decision": _decision,
    "signal": _signal,
}
