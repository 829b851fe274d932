"""A process server, and a client of it: the server itself, or over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from towpath.client import HttpProcessClient, ProcessClient, Worker, WorkerPool
from towpath.http import listen, serving
from towpath.process import ProcessServer, ProcessSettings, open_server
from towpath.process.rest import create_app
from towpath.storage.documents import DocumentStore
from towpath.wire import CreateProcessInstance, EventQuery, Resource

MODELS = Path(__file__).parent / "models"


def resources() -> list[Resource]:
    return [Resource(name=path.name, content=path.read_bytes()) for path in sorted(MODELS.iterdir())]


@asynccontextmanager
async def open_process(folder: Path) -> AsyncIterator[ProcessServer]:
    documents = DocumentStore.open(str(folder / "documents"))
    async with open_server(ProcessSettings(), state=folder / "process", documents=documents) as server:
        yield server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ProcessServer]:
    async with open_process(tmp_path) as opened:
        await opened.deploy(resources())
        yield opened


@pytest.fixture(params=["in-process", "http"])
async def client(request: pytest.FixtureRequest, server: ProcessServer) -> AsyncIterator[ProcessClient]:
    if request.param == "in-process":
        yield server
        return
    async with (
        serving(create_app(server, None), listen("127.0.0.1", 0), grace=1) as base,
        HttpProcessClient(base) as opened,
    ):
        yield opened


@asynccontextmanager
async def working(client: ProcessClient, *workers: Worker, **options: Any) -> AsyncIterator[WorkerPool]:
    """The workers at work while the block runs."""
    pool = WorkerPool(client, workers, **{"name": "test", "long_poll": 500, **options})
    task = asyncio.create_task(pool.run())
    try:
        yield pool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def start(client: ProcessClient, **variables: Any) -> str:
    created = await client.create_process_instance(
        CreateProcessInstance(process_definition_id="order", variables=variables)
    )
    return created.process_instance_key


async def happens(client: ProcessClient, key: str, type_: str, **wanted: Any) -> dict[str, Any]:
    """Wait until an event of this type, with these data, is told of the instance."""
    position = ""
    async with asyncio.timeout(20):
        while True:
            page = await client.events(
                EventQuery(after=position, types=[type_], process_instance_key=key, wait=1_000)
            )
            position = page.position
            for event in page.events:
                if wanted.items() <= event.data.items():
                    return event.data
