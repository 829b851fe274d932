"""Follows the process server's event feed: whatever happens to a person's case has it read again.

The position is stored in the transaction that asks for the reading, so no event is lost and none counts
twice.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
import structlog
from sqlalchemy import insert, select, update

from towpath.client import ProcessClient
from towpath.frontend.catalog import Catalog
from towpath.frontend.sync import tables
from towpath.frontend.sync.people import People
from towpath.frontend.sync.refreshes import Refreshes, Thing
from towpath.frontend.sync.store import Store, mine
from towpath.frontend.upstream import Refused, Unreachable
from towpath.wire import Event, EventQuery, ProcessError, Search

FEED = "process"
WAIT = 20_000  # ms of one long poll
LONGEST_PAUSE = 10.0  # seconds between attempts to reach the process server
MOST_REMEMBERED = 50_000  # owners
OWNER = "customer"  # the variable that the facade sets on a start
# What can change a representation of the facade: its state, data, milestones, actions and tasks.
TYPES = [
    "towpath.instance.*",
    "towpath.element.completed",
    "towpath.variable.*",
    "towpath.user-task.*",
    "towpath.subscription.*",
    "towpath.message.correlated",
]
log = structlog.get_logger()


class FeedReader:
    """One reader of the feed. ``fault``: why it does not come forward, None where all is well."""

    def __init__(
        self, store: Store, process: ProcessClient, people: People, catalog: Catalog, refreshes: Refreshes
    ) -> None:
        self._store = store
        self._process = process
        self._people = people
        self._catalog = catalog
        self._refreshes = refreshes
        self._owners: OrderedDict[str, str | None] = OrderedDict()
        self.fault: str | None = "The process server's feed has not been read yet."

    async def run(self) -> None:
        """Until cancelled."""
        pause = 0.1
        while True:
            try:
                position = await self._position()
                page = await self._process.events(EventQuery(after=position, types=TYPES, wait=0))
                while True:
                    self.fault = None
                    pause = 0.1
                    if page.position != position:
                        await self._take(position, page.position, page.events)
                    position = page.position
                    page = await self._process.events(EventQuery(after=position, types=TYPES, wait=WAIT))
            except (ProcessError, Unreachable, Refused) as error:
                self.fault = f"The feed waits: {error}"
                log.warning("feed waits", reason=str(error))
            except Exception as error:
                self.fault = f"The feed waits: {type(error).__name__}: {error}"
                log.exception("feed failed")
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _position(self) -> str:
        table = tables.positions
        async with self._store.engine.connect() as connection:
            held = await connection.scalar(select(table.c.position).where(table.c.feed == FEED))
        if held is not None:
            return str(held)
        async with self._store.engine.begin() as connection:
            await connection.execute(insert(table).values(feed=FEED, position=""))
        return ""

    async def _take(self, before: str, after: str, events: Sequence[Event]) -> None:
        things = await self._things(events)
        table = tables.positions
        async with self._store.engine.begin() as connection:
            moved = await connection.execute(
                update(table).where(table.c.feed == FEED, table.c.position == before).values(position=after)
            )
            if not moved.rowcount:
                return  # another replica read the same events
            await self._refreshes.ask(connection, things)
        if things:
            self._refreshes.wake()

    async def _things(self, events: Sequence[Event]) -> list[Thing]:
        """The cases that ``events`` are about, of people who are known here."""
        cases: dict[str, tuple[str, str]] = {}
        for event in events:
            key = event.data.get("rootProcessInstanceKey")
            process, business_id = (event.data.get(f"root{n}") for n in ("ProcessDefinitionId", "BusinessId"))
            if key and process and business_id:
                cases[str(key)] = (str(process), str(business_id))
        if not cases:
            return []
        resources = await self._catalog.of_processes({process for process, _ in cases.values()})
        owners = {key: await self._owner(key) for key, (p, _) in cases.items() if p in resources}
        known = await self._people.known(sorted({owner for owner in owners.values() if owner}))
        return [
            (mine(owner), resources[cases[key][0]], cases[key][1])
            for key, owner in owners.items()
            if owner in known and owner is not None
        ]

    async def _owner(self, key: str) -> str | None:
        """The subject whose case the root instance ``key`` is."""
        if key in self._owners:
            self._owners.move_to_end(key)
            return self._owners[key]
        found = await self._process.search_variables(
            Search(filter={"processInstanceKey": key, "name": OWNER})
        )
        owner: str | None = None
        for variable in found.items:
            value = msgspec.json.decode(variable.value) if variable.scope_key == key else None
            if isinstance(value, dict) and isinstance(value.get("id"), str):
                owner = value["id"]
        self._owners[key] = owner
        if len(self._owners) > MOST_REMEMBERED:
            self._owners.popitem(last=False)
        return owner
