"""Compensation: undoing what has completed, by the handlers of activities and of whole sub-processes.

A scope remembers what completed in it and can be compensated: an activity with a handler by its count, a
sub-process as a snapshot. A throw event takes all of that out of its scope, so that nothing is compensated
twice, and starts the handlers at once. A completed sub-process is restored for it, with the variables that it
had, and ends again when its handlers have.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from towpath.bpmn.graph import Compensate, Element
from towpath.engine import events, lifecycle
from towpath.engine.state import ACTIVE, Compensation, ElementInstance, Snapshot
from towpath.engine.work import Work

SPAWN = 100  # handlers begun in one move, so that a long loop's compensation does not fill a step
NOTHING = Compensation()


# --- remembering ----------------------------------------------------------------------------------


def remember(work: Work, current: ElementInstance, element: Element) -> None:
    """``current``, which can be compensated, completes: keep what that takes in the scope around it."""
    inside = current.compensation or NOTHING
    activities = {element.id: 1} if element.compensated_by is not None and not current.counter else {}
    scopes: list[Snapshot] = []
    if current.loop is not None:
        scopes = inside.scopes  # of its inner instances
    elif inside.activities or inside.scopes or element.compensation_start is not None:
        scopes = [Snapshot(element.id, current.counter, current.variables, inside.activities, inside.scopes)]
    if (activities or scopes) and (element.compensable or current.counter):
        scope = work.edit(current.scope)
        kept = scope.compensation or NOTHING
        scope.compensation = replace(
            kept, activities=_sum(kept.activities, activities), scopes=[*kept.scopes, *scopes]
        )


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {**one, **{name: one.get(name, 0) + count for name, count in other.items()}}


# --- throwing -------------------------------------------------------------------------------------


def throw_at(work: Work, current: ElementInstance, element: Element) -> None:
    """A compensation throw or end event is reached: it takes what it compensates, and begins."""
    event = element.event
    assert isinstance(event, Compensate)
    taken = Compensation(under_way=True)
    for scope in _visible(work, current):
        found = _take(work, scope, event.activity)
        taken.activities = _sum(taken.activities, found.activities)
        taken.scopes = [*taken.scopes, *found.scopes]
    current.phase = ACTIVE
    current.compensation = taken
    begin(work, current)


def _visible(work: Work, current: ElementInstance) -> Iterator[ElementInstance]:
    """The scope of a throw event; for an event sub-process also the one around it."""
    scope = work.elements[current.scope]
    yield scope
    if work.element(scope).kind == "event-sub-process":
        yield work.elements[scope.scope]


def _take(work: Work, scope: ElementInstance, activity: str | None) -> Compensation:
    """Take all that can be compensated, or only that of one activity, out of ``scope``."""
    kept = scope.compensation
    if kept is None or kept.under_way:
        return NOTHING
    if activity is None:
        left = replace(kept, activities={}, scopes=[])
        taken = Compensation(kept.activities, kept.scopes)
    else:
        left = replace(
            kept,
            activities={name: count for name, count in kept.activities.items() if name != activity},
            scopes=[one for one in kept.scopes if one.element != activity],
        )
        taken = Compensation(
            {name: count for name, count in kept.activities.items() if name == activity},
            [one for one in kept.scopes if one.element == activity],
        )
    work.edit(scope.key).compensation = left if left != NOTHING else None
    return taken


def begin(work: Work, current: ElementInstance) -> None:
    """Start some of the handlers that ``current`` (editable) has still to start; it may be done with that."""
    rest = current.compensation
    if rest is None or not rest.under_way:
        return
    activities, begun = dict(rest.activities), 0
    thrower = _thrower(work, current)
    while activities and begun < SPAWN:
        name, count = next(iter(activities.items()))
        compensated = work.graph.elements[name]
        handler = compensated.compensated_by
        assert handler is not None
        for _ in range(min(count, SPAWN - begun)):
            started = work.add(handler, _home(work, current, compensated))
            started.compensation = Compensation(thrower=thrower) if thrower else None
            begun += 1
            count -= 1
        if count:
            activities[name] = count
        else:
            del activities[name]
    some = max(SPAWN - begun, 0)
    for snapshot in rest.scopes[:some]:
        _restore(work, _home(work, current, work.graph.elements[snapshot.element]), snapshot, thrower)
        begun += 1
    left = replace(rest, activities=activities, scopes=rest.scopes[some:])
    if thrower:
        left.awaits += begun
    current.compensation = left
    if left.activities or left.scopes:
        work.queue.append(current.key)
    elif not left.awaits and not current.children:
        work.complete(current)


def _thrower(work: Work, current: ElementInstance) -> int:
    """The key of a throw event that waits for its handlers; a scope knows them as its children."""
    event = work.element(current).event
    return current.key if isinstance(event, Compensate) and event.wait else 0


def _home(work: Work, current: ElementInstance, compensated: Element) -> ElementInstance:
    """The scope (editable) in which ``compensated`` had completed: ``current``, or one around it.

    Inner instances of a multi-instance had completed in its body.
    """
    assert compensated.scope is not None
    while current.loop is None and current.element != compensated.scope.id:
        current = work.elements[current.scope]
    return work.edit(current.key)


def _restore(work: Work, scope: ElementInstance, snapshot: Snapshot, thrower: int) -> None:
    """Bring a completed sub-process back into ``scope``, and compensate it.

    Its own event sub-process decides how; without one, everything that completed in it is compensated.
    """
    element = work.graph.elements[snapshot.element]
    start = element.compensation_start
    current = work.add(element, scope, phase=ACTIVE, counter=snapshot.counter)
    current.interrupted = True  # none of its events happens any more
    current.compensation = Compensation(
        snapshot.activities, snapshot.scopes, under_way=start is None, thrower=thrower, restored=True
    )
    if snapshot.variables is not None:
        work.put(current, snapshot.variables.data)
    if start is not None:
        assert start.scope is not None
        work.add(start.scope, current)


# --- the end --------------------------------------------------------------------------------------


def ended(work: Work, current: ElementInstance) -> None:
    """``current`` is gone. A throw event that waits for it goes on, when it was the last one."""
    mine = current.compensation
    assert mine is not None
    if isinstance(work.element(current).event, Compensate):
        _give_back(work, current, mine)
    thrower = work.elements.get(mine.thrower)
    if thrower is None or thrower.compensation is None:
        return
    thrower = work.edit(thrower.key)
    waits = thrower.compensation
    assert waits is not None
    thrower.compensation = waits = replace(waits, awaits=waits.awaits - 1)
    if not (waits.awaits or waits.activities or waits.scopes):
        work.complete(thrower)


def _give_back(work: Work, thrower: ElementInstance, rest: Compensation) -> None:
    """A throw event ended before it had started all handlers: what is left can be compensated still."""
    for name, count in rest.activities.items():
        scope = _home(work, thrower, work.graph.elements[name])
        kept = scope.compensation or NOTHING
        scope.compensation = replace(kept, activities=_sum(kept.activities, {name: count}))
    for snapshot in rest.scopes:
        scope = _home(work, thrower, work.graph.elements[snapshot.element])
        kept = scope.compensation or NOTHING
        scope.compensation = replace(kept, scopes=[*kept.scopes, snapshot])


def leave(work: Work, current: ElementInstance, element: Element, undone: Compensation) -> bool:
    """End a scope in which everything was undone. Whether this was one, and not an element like any other."""
    if not (undone.restored or undone.canceled):
        return False
    if undone.under_way and (undone.activities or undone.scopes):
        current.phase = ACTIVE
        begin(work, current)
    elif undone.canceled and not current.counter:
        assert element.cancel_event is not None
        events.trigger(work, current, element.cancel_event, None)
    else:
        scope = work.remove(current, "terminated" if undone.canceled else "completed")
        assert scope is not None
        ended(work, current)
        lifecycle.emptied(work, scope)
    return True
