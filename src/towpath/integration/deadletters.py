"""Exchanges that failed for good, kept until somebody sends them again or gives them up."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from towpath.identity import Identity
from towpath.integration.errors import Exhausted, describe
from towpath.integration.exchange import Exchange, Message

ERROR_LIMIT = 2000  # characters kept of a failure's text

metadata = MetaData()
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("route", String(200), nullable=False),
    Column("endpoint", String(400), nullable=False),
    Column("exchange_key", String(400), nullable=False),
    Column("job_key", String(40)),
    Column("content", Text, nullable=False),  # JSON: body, headers, properties, caller
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),  # of all deliveries together
    Column("first_at", BigInteger, nullable=False),  # ms since the epoch
    Column("last_at", BigInteger, nullable=False),
    UniqueConstraint("route", "exchange_key", name="dead_letters_once"),
    Index("dead_letters_newest", "last_at", "id"),
)


class Caller(msgspec.Struct, kw_only=True):
    """What is kept of a caller: enough to run the route for the same person again."""

    subject: str
    roles: list[str]
    name: str | None = None
    email: str | None = None
    client_id: str | None = None
    actor: str | None = None

    @classmethod
    def of(cls, identity: Identity) -> Caller:
        """What to keep of ``identity``: not the token's claims."""
        return cls(
            subject=identity.subject,
            roles=sorted(identity.roles),
            name=identity.name,
            email=identity.email,
            client_id=identity.client_id,
            actor=identity.actor,
        )

    def identity(self) -> Identity:
        """The caller again."""
        return Identity(
            subject=self.subject,
            roles=frozenset(self.roles),
            name=self.name,
            email=self.email,
            client_id=self.client_id,
            actor=self.actor,
        )


class Content(msgspec.Struct, kw_only=True):
    """The exchange as the route received it."""

    body: Any
    headers: dict[str, str]
    properties: dict[str, Any]
    caller: Caller | None = None


class DeadLetter(msgspec.Struct, kw_only=True, rename="camel"):
    """A kept exchange. ``key`` is the exchange's; times are ISO 8601 in UTC."""

    id: str
    route: str
    endpoint: str
    key: str
    job_key: str | None
    error: str
    attempts: int
    first_at: str
    last_at: str
    payload: Any = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class DeadLetterPage(msgspec.Struct, kw_only=True, rename="camel"):
    """``next`` is the cursor of the following page, if there is one."""

    items: list[DeadLetter]
    next: str | None = None


class DeadLetters:
    """The store: one letter for each exchange of a route, however often it fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        added = insert(dead_letters)
        self._keep = added.on_conflict_do_update(
            index_elements=["route", "exchange_key"],
            set_={
                "error": added.excluded.error,
                "attempts": dead_letters.c.attempts + added.excluded.attempts,
                "last_at": added.excluded.last_at,
            },
        )

    async def keep(self, exchange: Exchange, received: Message, failure: Exhausted) -> None:
        """Keep what the route received; a repetition of the same exchange adds to its letter."""
        now = time.time_ns() // 1_000_000
        caller = exchange.caller
        content = Content(
            body=received.body,
            headers=received.headers,
            properties=exchange.properties,
            caller=None if caller is None else Caller.of(caller),
        )
        row = {
            "id": uuid.uuid4().hex,
            "route": failure.route,
            "endpoint": exchange.endpoint,
            "exchange_key": exchange.key,
            "job_key": exchange.job.job_key if exchange.job else None,
            "content": msgspec.json.encode(content).decode(),
            "error": describe(failure.cause)[:ERROR_LIMIT],
            "attempts": failure.attempts,
            "first_at": now,
            "last_at": now,
        }
        async with self._engine.begin() as connection:
            await connection.execute(self._keep, row)

    async def settle(self, route: str, key: str) -> None:
        """The exchange went well after all: its letter, if it has one, is not needed any more."""
        letter = and_(dead_letters.c.route == route, dead_letters.c.exchange_key == key)
        async with self._engine.connect() as connection:
            found = (await connection.execute(select(dead_letters.c.id).where(letter))).scalar()
        if found is not None:
            await self.delete(found)

    async def delete(self, id_: str) -> bool:
        """False where there is none."""
        async with self._engine.begin() as connection:
            result = await connection.execute(delete(dead_letters).where(dead_letters.c.id == id_))
            return result.rowcount > 0

    async def find(self, id_: str) -> DeadLetter | None:
        """The letter with its payload."""
        row = await self._row(id_)
        return None if row is None else _letter(row, whole=True)

    async def exchange(self, id_: str) -> tuple[str, Exchange] | None:
        """The route's id, and the exchange as it was received."""
        row = await self._row(id_)
        if row is None:
            return None
        content = msgspec.json.decode(row["content"], type=Content)
        caller = content.caller
        return row["route"], Exchange(
            message=Message(content.body, content.headers),
            key=row["exchange_key"],
            endpoint=row["endpoint"],
            properties=content.properties,
            caller=None if caller is None else caller.identity(),
        )

    async def page(self, route: str | None, limit: int, after: str | None) -> DeadLetterPage:
        """Newest failure first, without payloads. Raises ValueError for a cursor that is not ours."""
        c = dead_letters.c
        query = select(dead_letters).order_by(c.last_at.desc(), c.id.desc()).limit(limit + 1)
        if route is not None:
            query = query.where(c.route == route)
        if after is not None:
            at, _, id_ = after.partition("-")
            query = query.where(or_(c.last_at < int(at), and_(c.last_at == int(at), c.id < id_)))
        async with self._engine.connect() as connection:
            rows = list((await connection.execute(query)).mappings())
        more = len(rows) > limit
        rows = rows[:limit]
        cursor = f"{rows[-1]['last_at']}-{rows[-1]['id']}" if more else None
        return DeadLetterPage(items=[_letter(row, whole=False) for row in rows], next=cursor)

    async def _row(self, id_: str) -> RowMapping | None:
        async with self._engine.connect() as connection:
            query = select(dead_letters).where(dead_letters.c.id == id_)
            return (await connection.execute(query)).mappings().first()


def _letter(row: RowMapping, *, whole: bool) -> DeadLetter:
    letter = DeadLetter(
        id=row["id"],
        route=row["route"],
        endpoint=row["endpoint"],
        key=row["exchange_key"],
        job_key=row["job_key"],
        error=row["error"],
        attempts=row["attempts"],
        first_at=_iso(row["first_at"]),
        last_at=_iso(row["last_at"]),
    )
    if whole:
        content = msgspec.json.decode(row["content"], type=Content)
        letter.payload, letter.headers = content.body, content.headers
    return letter


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
