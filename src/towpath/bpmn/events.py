"""Event definitions: timer, message, error, link and terminate; every other one is refused by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from towpath.bpmn import timers
from towpath.bpmn.extensions import Extensions
from towpath.bpmn.graph import Error, EventDefinition, Link, Message, Terminate, Timer, Value
from towpath.bpmn.notes import Notes
from towpath.bpmn.xml import BPMN, split, text_of

NOT_EXECUTED = {
    "signalEventDefinition": "signal events",
    "escalationEventDefinition": "escalation events",
    "compensateEventDefinition": "compensation events",
    "conditionalEventDefinition": "conditional events",
    "cancelEventDefinition": "cancel events",
}
# What each kind of event may be, by the tag of the event and of its definition.
ALLOWED = {
    "startEvent": {"timerEventDefinition", "messageEventDefinition", "errorEventDefinition"},
    "endEvent": {"messageEventDefinition", "errorEventDefinition", "terminateEventDefinition"},
    "intermediateCatchEvent": {"timerEventDefinition", "messageEventDefinition", "linkEventDefinition"},
    "intermediateThrowEvent": {"messageEventDefinition", "linkEventDefinition"},
    "boundaryEvent": {"timerEventDefinition", "messageEventDefinition", "errorEventDefinition"},
}


@dataclass(slots=True)
class Globals:
    """Messages and errors of the file, which elements refer to by id."""

    messages: dict[str, Message] = field(default_factory=dict)
    errors: dict[str, Error] = field(default_factory=dict)


def read_globals(root: etree._Element, notes: Notes) -> Globals:
    """``bpmn:message`` and ``bpmn:error`` of the file; those that nothing refers to are not judged."""
    found = Globals()
    for node in root:
        namespace, name = split(node)
        identifier = node.get("id")
        if namespace != BPMN or identifier is None:
            continue
        if name == "message":
            text = notes.value(node, node.get("name"), "message name") or Value("")
            found.messages[identifier] = Message(text, Extensions(node, notes).correlation_key())
        elif name == "error":
            found.errors[identifier] = Error(notes.value(node, node.get("errorCode"), "error code"))
    return found


def definition(node: etree._Element, scope: Globals, notes: Notes) -> EventDefinition | None:
    """The event definition of an event; None where it has none, or a faulty one."""
    tag = split(node)[1]
    definitions = [child for child in node if split(child)[1].endswith("ventDefinition")]
    definitions += [child for child in node if split(child) == (BPMN, "eventDefinitionRef")]
    if not definitions:
        return None
    if len(definitions) > 1:
        notes.fault(
            node,
            "not-executed",
            "An event with several event definitions is not executed.",
            "Use one event for each, behind an event-based gateway or as several boundary events.",
        )
        return None
    child = definitions[0]
    kind = split(child)[1]
    if kind in NOT_EXECUTED:
        notes.fault(child, "not-executed", f"{NOT_EXECUTED[kind].capitalize()} are not executed.")
        return None
    if kind not in ALLOWED[tag]:
        notes.fault(child, "not-executed", f"A {kind} is not executed in a {tag}.")
        return None
    if kind == "timerEventDefinition":
        return _timer(child, tag, notes)
    if kind == "messageEventDefinition":
        if tag in ("intermediateThrowEvent", "endEvent"):
            return None  # thrown by a job worker, as its task definition says
        return message(child, scope, notes, needs_key=tag != "startEvent")
    if kind == "errorEventDefinition":
        return _error(child, tag, scope, notes)
    if kind == "linkEventDefinition":
        name = child.get("name") or ""
        if not name:
            notes.fault(child, "link-name", "The link event has no name.", "Set the link's name.")
        return Link(name)
    return Terminate()


def message(node: etree._Element, scope: Globals, notes: Notes, *, needs_key: bool) -> Message | None:
    """The message that ``node`` refers to with ``messageRef``."""
    reference = _reference(node.get("messageRef"))
    if reference is None:
        notes.fault(node, "message-missing", "No message is referenced.", "Choose or create a message.")
        return None
    found = scope.messages.get(reference)
    if found is None:
        notes.fault(node, "message-missing", f"The message `{reference}` does not exist in this file.")
        return None
    if not found.name.text:
        notes.fault(node, "message-name", f"The message `{reference}` has no name.", "Name the message.")
        return None
    if needs_key and found.correlation_key is None:
        notes.fault(
            node,
            "correlation-key",
            f"The message `{found.name.text}` has no correlation key.",
            "Set the message's subscription correlation key to an expression, such as =orderId.",
        )
        return None
    if not needs_key and found.name.static is None and found.name.expression is not None:
        names = found.name.expression.names
        if names:
            notes.fault(
                node,
                "message-name",
                "The name of a message that starts a process cannot use variables.",
                "Use a static name.",
            )
    return found


def _error(node: etree._Element, tag: str, scope: Globals, notes: Notes) -> Error | None:
    reference = _reference(node.get("errorRef"))
    found = scope.errors.get(reference) if reference is not None else None
    if reference is not None and found is None:
        notes.fault(node, "error-missing", f"The error `{reference}` does not exist in this file.")
        return None
    if tag == "endEvent" and (found is None or found.code is None):
        notes.fault(node, "error-code", "The error end event throws no error code.", "Set the error's code.")
        return None
    if tag != "endEvent" and found is not None and found.code is not None and found.code.static is None:
        notes.fault(node, "error-code", "An error is caught by a static code only.", "Use a static code.")
        return None
    return found or Error(None)


def _timer(node: etree._Element, tag: str, notes: Notes) -> Timer | None:
    kinds = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}
    found = [child for child in node if split(child)[1] in kinds and text_of(child)]
    if len(found) != 1:
        notes.fault(
            node,
            "timer",
            "The timer needs exactly one of date, duration and cycle.",
            "Set the timer's type and value.",
        )
        return None
    child = found[0]
    kind = kinds[split(child)[1]]
    if kind == "cycle" and tag == "intermediateCatchEvent":
        notes.fault(child, "timer", "An intermediate timer cannot repeat.", "Use a date or a duration.")
        return None
    value = notes.value(child, text_of(child), f"timer's {kind}")
    if value is None:
        return None
    if value.static is not None:
        try:
            timers.first_due(kind, value.static, 0)
        except ValueError as error:
            notes.fault(child, "timer", f"The timer cannot be understood: {error}.")
            return None
    return Timer(kind, value)


def _reference(text: str | None) -> str | None:
    """The id in a QName."""
    return text.rpartition(":")[2] if text else None
