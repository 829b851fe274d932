"""``job:`` endpoints: routes as workers of the process server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towpath.client import JobFailed, Worker
from towpath.integration.endpoints import JobEndpoint
from towpath.integration.engine import Engine
from towpath.integration.errors import Exhausted, InvalidInput
from towpath.integration.exchange import Exchange, Message
from towpath.integration.routes import Route
from towpath.wire import Job

MARGIN = 10.0  # seconds beyond a route's longest run before its job is offered to another node


def workers(engine: Engine, routes: Sequence[Route]) -> list[Worker]:
    """A worker for each job endpoint."""
    return [
        Worker(
            endpoint.type,
            _function(engine, route, endpoint.uri),
            timeout=route.longest() + MARGIN,
            max_jobs=route.concurrency,
            fetch=route.variables,
        )
        for route in routes
        for endpoint in route.endpoints
        if isinstance(endpoint, JobEndpoint)
    ]


def _function(engine: Engine, route: Route, uri: str) -> Any:
    async def run(job: Job) -> dict[str, Any]:
        exchange = Exchange(message=Message(job.variables), key=job.job_key, endpoint=uri, job=job)
        try:
            result = await engine.run(route, exchange)
        except (Exhausted, InvalidInput) as error:
            # The route has retried as it was told to, so nothing is left to the job: an incident says why,
            # and resolving it runs the route again.
            raise JobFailed(str(error), retries=0) from error
        if result is not None and not isinstance(result, dict):
            raise JobFailed(
                f"The route {route.id} returned {type(result).__name__}; return a dict of variables or None.",
                retries=0,
            )
        return result or {}

    return run
