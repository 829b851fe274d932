"""Jobs: the part of the API that workers use."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from litestar import Request, Response, patch, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.process.rest.common import VariablesBody, answer, body
from towpath.process.server import ProcessServer
from towpath.wire import ActivateJobs, JobError, JobFailure, JobResult, Wire

T = TypeVar("T")


class _Completion(VariablesBody):
    result: JobResult | None = None


class _Changeset(Wire):
    retries: int | None = None
    timeout: int | None = None


class _JobChange(Wire):
    changeset: _Changeset


async def unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T | None:
    """What ``work`` gives, or None where the caller hung up first.

    A worker that left must not be given a job: nobody else would have it until its lock ran out.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def handlers(server: ProcessServer) -> list[ControllerRouterHandler]:
    @post("/jobs/activation", status_code=200)
    async def activate(request: Request[Any, Any, Any]) -> Response[bytes]:
        asked = await body(request, ActivateJobs)
        jobs = await unless_gone(request, server.activate_jobs(asked))
        return answer({"jobs": jobs or []})

    @post("/jobs/{key:str}/completion", status_code=204)
    async def complete(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        given = await body(request, _Completion)
        await server.complete_job(key, given.variables, result=given.result)

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
