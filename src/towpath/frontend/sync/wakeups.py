"""Waiting for a database to change: a waiting task, no thread, no database connection.

A change wakes the readers of its own database and nobody else.
"""

from __future__ import annotations

import asyncio


class Wakeups:
    """One future a database that somebody waits for."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def ticket(self, database: str) -> asyncio.Future[None]:
        """Done at the next change. Take it before reading, else a change in between goes unseen."""
        ticket = self._waiting.get(database)
        if ticket is None:
            ticket = self._waiting[database] = asyncio.get_running_loop().create_future()
        return ticket

    def wake(self, database: str) -> None:
        """Tell the readers of ``database`` that it changed, after the commit."""
        ticket = self._waiting.pop(database, None)
        if ticket is not None and not ticket.done():
            ticket.set_result(None)

    def waiting(self) -> list[str]:
        """The databases that somebody waits for."""
        return list(self._waiting)
