"""The rules that a process keeps as a whole: what may stand where, and what must be connected."""

from __future__ import annotations

from lxml import etree

from towpath.bpmn.graph import Compensate, Condition, Element, Error, Escalation, Link, Message, Signal, Timer
from towpath.bpmn.notes import Notes

# What an event-based gateway can wait for.
WAITED_FOR = (Timer, Message, Signal, Condition)


def check(elements: dict[str, Element], nodes: dict[str, etree._Element], notes: Notes) -> None:
    """Add a fault for every rule broken, and fill in what follows from the whole: links, joins."""
    members: dict[str, list[Element]] = {}
    for element in elements.values():
        if element.scope is not None:
            members.setdefault(element.scope.id, []).append(element)
    for element in elements.values():
        if element.kind == "event-based" and element.instantiate:
            for flow in element.outgoing:
                flow.target.instantiate = True
    for element in elements.values():
        node = nodes[element.id]
        if element.kind in ("process", "sub-process", "event-sub-process", "transaction"):
            _scope(element, members.get(element.id, []), node, notes)
        checker = CHECKERS.get(element.kind)
        if checker is not None:
            checker(element, node, notes)
        if element.instantiate and element.kind in ("receive", "event-based"):
            _instantiating(element, node, notes)
        if element.instantiate and "start" in element.listeners:
            notes.fault(
                node,
                "listener",
                "What begins an instance has no start listeners: its event has happened by then.",
                "Use an end listener.",
            )
        _flows(element, node, notes)
    for element in elements.values():
        if element.kind == "inclusive" and len(element.incoming) > 1:
            element.upstream = frozenset(_upstream(element))


def _scope(scope: Element, members: list[Element], node: etree._Element, notes: Notes) -> None:
    starts = [element for element in members if element.kind == "start"]
    plain = [element for element in starts if element.event is None]
    if scope.kind == "process":
        if not starts and not any(element.instantiate for element in members):
            notes.fault(node, "start-event", "The process has no start event.", "Add a start event.")
        if len(plain) > 1:
            notes.fault(
                node, "start-event", "The process has several none start events.", "Keep one of them."
            )
        begins = [element for element in members if element in starts or element.instantiate]
        signals = [element.event.name.text for element in begins if isinstance(element.event, Signal)]
        for name in sorted({name for name in signals if signals.count(name) > 1}):
            notes.fault(
                node,
                "signal-name",
                f"More than one start event has the signal `{name}`.",
                "Keep one of them.",
            )
    elif scope.kind != "event-sub-process":
        if len(starts) != 1 or len(plain) != 1:
            notes.fault(
                node,
                "start-event",
                "A sub-process needs exactly one start event, without a trigger.",
                "Use one none start event.",
            )
    elif len(starts) != 1:
        notes.fault(
            node, "start-event", "An event sub-process needs exactly one start event.", "Use one start event."
        )
    elif plain and not any(fault.element == plain[0].id for fault in notes.faults):
        notes.fault(
            node,
            "start-event",
            "The start event of an event sub-process needs a trigger.",
            "Give it a trigger, such as a timer, a message or an error.",
        )
    _event_sub_processes(scope, node, notes)
    _links(members, node, notes)


def _event_sub_processes(scope: Element, node: etree._Element, notes: Notes) -> None:
    _unique_codes(scope.event_starts, node, notes)
    for start in scope.event_starts:
        if start.scope is not None and (start.scope.incoming or start.scope.outgoing):
            notes.fault(
                node,
                "event-sub-process",
                f"The event sub-process `{start.scope.id}` has sequence flows.",
                "Remove them: it is started by its event.",
            )


def _unique_codes(events: tuple[Element, ...], node: etree._Element, notes: Notes) -> None:
    """Which event catches an error or escalation, is never a matter of chance."""
    for kind, name in ((Error, "error"), (Escalation, "escalation")):
        found = [event.event for event in events if isinstance(event.event, kind)]
        codes = [event.code.text if event.code is not None else "" for event in found]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            what = f"the {name} code `{code}`" if code else f"all {name}s"
            notes.fault(node, f"{name}-event", f"More than one event catches {what}.", "Keep one of them.")


def _links(members: list[Element], node: etree._Element, notes: Notes) -> None:
    targets: dict[str, Element] = {}
    for element in members:
        if element.kind == "catch" and isinstance(element.event, Link):
            if element.event.name in targets:
                notes.fault(
                    node,
                    "link-name",
                    f"Two link catch events have the name `{element.event.name}`.",
                    "Rename one of them.",
                )
            targets[element.event.name] = element
    for element in members:
        if element.kind == "throw" and isinstance(element.event, Link):
            element.link_target = targets.get(element.event.name)
            if element.link_target is None:
                notes.fault(
                    node,
                    "link-name",
                    f"The link `{element.event.name}` of `{element.id}` is caught nowhere in its scope.",
                    "Add a link catch event of that name.",
                )
            else:
                element.link_target.link_sources += (element,)


def _flows(element: Element, node: etree._Element, notes: Notes) -> None:
    if element.kind in ("start", "boundary") and element.incoming:
        notes.fault(
            node,
            "incoming-flow",
            f"A {element.kind} event cannot have incoming flows.",
            "Connect the flow to the element after it.",
        )
    if element.kind == "end" and element.outgoing:
        notes.fault(node, "outgoing-flow", "An end event cannot have outgoing flows.", "Remove the flow.")
    if element.type == "END_EVENT" and element.kind == "job" and element.outgoing:
        notes.fault(node, "outgoing-flow", "An end event cannot have outgoing flows.", "Remove the flow.")
    if element.kind == "catch" and isinstance(element.event, Link) and element.incoming:
        notes.fault(node, "incoming-flow", "A link catch event cannot have incoming flows.")
    if element.kind == "throw" and isinstance(element.event, Link) and element.outgoing:
        notes.fault(node, "outgoing-flow", "A link throw event cannot have outgoing flows.")
    if element.kind not in ("exclusive", "inclusive"):
        for flow in element.outgoing:
            if flow.condition is not None:
                notes.fault(
                    node,
                    "condition",
                    f"The flow `{flow.id}` has a condition, but leaves no exclusive or inclusive gateway.",
                    "Put a gateway behind this element.",
                    line=flow.line,
                )
    leads_on = element.event is not None and not isinstance(element.event, Compensate)
    if element.kind == "boundary" and leads_on and not element.outgoing:
        notes.fault(
            node,
            "outgoing-flow",
            "The boundary event leads nowhere.",
            "Connect it to what happens then.",
            severity="warning",
        )


def _choice(element: Element, node: etree._Element, notes: Notes) -> None:
    """Every way out of an exclusive or inclusive gateway has a condition or is the default."""
    if element.default is not None and element.default.condition is not None:
        notes.fault(
            node,
            "default-flow",
            f"The default flow `{element.default.id}` has a condition.",
            "Remove the condition.",
        )
    if len(element.outgoing) < 2:
        return
    for flow in element.outgoing:
        if flow.condition is None and flow is not element.default:
            notes.fault(
                node,
                "condition",
                f"The flow `{flow.id}` leaves the gateway without a condition.",
                "Set a condition, or make it the default flow.",
                line=flow.line,
            )


def _begins(target: Element) -> bool:
    """Whether the event is known by a name before there is an instance."""
    return isinstance(target.event, (Message, Signal)) and target.event.name.expression is None


def _event_based(element: Element, node: etree._Element, notes: Notes) -> None:
    if len(element.outgoing) < 2:
        notes.fault(
            node,
            "event-based-gateway",
            "An event-based gateway needs at least two events to choose from.",
            "Connect it to two or more catch events.",
        )
    for flow in element.outgoing:
        target = flow.target
        if target.kind != "catch" or not isinstance(target.event, WAITED_FOR):
            notes.fault(
                node,
                "event-based-gateway",
                f"`{target.id}` behind the event-based gateway is no timer, message, signal or condition.",
                "Use intermediate catch events.",
            )
        elif element.instantiate and not _begins(target):
            notes.fault(
                node,
                "event-based-gateway",
                f"`{target.id}` cannot begin an instance.",
                "Use a message or signal whose name is no expression.",
            )
        elif len(target.incoming) > 1:
            notes.fault(
                node,
                "event-based-gateway",
                f"`{target.id}` can be reached past the event-based gateway.",
                "Connect it to this gateway only.",
            )


def _instantiating(element: Element, node: etree._Element, notes: Notes) -> None:
    """A receive task or event-based gateway that begins an instance."""
    if element.scope is not None and element.scope.kind != "process":
        notes.fault(
            node,
            "instantiate",
            "Only a process begins so.",
            "Move it out of the sub-process, or unset instantiate.",
        )
    if element.incoming:
        notes.fault(
            node, "incoming-flow", "What begins an instance cannot have incoming flows.", "Remove the flow."
        )
    if element.multi_instance is not None:
        notes.fault(node, "instantiate", "What begins an instance cannot be multi-instance.")
    if element.inputs:
        notes.fault(node, "mapping", "What begins an instance has no input mappings.", "Use output mappings.")
    if element.kind == "receive" and element.event is not None and not _begins(element):
        notes.fault(
            node,
            "message-name",
            "The name of a message that begins an instance cannot be an expression.",
            "Use a static name.",
        )
    for event in element.boundary:
        if event.event is not None and not isinstance(event.event, Compensate):
            notes.fault(
                node,
                "boundary-event",
                f"The boundary event `{event.id}` never happens: what begins an instance does not wait.",
                "Remove it.",
            )


def _boundary(element: Element, node: etree._Element, notes: Notes) -> None:
    host = element.attached_to
    if host is not None and host.boundary[-1] is element:
        _unique_codes(host.boundary, node, notes)
    if isinstance(element.event, Timer) and element.event.kind == "cycle" and element.interrupting:
        notes.fault(
            node,
            "timer",
            "An interrupting boundary timer cannot repeat.",
            "Make it non-interrupting, or use a duration.",
        )


def _upstream(join: Element) -> set[str]:
    """Ids of elements from which a flow can still reach ``join``, without going through it."""
    found: set[str] = set()
    waiting = [flow.source for flow in join.incoming]
    while waiting:
        element = waiting.pop()
        if element.id in found or element is join:
            continue
        found.add(element.id)
        waiting += [flow.source for flow in element.incoming]
        if element.attached_to is not None:
            waiting.append(element.attached_to)
        if element.kind == "catch" and isinstance(element.event, Link):
            waiting += element.link_sources
    return found


CHECKERS = {
    "exclusive": _choice,
    "inclusive": _choice,
    "event-based": _event_based,
    "boundary": _boundary,
}
