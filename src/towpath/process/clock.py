"""The time as the process server sees it, injected so that tests can move it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """ms since the Unix epoch."""

    async def wait(self, until: int | None, woken: asyncio.Event) -> None:
        """Return at ``until``, or as soon as ``woken`` is set. None: only then."""


class SystemClock:
    """The time of day."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    async def wait(self, until: int | None, woken: asyncio.Event) -> None:
        if until is None:
            await woken.wait()
            return
        # Looked at again at least each minute: the time of day may be set while we wait.
        delay = min(max(0.0, (until - self.now()) / 1000), 60.0)
        try:
            async with asyncio.timeout(delay):
                await woken.wait()
        except TimeoutError:
            return


class ManualClock:
    """A clock that stands still until it is moved. For tests of processes with timers."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self._now = now
        self._moved: set[asyncio.Event] = set()

    def now(self) -> int:
        return self._now

    def advance(self, ms: int) -> None:
        """Move the time; what is due by then happens."""
        self._now += ms
        for event in self._moved:
            event.set()

    async def wait(self, until: int | None, woken: asyncio.Event) -> None:
        if until is not None and until <= self._now:
            return
        self._moved.add(woken)
        try:
            await woken.wait()
        finally:
            self._moved.discard(woken)


def iso(ms: int) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)
