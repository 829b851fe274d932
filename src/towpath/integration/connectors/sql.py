"""SQL databases by SQLAlchemy: PostgreSQL (psycopg) and SQLite (aiosqlite)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from towpath.integration.connectors.base import Connector, Options
from towpath.integration.errors import BackendError, BackendTimeout, BackendUnavailable

Row = dict[str, Any]

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite+aiosqlite",
}


class SqlOptions(Options, kw_only=True):
    """``url``: ``postgresql://user:password@host/database`` or ``sqlite:///path``. ``pool``: connections."""

    pool: int = 10


class Transaction:
    """Statements that take effect together."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self, statement: str, **parameters: Any) -> list[Row]:
        """Every row, as column name -> value."""
        result = await self._connection.execute(text(statement), parameters)
        return [dict(row) for row in result.mappings()]

    async def one(self, statement: str, **parameters: Any) -> Row | None:
        """The first row, or None."""
        row = (await self._connection.execute(text(statement), parameters)).mappings().first()
        return None if row is None else dict(row)

    async def execute(self, statement: str, **parameters: Any) -> int:
        """How many rows were changed."""
        return (await self._connection.execute(text(statement), parameters)).rowcount


class SqlConnector(Connector[SqlOptions]):
    """A pool of connections to one database.

    Values go in as parameters (``:name`` in the statement), never as text of the statement.
    """

    protocol = "sql"
    options_type = SqlOptions

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._engine: AsyncEngine | None = None

    def check(self, options: SqlOptions) -> None:
        scheme = options.url.partition(":")[0].partition("+")[0]  # a driver may be named; ours is used
        if scheme not in _DRIVERS:
            raise self.refuse("url: expected postgresql://... or sqlite:///...")
        if not 1 <= options.pool <= 1000:
            raise self.refuse("pool: expected 1 to 1000 connections.")
        try:
            make_url(options.url)
        except (ArgumentError, ValueError):
            raise self.refuse("url: it cannot be read as a database's address.") from None

    async def open(self, connections: Mapping[str, dict[str, Any]]) -> None:
        await super().open(connections)
        url = make_url(self.options.url)
        url = url.set(drivername=_DRIVERS[url.get_backend_name()])
        pooled: dict[str, Any] = {}
        if url.get_backend_name() == "postgresql":
            pooled = {
                "pool_size": self.options.pool,
                "max_overflow": 0,
                "pool_timeout": self.options.timeout,
                "connect_args": {"connect_timeout": max(1, round(self.options.timeout))},
            }
        try:
            self._engine = create_async_engine(url, pool_pre_ping=True, hide_parameters=True, **pooled)
        except (ImportError, NoSuchModuleError):
            raise self.refuse("its driver is missing: pip install 'towpath[postgresql]'.") from None

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None
        await super().close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end of the block, or roll back where it raises."""
        async with self._failures():
            assert self._engine is not None
            async with self._engine.begin() as connection:
                yield Transaction(connection)

    async def all(self, statement: str, **parameters: Any) -> list[Row]:
        """Every row, as column name -> value."""
        async with self.transaction() as transaction:
            return await transaction.all(statement, **parameters)

    async def one(self, statement: str, **parameters: Any) -> Row | None:
        """The first row, or None."""
        async with self.transaction() as transaction:
            return await transaction.one(statement, **parameters)

    async def execute(self, statement: str, **parameters: Any) -> int:
        """Carry out and commit; how many rows were changed."""
        async with self.transaction() as transaction:
            return await transaction.execute(statement, **parameters)

    @asynccontextmanager
    async def _failures(self) -> AsyncIterator[None]:
        """Say a driver's failure in our own terms, without its text: that shows values and addresses."""
        timeout = self.options.timeout
        try:
            async with asyncio.timeout(timeout):
                yield
        except (BackendError, asyncio.CancelledError):
            raise
        except (TimeoutError, PoolTimeoutError):
            raise BackendTimeout(self.name, f"no answer within {timeout:g} s") from None
        except (OperationalError, InterfaceError) as error:
            raise BackendUnavailable(
                self.name, f"the database cannot be used now ({_name(error)})"
            ) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise BackendUnavailable(self.name, "the connection was lost") from error
            raise BackendError(self.name, f"the statement was refused ({_name(error)})") from error
        except OSError as error:
            raise BackendUnavailable(self.name, "the database cannot be reached") from error
        except SQLAlchemyError as error:
            raise BackendError(self.name, f"the statement is wrong ({type(error).__name__})") from error


def _name(error: DBAPIError) -> str:
    """The driver's own class of the failure, e.g. UniqueViolation."""
    return type(error.orig).__name__


def sql(connection: str) -> SqlConnector:
    """The database that ``[integration.connections.<connection>]`` names."""
    return SqlConnector(connection)
