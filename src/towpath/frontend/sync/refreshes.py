"""What is to be read again from the facade or from integration: a durable list, one row a thing.

Asking twice is one read. A row's ``version`` rises with each asking, and what was read is written only
where the version is still the one that the reading began with: an older answer never replaces a newer one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from towpath.frontend.sql import upsert
from towpath.frontend.sync import tables
from towpath.frontend.times import now_ms

EVERYTHING = "*"
"""As id: all of the person's of that resource; as resource: of all of them."""

Thing = tuple[str, str, str]  # database, resource, id
NEVER = 2**62  # due of a row that only waits for its person to come again


class Refreshes:
    """The list, and its bell for who works it off."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()

    def wake(self) -> None:
        """Something was asked for, and it is committed."""
        self._bell.set()

    async def bell(self, timeout: float) -> None:
        """Wait until somebody asks, at most ``timeout`` seconds."""
        try:
            await asyncio.wait_for(self._bell.wait(), timeout)
        except TimeoutError:
            return
        finally:
            self._bell.clear()

    async def ask(self, connection: AsyncConnection, things: Sequence[Thing]) -> None:
        """Have ``things`` read again, now. Call :meth:`wake` after the commit."""
        table = tables.refreshes
        now = now_ms()
        statement = upsert(connection, table).on_conflict_do_update(
            index_elements=["database", "resource", "id"],
            set_={"version": table.c.version + 1, "due": now, "attempts": 0},
        )
        for database, resource, id_ in sorted(set(things)):
            await connection.execute(
                statement,
                {
                    "database": database,
                    "resource": resource,
                    "id": id_,
                    "version": 1,
                    "attempts": 0,
                    "due": now,
                },
            )

    async def keep(self, connection: AsyncConnection, database: str, source: str) -> None:
        """Have a source read for a person who is here: now the first time, then when it is due."""
        table = tables.refreshes
        row = {"database": database, "resource": source, "id": EVERYTHING}
        await connection.execute(
            upsert(connection, table).on_conflict_do_nothing(),
            {**row, "version": 1, "attempts": 0, "due": now_ms()},
        )

    async def due(
        self, engine: AsyncEngine, limit: int, lease: int
    ) -> tuple[list[tuple[Thing, int, int]], int]:
        """Up to ``limit`` things to read now as (thing, version, attempts), and ms until the next is due.

        A thing taken is due again after ``lease`` ms, so that the work of a replica that died is not lost.
        """
        table = tables.refreshes
        now = now_ms()
        async with engine.begin() as connection:
            picked = (
                select(table.c.database, table.c.resource, table.c.id)
                .where(table.c.due <= now)
                .order_by(table.c.due)
                .limit(limit)
            )
            rows = (await connection.execute(picked)).all()
            taken: list[tuple[Thing, int, int]] = []
            for database, resource, id_ in rows:
                got = await connection.execute(
                    update(table)
                    .where(_is((database, resource, id_)), table.c.due <= now)
                    .values(due=now + lease, attempts=table.c.attempts + 1)
                    .returning(table.c.version, table.c.attempts)
                )
                for version, attempts in got:
                    taken.append(((database, resource, id_), version, attempts))
            following = await connection.scalar(select(table.c.due).order_by(table.c.due).limit(1))
        return taken, max((following or NEVER) - now, 0)

    async def release(self, engine: AsyncEngine) -> None:
        """Make due what was taken by a process that ended. For SQLite, where we are the only one."""
        table = tables.refreshes
        async with engine.begin() as connection:
            await connection.execute(update(table).where(table.c.attempts > 0).values(due=now_ms()))

    async def done(
        self, connection: AsyncConnection, thing: Thing, version: int, *, again: int | None = None
    ) -> bool:
        """Strike ``thing`` off, or have it read again in ``again`` ms; False where it was asked for anew."""
        table = tables.refreshes
        current = and_(_is(thing), table.c.version == version)
        if again is None:
            result = await connection.execute(delete(table).where(current))
        else:
            values = {"due": now_ms() + again, "attempts": 0}
            result = await connection.execute(update(table).where(current).values(values))
        return bool(result.rowcount)

    async def later(self, engine: AsyncEngine, thing: Thing, version: int, wait: int) -> None:
        """It could not be read; try again in ``wait`` ms."""
        table = tables.refreshes
        async with engine.begin() as connection:
            await connection.execute(
                update(table).where(_is(thing), table.c.version == version).values(due=now_ms() + wait)
            )


def _is(thing: Thing) -> Any:
    table = tables.refreshes
    database, resource, id_ = thing
    return and_(table.c.database == database, table.c.resource == resource, table.c.id == id_)
