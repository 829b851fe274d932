"""What operators see and do: routes with their counts, and dead letters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from towpath.client import ProcessClient
from towpath.http import Problem, requires
from towpath.integration.consumers.http import as_problem
from towpath.integration.deadletters import DeadLetter, DeadLetterPage, DeadLetters
from towpath.integration.engine import Engine
from towpath.integration.routes import Route
from towpath.wire import ProcessError, Search


class RouteView(msgspec.Struct, kw_only=True, rename="camel"):
    """A route and its counts since the service started, on this node. Times in seconds."""

    id: str
    summary: str
    file: str
    line: int
    endpoints: list[str]
    users: bool
    timeout: float
    attempts: int
    dead_letter: bool
    in_flight: int
    completed: int
    business_errors: int
    invalid: int
    failed: int
    retries: int
    dead_lettered: int
    last_error: str | None


class Redelivery(msgspec.Struct, kw_only=True, rename="camel"):
    """``status``: delivered (``result`` is the route's answer), or resumed: the job runs again."""

    status: str
    result: Any = None


def operations(engine: Engine, process: ProcessClient | None, *, guarded: bool) -> list[BaseRouteHandler]:
    """The handlers; ``guarded``: for operators and services only."""
    guards = [requires("operator", "service")] if guarded else []

    def letters() -> DeadLetters:
        assert engine.letters is not None  # the service is up
        return engine.letters

    @get("/routes", guards=guards, sync_to_thread=False)
    def routes() -> list[RouteView]:
        return [_view(engine, route) for route in engine.routes.values()]

    @get("/dead-letters", guards=guards)
    async def page(
        route: FromQuery[str | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
        after: FromQuery[str | None] = None,
    ) -> DeadLetterPage:
        try:
            return await letters().page(route, limit, after)
        except ValueError:
            raise Problem(400, "The cursor 'after' is not one that this service gave.") from None

    @get("/dead-letters/{id:str}", guards=guards)
    async def one(id: FromPath[str]) -> DeadLetter:
        letter = await letters().find(id)
        if letter is None:
            raise Problem(404, "There is no such dead letter.")
        return letter

    @delete("/dead-letters/{id:str}", guards=guards)
    async def give_up(id: FromPath[str]) -> None:
        if not await letters().delete(id):
            raise Problem(404, "There is no such dead letter.")

    @post("/dead-letters/{id:str}/redelivery", guards=guards, status_code=200)
    async def redeliver(id: FromPath[str]) -> Redelivery:
        letter = await letters().find(id)
        found = await letters().exchange(id)
        if letter is None or found is None:
            raise Problem(404, "There is no such dead letter.")
        if letter.job_key is not None:
            await _resume(process, letter.job_key)
            return Redelivery(status="resumed")
        name, exchange = found
        route = engine.routes.get(name)
        if route is None:
            raise Problem(409, f"The solution has no route {name!r} any more.")
        try:
            result = await engine.run(route, exchange)
        except Exception as error:
            raise as_problem(error) from error
        await letters().delete(id)
        return Redelivery(status="delivered", result=result)

    return [routes, page, one, give_up, redeliver]


async def _resume(process: ProcessClient | None, job_key: str) -> None:
    """Resolve the job's incident, which gives the job to a worker again; its success settles the letter."""
    if process is None:
        raise Problem(409, "The letter belongs to a job, and no process server is connected.")
    found = await process.search_incidents(Search(filter={"jobKey": job_key, "state": "ACTIVE"}))
    if not found.items:
        raise Problem(409, f"The job {job_key} does not wait any more. Delete the letter.")
    try:
        await process.update_job(job_key, retries=1)
        await process.resolve_incident(found.items[0].incident_key)
    except ProcessError as error:
        raise Problem(409, f"The job {job_key} cannot be resumed: {error.detail}") from error


def _view(engine: Engine, route: Route) -> RouteView:
    counters = engine.counters[route.id]
    return RouteView(
        id=route.id,
        summary=route.summary,
        file=Path(route.file).name,
        line=route.line,
        endpoints=[endpoint.uri for endpoint in route.endpoints],
        users=any(endpoint.users for endpoint in route.http_endpoints),
        timeout=route.timeout,
        attempts=route.retry.attempts,
        dead_letter=route.dead_letter,
        in_flight=counters.in_flight,
        completed=counters.outcomes["completed"],
        business_errors=counters.outcomes["business_error"],
        invalid=counters.outcomes["invalid"],
        failed=counters.outcomes["failed"],
        retries=counters.retries,
        dead_lettered=counters.dead_lettered,
        last_error=counters.last_error,
    )
