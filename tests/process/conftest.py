"""A process server on a file of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from towpath.process import ManualClock, ProcessServer, ProcessSettings, open_server
from towpath.storage.documents import DocumentStore

Open = Callable[..., Awaitable[ProcessServer]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ProcessServer]:
    documents = DocumentStore.open(str(tmp_path / "documents"))
    async with open_server(
        ProcessSettings(long_poll=200), state=tmp_path, documents=documents, clock=clock
    ) as opened:
        yield opened


@pytest.fixture
async def opening(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Open]:
    """Opens a server with settings of the test's own; again on the same file after it was closed."""
    stacks: list[AsyncExitStack] = []

    async def open_(**settings: Any) -> ProcessServer:
        for stack in stacks:
            await stack.aclose()
        stacks.clear()
        stack = AsyncExitStack()
        stacks.append(stack)
        documents = DocumentStore.open(str(tmp_path / "documents"))
        return await stack.enter_async_context(
            open_server(
                ProcessSettings(**{"long_poll": 200, **settings}),
                state=tmp_path,
                documents=documents,
                clock=clock,
            )
        )

    yield open_
    for stack in stacks:
        await stack.aclose()
