"""What a process server offers to the other boxes, in-process or over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from towpath.wire import (
    ActivateJobs,
    BroadcastedSignal,
    BroadcastSignal,
    CorrelatedMessage,
    CorrelateMessage,
    CreatedProcessInstance,
    CreateProcessInstance,
    DecisionInstance,
    Deployment,
    Document,
    ElementInstance,
    EvaluateConditionals,
    EvaluatedConditionals,
    EvaluatedDecision,
    EvaluateDecision,
    EventPage,
    EventQuery,
    Form,
    Incident,
    Job,
    JobError,
    JobFailure,
    JobRow,
    MessageSubscription,
    ProcessDefinition,
    ProcessInstance,
    PublishedMessage,
    PublishMessage,
    Resource,
    Search,
    SearchResult,
    UserTask,
    UserTaskChange,
    Variable,
    Variables,
)


class ProcessClient(Protocol):
    """Every call answers once its work is committed, and raises :class:`towpath.wire.ProcessError`.

    ``actor`` is the subject on whose behalf a change is made; it is kept for the audit.
    """

    # deployment
    async def deploy(self, resources: list[Resource]) -> Deployment: ...
    async def search_process_definitions(self, search: Search) -> SearchResult[ProcessDefinition]: ...
    async def process_definition_xml(self, key: str) -> str: ...
    async def start_form(self, process_definition_key: str) -> Form | None: ...
    async def form(self, form_id: str) -> Form | None:
        """The latest deployed version of a form, by its own id; over REST ``GET /v2/forms/{formId}``."""

    # instances
    async def create_process_instance(
        self, request: CreateProcessInstance, *, actor: str | None = None
    ) -> CreatedProcessInstance: ...
    async def process_instance(self, key: str) -> ProcessInstance: ...
    async def search_process_instances(self, search: Search) -> SearchResult[ProcessInstance]:
        """Beside the fields, filter ``variables``: [{"name": "x", "value": "<JSON text>"}]."""

    async def cancel_process_instance(self, key: str, *, actor: str | None = None) -> None: ...
    async def search_element_instances(self, search: Search) -> SearchResult[ElementInstance]: ...
    async def search_variables(self, search: Search) -> SearchResult[Variable]: ...
    async def set_variables(
        self, scope_key: str, variables: Variables, *, local: bool = False, actor: str | None = None
    ) -> None: ...
    async def sequence_flows(self, process_instance_key: str) -> list[str]:
        """Ids of the sequence flows taken."""

    # jobs
    async def activate_jobs(self, request: ActivateJobs) -> list[Job]: ...
    async def complete_job(self, key: str, variables: Variables | None = None) -> None: ...
    async def fail_job(self, key: str, failure: JobFailure) -> None: ...
    async def throw_job_error(self, key: str, error: JobError) -> None: ...
    async def update_job(
        self, key: str, *, retries: int | None = None, timeout: int | None = None
    ) -> None: ...
    async def search_jobs(self, search: Search) -> SearchResult[JobRow]: ...

    # messages and signals
    async def publish_message(
        self, message: PublishMessage, *, actor: str | None = None
    ) -> PublishedMessage: ...
    async def correlate_message(
        self, message: CorrelateMessage, *, actor: str | None = None
    ) -> CorrelatedMessage: ...
    async def broadcast_signal(
        self, signal: BroadcastSignal, *, actor: str | None = None
    ) -> BroadcastedSignal:
        """To everybody who waits for the signal now; it is kept for nobody."""

    async def evaluate_conditionals(
        self, wanted: EvaluateConditionals, *, actor: str | None = None
    ) -> EvaluatedConditionals:
        """Start an instance for every conditional start event that is true of the variables."""

    async def search_message_subscriptions(self, search: Search) -> SearchResult[MessageSubscription]: ...

    # user tasks
    async def user_task(self, key: str) -> UserTask: ...
    async def search_user_tasks(self, search: Search) -> SearchResult[UserTask]: ...
    async def user_task_variables(self, key: str) -> Variables:
        """All variables visible from the task."""

    async def user_task_form(self, key: str) -> Form | None: ...
    async def assign_user_task(
        self, key: str, assignee: str, *, allow_override: bool = True, actor: str | None = None
    ) -> None: ...
    async def unassign_user_task(self, key: str, *, actor: str | None = None) -> None: ...
    async def complete_user_task(
        self, key: str, variables: Variables | None = None, *, actor: str | None = None
    ) -> None: ...
    async def update_user_task(
        self, key: str, change: UserTaskChange, *, actor: str | None = None
    ) -> None: ...

    # incidents
    async def search_incidents(self, search: Search) -> SearchResult[Incident]: ...
    async def resolve_incident(self, key: str, *, actor: str | None = None) -> None: ...

    # decisions
    async def evaluate_decision(self, request: EvaluateDecision) -> EvaluatedDecision: ...
    async def search_decision_instances(self, search: Search) -> SearchResult[DecisionInstance]: ...

    # documents
    async def create_document(
        self,
        content: AsyncIterator[bytes] | bytes,
        *,
        file_name: str,
        content_type: str,
        process_instance_key: str | None = None,
        document_id: str | None = None,
        properties: dict[str, Any] | None = None,
    ) -> Document:
        """A repeated ``document_id`` with the same content answers the stored one."""

    async def document(self, document_id: str) -> tuple[Document, AsyncIterator[bytes]]: ...
    async def search_documents(self, process_instance_key: str) -> list[Document]: ...
    async def delete_document(self, document_id: str) -> None: ...

    # what happened
    async def events(self, query: EventQuery) -> EventPage: ...
