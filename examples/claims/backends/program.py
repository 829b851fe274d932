"""What the demo back ends share: their arguments, how they are served, and how they end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sqlite3
import sys
from pathlib import Path
from typing import Any

import uvicorn


def parser(about: str, port: int) -> argparse.ArgumentParser:
    """``--host --port --state``, as ``towpath run`` gives them."""
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    made.add_argument("--port", type=int, default=port, help="port to listen on (default: %(default)s)")
    made.add_argument("--state", type=Path, required=True, help="folder to keep data in; it is made")
    return made


def open_sqlite(state: Path, schema: str) -> sqlite3.Connection:
    """A database in ``state`` that survives a kill: an answered request is on disk."""
    state.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(state / "data.sqlite", isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.executescript(schema)
    return database


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, or an end with one clear line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sys.exit(f"{host}:{port} cannot be used: {error.strerror}")
    return sock


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to :func:`told_to_end`: it would raise them again, and not end with 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def told_to_end() -> asyncio.Event:
    """Set by SIGTERM and SIGINT. To be had before "ready" is said: who reads that may end us at once."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    return over


@contextlib.asynccontextmanager
async def serving(app: Any, sock: socket.socket) -> Any:
    """``app`` answers on ``sock`` while the block runs."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started and not task.done():  # noqa: ASYNC110
        await asyncio.sleep(0.005)  # uvicorn offers nothing to wait for
    try:
        yield
    finally:
        server.should_exit = True
        await task


def run(name: str, app: Any, host: str, port: int) -> None:
    """Serve ``app``, say once that it is ready, and end on SIGTERM or SIGINT."""
    sock = listen(host, port)

    async def main() -> None:
        over = told_to_end()
        async with serving(app, sock):
            print(f"ready {name} http://{host}:{sock.getsockname()[1]}", flush=True)
            await over.wait()

    asyncio.run(main())
