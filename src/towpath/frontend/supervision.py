"""Background parts of a service: run beside its requests, ended with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

PAUSE = 1.0  # seconds before a part that failed starts again
log = structlog.get_logger()

Part = Callable[[], Awaitable[None]]


@asynccontextmanager
async def supervised(*parts: Part) -> AsyncIterator[None]:
    """Run ``parts`` while the block runs; a failure (the database away, say) pauses one, no more."""
    running = [asyncio.create_task(_keep(part)) for part in parts]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _keep(part: Part) -> None:
    while True:
        try:
            await part()
        except Exception:
            log.exception("a background part failed; it starts again")
        await asyncio.sleep(PAUSE)
