"""User tasks, messages, signals and conditions."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.process.rest.common import VariablesBody, actor, answer, body, nothing, search_handler
from towpath.process.server import ProcessServer
from towpath.wire import (
    BroadcastSignal,
    CorrelateMessage,
    EvaluateConditionals,
    PageInfo,
    PublishMessage,
    SearchResult,
    UserTaskChange,
    Variable,
    Wire,
)


class _Assignment(Wire):
    assignee: str
    allow_override: bool = True


class _TaskChange(Wire):
    changeset: UserTaskChange


def _page(found: list[Variable]) -> SearchResult[Variable]:
    return SearchResult(items=found, page=PageInfo(total_items=len(found)))


def handlers(server: ProcessServer) -> list[ControllerRouterHandler]:
    @get("/user-tasks/{key:str}")
    async def task(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.user_task(key))

    @get("/user-tasks/{key:str}/form")
    async def form(key: FromPath[str]) -> Response[bytes]:
        found = await server.user_task_form(key)
        return nothing() if found is None else answer(found)

    @get("/user-tasks/{key:str}/variables")
    async def variables(key: FromPath[str]) -> Response[bytes]:
        return answer({"variables": await server.user_task_variables(key)})

    @post("/user-tasks/{key:str}/variables/search", status_code=200)
    async def every_variable(key: FromPath[str]) -> Response[bytes]:
        return answer(_page(await server.visible_variables(key, every=True)))

    @post("/user-tasks/{key:str}/effective-variables/search", status_code=200)
    async def effective(key: FromPath[str]) -> Response[bytes]:
        return answer(_page(await server.visible_variables(key)))

    @post("/user-tasks/{key:str}/assignment", status_code=204)
    async def assign(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        wanted = await body(request, _Assignment)
        await server.assign_user_task(
            key, wanted.assignee, allow_override=wanted.allow_override, actor=actor(request)
        )

    @delete("/user-tasks/{key:str}/assignee", status_code=204)
    async def unassign(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        await server.unassign_user_task(key, actor=actor(request))

    @post("/user-tasks/{key:str}/completion", status_code=204)
    async def complete(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        given = await body(request, VariablesBody)
        await server.complete_user_task(key, given.variables, actor=actor(request))

    # The second path is what @camunda8/sdk uses.
    @patch(["/user-tasks/{key:str}", "/user-tasks/{key:str}/update"], status_code=204)
    async def update(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        change = await body(request, _TaskChange)
        await server.update_user_task(key, change.changeset, actor=actor(request))

    @post("/messages/publication", status_code=200)
    async def publish(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer(await server.publish_message(await body(request, PublishMessage), actor=actor(request)))

    @post("/messages/correlation", status_code=200)
    async def correlate(request: Request[Any, Any, Any]) -> Response[bytes]:
        wanted = await body(request, CorrelateMessage)
        return answer(await server.correlate_message(wanted, actor=actor(request)))

    @post("/signals/broadcast", status_code=200)
    async def broadcast(request: Request[Any, Any, Any]) -> Response[bytes]:
        wanted = await body(request, BroadcastSignal)
        return answer(await server.broadcast_signal(wanted, actor=actor(request)))

    @post("/conditionals/evaluation", status_code=200)
    async def conditionals(request: Request[Any, Any, Any]) -> Response[bytes]:
        wanted = await body(request, EvaluateConditionals)
        return answer(await server.evaluate_conditionals(wanted, actor=actor(request)))

    return [
        task,
        form,
        variables,
        every_variable,
        effective,
        assign,
        unassign,
        complete,
        update,
        publish,
        correlate,
        broadcast,
        conditionals,
        search_handler("/user-tasks/search", ProcessServer.search_user_tasks, server),
        search_handler("/message-subscriptions/search", ProcessServer.search_message_subscriptions, server),
        search_handler("/jobs/search", ProcessServer.search_jobs, server),
    ]
