"""Event definitions: for each kind, where it may stand and how it is read; the others are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeVar

from lxml import etree

from towpath.bpmn import timers
from towpath.bpmn.extensions import CHANGES, Extensions
from towpath.bpmn.graph import (
    Cancel,
    Compensate,
    Condition,
    Error,
    Escalation,
    EventDefinition,
    Link,
    Message,
    Signal,
    Terminate,
    Timer,
    Value,
)
from towpath.bpmn.notes import Notes
from towpath.bpmn.xml import BPMN, split, text_of


class Place(Enum):
    """Where an event stands, said as it is in a message."""

    START = "a start event outside an event sub-process"
    EVENT_START = "the start event of an event sub-process"
    EVENT_START_ASIDE = "the non-interrupting start event of an event sub-process"
    CATCH = "an intermediate catch event"
    THROW = "an intermediate throw event"
    BOUNDARY = "a boundary event"
    BOUNDARY_ASIDE = "a non-interrupting boundary event"
    END = "an end event"


# What interrupts -> the same without interrupting.
_ASIDE = {Place.EVENT_START_ASIDE: Place.EVENT_START, Place.BOUNDARY_ASIDE: Place.BOUNDARY}


def place(node: etree._Element, scope_kind: str) -> Place:
    """Where the event ``node`` stands, directly inside a scope of this kind."""
    tag = split(node)[1]
    if tag == "startEvent":
        if scope_kind != "event-sub-process":
            return Place.START
        return Place.EVENT_START_ASIDE if node.get("isInterrupting") == "false" else Place.EVENT_START
    if tag == "boundaryEvent":
        return Place.BOUNDARY_ASIDE if node.get("cancelActivity") == "false" else Place.BOUNDARY
    return {"endEvent": Place.END, "intermediateCatchEvent": Place.CATCH}.get(tag, Place.THROW)


@dataclass(slots=True)
class Globals:
    """What the file defines beside its processes, and elements refer to by id."""

    messages: dict[str, Message] = field(default_factory=dict)
    errors: dict[str, Error] = field(default_factory=dict)
    escalations: dict[str, Escalation] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)


def read_globals(root: etree._Element, notes: Notes) -> Globals:
    """The file's ``bpmn:message``, ``bpmn:error``...; what nothing refers to is not judged."""
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
        elif name == "escalation":
            code = notes.value(node, node.get("escalationCode"), "escalation code")
            found.escalations[identifier] = Escalation(code)
        elif name == "signal":
            found.signals[identifier] = Signal(
                notes.value(node, node.get("name"), "signal name") or Value("")
            )
    return found


class Definition(NamedTuple):
    """An event definition that is being read, and what reading it needs."""

    node: etree._Element
    at: Place
    scope: Globals
    notes: Notes

    def fault(self, rule: str, message: str, remedy: str = "") -> None:
        self.notes.fault(self.node, rule, message, remedy)


def definition(node: etree._Element, at: Place, scope: Globals, notes: Notes) -> EventDefinition | None:
    """The event definition of an event; None where it has none, or a faulty one."""
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
    tag = split(child)[1]
    kind = KINDS.get(tag)
    if kind is None:
        name = tag.removesuffix("EventDefinition").capitalize()
        notes.fault(child, "not-executed", f"{name} events are not executed.")
        return None
    if _ASIDE.get(at) in kind.places and at not in kind.places:
        what = f"{'An' if kind.name[0] in 'aeiou' else 'A'} {kind.name} event"
        notes.fault(node, f"{kind.name}-event", f"{what} always interrupts.", "Make it interrupting.")
        return None
    if at not in kind.places:
        notes.fault(child, "not-executed", f"A {tag} is not executed in {at.value}.")
        return None
    if tag not in ("errorEventDefinition", "conditionalEventDefinition"):  # they read theirs
        Extensions(child, notes)  # for what is not known in it
    return kind.read(Definition(child, at, scope, notes))


def _message(made: Definition) -> Message | None:
    if made.at in (Place.THROW, Place.END):
        return None  # thrown by a job worker, as its task definition says
    return message(made.node, made.scope, made.notes, needs_key=made.at is not Place.START)


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
    if needs_key:
        return found
    name = _known_beforehand(found.name)
    if name is None:
        notes.fault(
            node,
            "message-name",
            "The name of a message that starts a process must be a text, and cannot use variables.",
            "Use a static name.",
        )
        return None
    return Message(name, found.correlation_key)


def _known_beforehand(name: Value) -> Value | None:
    """The name of what starts a process, which is known by it before there is an instance."""
    if name.expression is None:
        return name
    found = name.expression.evaluate({}).value if not name.expression.names else None
    return Value(found) if isinstance(found, str) and found else None


def _error(made: Definition) -> Error | None:
    found = _coded(made, "error", made.scope.errors, Error(None))
    if found is None or made.at is Place.END:
        return found
    return Error(found.code, *Extensions(made.node, made.notes).error_variables())


def _escalation(made: Definition) -> Escalation | None:
    return _coded(made, "escalation", made.scope.escalations, Escalation(None))


Coded = TypeVar("Coded", Error, Escalation)


def _coded(made: Definition, name: str, known: dict[str, Coded], any_: Coded) -> Coded | None:
    """What is thrown has a code; what is caught has a static one, or catches all."""
    reference = _reference(made.node.get(f"{name}Ref"))
    found = known.get(reference) if reference is not None else None
    if reference is not None and found is None:
        made.fault(f"{name}-missing", f"The {name} `{reference}` does not exist in this file.")
        return None
    if made.at in (Place.THROW, Place.END):
        if found is None or found.code is None:
            made.fault(f"{name}-code", f"The event throws no {name} code.", f"Set the {name}'s code.")
            return None
    elif found is not None and found.code is not None and found.code.static is None:
        made.fault(
            f"{name}-code", f"The code of a caught {name} cannot be an expression.", "Use a static code."
        )
        return None
    return found or any_


def _timer(made: Definition) -> Timer | None:
    kinds = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}
    found = [child for child in made.node if split(child)[1] in kinds and text_of(child)]
    if len(found) != 1:
        made.fault(
            "timer",
            "The timer needs exactly one of date, duration and cycle.",
            "Set the timer's type and value.",
        )
        return None
    child = found[0]
    kind = kinds[split(child)[1]]
    notes = made.notes
    if kind == "cycle" and made.at is Place.CATCH:
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


def _link(made: Definition) -> Link:
    name = made.node.get("name") or ""
    if not name:
        made.fault("link-name", "The link event has no name.", "Set the link's name.")
    return Link(name)


def _signal(made: Definition) -> Signal | None:
    reference = _reference(made.node.get("signalRef"))
    if reference is None:
        made.fault("signal-missing", "No signal is referenced.", "Choose or create a signal.")
        return None
    found = made.scope.signals.get(reference)
    if found is None:
        made.fault("signal-missing", f"The signal `{reference}` does not exist in this file.")
        return None
    if not found.name.text:
        made.fault("signal-name", f"The signal `{reference}` has no name.", "Name the signal.")
        return None
    if made.at is Place.START:
        name = _known_beforehand(found.name)
        if name is None:
            made.fault(
                "signal-name",
                "The name of a signal that starts a process must be a text, and cannot use variables.",
                "Use a static name.",
            )
            return None
        return Signal(name)
    return found


def _condition(made: Definition) -> Condition | None:
    node = made.node.find(f"{{{BPMN}}}condition")
    text = text_of(node) if node is not None else ""
    names, changes = Extensions(made.node, made.notes).conditional_filter()
    if not text:
        made.fault("condition", "The event has no condition.", "Set an expression, such as =amount > 100.")
        return None
    value = made.notes.value(made.node, text, "condition")
    if value is None:
        return None
    if value.expression is None:
        made.fault("condition", f"The condition `{text}` is not an expression.", "Begin it with `=`.")
        return None
    if made.at is Place.START and changes and "create" not in changes:
        made.fault(
            "conditional-filter",
            "A process starts with variables that are new to it: an update never starts it.",
            "Add create to the changes, or remove the filter.",
        )
    return Condition(value.expression, names or value.expression.names, changes or CHANGES, bool(names))


def _terminate(_: Definition) -> Terminate:
    return Terminate()


def _compensate(made: Definition) -> Compensate:
    return Compensate(_reference(made.node.get("activityRef")), made.node.get("waitForCompletion") != "false")


def _cancel(_: Definition) -> Cancel:
    return Cancel()


def _reference(text: str | None) -> str | None:
    """The id in a QName."""
    return text.rpartition(":")[2] if text else None


class Kind(NamedTuple):
    """A kind of event: its name in messages and rules, where it is executed, and how it is read."""

    name: str
    places: frozenset[Place]
    read: Callable[[Definition], EventDefinition | None]


_ATTACHED = {Place.EVENT_START, Place.EVENT_START_ASIDE, Place.BOUNDARY, Place.BOUNDARY_ASIDE}
# By the tag of the definition.
KINDS: dict[str, Kind] = {
    "timerEventDefinition": Kind("timer", frozenset({Place.START, Place.CATCH, *_ATTACHED}), _timer),
    "messageEventDefinition": Kind("message", frozenset(Place), _message),
    "errorEventDefinition": Kind("error", frozenset({Place.EVENT_START, Place.BOUNDARY, Place.END}), _error),
    "escalationEventDefinition": Kind(
        "escalation", frozenset({Place.THROW, Place.END, *_ATTACHED}), _escalation
    ),
    "compensateEventDefinition": Kind(
        "compensation",
        frozenset({Place.THROW, Place.END, Place.EVENT_START, Place.BOUNDARY, Place.BOUNDARY_ASIDE}),
        _compensate,
    ),
    "cancelEventDefinition": Kind("cancel", frozenset({Place.END, Place.BOUNDARY}), _cancel),
    "signalEventDefinition": Kind("signal", frozenset(Place), _signal),
    "conditionalEventDefinition": Kind(
        "conditional", frozenset({Place.START, Place.CATCH, *_ATTACHED}), _condition
    ),
    "linkEventDefinition": Kind("link", frozenset({Place.CATCH, Place.THROW}), _link),
    "terminateEventDefinition": Kind("terminate", frozenset({Place.END}), _terminate),
}
