"""Start events that no step knows of: when a deployed definition starts by the clock, or by a condition."""

from __future__ import annotations

from typing import Any, NamedTuple

from towpath import feel
from towpath.bpmn import Process, timers
from towpath.bpmn.graph import Condition, Timer
from towpath.engine.commands import Variables
from towpath.engine.work import EVALUATION_ERRORS, describe


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


def condition_starts(process: Process, variables: Variables, at: int) -> list[str]:
    """Ids of the start events of ``process`` whose conditions are true of ``variables`` at ``at`` (ms).

    One with a filter needs a variable of those that it names. Raises ValueError where a condition is neither
    true nor false; null is not true.
    """
    found: list[str] = []
    for element in process.condition_starts:
        event = element.event
        assert isinstance(event, Condition)
        if event.filtered and not event.names & variables.keys():
            continue
        values: dict[str, Any] = {}
        try:
            values = {name: feel.from_json(value) for name, value in variables.items()}
            value = event.expression.evaluate(values, now=at).value
        except EVALUATION_ERRORS as error:
            raise ValueError(f"the condition of `{element.id}` could not be evaluated: {error}") from None
        if value is not None and not isinstance(value, bool):
            what = f"the condition of `{element.id}`, `{event.expression.text}`,"
            raise ValueError(f"{what} must be true or false, but is {describe(feel.to_json(value))}")
        if value:
            found.append(element.id)
    return found
