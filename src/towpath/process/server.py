"""The process server, in-process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from towpath.process.broadcasting import Broadcasting
from towpath.process.changes import Changes
from towpath.process.clock import Clock, SystemClock
from towpath.process.deciding import Deciding
from towpath.process.deploying import Deploying
from towpath.process.events import Events
from towpath.process.filing import Filing
from towpath.process.host import Host
from towpath.process.models import Registry
from towpath.process.searching import Searching
from towpath.process.settings import ProcessSettings
from towpath.storage.documents import DocumentStore
from towpath.storage.sqlite import SqliteStore


class ProcessServer(Deploying, Changes, Broadcasting, Searching, Deciding, Filing, Events):
    """Runs process instances durably; a :class:`towpath.client.ProcessClient`.

    Made by :func:`open_server`.
    """


@asynccontextmanager
async def open_server(
    settings: ProcessSettings, *, state: Path, documents: DocumentStore, clock: Clock | None = None
) -> AsyncIterator[ProcessServer]:
    """A process server on the SQLite file in the folder ``state``, running while the block runs.

    What was under way when it last stopped goes on. On leaving, what was accepted is finished.
    """
    store = await SqliteStore.open(state / "engine.sqlite")
    try:
        clock = clock or SystemClock()
        registry = Registry(store)
        await asyncio.to_thread(registry.load)
        host = Host(store, registry, settings, clock)
        await host.start()
        try:
            yield ProcessServer(host, registry, documents, settings, clock)
        finally:
            await host.stop()
    finally:
        store.close()
