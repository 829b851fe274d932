"""Process instances, element instances, variables, incidents, decisions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get, post, put
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.process.rest.common import VariablesBody, actor, answer, body, search_handler
from towpath.process.server import ProcessServer
from towpath.wire import CreateProcessInstance, EvaluateDecision, Search, SearchResult


class _SetVariables(VariablesBody):
    local: bool = False


def handlers(server: ProcessServer) -> list[ControllerRouterHandler]:
    @post("/process-instances", status_code=200)
    async def create(request: Request[Any, Any, Any]) -> Response[bytes]:
        wanted = await body(request, CreateProcessInstance)
        return answer(await server.create_process_instance(wanted, actor=actor(request)))

    @get("/process-instances/{key:str}")
    async def instance(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.process_instance(key))

    @post("/process-instances/{key:str}/cancellation", status_code=204)
    async def cancel(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        await server.cancel_process_instance(key, actor=actor(request))

    @get("/process-instances/{key:str}/sequence-flows")
    async def flows(key: FromPath[str]) -> Response[bytes]:
        found = await server.process_instance(key)
        common = {
            "processInstanceKey": key,
            "rootProcessInstanceKey": found.root_process_instance_key,
            "processDefinitionKey": found.process_definition_key,
            "processDefinitionId": found.process_definition_id,
            "tenantId": found.tenant_id,
        }
        taken = await server.sequence_flows(key)
        return answer(
            {"items": [{"sequenceFlowId": f"{key}_{id_}", "elementId": id_} | common for id_ in taken]}
        )

    @get("/element-instances/{key:str}")
    async def element(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.element_instance(key))

    @put("/element-instances/{key:str}/variables", status_code=204)
    async def set_variables(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        wanted = await body(request, _SetVariables)
        await server.set_variables(key, wanted.variables, local=wanted.local, actor=actor(request))

    @get("/variables/{key:str}")
    async def variable(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.variable(key))

    @get("/incidents/{key:str}")
    async def incident(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.incident(key))

    @post("/incidents/{key:str}/resolution", status_code=204)
    async def resolve(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        await server.resolve_incident(key, actor=actor(request))

    @post("/decision-definitions/evaluation", status_code=200)
    async def evaluate(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer(await server.evaluate_decision(await body(request, EvaluateDecision)))

    @get("/decision-instances/{key:str}")
    async def decision(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.decision_instance(key))

    searches: dict[str, Callable[[ProcessServer, Search], Awaitable[SearchResult[Any]]]] = {
        "/process-instances/search": ProcessServer.search_process_instances,
        "/element-instances/search": ProcessServer.search_element_instances,
        "/variables/search": ProcessServer.search_variables,
        "/incidents/search": ProcessServer.search_incidents,
        "/decision-instances/search": ProcessServer.search_decision_instances,
    }
    return [
        create,
        instance,
        cancel,
        flows,
        element,
        set_variables,
        variable,
        incident,
        resolve,
        evaluate,
        decision,
        *(search_handler(path, search, server) for path, search in searches.items()),
    ]
