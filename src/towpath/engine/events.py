"""Events: what an event does when it is reached, and what happens when one is triggered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from towpath.bpmn.graph import Element, EventDefinition, Flow, Link
from towpath.engine import lifecycle, listeners, waits
from towpath.engine.documents import Document
from towpath.engine.effects import FlowRecord
from towpath.engine.handlers import Handler
from towpath.engine.state import ACTIVATING, ACTIVE, COMPLETING, ElementInstance
from towpath.engine.work import Work

# What throwing an event does, by the kind of its definition; the others just pass. Whoever throws is left
# completing, or waiting until somebody lets it go on. Filled by ``towpath.engine.elements``.
THROWN: dict[type[EventDefinition], Callable[[Work, ElementInstance, Element], None]] = {}
# What an end event that is complete does to its scope (editable), likewise.
ENDED: dict[type[EventDefinition], Callable[[Work, ElementInstance], None]] = {}


class Catch(Handler):
    """An intermediate catch event or a receive task: it waits for its own timer or message."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        if element.event is None or isinstance(element.event, Link):
            work.complete(current)
        else:
            waits.open_all(work, current, waits.prepare(work, current, (element,)))


class Throw(Handler):
    """Throws what its definition says; a link goes on at the catch event of its name."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        thrown = THROWN.get(type(element.event)) if element.event is not None else None
        if thrown is not None:
            thrown(work, current, element)
        else:
            work.complete(current)

    def ended(self, work: Work, current: ElementInstance, element: Element) -> None:
        if element.link_target is not None:
            work.add(element.link_target, work.edit(current.scope))


class End(Throw):
    """Throws what its definition says, or ends its scope."""

    def leave(self, work: Work, current: ElementInstance, element: Element) -> Sequence[Flow]:
        return ()

    def ended(self, work: Work, current: ElementInstance, element: Element) -> None:
        ended = ENDED.get(type(element.event)) if element.event is not None else None
        if ended is not None:
            ended(work, work.edit(current.scope))


def trigger(work: Work, owner: ElementInstance, target: Element, result: Document | None) -> None:
    """An event happened that ``owner`` (editable) waits for on behalf of ``target``."""
    if target.kind == "boundary":
        _boundary(work, owner, target, result)
    elif target.kind == "start":
        _event_sub_process(work, owner, target, result)
    elif target.id == owner.element:
        work.complete(owner, result)
    else:
        _event_based(work, owner, target, result)


def _boundary(work: Work, owner: ElementInstance, target: Element, result: Document | None) -> None:
    scope = work.edit(owner.scope)
    if target.interrupting:
        lifecycle.terminate(work, owner)
    work.add(target, scope, result=result)


def _event_sub_process(work: Work, owner: ElementInstance, start: Element, result: Document | None) -> None:
    """Start the event sub-process around ``start`` in the scope ``owner``.

    The event's variables are local to it; an interrupting one ends everything else in the scope, and
    the scope waits for no further event.
    """
    assert start.scope is not None
    if start.interrupting:
        waits.close_all(work, owner)
        lifecycle.terminate_children(work, owner)
        if owner.incident is not None:
            work.close_incident(owner)
        if owner.listening is not None:
            listeners.stop(work, owner)
        owner.interrupted = True
        owner.phase = ACTIVE
    current = work.add(start.scope, owner, phase=ACTIVATING)
    current.result = result


def _event_based(work: Work, owner: ElementInstance, target: Element, result: Document | None) -> None:
    """The gateway is left towards the event that came first, which is complete with that."""
    scope = work.edit(owner.scope)
    flow = next(flow for flow in work.element(owner).outgoing if flow.target is target)
    work.effects.append(FlowRecord(flow_id=flow.id, scope_key=scope.key))
    work.add(target, scope, result=result, phase=COMPLETING)
    work.complete(owner)
