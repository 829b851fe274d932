"""Compensation: which handler undoes which activity, and which completions have to be remembered for it.

A completion is worth remembering only where a throw event can reach it: directly inside the scope of the
throw event (or around it, where that scope is an event sub-process), or inside what has completed there.
The completed instances of a multi-instance transaction are remembered by their body in any case.
"""

from __future__ import annotations

from lxml import etree

from towpath.bpmn.graph import Cancel, Compensate, Element
from towpath.bpmn.notes import Notes
from towpath.bpmn.transactions import canceled
from towpath.bpmn.xml import BPMN

RULE = "compensation"


def bind(
    process: etree._Element, elements: dict[str, Element], nodes: dict[str, etree._Element], notes: Notes
) -> None:
    """Fill in what the graph's elements say of compensation, and add a fault for all that does not fit."""
    associated: dict[str, list[str]] = {}
    for node in process.iter(f"{{{BPMN}}}association"):
        associated.setdefault(node.get("sourceRef") or "", []).append(node.get("targetRef") or "")
    handlers: set[str] = set()
    for element in elements.values():
        if not isinstance(element.event, Compensate):
            continue
        if element.kind == "boundary":
            found = [elements[target] for target in associated.get(element.id, ()) if target in elements]
            handlers.update(target.id for target in found)
            _boundary(element, found, nodes[element.id], notes)
        elif element.kind == "start":
            _start(element, nodes[element.id], notes)
    for element in elements.values():
        if element.for_compensation:
            _handler(element, element.id in handlers, nodes[element.id], notes)
    _reach(elements, nodes, notes)


def _boundary(event: Element, associated: list[Element], node: etree._Element, notes: Notes) -> None:
    if event.outgoing:
        notes.fault(
            node,
            RULE,
            "A compensation boundary event has no sequence flows.",
            "Connect it to the compensation handler with an association.",
        )
    if len(associated) != 1 or not associated[0].for_compensation or associated[0].scope is not event.scope:
        notes.fault(
            node,
            RULE,
            "The compensation boundary event is not associated with one compensation handler.",
            "Draw an association to an activity of the same scope that is marked for compensation.",
        )
        return
    host = event.attached_to
    if host is None:
        return
    if host.for_compensation:
        notes.fault(node, RULE, "A compensation handler cannot be compensated.", "Remove the boundary event.")
    elif host.compensated_by is not None:
        notes.fault(node, RULE, f"`{host.id}` has several compensation boundary events.", "Keep one of them.")
    else:
        host.compensated_by = associated[0]


def _start(event: Element, node: etree._Element, notes: Notes) -> None:
    around = event.scope.scope if event.scope is not None else None
    if around is None:
        return  # no event sub-process: another rule tells that
    if around.kind not in ("sub-process", "transaction"):
        notes.fault(
            node,
            RULE,
            "Only a sub-process is compensated by an event sub-process of its own.",
            "Put it into a sub-process.",
        )
    elif around.compensation_start is not None:
        notes.fault(
            node,
            RULE,
            f"`{around.id}` has several event sub-processes that compensate it.",
            "Keep one of them.",
        )
    else:
        around.compensation_start = event


def _handler(handler: Element, associated: bool, node: etree._Element, notes: Notes) -> None:
    if handler.kind == "event-sub-process":
        notes.fault(
            node,
            RULE,
            "An event sub-process is no compensation handler.",
            "Remove isForCompensation; a compensation start event makes it compensate its sub-process.",
        )
        return
    if handler.incoming or handler.outgoing:
        notes.fault(
            node,
            RULE,
            "A compensation handler has no sequence flows.",
            "Connect it with an association to a compensation boundary event.",
        )
    if not associated:
        notes.fault(
            node,
            RULE,
            "No compensation boundary event is associated with this handler.",
            "Draw an association from a compensation boundary event to it.",
        )


def _reach(elements: dict[str, Element], nodes: dict[str, etree._Element], notes: Notes) -> None:
    """From each throw event: what it names must be there, and what it can compensate is remembered.

    A cancel end event throws for all that is in its transaction.
    """
    members = _Members(elements)
    for element in elements.values():
        event = element.event
        transaction = canceled(element) if element.kind == "end" and isinstance(event, Cancel) else None
        for member in members.of(transaction) if transaction is not None else ():
            members.remember(member)
        if not isinstance(event, Compensate) or element.kind not in ("throw", "end"):
            continue
        visible = [member for scope in visible_scopes(element) for member in members.of(scope)]
        if event.activity is None:
            chosen = visible
        else:
            chosen = [member for member in visible if member.id == event.activity]
            if not any(members.compensable(member) for member in chosen):
                notes.fault(
                    nodes[element.id],
                    RULE,
                    f"`{event.activity}` is nothing that this event can compensate.",
                    "Name an activity of the same scope that has a compensation boundary event.",
                )
        for member in chosen:
            members.remember(member)


def visible_scopes(event: Element) -> list[Element]:
    """Where a throw event compensates: in its own scope, and around that where it is an event sub-process.

    :func:`towpath.engine.compensation.throw_at` looks in the same scopes.
    """
    assert event.scope is not None
    if event.scope.kind == "event-sub-process" and event.scope.scope is not None:
        return [event.scope, event.scope.scope]
    return [event.scope]


class _Members:
    """What stands directly inside each scope, and what of it can be compensated."""

    def __init__(self, elements: dict[str, Element]) -> None:
        self._inside: dict[str, list[Element]] = {}
        self._known: dict[str, bool] = {}
        for element in elements.values():
            if element.scope is not None:
                self._inside.setdefault(element.scope.id, []).append(element)

    def of(self, scope: Element) -> list[Element]:
        return self._inside.get(scope.id, [])

    def compensable(self, element: Element) -> bool:
        """Whether a handler undoes it, or something inside it. What undoes is not undone itself."""
        if element.id not in self._known:
            self._known[element.id] = not _undoes(element) and (
                element.compensated_by is not None
                or element.compensation_start is not None
                or any(self.compensable(member) for member in self.of(element))
            )
        return self._known[element.id]

    def remember(self, element: Element) -> None:
        if not self.compensable(element) or element.compensable:
            return
        element.compensable = True
        if element.compensation_start is None:  # else that decides what of the inside is compensated
            for member in self.of(element):
                self.remember(member)


def _undoes(element: Element) -> bool:
    """Whether this is a compensation handler, or an event sub-process that compensates its sub-process."""
    around = element.scope
    start = around.compensation_start if around is not None else None
    return element.for_compensation or (start is not None and start.scope is element)
