"""The programs that are started with a solution: its demo back ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from towpath.children import lines, spawn, stop
from towpath.solution.settings import BackendSettings

log = structlog.get_logger()
LAST_LINES = 20  # of a program that did not start, shown to whoever started it


class BackendError(RuntimeError):
    """A back end did not come up; the message says which, and what it printed."""


def command_line(backend: BackendSettings, *, host: str, state: Path) -> list[str]:
    """The whole command: what the solution says, then where to listen and to keep its state."""
    program = [sys.executable if part == "{python}" else part for part in backend.command]
    extra = ["--http-port", str(backend.http_port)] if backend.http_port is not None else []
    return [*program, "--host", host, "--port", str(backend.port), "--state", str(state), *extra]


@asynccontextmanager
async def running(
    backend: BackendSettings, *, root: Path, host: str, state: Path, log_file: Path
) -> AsyncIterator[str]:
    """The back end, up while the block runs; gives the line with which it said so."""
    await asyncio.to_thread(state.mkdir, parents=True, exist_ok=True)
    process = await spawn(
        command_line(backend, host=host, state=state),
        cwd=root,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    said: deque[str] = deque(maxlen=LAST_LINES)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    reader = asyncio.create_task(_read(backend.name, process, said, ready, log_file))
    try:
        try:
            yield await asyncio.wait_for(asyncio.shield(ready), backend.ready_timeout)
        except TimeoutError:
            if ready.done():
                raise
            raise BackendError(
                f"The back end {backend.name!r} was not ready within {backend.ready_timeout:g} s.\n"
                + "\n".join(said)
            ) from None
    finally:
        await stop(process)
        await reader
        if ready.done():
            with contextlib.suppress(BackendError):
                ready.result()


async def _read(
    name: str,
    process: asyncio.subprocess.Process,
    said: deque[str],
    ready: asyncio.Future[str],
    log_file: Path,
) -> None:
    """Keep what the program prints in its log; a line that begins with "ready" says that it is up."""
    assert process.stdout is not None
    with log_file.open("a", encoding="utf-8") as out:
        async for raw in lines(process.stdout):
            line = raw.decode(errors="replace").rstrip()
            said.append(line)
            print(line, file=out, flush=True)
            if line.startswith("ready") and not ready.done():
                ready.set_result(line)
    status = await process.wait()
    if not ready.done():
        ready.set_exception(
            BackendError(f"The back end {name!r} ended with status {status}:\n" + "\n".join(said))
        )
    elif status not in (0, -15):
        log.warning("a back end ended", backend=name, status=status, last=list(said)[-3:])
