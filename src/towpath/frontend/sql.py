"""SQL that both dialects have and SQLAlchemy's core spells differently."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table, delete, false
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


def upsert(connection: AsyncConnection, table: Table) -> Any:
    """An INSERT that can say ON CONFLICT, for the connection's dialect."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


@asynccontextmanager
async def writing(engine: AsyncEngine, table: Table) -> AsyncIterator[AsyncConnection]:
    """A transaction that may read before it writes.

    On SQLite a reader cannot become a writer once somebody else has written: it fails at once, however long
    it would wait. So the transaction begins with a write to ``table`` that changes nothing.
    """
    async with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            await connection.execute(delete(table).where(false()))
        yield connection
