"""What a BPMN file compiles to: an immutable graph of elements and sequence flows.

The objects are filled in while reading and never changed afterwards; every expression in them is
compiled. Element ids are unique in a process and stable over reads, so that stored states hold ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from towpath.feel import Expression

Path = tuple[str, ...]


class Value:
    """A static text, or an expression where the model writes ``=...``.

    ``variable`` is set where the expression is nothing but a variable's name, as most mappings are:
    the value needs no FEEL then.
    """

    __slots__ = ("expression", "text", "variable")

    def __init__(self, text: str, expression: Expression | None = None) -> None:
        self.text = text
        self.expression = expression
        name = text.removeprefix("=").strip()
        plain = expression is not None and name.isidentifier() and expression.names == {name}
        self.variable = name if plain else None

    @property
    def static(self) -> str | None:
        """The text, where it is not an expression."""
        return self.text if self.expression is None else None

    def __repr__(self) -> str:
        return f"Value({self.text!r})"


class Mapping(NamedTuple):
    """``zeebe:input`` or ``zeebe:output``: ``target`` is a path of names."""

    source: Value
    target: Path


@dataclass(slots=True, eq=False, frozen=True)
class JobDefinition:
    """``static_retries`` is set where the number of retries is no expression."""

    type: Value
    retries: Value
    static_retries: int | None = None


@dataclass(slots=True, eq=False, frozen=True)
class Listener:
    """A job that runs at an ``event`` of an element, and what it has beside the element's headers."""

    event: str
    job: JobDefinition
    headers: dict[str, str]


@dataclass(slots=True, eq=False, frozen=True)
class Script:
    expression: Expression
    result: Path


@dataclass(slots=True, eq=False, frozen=True)
class Called:
    """A reference to another resource: latest, of the same deployment, or with a version tag."""

    id: Value
    binding: str = "latest"
    version_tag: str | None = None


@dataclass(slots=True, eq=False, frozen=True)
class CalledDecision:
    decision: Called
    result: Path


@dataclass(slots=True, eq=False, frozen=True)
class CalledElement:
    process: Called
    propagate_all_child_variables: bool = True
    propagate_all_parent_variables: bool = True


@dataclass(slots=True, eq=False, frozen=True)
class Assignment:
    """What a user task says about people, dates and form. All may be expressions."""

    assignee: Value | None = None
    candidate_groups: Value | None = None
    candidate_users: Value | None = None
    due_date: Value | None = None
    follow_up_date: Value | None = None
    priority: Value | None = None
    form: Called | None = None
    external_form: Value | None = None


@dataclass(slots=True, eq=False, frozen=True)
class Timer:
    """``kind``: date, duration or cycle."""

    kind: str
    value: Value


@dataclass(slots=True, eq=False, frozen=True)
class Message:
    name: Value
    correlation_key: Value | None = None


@dataclass(slots=True, eq=False, frozen=True)
class Error:
    """``code`` None catches every error. Caught, the variables are set to its code and message."""

    code: Value | None
    code_variable: str | None = None
    message_variable: str | None = None


@dataclass(slots=True, eq=False, frozen=True)
class Escalation:
    """``code`` None catches every escalation."""

    code: Value | None


@dataclass(slots=True, eq=False, frozen=True)
class Signal:
    name: Value


@dataclass(slots=True, eq=False, frozen=True)
class Condition:
    """``names``: variables whose change has it evaluated; ``changes``: which changes, create or update.

    ``filtered`` where the model chose the names.
    """

    expression: Expression
    names: frozenset[str]
    changes: frozenset[str]
    filtered: bool


@dataclass(slots=True, eq=False, frozen=True)
class Link:
    name: str


@dataclass(slots=True, eq=False, frozen=True)
class Terminate:
    pass


@dataclass(slots=True, eq=False, frozen=True)
class Compensate:
    """Thrown: for the activity of this id, or None for all; ``wait`` until its handlers are done."""

    activity: str | None = None
    wait: bool = True


@dataclass(slots=True, eq=False, frozen=True)
class Cancel:
    """Cancels the nearest transaction around its end event; its boundary event is the way out."""


EventDefinition = (
    Timer | Message | Error | Escalation | Signal | Condition | Link | Terminate | Compensate | Cancel
)


@dataclass(slots=True, eq=False, frozen=True)
class MultiInstance:
    """``zeebe:loopCharacteristics`` of a multi-instance activity."""

    sequential: bool
    input_collection: Value
    input_element: str | None = None
    output_collection: str | None = None
    output_element: Value | None = None
    completion_condition: Value | None = None


@dataclass(slots=True, eq=False)
class Flow:
    id: str
    name: str | None
    line: int
    source: Element
    target: Element
    condition: Expression | None = None

    def __repr__(self) -> str:
        return f"Flow({self.id!r})"


@dataclass(slots=True, eq=False)
class Element:
    """A flow node, or the process itself (the outermost scope, whose ``scope`` is None).

    ``type`` is BPMN's in Camunda's spelling (SERVICE_TASK). ``kind`` says what executes it:
    process, sub-process, event-sub-process, transaction, call-activity, pass, job, user-task, decision,
    script, receive, exclusive, parallel, inclusive, event-based, start, end, catch, throw, boundary.
    """

    id: str
    name: str | None
    type: str
    kind: str
    line: int
    index: int = 0
    scope: Element | None = None
    incoming: tuple[Flow, ...] = ()
    outgoing: tuple[Flow, ...] = ()
    default: Flow | None = None
    # events
    event: EventDefinition | None = None
    interrupting: bool = True
    attached_to: Element | None = None
    boundary: tuple[Element, ...] = ()
    # activities
    inputs: tuple[Mapping, ...] = ()
    outputs: tuple[Mapping, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    milestone: str | None = None
    job: JobDefinition | None = None
    script: Script | None = None
    decision: CalledDecision | None = None
    called: CalledElement | None = None
    assignment: Assignment | None = None
    multi_instance: MultiInstance | None = None
    # by event type, in the order written: beforeAll, start, end; creating, assigning, updating, completing
    listeners: dict[str, tuple[Listener, ...]] = field(default_factory=dict)
    # scopes: their none start event, and the start events of their event sub-processes
    start: Element | None = None
    event_starts: tuple[Element, ...] = ()
    # what begins an instance without being a start event: a receive task, a catch event behind such a gateway
    instantiate: bool = False
    link_target: Element | None = None
    link_sources: tuple[Element, ...] = ()
    # compensation: whether this is a handler; what undoes this activity when it has completed; the start of
    # the event sub-process that undoes this sub-process; whether a completion has to be remembered at all
    for_compensation: bool = False
    compensated_by: Element | None = None
    compensation_start: Element | None = None
    compensable: bool = False
    # a transaction: the boundary event by which it is left when it was canceled
    cancel_event: Element | None = None
    # an inclusive join: ids of the elements of its scope from which a flow can still come
    upstream: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Element({self.id!r}, {self.type})"


class Reference(NamedTuple):
    """Something outside the process that an element names, and where."""

    id: str
    element_id: str
    line: int


class CaughtMessage(NamedTuple):
    """A message (static name) that an element waits for."""

    name: str
    element_id: str
    element_name: str | None


@dataclass(slots=True, eq=False)
class Process:
    """An executable process. ``elements`` is in document order, the process itself first."""

    id: str
    name: str | None
    version_tag: str | None
    line: int
    root: Element
    elements: dict[str, Element]
    flows: dict[str, Flow]
    start_form: str | None = None
    timer_starts: tuple[Element, ...] = ()
    message_starts: tuple[Element, ...] = ()
    signal_starts: tuple[Element, ...] = ()  # their signals have static names
    condition_starts: tuple[Element, ...] = ()
    inclusive_joins: bool = False
    job_types: list[Reference] = field(default_factory=list)
    called_processes: list[Reference] = field(default_factory=list)
    called_decisions: list[Reference] = field(default_factory=list)
    forms: list[Reference] = field(default_factory=list)
    messages: list[CaughtMessage] = field(default_factory=list)

    def element(self, element_id: str) -> Element:
        """Raises KeyError where the process has no such element."""
        return self.elements[element_id]

    def __repr__(self) -> str:
        return f"Process({self.id!r})"


@dataclass(slots=True, eq=False)
class Definitions:
    """A BPMN file: its executable processes."""

    id: str | None
    name: str | None
    processes: list[Process]
