"""The integration service: routes over HTTP and as job workers, and what operators see of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import structlog
from litestar import Litestar

from towpath.client import ProcessClient, WorkerPool
from towpath.http import create_service
from towpath.identity import TokenVerifier
from towpath.integration.api import operations
from towpath.integration.consumers.http import handlers
from towpath.integration.consumers.jobs import workers
from towpath.integration.deadletters import DeadLetters, metadata
from towpath.integration.engine import Engine, check_connections
from towpath.integration.routes import Route
from towpath.integration.settings import IntegrationSettings
from towpath.storage.database import database

log = structlog.get_logger()


def create_app(
    settings: IntegrationSettings,
    *,
    routes: Sequence[Route],
    database_url: str,
    process: ProcessClient | None,
    verifier: TokenVerifier | None,
) -> Litestar:
    """The service for ``routes``.

    ``process``: where ``job:`` endpoints get their work (None: they get none). ``verifier``: None lets
    everybody call everything, for tests and tools. Raises :class:`towpath.faults.Faulty` where a connection
    that a route asks for is missing from towpath.toml or wrong there.
    """
    check_connections(routes, settings)
    engine = Engine(routes, settings)
    pool = WorkerPool(process, workers(engine, routes)) if process is not None else None

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with database(database_url, "towpath.integration.migrations", metadata) as tables:
            engine.letters = DeadLetters(tables)
            async with engine.running(), _running(pool):
                log.info(
                    "integration is up", routes=len(routes), files=sorted({Path(r.file).name for r in routes})
                )
                yield

    return create_service(
        "integration",
        [
            *handlers(engine, routes, open_to_all=verifier is None, max_body=settings.max_body),
            *operations(engine, process, guarded=verifier is not None),
        ],
        verifier=verifier,
        lifespan=[lifespan],
        ready=lambda: pool.waiting if pool else None,
        max_body=settings.max_body,
    )


@contextlib.asynccontextmanager
async def _running(pool: WorkerPool | None) -> AsyncIterator[None]:
    if pool is None or not pool.workers:
        yield
        return
    work = asyncio.create_task(pool.run(), name="integration workers")
    try:
        yield
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
