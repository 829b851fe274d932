"""Envoy as a child process: started, logged, started again when it dies unasked, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from towpath.children import lines, spawn, stop

log = structlog.get_logger()

FIRST_BACKOFF = 0.1  # seconds before a dead Envoy is started again; doubled each time
LAST_BACKOFF = 5.0  # seconds
STEADY = 10.0  # seconds after which a life counts as a good one, and the backoff begins anew
ACCESS_LOG_FLUSH = "1000"  # milliseconds
GRACE = 5.0  # seconds between SIGTERM and SIGKILL


class EnvoyFailedError(RuntimeError):
    """Envoy did not start, or did not take a configuration; the message has its own words."""


class Envoy:
    """Keeps one Envoy running. ``lines`` takes each line of its standard output (access log to stdout)."""

    def __init__(self, binary: Path, arguments: list[str], lines: Callable[[bytes], None]) -> None:
        self._command = [
            str(binary),
            *arguments,
            "--disable-hot-restart",
            "--file-flush-interval-msec",
            ACCESS_LOG_FLUSH,
            "--log-format",
            "%l|%n|%v",
            # Its misc component only tells of fields that a later minor will drop; ours is pinned.
            "--component-log-level",
            "misc:error",
        ]
        self._lines = lines
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._last: deque[str] = deque(maxlen=20)
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The process id, while one runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    @property
    def last_words(self) -> str:
        """The last lines that it wrote to its log."""
        return "\n".join(self._last)

    def start(self) -> None:
        """Start it and go on starting it."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL where that was not enough."""
        self._stopping.set()
        if self._process is not None:
            await stop(self._process, grace=GRACE)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _keep(self) -> None:
        backoff = FIRST_BACKOFF
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                status = await self._live()
            except OSError as error:
                self._last.append(str(error))
                status = -1
            if self._stopping.is_set():
                return
            if time.monotonic() - begun > STEADY:
                backoff = FIRST_BACKOFF
            log.error("envoy ended unasked and is started again", status=status, seconds=backoff)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LAST_BACKOFF)

    async def _live(self) -> int:
        """One life of Envoy; gives its exit status."""
        process = await spawn(self._command, stderr=asyncio.subprocess.PIPE)
        self._process = process
        self.starts += 1
        try:
            await asyncio.gather(self._read_output(process), self._read_log(process), process.wait())
        finally:
            await stop(process, grace=0)
        return process.returncode or 0

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in lines(process.stdout):
            self._lines(line)

    async def _read_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        said = None
        async for raw in lines(process.stderr):
            line = raw.decode(errors="replace").rstrip()
            level, component, text = _parse(line)
            self._last.append(text)
            # An issuer that is down is reported each second in the same words; once is enough.
            if (component, text) != said and not self._stopping.is_set():
                said = (component, text)
                getattr(log, level)("envoy", component=component, text=text)


def _parse(line: str) -> tuple[str, str, str]:
    """Level (a method of structlog), component and text of a line of Envoy's log."""
    level, _, rest = line.partition("|")
    component, _, text = rest.partition("|")
    if level in ("trace", "debug"):
        return "debug", component, text
    if level in ("info", "warning", "error", "critical"):
        return level, component, text
    return "error", "", line
