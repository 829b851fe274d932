"""The people whose databases these are, known by the tokens they came with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select, update

from towpath.frontend.sync import tables
from towpath.frontend.sync.refreshes import EVERYTHING, Refreshes
from towpath.frontend.sync.settings import Source
from towpath.frontend.sync.store import Store, mine
from towpath.identity import Identity

FORGET_AFTER = 30.0  # seconds after which a token is compared with the recorded profile again
MOST_REMEMBERED = 100_000


class Profile(msgspec.Struct, kw_only=True):
    """Whom the service acts for while they are offline."""

    subject: str
    roles: list[str]
    name: str | None = None
    email: str | None = None

    @classmethod
    def of(cls, identity: Identity) -> Profile:
        return cls(
            subject=identity.subject,
            roles=sorted(identity.roles),
            name=identity.name,
            email=identity.email,
        )

    def identity(self) -> Identity:
        return Identity(subject=self.subject, roles=frozenset(self.roles), name=self.name, email=self.email)


class People:
    """Records each person's profile; one who comes for the first time gets all that is theirs."""

    def __init__(self, store: Store, refreshes: Refreshes, sources: Sequence[Source]) -> None:
        self._store = store
        self._refreshes = refreshes
        self._sources = sources
        self._seen: dict[str, tuple[Profile | None, float]] = {}

    async def seen(self, identity: Identity) -> str:
        """The name of the caller's database."""
        database = mine(identity.subject)
        profile = Profile.of(identity)
        known, until = self._seen.get(database, (None, 0.0))
        if known == profile and time.monotonic() < until:
            return database
        await self._record(database, profile)
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[database] = (profile, time.monotonic() + FORGET_AFTER)
        return database

    def here(self, database: str, within: float) -> bool:
        """Whether the person made a request in the last ``within`` seconds, to this process."""
        _, until = self._seen.get(database, (None, 0.0))
        return time.monotonic() < until - FORGET_AFTER + within

    async def _record(self, database: str, profile: Profile) -> None:
        table = tables.databases
        query = select(table.c.profile).where(table.c.name == database)
        async with self._store.engine.connect() as connection:
            held = await connection.scalar(query)
        text = msgspec.json.encode(profile).decode()
        if held != text:
            async with self._store.writing(database) as connection:
                held = await connection.scalar(query)
                await connection.execute(update(table).where(table.c.name == database).values(profile=text))
                if held is None:
                    await self._refreshes.ask(connection, [(database, EVERYTHING, EVERYTHING)])
        if self._sources:
            async with self._store.writing(database) as connection:
                for source in self._sources:
                    await self._refreshes.keep(connection, database, source.name)
        self._refreshes.wake()

    async def profile(self, database: str) -> Profile | None:
        """The recorded person of ``database``, None where nobody came yet."""
        table = tables.databases
        async with self._store.engine.connect() as connection:
            text = await connection.scalar(select(table.c.profile).where(table.c.name == database))
        return msgspec.json.decode(text, type=Profile) if text else None

    async def known(self, subjects: Sequence[str]) -> set[str]:
        """Those of ``subjects`` that have come at least once."""
        table = tables.databases
        names = {mine(subject): subject for subject in subjects}
        async with self._store.engine.connect() as connection:
            rows: Any = await connection.scalars(
                select(table.c.name).where(table.c.name.in_(names), table.c.profile.is_not(None))
            )
            return {names[name] for name in rows}
