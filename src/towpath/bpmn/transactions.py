"""Transactions: which sub-process a cancel end event cancels, and by which boundary event it is left."""

from __future__ import annotations

from lxml import etree

from towpath.bpmn.graph import Cancel, Compensate, Element
from towpath.bpmn.notes import Notes

RULE = "cancel-event"


def method(node: etree._Element, notes: Notes) -> None:
    """A transaction is undone by compensation, which BPMN writes as ``##Compensate`` or leaves out."""
    found = node.get("method")
    if found not in (None, "", "##Compensate", "compensate"):
        notes.fault(
            node,
            "not-executed",
            f"The transaction method `{found}` is not executed.",
            "Leave it out: transactions are undone by compensation.",
        )
    if node.get("triggeredByEvent") == "true":
        notes.fault(node, "not-executed", "A transaction that an event triggers is not executed.")


def bind(elements: dict[str, Element], nodes: dict[str, etree._Element], notes: Notes) -> None:
    """Fill in ``cancel_event``, and add a fault for every cancel event that is out of place."""
    for element in elements.values():
        if (
            element.kind == "boundary"
            and isinstance(element.event, Cancel)
            and element.attached_to is not None
        ):
            _boundary(element, element.attached_to, nodes[element.id], notes)
    left = {element.id for element in elements.values() if element.cancel_event is not None}
    for element in elements.values():
        if element.kind == "end" and isinstance(element.event, Cancel):
            _end(element, nodes[element.id], notes)
            left.discard(getattr(canceled(element), "id", ""))
    for identifier in sorted(left):
        notes.fault(
            nodes[identifier],
            RULE,
            f"Nothing in the transaction `{identifier}` cancels it.",
            "Put a cancel end event into it.",
            severity="warning",
        )


def _boundary(event: Element, host: Element, node: etree._Element, notes: Notes) -> None:
    if host.kind != "transaction":
        notes.fault(
            node,
            RULE,
            f"`{host.id}` is no transaction, so nothing cancels it.",
            "Attach it to a transaction.",
        )
    elif host.cancel_event is not None:
        notes.fault(node, RULE, f"`{host.id}` has several cancel boundary events.", "Keep one of them.")
    else:
        host.cancel_event = event


def _end(event: Element, node: etree._Element, notes: Notes) -> None:
    transaction = canceled(event)
    if transaction is None:
        notes.fault(
            node,
            RULE,
            "The cancel end event is in no transaction, or in what compensates it.",
            "Put it into a transaction, or use a terminate or error end event.",
        )
    elif transaction.cancel_event is None:
        notes.fault(
            node,
            RULE,
            f"The transaction `{transaction.id}` has no cancel boundary event to leave it by.",
            "Attach a cancel boundary event to it.",
        )


def canceled(event: Element) -> Element | None:
    """The nearest transaction around a cancel end event; None where there is none that it may cancel."""
    scope = event.scope
    while scope is not None and scope.kind != "transaction":
        undoes = scope.start is not None and isinstance(scope.start.event, Compensate)
        if scope.for_compensation or undoes:
            return None
        scope = scope.scope
    return scope
