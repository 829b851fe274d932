"""The engine's store in one SQLite file: WAL, full sync, one writer, readers beside it."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy

from towpath.storage.database import BUSY_TIMEOUT, migrate, open_engine, sqlite_url
from towpath.storage.store import FIRST_BUCKET, Rows, Session, StoreError

# What sqlite3 raises for a row that it cannot hold, or a file that it cannot write.
REFUSALS = (sqlite3.Error, OverflowError, UnicodeEncodeError)
ROWS = 1_000_000  # of every table, as the planner is told
READERS = 4  # connections for searches; in WAL none waits for the writer
CACHED_STATEMENTS = 512
PAGE_CACHE = 32 * 1024  # KiB of database pages that the writer keeps
CHECKPOINT = 4000  # pages in the write-ahead log before it is copied into the file


class SqliteConnection:
    """A connection whose transactions are begun and ended by :class:`SqliteStore`."""

    def __init__(self, path: Path, *, writer: bool) -> None:
        self.raw = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
            timeout=BUSY_TIMEOUT / 1000,
        )
        # FULL: an answer means that the commit is on disk. A batch shares the wait.
        # LIKE tells upper from lower case on every other database.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "case_sensitive_like=ON"):
            self.raw.execute(f"PRAGMA {pragma}")
        if writer:
            self.raw.execute(f"PRAGMA cache_size=-{PAGE_CACHE}")
            self.raw.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
        else:
            self.raw.execute("PRAGMA query_only=ON")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        return self.raw.execute(sql, parameters).fetchall()

    def many(self, sql: str, rows: list[Any]) -> None:
        # Bound rows cost SQLite 3.4 us each; as one JSON parameter with json_each they cost 5.8 us.
        # On PostgreSQL it is the other way round, which is why the connection decides how rows travel.
        self.raw.executemany(sql, rows)


def _tell_planner(connection: sqlite3.Connection) -> None:
    """Statistics as they are of a large database, in place of gathered ones.

    Without any, SQLite takes ``b = ?`` for selective, and reads all of a table whose rows share one bucket.
    """
    connection.execute("ANALYZE")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM sqlite_stat1")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for _, index, unique, origin, *_ in connection.execute(f"PRAGMA index_list({table})").fetchall():
            width = len(connection.execute(f"PRAGMA index_info({index})").fetchall())
            # Rows, rows of a bucket, and so on: each further column tells a hundred times more apart.
            rows = [ROWS, *(max(1, ROWS // 100 ** min(i, 8)) for i in range(width))]
            if unique:
                rows[-1] = 1
            connection.execute(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
                (table, table if origin == "pk" else index, " ".join(map(str, rows))),
            )
    connection.execute("COMMIT")
    connection.execute("ANALYZE sqlite_schema")


class SqliteStore:
    """See :class:`towpath.storage.store.Store`. One bucket; the file belongs to one process."""

    def __init__(self, path: Path) -> None:
        self._writer = SqliteConnection(path, writer=True)
        _tell_planner(self._writer.raw)
        self._readers: queue.LifoQueue[SqliteConnection] = queue.LifoQueue()
        for _ in range(READERS):
            self._readers.put(SqliteConnection(path, writer=False))
        self._connections = [self._writer, *self._readers.queue]

    @classmethod
    async def open(cls, path: Path) -> SqliteStore:
        """The store in ``path``, made or migrated where needed."""
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        engine = open_engine(sqlite_url(path))
        try:
            await migrate(engine, "towpath.storage.migrations")
            async with engine.begin() as connection:
                await connection.execute(
                    sqlalchemy.text(
                        "INSERT INTO bucket (b, seq, pos) VALUES (:b, 0, 0) ON CONFLICT (b) DO NOTHING"
                    ),
                    {"b": FIRST_BUCKET},
                )
        finally:
            await engine.dispose()
        return await asyncio.to_thread(cls, path)

    @property
    def buckets(self) -> tuple[int, ...]:
        return (FIRST_BUCKET,)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        connection = self._writer
        try:
            connection.raw.execute("BEGIN IMMEDIATE")
            try:
                yield Session(connection)
                connection.raw.execute("COMMIT")
            except BaseException:
                if connection.raw.in_transaction:
                    connection.raw.execute("ROLLBACK")
                raise
        except REFUSALS as error:
            raise StoreError(f"The store refused: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        connection = self._readers.get()
        try:
            connection.raw.execute("BEGIN")
            try:
                yield Session(connection)
            finally:
                connection.raw.execute("COMMIT")
        except REFUSALS as error:
            raise StoreError(f"The store refused: {error}") from error
        finally:
            self._readers.put(connection)

    def close(self) -> None:
        for connection in self._connections:
            connection.raw.close()
