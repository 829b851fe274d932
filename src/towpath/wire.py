"""The request and response types of the process server, as they travel.

Names and shapes follow Camunda 8's REST API (``/v2``): camelCase, keys as decimal strings, times as
ISO 8601 with a zone. They are written from its public description, and proved against its clients.
Search is strongly consistent here: what a call did is what the next search sees.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType, field

Variables = dict[str, Any]
DEFAULT_TENANT = "<default>"
LOCAL_WORKER = "@local"
"""Ends the name of a worker in the process server's own process: it is gone when that process is."""


class Wire(Struct, rename="camel", kw_only=True, omit_defaults=False):
    """Common to all: camelCase in JSON."""


class Resource(Wire):
    """A file to deploy: ``name`` ends in .bpmn, .dmn or .form."""

    name: str
    content: bytes


class DeployedResource(Wire):
    """``kind``: process, decision, decisionRequirements or form; ``id`` is the model's own id."""

    kind: str
    id: str
    key: str
    version: int
    resource_name: str
    name: str | None = None
    version_tag: str | None = None
    is_duplicate: bool = False  # unchanged since the last deployment: the version of then


class Deployment(Wire):
    deployment_key: str
    resources: list[DeployedResource]
    tenant_id: str = DEFAULT_TENANT


class CreateProcessInstance(Wire):
    """Start by id (latest, or ``version``) or by key.

    ``business_id``: with it, at most one instance of the process is ever started; a second
    start answers ALREADY_EXISTS, so that a start can be sent again without harm.
    """

    process_definition_id: str | None = None
    process_definition_key: str | None = None
    process_definition_version: int = -1
    variables: Variables = field(default_factory=dict)
    business_id: str | None = None
    tenant_id: str = DEFAULT_TENANT
    await_completion: bool = False
    fetch_variables: list[str] | None = None
    request_timeout: int = 10_000  # ms


class CreatedProcessInstance(Wire):
    process_definition_id: str
    process_definition_key: str
    process_definition_version: int
    process_instance_key: str
    business_id: str | None = None
    tenant_id: str = DEFAULT_TENANT
    variables: Variables = field(default_factory=dict)  # where completion was awaited


class Page(Wire):
    """``after`` is the cursor that an earlier answer gave; ``from_`` an offset."""

    from_: int = field(default=0, name="from")
    limit: int = 100
    after: str | None = None
    before: str | None = None


class Sort(Wire):
    field: str
    order: str = "ASC"


class Search(Wire):
    """``filter``: field -> value, or -> {"$eq"|"$neq"|"$in"|"$like"|"$exists"|"$gt"...: value}."""

    filter: dict[str, Any] = field(default_factory=dict)
    sort: list[Sort] = field(default_factory=list)
    page: Page = field(default_factory=Page)


class PageInfo(Wire):
    total_items: int
    start_cursor: str | None = None
    end_cursor: str | None = None
    has_more_total_items: bool = False


T = TypeVar("T")


class SearchResult(Wire, Generic[T]):
    items: list[T]
    page: PageInfo


class ProcessDefinition(Wire):
    process_definition_key: str
    process_definition_id: str
    name: str | None
    version: int
    resource_name: str
    version_tag: str | None = None
    tenant_id: str = DEFAULT_TENANT
    has_start_form: bool = False


class Form(Wire):
    """``schema`` is the form-js document as text."""

    form_key: str
    form_id: str
    version: int
    schema: str
    tenant_id: str = DEFAULT_TENANT


class ProcessInstance(Wire):
    """``state``: ACTIVE, COMPLETED, TERMINATED."""

    process_instance_key: str
    process_definition_key: str
    process_definition_id: str
    process_definition_name: str | None
    process_definition_version: int
    state: str
    start_date: str
    end_date: str | None = None
    has_incident: bool = False
    business_id: str | None = None
    parent_process_instance_key: str | None = None
    parent_element_instance_key: str | None = None
    root_process_instance_key: str | None = None
    tenant_id: str = DEFAULT_TENANT


class ElementInstance(Wire):
    """``state``: ACTIVE, COMPLETED, TERMINATED. ``milestone``: the element's milestone property."""

    element_instance_key: str
    process_instance_key: str
    process_definition_key: str
    process_definition_id: str
    element_id: str
    element_name: str | None
    type: str
    state: str
    start_date: str
    end_date: str | None = None
    has_incident: bool = False
    incident_key: str | None = None
    scope_key: str | None = None
    milestone: str | None = None
    tenant_id: str = DEFAULT_TENANT


class Variable(Wire):
    """``value`` is JSON text, as in Camunda's API."""

    variable_key: str
    name: str
    value: str
    scope_key: str
    process_instance_key: str
    is_truncated: bool = False
    tenant_id: str = DEFAULT_TENANT


class Incident(Wire):
    """``state``: ACTIVE, RESOLVED."""

    incident_key: str
    process_instance_key: str
    process_definition_key: str
    process_definition_id: str
    element_id: str
    element_instance_key: str
    error_type: str
    error_message: str
    state: str
    creation_time: str
    job_key: str | None = None
    tenant_id: str = DEFAULT_TENANT


class ActivateJobs(Wire):
    """Times in ms. ``request_timeout``: 0 is the server's default long poll, negative: answer at once."""

    type: str
    worker: str = ""
    timeout: int = 60_000
    max_jobs_to_activate: int = 32
    fetch_variable: list[str] | None = None
    request_timeout: int = 0
    tenant_ids: list[str] | None = None


UNSPECIFIED = "UNSPECIFIED"  # the listener event type of a job that is no listener's


class Job(Wire):
    """An activated job. ``job_key`` is stable over redelivery: use it as an idempotency key."""

    job_key: str
    type: str
    process_instance_key: str
    process_definition_id: str
    process_definition_version: int
    process_definition_key: str
    element_id: str
    element_instance_key: str
    custom_headers: dict[str, str]
    worker: str
    retries: int
    deadline: int  # ms since the epoch
    variables: Variables
    business_id: str | None = None
    tenant_id: str = DEFAULT_TENANT
    kind: str = "BPMN_ELEMENT"
    listener_event_type: str = UNSPECIFIED


class JobRow(Wire):
    """A job as search shows it. ``state``: CREATED, COMPLETED, FAILED, CANCELED, ERROR_THROWN, ...

    ``kind``: BPMN_ELEMENT, EXECUTION_LISTENER, TASK_LISTENER. ``listener_event_type``: START, END, ...
    """

    job_key: str
    type: str
    state: str
    process_instance_key: str
    process_definition_id: str
    process_definition_key: str
    element_id: str
    element_instance_key: str
    retries: int
    worker: str | None = None
    deadline: str | None = None
    error_message: str | None = None
    tenant_id: str = DEFAULT_TENANT
    kind: str = "BPMN_ELEMENT"
    listener_event_type: str = UNSPECIFIED


class PublishMessage(Wire):
    """``time_to_live`` in ms: how long the message waits for somebody to want it."""

    name: str
    correlation_key: str = ""
    time_to_live: int = 0
    message_id: str | None = None
    variables: Variables = field(default_factory=dict)
    tenant_id: str = DEFAULT_TENANT


class PublishedMessage(Wire):
    message_key: str
    tenant_id: str = DEFAULT_TENANT


class CorrelateMessage(Wire):
    """Correlated at once or refused with NOT_FOUND."""

    name: str
    correlation_key: str = ""
    variables: Variables = field(default_factory=dict)
    tenant_id: str = DEFAULT_TENANT


class CorrelatedMessage(Wire):
    message_key: str
    process_instance_key: str
    tenant_id: str = DEFAULT_TENANT


class BroadcastSignal(Wire):
    signal_name: str
    variables: Variables = field(default_factory=dict)
    tenant_id: str = DEFAULT_TENANT


class BroadcastedSignal(Wire):
    signal_key: str
    tenant_id: str = DEFAULT_TENANT


class EvaluateConditionals(Wire):
    """Of the latest version of every process, or of the definition ``process_definition_key``."""

    variables: Variables = field(default_factory=dict)
    process_definition_key: str | None = None
    tenant_id: str = DEFAULT_TENANT


class StartedProcessInstance(Wire):
    process_definition_key: str
    process_instance_key: str


class EvaluatedConditionals(Wire):
    conditional_evaluation_key: str
    process_instances: list[StartedProcessInstance] = field(default_factory=list)
    tenant_id: str = DEFAULT_TENANT


class MessageSubscription(Wire):
    """``message_subscription_state``: CREATED (waiting), CORRELATED, DELETED."""

    message_subscription_key: str
    process_instance_key: str
    process_definition_id: str
    element_id: str
    element_instance_key: str
    message_name: str
    correlation_key: str
    message_subscription_state: str
    element_name: str | None = None
    tenant_id: str = DEFAULT_TENANT


class UserTask(Wire):
    """``state``: CREATED, COMPLETED, CANCELED; CREATING, ASSIGNING, UPDATING, COMPLETING for listeners."""

    user_task_key: str
    element_id: str
    element_instance_key: str
    name: str | None
    state: str
    process_instance_key: str
    process_definition_key: str
    process_definition_id: str
    creation_date: str
    completion_date: str | None = None
    assignee: str | None = None
    candidate_groups: list[str] = field(default_factory=list)
    candidate_users: list[str] = field(default_factory=list)
    due_date: str | None = None
    follow_up_date: str | None = None
    priority: int = 50
    form_key: str | None = None
    external_form_reference: str | None = None
    custom_headers: dict[str, str] = field(default_factory=dict)
    business_id: str | None = None
    tenant_id: str = DEFAULT_TENANT


class EvaluateDecision(Wire):
    decision_definition_id: str | None = None
    decision_definition_key: str | None = None
    variables: Variables = field(default_factory=dict)
    tenant_id: str = DEFAULT_TENANT


class EvaluatedDecision(Wire):
    decision_definition_id: str
    decision_definition_key: str
    decision_definition_name: str | None
    decision_definition_version: int
    output: Any
    audit: Any = None
    decision_instance_key: str | None = None
    failed_decision_definition_id: str | None = None
    failure_message: str | None = None
    tenant_id: str = DEFAULT_TENANT


class DecisionInstance(Wire):
    """A decision as it was evaluated by a process, with the audit of its inputs and rules."""

    decision_instance_key: str
    decision_definition_id: str
    decision_definition_key: str
    process_instance_key: str | None
    element_instance_key: str | None
    element_id: str | None
    state: str  # EVALUATED, FAILED
    evaluation_date: str
    result: Any
    audit: Any
    failure_message: str | None = None
    tenant_id: str = DEFAULT_TENANT


class Document(Wire):
    """A stored document's reference, put into variables and answered by the document API."""

    document_id: str
    content_hash: str  # sha256, hex
    file_name: str
    content_type: str
    size: int  # bytes
    store_id: str = "default"
    process_instance_key: str | None = None
    process_definition_id: str | None = None
    custom_properties: dict[str, Any] = field(default_factory=dict)


class Event(Wire):
    """A CloudEvent of the feed. ``id`` is its position: resume after it.

    ``type``: towpath.instance.created|completed|terminated, towpath.element.activated|completed|
    terminated, towpath.flow.taken, towpath.variable.created|updated, towpath.incident.created|resolved,
    towpath.user-task.created|assigned|updated|completed|canceled, towpath.job.created|completed|failed|...,
    towpath.message.published|correlated|expired, towpath.subscription.opened|closed,
    towpath.decision.evaluated, towpath.signal.broadcast.
    ``data`` always has processInstanceKey, processDefinitionId, businessId and
    rootProcessInstanceKey where there is an instance (of the root: rootBusinessId and
    rootProcessDefinitionId), and the fields of the wire type of its subject.
    """

    id: str
    type: str
    source: str
    time: str
    subject: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


class EventQuery(Wire):
    """Events after ``after`` (a position, "" from the beginning, "latest" for only new ones).

    ``types`` may end in ``.*``. ``wait`` in ms: how long to wait for a first event.
    """

    after: str = ""
    types: list[str] | None = None
    process_instance_key: str | None = None  # the instance and those that it called
    process_definition_id: str | None = None
    milestones: bool = False  # only completed elements that are milestones
    limit: int = 500
    wait: int = 0


class EventPage(Wire):
    """``position`` is where to go on, also when ``events`` is empty."""

    events: list[Event]
    position: str


class JobFailure(Wire):
    """``retry_back_off`` in ms. ``retries`` left; 0 raises an incident."""

    retries: int | None = None
    error_message: str = ""
    retry_back_off: int = 0
    variables: Variables = field(default_factory=dict)


class Corrections(Wire):
    """Of a user task by its listener: None leaves as it is, an empty text or list clears."""

    assignee: str | None = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due_date: str | None = None
    follow_up_date: str | None = None
    priority: int | None = None


class JobResult(Wire):
    """What a task listener's job says: whether the change is denied, else what to correct."""

    denied: bool = False
    denied_reason: str | None = None
    corrections: Corrections | None = None


class JobError(Wire):
    error_code: str
    error_message: str = ""
    variables: Variables = field(default_factory=dict)


class UserTaskChange(Wire):
    """Only what is set is changed; None clears."""

    candidate_groups: list[str] | UnsetType | None = UNSET
    candidate_users: list[str] | UnsetType | None = UNSET
    due_date: str | UnsetType | None = UNSET
    follow_up_date: str | UnsetType | None = UNSET
    priority: int | UnsetType = UNSET


class ProcessError(Exception):
    """The process server refused.

    ``code``: INVALID_ARGUMENT (HTTP 400), UNAUTHENTICATED (401), FORBIDDEN (403), NOT_FOUND (404),
    ALREADY_EXISTS and INVALID_STATE (409), RESOURCE_EXHAUSTED (429), UNAVAILABLE (503),
    DEADLINE_EXCEEDED (504), INTERNAL (500).
    """

    def __init__(self, code: str, detail: str, faults: list[str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.faults = faults or []


HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "INVALID_STATE": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
