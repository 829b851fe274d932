"""State documents: what the service writes into people's databases, and clients only read.

``{resource}:{id}`` mirrors the facade's representation as its owner sees it, ``{source}:{id}`` an item of a
data source, and other services put theirs (``notification:{id}``). Equal content makes no new revision.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from towpath.frontend.catalog import Catalog
from towpath.frontend.sync import tables
from towpath.frontend.sync.documents import Edit
from towpath.frontend.sync.people import People
from towpath.frontend.sync.refreshes import EVERYTHING, Refreshes, Thing
from towpath.frontend.sync.settings import Source
from towpath.frontend.sync.store import Store
from towpath.frontend.upstream import Refused, Unreachable, Upstream, segment
from towpath.identity import Identity

IDLE = 15.0  # seconds after which a replica looks for what another one left
PAGE = 100  # items of a list asked for at a time
AWAY_AFTER = 600.0  # seconds without a request after which a person's sources are no longer read
log = structlog.get_logger()


async def put_states(
    store: Store, connection: AsyncConnection, database: str, states: Mapping[str, dict[str, Any] | None]
) -> int:
    """Make the documents hold ``states`` (None: removed) in a transaction of ``store.writing``.

    Gives how many changed; what is equal already stays as it is.
    """
    stored = await store.load(connection, database, states)
    held = await store.bodies(connection, database, ((d.id, d.rev) for d in stored.values()))
    edits: list[Edit] = []
    for id_, body in states.items():
        document = stored.get(id_)
        if document is None or document.deleted:
            if body is not None:
                edits.append(Edit(id_, body, rev=document.rev if document else None))
        elif body is None:
            edits.append(Edit(id_, {}, rev=document.rev, deleted=True))
        elif msgspec.json.decode(held[id_, document.rev][0]) != body:
            edits.append(Edit(id_, body, rev=document.rev))
    for outcome in await store.write(connection, database, edits, keep_old=False):
        if outcome.error is not None:
            raise outcome.error
    return len(edits)


class Refresher:
    """Reads again what was asked for. ``fault``: why the last read did not come through."""

    def __init__(
        self,
        store: Store,
        refreshes: Refreshes,
        people: People,
        catalog: Catalog,
        facade: Upstream,
        integration: Upstream,
    ) -> None:
        self._store = store
        self._refreshes = refreshes
        self._people = people
        self._catalog = catalog
        self._facade = facade
        self._integration = integration
        self._settings = store.settings
        self._sources = {source.name: source for source in self._settings.sources}
        self.fault: str | None = None

    async def run(self) -> None:
        """Until cancelled. What was being read then is due again later."""
        lease = int(self._settings.request_timeout * 2000)
        if self._store.engine.dialect.name == "sqlite":
            await self._refreshes.release(self._store.engine)
        while True:
            room = self._settings.command_concurrency
            taken, wait = await self._refreshes.due(self._store.engine, room, lease)
            await asyncio.gather(*(self._refresh(*row) for row in taken))
            if not taken:
                await self._refreshes.bell(min(wait / 1000, IDLE))

    async def _refresh(self, thing: Thing, version: int, attempts: int) -> None:
        try:
            await self._read(thing, version)
        except Exception as error:  # one person's trouble must not stop the others' news
            expected = isinstance(error, Unreachable | Refused)
            self.fault = f"{thing[1]} cannot be read: {error or type(error).__name__}"
            report = log.warning if expected else log.exception
            report("refresh failed", resource=thing[1], id=thing[2], reason=str(error))
            wait = min(self._settings.retry_initial * 2 ** min(attempts - 1, 20), self._settings.retry_max)
            wait *= random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            await self._refreshes.later(self._store.engine, thing, version, int(wait * 1000))
        else:
            self.fault = None

    async def _read(self, thing: Thing, version: int) -> None:
        database, resource, id_ = thing
        profile = await self._people.profile(database)
        if profile is None:
            await self._write(thing, version, {})
            return
        person = profile.identity()
        if resource == EVERYTHING:
            await self._read_everything(thing, version, person)
        elif resource in self._sources and id_ == EVERYTHING:
            await self._read_source(thing, version, person, self._sources[resource])
        elif id_ == EVERYTHING:
            await self._write(thing, version, {})  # a source that the solution no longer has
        else:
            await self._read_one(thing, version, person)

    async def _read_one(self, thing: Thing, version: int, person: Identity) -> None:
        _, resource, id_ = thing
        body: dict[str, Any] | None = None
        try:
            found = await self._facade.call("GET", f"/{segment(resource)}/{segment(id_)}", person)
            body = {"type": "state", **found, "resource": resource}
        except Refused as refusal:
            if refusal.status not in (403, 404, 410):
                raise
        await self._write(thing, version, {f"{resource}:{id_}": body})

    async def _read_everything(self, thing: Thing, version: int, person: Identity) -> None:
        """Which of the facade's things are the person's; each is then read by itself."""
        things: list[Thing] = []
        for resource in await self._catalog.names():
            query = {"limit": str(PAGE), "mine": "true"}
            while True:
                try:
                    page = await self._facade.call("GET", f"/{segment(resource)}", person, query=query)
                except Refused as refusal:
                    if refusal.status not in (403, 404):
                        raise
                    break
                things += [(thing[0], resource, str(item["id"])) for item in page["items"]]
                if not page.get("next"):
                    break
                query["after"] = str(page["next"])
        async with self._store.engine.begin() as connection:
            if await self._refreshes.done(connection, thing, version):
                await self._refreshes.ask(connection, things)

    async def _read_source(self, thing: Thing, version: int, person: Identity, source: Source) -> None:
        found = await self._integration.call("GET", source.path, person)
        items = found.get("items", []) if isinstance(found, dict) else found or []
        states: dict[str, dict[str, Any] | None] = {
            f"{source.name}:{item[source.id]}": {"type": "data", "resource": source.name, **_plain(item)}
            for item in items
        }
        database = thing[0]
        table = tables.documents
        async with self._store.engine.connect() as connection:
            held = await connection.scalars(
                select(table.c.id).where(
                    table.c.database == database,
                    table.c.deleted.is_(False),
                    table.c.id >= f"{source.name}:",
                    table.c.id < f"{source.name};",  # the character after the colon
                )
            )
            gone = {id_: None for id_ in held if id_ not in states}
        here = self._people.here(database, max(AWAY_AFTER, 2 * source.refresh))
        await self._write(thing, version, states | gone, again=int(source.refresh * 1000) if here else None)

    async def _write(
        self,
        thing: Thing,
        version: int,
        states: Mapping[str, dict[str, Any] | None],
        *,
        again: int | None = None,
    ) -> None:
        database = thing[0]
        async with self._store.writing(database) as connection:
            if await self._refreshes.done(connection, thing, version, again=again):
                await put_states(self._store, connection, database, states)


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """The members that a document may have: CouchDB keeps those that begin with an underscore."""
    return {name: value for name, value in item.items() if not name.startswith("_")}
