"""The process server over HTTP: its REST API as a :class:`towpath.client.ProcessClient`."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from towpath.identity import TokenError, TokenSource
from towpath.wire import (
    HTTP_STATUS,
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
    ProcessError,
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
    Wire,
)

CONNECT = 5.0  # seconds to reach the server
ANSWER = 30.0  # seconds for an ordinary answer, and beyond the wait of a long poll
SERVER_LONG_POLL = 60.0  # seconds; more than a server's own default for a long poll
CHUNK = 256 * 1024  # bytes of a document read at a time
ON_BEHALF_OF = "x-on-behalf-of"  # as in towpath.http, which this layer does not import

CODE_OF_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "INVALID_STATE",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

T = TypeVar("T")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Jobs(Wire):
    jobs: list[Job]


class _Visible(Wire):
    variables: Variables


class _Flow(Wire):
    element_id: str


class _Flows(Wire):
    items: list[_Flow]


class _Documents(Wire):
    items: list[Document]


class HttpProcessClient:
    """A process server at ``base_url`` (without ``/v2``), used as an async context manager.

    Every call raises :class:`towpath.wire.ProcessError`; UNAVAILABLE where the server cannot be reached or
    went away before it answered: then the change may or may not have been made.
    ``tokens`` gives the bearer token of each call; None sends none.
    """

    def __init__(self, base_url: str, tokens: TokenSource | None = None, *, connections: int = 200) -> None:
        self._base = base_url.rstrip("/") + "/v2"
        self._tokens = tokens
        self._connections = connections
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._opened = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            headers={"Accept": "application/json"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    # deployment

    async def deploy(self, resources: list[Resource]) -> Deployment:
        form = aiohttp.FormData(quote_fields=False)
        for resource in resources:
            form.add_field(
                "resources",
                io.BytesIO(resource.content),
                filename=resource.name,
                content_type="application/octet-stream",
            )
        return _decode(await self._send("POST", "/deployments", data=form), Deployment)

    async def search_process_definitions(self, search: Search) -> SearchResult[ProcessDefinition]:
        return await self._post("/process-definitions/search", search, SearchResult[ProcessDefinition])

    async def process_definition_xml(self, key: str) -> str:
        return (await self._send("GET", f"/process-definitions/{_part(key)}/xml")).decode()

    async def start_form(self, process_definition_key: str) -> Form | None:
        body = await self._send("GET", f"/process-definitions/{_part(process_definition_key)}/form")
        return _decode(body, Form) if body else None

    async def form(self, form_id: str) -> Form | None:
        try:
            return _decode(await self._send("GET", f"/forms/{_part(form_id)}"), Form)
        except ProcessError as error:
            if error.code == "NOT_FOUND":
                return None
            raise

    # instances

    async def create_process_instance(
        self, request: CreateProcessInstance, *, actor: str | None = None
    ) -> CreatedProcessInstance:
        wait = request.request_timeout / 1000 if request.await_completion else 0
        return await self._post(
            "/process-instances", request, CreatedProcessInstance, actor=actor, timeout=wait + ANSWER
        )

    async def process_instance(self, key: str) -> ProcessInstance:
        return _decode(await self._send("GET", f"/process-instances/{_part(key)}"), ProcessInstance)

    async def search_process_instances(self, search: Search) -> SearchResult[ProcessInstance]:
        return await self._post("/process-instances/search", search, SearchResult[ProcessInstance])

    async def cancel_process_instance(self, key: str, *, actor: str | None = None) -> None:
        await self._tell("POST", f"/process-instances/{_part(key)}/cancellation", actor=actor)

    async def search_element_instances(self, search: Search) -> SearchResult[ElementInstance]:
        return await self._post("/element-instances/search", search, SearchResult[ElementInstance])

    async def search_variables(self, search: Search) -> SearchResult[Variable]:
        return await self._post("/variables/search", search, SearchResult[Variable])

    async def set_variables(
        self, scope_key: str, variables: Variables, *, local: bool = False, actor: str | None = None
    ) -> None:
        body = {"variables": variables, "local": local}
        await self._tell("PUT", f"/element-instances/{_part(scope_key)}/variables", body, actor=actor)

    async def sequence_flows(self, process_instance_key: str) -> list[str]:
        path = f"/process-instances/{_part(process_instance_key)}/sequence-flows"
        return [flow.element_id for flow in _decode(await self._send("GET", path), _Flows).items]

    # jobs

    async def activate_jobs(self, request: ActivateJobs) -> list[Job]:
        wait = request.request_timeout / 1000 if request.request_timeout else SERVER_LONG_POLL
        answer = await self._post("/jobs/activation", request, _Jobs, timeout=max(wait, 0) + ANSWER)
        return answer.jobs

    async def complete_job(self, key: str, variables: Variables | None = None) -> None:
        await self._tell("POST", f"/jobs/{_part(key)}/completion", {"variables": variables or {}})

    async def fail_job(self, key: str, failure: JobFailure) -> None:
        await self._tell("POST", f"/jobs/{_part(key)}/failure", failure)

    async def throw_job_error(self, key: str, error: JobError) -> None:
        await self._tell("POST", f"/jobs/{_part(key)}/error", error)

    async def update_job(self, key: str, *, retries: int | None = None, timeout: int | None = None) -> None:
        wanted = {"retries": retries, "timeout": timeout}
        changeset = {name: value for name, value in wanted.items() if value is not None}
        await self._tell("PATCH", f"/jobs/{_part(key)}", {"changeset": changeset})

    async def search_jobs(self, search: Search) -> SearchResult[JobRow]:
        return await self._post("/jobs/search", search, SearchResult[JobRow])

    # messages and signals

    async def publish_message(self, message: PublishMessage, *, actor: str | None = None) -> PublishedMessage:
        return await self._post("/messages/publication", message, PublishedMessage, actor=actor)

    async def correlate_message(
        self, message: CorrelateMessage, *, actor: str | None = None
    ) -> CorrelatedMessage:
        return await self._post("/messages/correlation", message, CorrelatedMessage, actor=actor)

    async def broadcast_signal(
        self, signal: BroadcastSignal, *, actor: str | None = None
    ) -> BroadcastedSignal:
        return await self._post("/signals/broadcast", signal, BroadcastedSignal, actor=actor)

    async def evaluate_conditionals(
        self, wanted: EvaluateConditionals, *, actor: str | None = None
    ) -> EvaluatedConditionals:
        return await self._post("/conditionals/evaluation", wanted, EvaluatedConditionals, actor=actor)

    async def search_message_subscriptions(self, search: Search) -> SearchResult[MessageSubscription]:
        return await self._post("/message-subscriptions/search", search, SearchResult[MessageSubscription])

    # user tasks

    async def user_task(self, key: str) -> UserTask:
        return _decode(await self._send("GET", f"/user-tasks/{_part(key)}"), UserTask)

    async def search_user_tasks(self, search: Search) -> SearchResult[UserTask]:
        return await self._post("/user-tasks/search", search, SearchResult[UserTask])

    async def user_task_variables(self, key: str) -> Variables:
        return _decode(await self._send("GET", f"/user-tasks/{_part(key)}/variables"), _Visible).variables

    async def user_task_form(self, key: str) -> Form | None:
        body = await self._send("GET", f"/user-tasks/{_part(key)}/form")
        return _decode(body, Form) if body else None

    async def assign_user_task(
        self, key: str, assignee: str, *, allow_override: bool = True, actor: str | None = None
    ) -> None:
        body = {"assignee": assignee, "allowOverride": allow_override}
        await self._tell("POST", f"/user-tasks/{_part(key)}/assignment", body, actor=actor)

    async def unassign_user_task(self, key: str, *, actor: str | None = None) -> None:
        await self._tell("DELETE", f"/user-tasks/{_part(key)}/assignee", actor=actor)

    async def complete_user_task(
        self, key: str, variables: Variables | None = None, *, actor: str | None = None
    ) -> None:
        body = {"variables": variables or {}}
        await self._tell("POST", f"/user-tasks/{_part(key)}/completion", body, actor=actor)

    async def update_user_task(self, key: str, change: UserTaskChange, *, actor: str | None = None) -> None:
        await self._tell("PATCH", f"/user-tasks/{_part(key)}", {"changeset": change}, actor=actor)

    # incidents

    async def search_incidents(self, search: Search) -> SearchResult[Incident]:
        return await self._post("/incidents/search", search, SearchResult[Incident])

    async def resolve_incident(self, key: str, *, actor: str | None = None) -> None:
        await self._tell("POST", f"/incidents/{_part(key)}/resolution", actor=actor)

    # decisions

    async def evaluate_decision(self, request: EvaluateDecision) -> EvaluatedDecision:
        return await self._post("/decision-definitions/evaluation", request, EvaluatedDecision)

    async def search_decision_instances(self, search: Search) -> SearchResult[DecisionInstance]:
        return await self._post("/decision-instances/search", search, SearchResult[DecisionInstance])

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
        metadata: dict[str, Any] = {
            "fileName": file_name,
            "contentType": content_type,
            "processInstanceKey": process_instance_key,
            "customProperties": properties or {},
        }
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("metadata", _encode(metadata).decode(), content_type="application/json")
        body = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field("file", body, filename=file_name, content_type=content_type)
        query = {"documentId": document_id} if document_id else None
        return _decode(await self._send("POST", "/documents", data=form, query=query), Document)

    async def document(self, document_id: str) -> tuple[Document, AsyncIterator[bytes]]:
        path = f"/documents/{_part(document_id)}"
        described = _decode(await self._send("GET", f"{path}/metadata"), Document)
        return described, self._content(path)

    async def _content(self, path: str) -> AsyncIterator[bytes]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=ANSWER)
        try:
            async with self._session.get(
                self._base + path, headers=await self._headers(None), timeout=timeout
            ) as response:
                if response.status >= 300:
                    raise _refusal(response.status, await response.read())
                async for chunk in response.content.iter_chunked(CHUNK):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(self._base, error) from error

    async def search_documents(self, process_instance_key: str) -> list[Document]:
        body = {"filter": {"processInstanceKey": process_instance_key}}
        return (await self._post("/documents/search", body, _Documents)).items

    async def delete_document(self, document_id: str) -> None:
        await self._tell("DELETE", f"/documents/{_part(document_id)}")

    # what happened

    async def events(self, query: EventQuery) -> EventPage:
        wanted = {
            "after": query.after,
            "types": ",".join(query.types) if query.types else None,
            "processInstanceKey": query.process_instance_key,
            "processDefinitionId": query.process_definition_id,
            "milestones": "true" if query.milestones else None,
            "limit": str(query.limit),
            "wait": str(query.wait),
        }
        given = {name: value for name, value in wanted.items() if value}
        body = await self._send("GET", "/events", query=given, timeout=query.wait / 1000 + ANSWER)
        return _decode(body, EventPage)

    # how it travels

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            raise RuntimeError("HttpProcessClient is used inside 'async with'.")
        return self._opened

    async def _headers(self, actor: str | None) -> dict[str, str]:
        headers = {}
        if self._tokens is not None:
            try:
                headers["Authorization"] = f"Bearer {await self._tokens.token()}"
            except TokenError as error:
                code = "UNAUTHENTICATED" if error.status in (400, 401, 403) else "UNAVAILABLE"
                raise ProcessError(code, error.detail) from error
        if actor is not None:
            person = msgspec.json.encode({"sub": actor, "roles": []})
            headers[ON_BEHALF_OF] = base64.urlsafe_b64encode(person).decode()
        return headers

    async def _send(
        self,
        method: str,
        path: str,
        *,
        data: bytes | aiohttp.FormData | None = None,
        query: dict[str, str] | None = None,
        actor: str | None = None,
        timeout: float = ANSWER,
    ) -> bytes:
        headers = await self._headers(actor)
        if isinstance(data, bytes):
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method,
                self._base + path,
                data=data,
                params=query,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT),
            ) as response:
                body = await response.read()
                if response.status >= 300:
                    raise _refusal(response.status, body)
                return body
        except TimeoutError as error:
            raise ProcessError("DEADLINE_EXCEEDED", f"{self._base} did not answer in time.") from error
        except aiohttp.ClientError as error:
            raise _unreachable(self._base, error) from error

    async def _post(
        self, path: str, body: Any, kind: type[T], *, actor: str | None = None, timeout: float = ANSWER
    ) -> T:
        return _decode(await self._send("POST", path, data=_json(body), actor=actor, timeout=timeout), kind)

    async def _tell(self, method: str, path: str, body: Any = None, *, actor: str | None = None) -> None:
        await self._send(method, path, data=None if body is None else _json(body), actor=actor)


def _part(value: str) -> str:
    return quote(value, safe="")


def _json(body: Any) -> bytes:
    try:
        return _encode(body)
    except (TypeError, ValueError) as error:
        raise ProcessError("INVALID_ARGUMENT", f"Not expressible in JSON: {error}.") from None


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ProcessError("INTERNAL", f"The process server's answer is not understood: {error}.") from error


def _refusal(status: int, body: bytes) -> ProcessError:
    """Problem details as an error; a body of another kind (a proxy's) is told by its status."""
    code = CODE_OF_STATUS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    detail, faults = f"The process server answered {status}.", []
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        problem = None
    if isinstance(problem, dict):
        title = problem.get("title")
        code = title if title in HTTP_STATUS else code
        detail = str(problem.get("detail") or detail)
        errors = problem.get("errors")
        faults = [str(fault) for fault in errors] if isinstance(errors, list) else []
    return ProcessError(code, detail, faults)


def _unreachable(base: str, error: Exception) -> ProcessError:
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
        return ProcessError("DEADLINE_EXCEEDED", f"{base} did not answer in time.")
    return ProcessError("UNAVAILABLE", f"{base} cannot be reached: {error or type(error).__name__}.")
