"""What a step asks its host to do: a closed set of data, carried out in the state's transaction."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from towpath.engine.commands import AnyCommand, Variables


class Effect(Struct, frozen=True, kw_only=True, tag_field="effect"):
    """Common to all effects."""


# --- jobs ----------------------------------------------------------------------------------------

# Kinds of jobs.
BPMN_ELEMENT = "BPMN_ELEMENT"
EXECUTION_LISTENER = "EXECUTION_LISTENER"
TASK_LISTENER = "TASK_LISTENER"


class OfferJob(Effect, frozen=True, kw_only=True, tag="offer-job"):
    """A worker of ``type`` may take it. ``key`` is stable over every offer: an idempotency key.

    The worker gets the variables that are visible from the element when it takes the job
    (:meth:`towpath.engine.state.Instance.scopes`). ``listener_event`` is a listener's event type in
    Camunda's spelling: BEFORE_ALL, START, END, CREATING, ASSIGNING, UPDATING, COMPLETING.
    """

    key: int
    type: str
    element_id: str
    element_instance_key: int
    retries: int
    headers: dict[str, str] = field(default_factory=dict)
    priority: int = 0
    kind: str = BPMN_ELEMENT
    listener_event: str | None = None


class UpdateJob(Effect, frozen=True, kw_only=True, tag="update-job"):
    """Retries changed; the job is offered again from ``retry_at`` on, unless ``suspended``."""

    key: int
    retries: int
    retry_at: int | None = None
    error_message: str = ""
    suspended: bool = False  # an incident stands in the way
    variables: Variables | None = None  # the visible variables, where they changed


class CloseJob(Effect, frozen=True, kw_only=True, tag="close-job"):
    """``outcome``: completed, canceled or error-thrown."""

    key: int
    outcome: str


# --- timers --------------------------------------------------------------------------------------


class SetTimer(Effect, frozen=True, kw_only=True, tag="set-timer"):
    key: int
    due_at: int  # ms since the epoch
    element_id: str
    element_instance_key: int


class CancelTimer(Effect, frozen=True, kw_only=True, tag="cancel-timer"):
    key: int


# --- messages ------------------------------------------------------------------------------------


class Send(Effect, frozen=True, kw_only=True, tag="send"):
    """A command for another aggregate; its id makes a second delivery harmless.

    The host derives the target from the command (its instance key, or its name and correlation
    key). The command's ``at`` is that of the step that sent it.
    """

    command: AnyCommand


class OpenSubscription(Effect, frozen=True, kw_only=True, tag="open-subscription"):
    """For search only: the instance waits for this message (the channel is told by ``Send``)."""

    key: int
    message_name: str
    correlation_key: str
    element_id: str
    element_instance_key: int


class CloseSubscription(Effect, frozen=True, kw_only=True, tag="close-subscription"):
    """``correlated`` False: the instance stopped waiting."""

    key: int
    correlated: bool


# --- signals -------------------------------------------------------------------------------------


class OpenSignalSubscription(Effect, frozen=True, kw_only=True, tag="open-signal-subscription"):
    """The instance waits for signals of this name: it is sent a ``TriggerSignal`` for each."""

    key: int
    signal_name: str
    element_id: str
    element_instance_key: int


class CloseSignalSubscription(Effect, frozen=True, kw_only=True, tag="close-signal-subscription"):
    key: int
    signal_name: str


class Broadcast(Effect, frozen=True, kw_only=True, tag="broadcast"):
    """A signal for whoever waits for it at this moment: the subscriptions whose key is less than ``key``.

    Each gets it once, as ``TriggerSignal``; and of every latest definition that it starts, there is an
    instance more.
    """

    key: int
    signal_name: str
    variables: Variables = field(default_factory=dict)


# --- what happened (search rows, history and the event feed) --------------------------------------


class InstanceRecord(Effect, frozen=True, kw_only=True, tag="instance"):
    """``kind``: created, completed, terminated."""

    kind: str
    key: int
    definition_key: int
    process_id: str
    version: int
    business_id: str | None = None
    parent: int | None = None  # the calling instance
    parent_element_instance: int | None = None


class ElementRecord(Effect, frozen=True, kw_only=True, tag="element"):
    """``kind``: activated, completed, terminated.

    ``type`` is BPMN's, in Camunda's spelling: SERVICE_TASK, EXCLUSIVE_GATEWAY, BOUNDARY_EVENT...
    ``milestone`` is the element's ``milestone`` property, for customers to read.
    """

    kind: str
    key: int
    scope_key: int
    element_id: str
    type: str
    name: str | None = None
    milestone: str | None = None


class FlowRecord(Effect, frozen=True, kw_only=True, tag="flow"):
    """A sequence flow was taken (drawn on the diagram)."""

    flow_id: str
    scope_key: int


class VariablesRecord(Effect, frozen=True, kw_only=True, tag="variables"):
    """Variables were set in a scope: the instance, or the element instance of ``scope_key``."""

    scope_key: int
    values: Variables
    before: Variables  # all that the scope held before: what is not in it was created


class IncidentRecord(Effect, frozen=True, kw_only=True, tag="incident"):
    """``kind``: created, resolved. ``error_type`` is Camunda's (JOB_NO_RETRIES, IO_MAPPING_ERROR...)."""

    kind: str
    key: int
    error_type: str = ""
    message: str = ""
    element_id: str = ""
    element_instance_key: int = 0
    job_key: int | None = None


class UserTask(Struct, frozen=True, kw_only=True):
    """A user task as the task list shows it. Dates are ms since the epoch."""

    key: int
    element_id: str
    element_instance_key: int
    name: str | None
    assignee: str | None = None
    candidate_groups: list[str] = field(default_factory=list)
    candidate_users: list[str] = field(default_factory=list)
    due_at: int | None = None
    follow_up_at: int | None = None
    priority: int = 50
    form_id: str | None = None
    form_key: int | None = None
    external_form: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class UserTaskRecord(Effect, frozen=True, kw_only=True, tag="user-task"):
    """``kind``: created, assigned, updated, completed, canceled.

    While listeners run: creating, assigning, updating, completing, with the task as it was; then denied, with
    ``reason``, where it stays so.
    """

    kind: str
    task: UserTask
    action: str = ""
    reason: str = ""


class DecisionRecord(Effect, frozen=True, kw_only=True, tag="decision"):
    """A decision was evaluated; ``audit`` is the DMN engine's, as JSON values."""

    key: int
    decision_id: str
    decision_key: int
    element_id: str | None
    element_instance_key: int | None
    result: Any
    audit: Any
    failed: bool = False
    message: str = ""


class MessageRecord(Effect, frozen=True, kw_only=True, tag="message"):
    """``kind``: published, correlated, expired."""

    kind: str
    key: int
    name: str
    correlation_key: str
    instance_key: int | None = None
    expires_at: int | None = None


class Completed(Effect, frozen=True, kw_only=True, tag="completed"):
    """The instance is over; its snapshot may go. ``variables`` are the root scope's."""

    key: int
    terminated: bool
    variables: Variables = field(default_factory=dict)


AnyEffect = (
    OfferJob
    | UpdateJob
    | CloseJob
    | SetTimer
    | CancelTimer
    | Send
    | OpenSubscription
    | CloseSubscription
    | OpenSignalSubscription
    | CloseSignalSubscription
    | Broadcast
    | InstanceRecord
    | ElementRecord
    | FlowRecord
    | VariablesRecord
    | IncidentRecord
    | UserTaskRecord
    | DecisionRecord
    | MessageRecord
    | Completed
)


class Rejected(Struct, frozen=True, kw_only=True):
    """Why a command changed nothing.

    ``type`` is one of not-found, invalid-state, invalid-argument, already-exists, duplicate; or
    internal, for a defect of the engine, whose reason says where.
    """

    type: str
    reason: str


class Outcome(Struct, frozen=True, kw_only=True):
    """A step's result. On rejection ``state`` is the state given and ``effects`` is empty."""

    state: Any  # Instance | Channel | None
    effects: list[AnyEffect] = field(default_factory=list)
    rejected: Rejected | None = None
