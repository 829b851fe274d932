"""What an aggregate can be asked to do: a closed set of data.

A command carries everything a step may depend on besides the models: its id, the time and the actor.
Times are milliseconds since the Unix epoch, UTC. Variables are JSON values; numbers that are not
integers are :class:`decimal.Decimal`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

Variables = dict[str, Any]


class Command(Struct, frozen=True, kw_only=True, tag_field="command", array_like=False):
    """Common to all commands. A repeated ``id`` leaves the aggregate as it is."""

    id: str
    at: int  # ms since the epoch
    actor: str | None = None  # the subject on whose behalf it is done


class Parent(Struct, frozen=True, kw_only=True):
    """The call activity that waits for a called instance."""

    instance_key: int
    element_instance_key: int


# --- commands to a process instance -------------------------------------------------------------


class CreateInstance(Command, frozen=True, kw_only=True, tag="create-instance"):
    """Start an instance of a deployed process definition."""

    instance_key: int
    definition_key: int
    variables: Variables = field(default_factory=dict)
    business_id: str | None = None
    parent: Parent | None = None
    start_element: str | None = None  # a message or timer start event; None: the none start event
    trigger: str | None = None  # the id of the effect or message that caused it


class JobResult(Struct, frozen=True, kw_only=True):
    """What a task listener says: whether the change is ``denied``, else what to correct.

    ``corrections`` may hold assignee, dueDate, followUpDate, candidateUsers, candidateGroups and priority;
    an empty text or list clears, None leaves as it is.
    """

    denied: bool = False
    reason: str = ""
    corrections: dict[str, Any] = field(default_factory=dict)


class CompleteJob(Command, frozen=True, kw_only=True, tag="complete-job"):
    instance_key: int
    job_key: int
    variables: Variables = field(default_factory=dict)
    result: JobResult | None = None


class FailJob(Command, frozen=True, kw_only=True, tag="fail-job"):
    """A worker could not do it. With ``retries`` 0 an incident is raised."""

    instance_key: int
    job_key: int
    retries: int
    retry_at: int | None = None  # ms since the epoch; not offered again before
    message: str = ""
    variables: Variables = field(default_factory=dict)


class ThrowJobError(Command, frozen=True, kw_only=True, tag="throw-job-error"):
    """A worker reports a business error, caught by an error boundary or event sub-process."""

    instance_key: int
    job_key: int
    code: str
    message: str = ""
    variables: Variables = field(default_factory=dict)


class TriggerTimer(Command, frozen=True, kw_only=True, tag="trigger-timer"):
    instance_key: int
    timer_key: int


class TriggerMessage(Command, frozen=True, kw_only=True, tag="trigger-message"):
    """A message channel hands a message to the instance that subscribed."""

    instance_key: int
    subscription_key: int
    message_key: int
    message_name: str
    correlation_key: str
    variables: Variables = field(default_factory=dict)


class TriggerSignal(Command, frozen=True, kw_only=True, tag="trigger-signal"):
    """A signal that was broadcast reaches the instance that subscribed to it."""

    instance_key: int
    subscription_key: int
    signal_key: int
    variables: Variables = field(default_factory=dict)


class CompleteUserTask(Command, frozen=True, kw_only=True, tag="complete-user-task"):
    instance_key: int
    task_key: int
    variables: Variables = field(default_factory=dict)
    action: str = "complete"


class AssignUserTask(Command, frozen=True, kw_only=True, tag="assign-user-task"):
    """``assignee`` None unassigns. Unless ``allow_override``, an assigned task is refused."""

    instance_key: int
    task_key: int
    assignee: str | None
    allow_override: bool = True
    action: str = "assign"


class UpdateUserTask(Command, frozen=True, kw_only=True, tag="update-user-task"):
    """``changeset`` may hold candidateGroups, candidateUsers, dueDate, followUpDate, priority."""

    instance_key: int
    task_key: int
    changeset: dict[str, Any]
    action: str = "update"


class CalledInstanceCompleted(Command, frozen=True, kw_only=True, tag="called-instance-completed"):
    """A called instance ended; its variables return to the call activity."""

    instance_key: int
    element_instance_key: int
    called_key: int
    variables: Variables = field(default_factory=dict)


class CalledInstanceTerminated(Command, frozen=True, kw_only=True, tag="called-instance-terminated"):
    instance_key: int
    element_instance_key: int
    called_key: int


class CalledInstanceThrew(Command, frozen=True, kw_only=True, tag="called-instance-threw"):
    """An error that nothing caught in a called instance looks for an event that does here.

    ``origin_key`` and ``thrower`` are the instance and the element instance that threw it, and wait for
    the answer.
    """

    instance_key: int
    element_instance_key: int
    called_key: int
    code: str
    message: str = ""
    variables: Variables = field(default_factory=dict)
    thrower: int = 0
    origin_key: int = 0  # 0: the called instance itself


class ErrorNotCaught(Command, frozen=True, kw_only=True, tag="error-not-caught"):
    """The answer to a called instance: no caller catches its error."""

    instance_key: int
    element_instance_key: int  # the thrower


class CalledInstanceEscalated(Command, frozen=True, kw_only=True, tag="called-instance-escalated"):
    """An escalation that nothing caught in a called instance looks for an event that does here.

    ``origin_key`` and ``thrower`` are the instance and the element instance that threw it, and wait to
    hear whether they may go on.
    """

    instance_key: int
    element_instance_key: int
    called_key: int
    code: str
    origin_key: int
    thrower: int
    variables: Variables = field(default_factory=dict)


class EscalationSettled(Command, frozen=True, kw_only=True, tag="escalation-settled"):
    """The answer to a called instance: nothing interrupts it, so its thrower goes on."""

    instance_key: int
    element_instance_key: int  # the thrower


class Continue(Command, frozen=True, kw_only=True, tag="continue"):
    """Go on after the move budget of an earlier step was used up."""

    instance_key: int


class SetVariables(Command, frozen=True, kw_only=True, tag="set-variables"):
    """``scope_key`` is an element instance's key, or the instance's own."""

    instance_key: int
    scope_key: int
    variables: Variables
    local: bool = False


class ResolveIncident(Command, frozen=True, kw_only=True, tag="resolve-incident"):
    instance_key: int
    incident_key: int


class UpdateJobRetries(Command, frozen=True, kw_only=True, tag="update-job-retries"):
    instance_key: int
    job_key: int
    retries: int


class CancelInstance(Command, frozen=True, kw_only=True, tag="cancel-instance"):
    """``reason`` is for the audit. A called instance refuses unless ``from_parent``."""

    instance_key: int
    reason: str = ""
    from_parent: bool = False


# --- commands to a message channel (one message name and correlation key) ------------------------


class PublishMessage(Command, frozen=True, kw_only=True, tag="publish-message"):
    """``message_id``: at most one live message with this id is accepted on a channel."""

    name: str
    correlation_key: str
    message_key: int
    variables: Variables = field(default_factory=dict)
    expires_at: int | None = None  # ms; None: not buffered at all
    message_id: str | None = None
    must_correlate: bool = False  # answer Rejected(not-found) where nothing waits for it


class Subscribe(Command, frozen=True, kw_only=True, tag="subscribe"):
    name: str
    correlation_key: str
    subscription_key: int
    instance_key: int
    process_id: str
    interrupting: bool = True


class Unsubscribe(Command, frozen=True, kw_only=True, tag="unsubscribe"):
    name: str
    correlation_key: str
    subscription_key: int


class TriggerRefused(Command, frozen=True, kw_only=True, tag="trigger-refused"):
    """The instance no longer waits; the channel may hand the message to another."""

    name: str
    correlation_key: str
    subscription_key: int
    message_key: int


class TriggerAccepted(Command, frozen=True, kw_only=True, tag="trigger-accepted"):
    """The instance took the message that the channel sent it."""

    name: str
    correlation_key: str
    subscription_key: int
    message_key: int


class ExpireMessages(Command, frozen=True, kw_only=True, tag="expire-messages"):
    """Drop buffered messages whose time has come."""

    name: str
    correlation_key: str


InstanceCommand = (
    CreateInstance
    | CompleteJob
    | FailJob
    | ThrowJobError
    | TriggerTimer
    | TriggerMessage
    | TriggerSignal
    | CompleteUserTask
    | AssignUserTask
    | UpdateUserTask
    | CalledInstanceCompleted
    | CalledInstanceTerminated
    | CalledInstanceThrew
    | ErrorNotCaught
    | CalledInstanceEscalated
    | EscalationSettled
    | Continue
    | SetVariables
    | ResolveIncident
    | UpdateJobRetries
    | CancelInstance
)
ChannelCommand = PublishMessage | Subscribe | Unsubscribe | TriggerRefused | TriggerAccepted | ExpireMessages
AnyCommand = InstanceCommand | ChannelCommand
