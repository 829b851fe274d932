"""Jobs: the part of the API that workers use."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, patch, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.process.rest.common import VariablesBody, answer, body
from towpath.process.server import ProcessServer
from towpath.wire import ActivateJobs, JobError, JobFailure, Wire


class _Changeset(Wire):
    retries: int | None = None
    timeout: int | None = None


class _JobChange(Wire):
    changeset: _Changeset


def handlers(server: ProcessServer) -> list[ControllerRouterHandler]:
    @post("/jobs/activation", status_code=200)
    async def activate(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer({"jobs": await server.activate_jobs(await body(request, ActivateJobs))})

    @post("/jobs/{key:str}/completion", status_code=204)
    async def complete(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        await server.complete_job(key, (await body(request, VariablesBody)).variables)

    @post("/jobs/{key:str}/failure", status_code=204)
    async def fail(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        await server.fail_job(key, await body(request, JobFailure))

    @post("/jobs/{key:str}/error", status_code=204)
    async def throw(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        await server.throw_job_error(key, await body(request, JobError))

    @patch("/jobs/{key:str}", status_code=204)
    async def update(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        change = (await body(request, _JobChange)).changeset
        await server.update_job(key, retries=change.retries, timeout=change.timeout)

    return [activate, complete, fail, throw, update]
