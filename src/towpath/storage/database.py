"""The services' own databases: SQLAlchemy Core on SQLite or PostgreSQL, migrated by Alembic.

A service keeps its migrations in a package of its own (``versions`` inside it). The process server's hot path
does not come through here; see :mod:`towpath.storage.sqlite`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

WRITES = "towpath_writes"
"""Execution option of a connection whose transactions may write."""

BUSY_TIMEOUT = 10_000  # ms that a writer waits for another one's commit


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


class Database(AsyncEngine):
    """An engine whose ``begin()`` may write, and whose ``connect()`` is for reading.

    A transaction of SQLite that has read cannot begin to write once somebody else has written: it fails at
    once, however long it would wait for its turn. So one that may write waits for its turn at its start.
    """

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with self.connect() as connection:
            await connection.execution_options(**{WRITES: True})
            async with connection.begin():
                yield connection


def open_engine(url: str) -> Database:
    """An engine for ``url``. On SQLite: WAL and full sync, so that an answer means it is committed."""
    parsed = make_url(url)
    made = create_async_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    engine = Database(made.sync_engine)
    if parsed.get_backend_name() == "sqlite":

        @event.listens_for(engine.sync_engine, "connect")
        def pragmas(connection: Any, _: Any) -> None:
            # SQLAlchemy sends BEGIN itself, below, so that SELECT and DML share one transaction.
            connection.isolation_level = None
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get(WRITES)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


async def migrate(engine: AsyncEngine, package: str, metadata: MetaData | None = None) -> None:
    """Bring the database to the newest revision of ``package``, a package with Alembic ``versions``."""

    def upgrade(connection: Connection) -> None:
        with as_file(files(package)) as location:
            config = Config()
            config.set_main_option("script_location", str(files("towpath.storage") / "alembic"))
            config.set_main_option("version_locations", str(location / "versions"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            config.attributes["metadata"] = metadata
            config.attributes["version_table"] = (
                f"alembic_{package.replace('towpath.', '').replace('.', '_')}"
            )
            command.upgrade(config, "head")

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)


@asynccontextmanager
async def database(url: str, package: str, metadata: MetaData | None = None) -> AsyncIterator[AsyncEngine]:
    """A migrated database, open while the block runs. The folder of a SQLite file is made."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        await asyncio.to_thread(Path(parsed.database).parent.mkdir, parents=True, exist_ok=True)
    engine = open_engine(url)
    try:
        await migrate(engine, package, metadata)
        yield engine
    finally:
        await engine.dispose()
