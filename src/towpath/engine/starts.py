"""Timer start events: when a deployed definition starts instances by the clock."""

from __future__ import annotations

from typing import NamedTuple

from towpath import feel
from towpath.bpmn import Process, timers
from towpath.bpmn.graph import Timer


class StartTimer(NamedTuple):
    """``due_at`` in ms since the epoch; ``repeat`` is what :func:`next_start` goes on from."""

    element_id: str
    due_at: int
    repeat: str | None


def start_timers(process: Process, at: int) -> list[StartTimer]:
    """The timer start events of ``process``, with their first due times from ``at`` (ms) on.

    Raises ValueError where an expression does not make a timer.
    """
    found: list[StartTimer] = []
    for element in process.timer_starts:
        assert isinstance(element.event, Timer)
        value = element.event.value
        text = value.text
        if value.expression is not None:
            made = feel.to_json(value.expression.evaluate({}, now=at).value)
            if not isinstance(made, str):
                raise ValueError(f"The timer of `{element.id}` is no {element.event.kind}: `{value.text}`.")
            text = made
        due = timers.first_due(element.event.kind, text, at)
        found.append(StartTimer(element.id, due.at, due.repeat))
    return found


def next_start(timer: StartTimer, at: int) -> StartTimer | None:
    """The turn after ``timer`` was due, seen at ``at`` (ms); None where it does not repeat any more.

    Turns that were missed are not made up for.
    """
    if timer.repeat is None:
        return None
    due = timers.next_due(timer.repeat, timer.due_at)
    if due is not None and due.at <= at:
        due = timers.next_due(timer.repeat, at)
    return StartTimer(timer.element_id, due.at, due.repeat) if due is not None else None
