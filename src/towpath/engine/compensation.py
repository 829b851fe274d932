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
from towpath.engine.effects import ElementRecord
from towpath.engine.state import (
    ACTIVE,
    SNAPSHOTS,
    Compensation,
    Completed,
    ElementInstance,
    Snapshot,
    Snapshots,
)
from towpath.engine.work import Work

SPAWN = 100  # handlers begun in one move, so that a long loop's compensation does not fill a step
NOTHING = Compensation()


# --- remembering ----------------------------------------------------------------------------------


def remember(work: Work, current: ElementInstance, element: Element) -> None:
    """``current``, which can be compensated, completes: keep what that takes in the scope around it."""
    inside = current.compensation.completed if current.compensation is not None else None
    found = Completed()
    if element.compensated_by is not None and not current.counter:
        found.activities = {element.id: 1}
    if current.loop is not None:
        if inside is not None:  # of its inner instances
            found.scopes, found.parts = inside.scopes, inside.parts
    elif inside is not None or element.compensation_start is not None:
        found.scopes = [Snapshot(element.id, current.counter, current.variables, inside)]
    if element.compensable or current.counter:
        _keep(work.edit(current.scope), found)


def _keep(scope: ElementInstance, found: Completed) -> None:
    """Add what completed in ``scope`` (editable)."""
    if _is_empty(found):
        return
    mine = scope.compensation or NOTHING
    kept = mine.completed or Completed()
    scopes, parts = [*kept.scopes, *found.scopes], [*kept.parts, *found.parts]
    while len(scopes) >= SNAPSHOTS:
        parts.append(Snapshots(scopes[:SNAPSHOTS]))
        scopes = scopes[SNAPSHOTS:]
    scope.compensation = replace(
        mine, completed=Completed(_sum(kept.activities, found.activities), scopes, parts)
    )


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {**one, **{name: one.get(name, 0) + count for name, count in other.items()}}


def _is_empty(found: Completed | None) -> bool:
    return found is None or not (found.activities or found.scopes or found.parts)


# --- throwing -------------------------------------------------------------------------------------


def throw_at(work: Work, current: ElementInstance, element: Element) -> None:
    """A compensation throw or end event is reached: it takes what it compensates, and begins."""
    event = element.event
    assert isinstance(event, Compensate)
    current.phase = ACTIVE
    for scope in _visible(work, current):
        _keep(current, _take(work, scope, event.activity))
    current.compensation = replace(current.compensation or NOTHING, under_way=True)
    begin(work, current)


def _visible(work: Work, current: ElementInstance) -> Iterator[ElementInstance]:
    """The scope of a throw event; for an event sub-process also the one around it."""
    scope = work.elements[current.scope]
    yield scope
    if work.element(scope).kind == "event-sub-process":
        yield work.elements[scope.scope]


def _take(work: Work, scope: ElementInstance, activity: str | None) -> Completed:
    """Take all that can be compensated, or only that of one activity, out of ``scope``."""
    mine = scope.compensation
    if mine is None or mine.under_way or mine.completed is None:
        return Completed()
    kept = mine.completed
    scope = work.edit(scope.key)
    left = replace(mine, completed=None)
    scope.compensation = left if left != NOTHING else None
    if activity is None:
        return kept
    snapshots = [*(one for part in kept.parts for one in part.snapshots), *kept.scopes]
    _keep(
        scope,
        Completed(
            {name: count for name, count in kept.activities.items() if name != activity},
            [one for one in snapshots if one.element != activity],
        ),
    )
    return Completed(
        {name: count for name, count in kept.activities.items() if name == activity},
        [one for one in snapshots if one.element == activity],
    )


def begin(work: Work, current: ElementInstance) -> None:
    """Start some of the handlers that ``current`` (editable) has still to start; it may be done with that."""
    mine = current.compensation
    if mine is None or not mine.under_way:
        return
    thrower = _thrower(work, current)
    rest, begun = _begin(work, current, mine.completed or Completed(), thrower)
    awaits = mine.awaits + begun if thrower else 0
    current.compensation = replace(mine, completed=None if _is_empty(rest) else rest, awaits=awaits)
    if current.compensation.completed is not None:
        work.queue.append(current.key)
    elif not awaits and not current.children:
        work.complete(current)


def _begin(work: Work, current: ElementInstance, found: Completed, thrower: int) -> tuple[Completed, int]:
    """Start at most ``SPAWN`` handlers: what is left, and how many that were."""
    activities, begun = dict(found.activities), 0
    while activities and begun < SPAWN:
        name, count = next(iter(activities.items()))
        compensated = work.graph.elements[name]
        handler = compensated.compensated_by
        assert handler is not None
        some = min(count, SPAWN - begun)
        for _ in range(some):
            started = work.add(handler, _home(work, current, compensated))
            started.compensation = Compensation(thrower=thrower) if thrower else None
        begun += some
        if count > some:
            activities[name] = count - some
        else:
            del activities[name]
    snapshots: list[Snapshot] = []
    parts = found.parts
    while parts and len(snapshots) < SPAWN - begun:
        snapshots += parts[0].snapshots
        parts = parts[1:]
    snapshots += found.scopes
    now = max(SPAWN - begun, 0)
    for snapshot in snapshots[:now]:
        _restore(work, _home(work, current, work.graph.elements[snapshot.element]), snapshot, thrower)
    return Completed(activities, snapshots[now:], parts), begun + len(snapshots[:now])


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
    _no_milestone(work)
    current.interrupted = True  # none of its events happens any more
    current.compensation = Compensation(
        snapshot.completed, under_way=start is None, thrower=thrower, restored=True
    )
    if snapshot.variables is not None:
        work.put(current, snapshot.variables.data)
    if start is not None:
        assert start.scope is not None
        work.add(start.scope, current)


def _no_milestone(work: Work) -> None:
    """What was told last is of a restored sub-process, which had reached its milestone before."""
    record = work.effects[-1]
    assert isinstance(record, ElementRecord)
    work.effects[-1] = replace(record, milestone=None)


# --- the end --------------------------------------------------------------------------------------


def ended(work: Work, current: ElementInstance) -> None:
    """``current`` is gone. A throw event that waits for it goes on, when it was the last one."""
    mine = current.compensation
    assert mine is not None
    if mine.completed is not None and isinstance(work.element(current).event, Compensate):
        _give_back(work, current, mine.completed)
    thrower = work.elements.get(mine.thrower)
    if thrower is None or thrower.compensation is None:
        return
    thrower = work.edit(thrower.key)
    waits = thrower.compensation
    assert waits is not None
    thrower.compensation = replace(waits, awaits=waits.awaits - 1)
    if waits.awaits == 1 and waits.completed is None:
        work.complete(thrower)


def _give_back(work: Work, thrower: ElementInstance, rest: Completed) -> None:
    """A throw event ended before it had started all handlers: what is left can be compensated still."""
    for name, count in rest.activities.items():
        _keep(_home(work, thrower, work.graph.elements[name]), Completed({name: count}))
    for snapshot in [*(one for part in rest.parts for one in part.snapshots), *rest.scopes]:
        home = _home(work, thrower, work.graph.elements[snapshot.element])
        _keep(home, Completed(scopes=[snapshot]))


def leave(work: Work, current: ElementInstance, element: Element, undone: Compensation) -> bool:
    """End a scope in which everything was undone. Whether this was one, and not an element like any other."""
    if not (undone.restored or undone.canceled):
        return False
    if undone.under_way and undone.completed is not None:
        current.phase = ACTIVE
        begin(work, current)
    elif undone.canceled and not current.counter:
        assert element.cancel_event is not None
        events.trigger(work, current, element.cancel_event, None)
    else:
        scope = work.remove(current, "terminated" if undone.canceled else "completed")
        assert scope is not None
        if undone.restored:
            _no_milestone(work)
        ended(work, current)
        lifecycle.emptied(work, scope)
    return True
