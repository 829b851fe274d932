"""Listeners: which an element has, and at which of its events it may have some."""

from __future__ import annotations

from lxml import etree

from towpath.bpmn.extensions import Extensions
from towpath.bpmn.graph import Compensate, Element, Error, Listener
from towpath.bpmn.notes import Notes
from towpath.bpmn.xml import split

EVENTS = {
    "executionListener": ("beforeAll", "start", "end"),
    "taskListener": ("creating", "assigning", "updating", "completing"),
}
GATEWAYS = ("exclusive", "parallel", "inclusive", "event-based")


def read(element: Element, extensions: Extensions, notes: Notes) -> None:
    """Fill in the element's listeners by event type; each pair of event type and job type stands once."""
    found: dict[str, list[Listener]] = {}
    for node, listener in extensions.listeners():
        event, type_ = listener.event, listener.job.type.text
        known = EVENTS.get(split(node)[1], ())
        if event not in known:
            notes.fault(
                node,
                "listener",
                f"The listener `{type_}` has no event type that is executed: `{event}`.",
                f"Set eventType to one of {', '.join(known)}.",
            )
            continue
        others = found.setdefault(event, [])
        if any(other.job.type.text == type_ for other in others):
            notes.fault(
                node,
                "listener",
                f"There is more than one {event} listener of the type `{type_}`.",
                "Keep one of them.",
            )
        others.append(listener)
    element.listeners = {event: tuple(others) for event, others in found.items()}


def check(elements: dict[str, Element], nodes: dict[str, etree._Element], notes: Notes) -> None:
    """Add a fault for each event at which an element's listeners could not run."""
    for element in elements.values():
        for event in element.listeners:
            found = _misplaced(element, event)
            if found is not None:
                what, remedy = found
                notes.fault(nodes[element.id], "listener", f"{what} has no {event} listeners.", remedy)


def _misplaced(element: Element, event: str) -> tuple[str, str] | None:
    """What the element is that has no listeners of ``event``, and what to do."""
    if event in EVENTS["taskListener"]:
        if element.kind != "user-task":
            return "An element that is no user task", "Use an execution listener."
    elif event == "beforeAll":
        if element.multi_instance is None:
            return "An element that is no multi-instance", "Use a start listener."
    elif element.kind == "boundary" and isinstance(element.event, Compensate):
        return "A compensation boundary event", "Move them to the compensation handler."
    elif event == "end":
        if element.kind in GATEWAYS:
            return "A gateway", "Use start listeners of the elements behind it."
        if element.kind == "end" and isinstance(element.event, Error):
            return "An error end event", "Move them to the event that catches the error."
    elif element.kind == "start":
        return "A start event", "Move them to the process or sub-process around it."
    elif element.kind == "boundary":
        return "A boundary event", "Move them to the activity that it is attached to."
    elif any(flow.source.kind == "event-based" for flow in element.incoming):
        # When the gateway is left, the event has happened already.
        return "An event behind an event-based gateway", "Move them to the gateway."
    return None
