"""Conditional events: they happen when a condition becomes true that was not, by a change of variables.

Setting a variable marks the conditions that see it as unsettled and queues whoever waits for them; looking at
them is a move like any other, so that a loop of changes and conditions uses up the move budget.
"""

from __future__ import annotations

from msgspec.structs import replace

from towpath.engine import events, waits
from towpath.engine.state import ACTIVE, ElementInstance, Wait
from towpath.engine.work import Work


def unsettled(current: ElementInstance) -> bool:
    """Whether one of the conditions that ``current`` waits for is still to be looked at."""
    return current.waits is not None and any(wait.unsettled for wait in current.waits)


def settle(work: Work, current: ElementInstance) -> None:
    """Evaluate the unsettled conditions of ``current`` (editable), and trigger what became true."""
    for key in [wait.key for wait in current.waits or () if wait.unsettled]:
        wait = _find(current, key)
        if wait is None or not wait.unsettled:
            continue  # what happened first has ended it
        target = work.graph.elements[wait.target]
        found = waits.holds(work, current, target)
        if found and target.interrupting:
            waits.drop(work, current, wait)
            events.trigger(work, current, target, None)
            if current.phase != ACTIVE or current.key not in work.elements:
                return
            continue
        settled = replace(wait, unsettled=False, held=found)
        current.waits = [settled if other.key == key else other for other in current.waits or ()]
        if found and not wait.held:
            events.trigger(work, current, target, None)


def _find(current: ElementInstance, key: int) -> Wait | None:
    return next((wait for wait in current.waits or () if wait.key == key), None)
