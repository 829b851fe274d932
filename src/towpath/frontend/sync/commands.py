"""The command processor: carries each command document out through the facade, once, in order.

A command is put into the queue with the commit that stores its document. Its id is the ``Idempotency-Key``,
so a call whose answer was lost is repeated without harm. The result document is written with the commit
that takes the command off the queue.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import aiohttp
import msgspec
import structlog
from sqlalchemy import and_, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from towpath.frontend.catalog import Catalog
from towpath.frontend.sync import tables
from towpath.frontend.sync.documents import Edit
from towpath.frontend.sync.people import People
from towpath.frontend.sync.refreshes import Refreshes
from towpath.frontend.sync.rules import COMMAND, RESULT, Command, parse_command
from towpath.frontend.sync.store import Outcome, Store
from towpath.frontend.times import now_iso, now_ms
from towpath.frontend.upstream import File, Refused, Unreachable, Upstream, segment
from towpath.identity import Identity

IDLE = 15.0  # seconds after which a replica looks for commands that another one left
log = structlog.get_logger()


class Queue:
    """The commands that wait to be carried out."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()

    async def put(self, connection: AsyncConnection, database: str, outcomes: Sequence[Outcome]) -> bool:
        """Queue the new commands among ``outcomes`` in the caller's transaction; True where there are any."""
        new = [o for o in outcomes if o.written and o.command is not None]
        if not new:
            return False
        documents = await Store.sequences(connection, database, [o.id for o in new])
        await connection.execute(
            insert(tables.commands),
            [
                {
                    "database": database,
                    "id": o.id,
                    "lane": o.command.lane(o.id),
                    "seq": documents[o.id],
                    "state": "pending",
                    "attempts": 0,
                    "due": now_ms(),
                    "fault": None,
                }
                for o in new
                if o.command is not None
            ],
        )
        return True

    def wake(self) -> None:
        """A command came, and it is committed."""
        self._bell.set()

    async def bell(self, timeout: float) -> None:
        """Wait for a command, at most ``timeout`` seconds."""
        try:
            await asyncio.wait_for(self._bell.wait(), timeout)
        except TimeoutError:
            return
        finally:
            self._bell.clear()


class Processor:
    """Works the queue off. ``fault``: why the last call did not come through, None where all is well."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        people: People,
        refreshes: Refreshes,
        catalog: Catalog,
        facade: Upstream,
    ) -> None:
        self._store = store
        self._queue = queue
        self._people = people
        self._refreshes = refreshes
        self._catalog = catalog
        self._facade = facade
        self._settings = store.settings
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self.fault: str | None = None

    async def run(self) -> None:
        """Until cancelled. A call in flight then is repeated by the next run."""
        if self._store.engine.dialect.name == "sqlite":
            await self._release()
        try:
            while True:
                wait = await self._start_due()
                await self._queue.bell(wait)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _release(self) -> None:
        """On SQLite we are the only process: what was being carried out when we ended is due at once."""
        table = tables.commands
        async with self._store.engine.begin() as connection:
            await connection.execute(update(table).where(table.c.state == "pending").values(due=now_ms()))

    async def _start_due(self) -> float:
        """Start what is due, as far as there is room; gives the seconds until the next is."""
        room = self._settings.command_concurrency - len(self._running)
        if room <= 0:
            return IDLE  # each task that ends rings the bell
        table, earlier = tables.commands, tables.commands.alias()
        heads = (
            select(table.c.database, table.c.id, table.c.due)
            .where(
                table.c.state == "pending",
                ~exists().where(
                    earlier.c.database == table.c.database,
                    earlier.c.lane == table.c.lane,
                    earlier.c.state == "pending",
                    earlier.c.seq < table.c.seq,
                ),
            )
            .order_by(table.c.due)
            .limit(room + len(self._running) + 1)
        )
        async with self._store.engine.connect() as connection:
            rows = (await connection.execute(heads)).all()
        now = now_ms()
        for database, id_, due in rows:
            if (database, id_) in self._running:
                continue
            if due > now:
                return float(min((due - now) / 1000, IDLE))
            if len(self._running) >= self._settings.command_concurrency:
                return IDLE
            task = asyncio.create_task(self._carry_out(database, id_), name=id_)
            self._running[database, id_] = task
            task.add_done_callback(lambda _, key=(database, id_): self._ended(key))  # type: ignore[misc]
        return IDLE

    def _ended(self, key: tuple[str, str]) -> None:
        self._running.pop(key, None)
        self._queue.wake()

    async def _carry_out(self, database: str, id_: str) -> None:
        attempts = await self._take(database, id_)
        if attempts is None:
            return  # another replica has it
        try:
            target = await self._call(database, id_)
        except Refused as refusal:
            await self._finish(database, id_, "failed", refusal.problem)
        except Unreachable as error:
            await self._later(database, id_, attempts, str(error), error.retry_after)
        except Exception as error:  # a fault of ours must not lose the command, nor stop the others
            log.exception("command failed", command=id_)
            await self._later(database, id_, attempts, f"{type(error).__name__}: {error}", None)
        else:
            self.fault = None
            await self._finish(database, id_, "done", None, target)

    async def _take(self, database: str, id_: str) -> int | None:
        """The number of this attempt; the command is due again should this process die meanwhile."""
        table = tables.commands
        lease = int(self._settings.request_timeout * 2000)
        async with self._store.engine.begin() as connection:
            attempts: int | None = await connection.scalar(
                update(table)
                .where(_is(database, id_), table.c.state == "pending", table.c.due <= now_ms())
                .values(attempts=table.c.attempts + 1, due=now_ms() + lease)
                .returning(table.c.attempts)
            )
        return attempts

    async def _later(
        self, database: str, id_: str, attempts: int, fault: str, retry_after: float | None
    ) -> None:
        self.fault = f"A command waits: {fault}"
        longest = self._settings.retry_max
        wait = min(self._settings.retry_initial * 2 ** min(attempts - 1, 20), longest)
        wait = max(wait, retry_after or 0.0) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        log.warning("command retried later", command=id_, attempts=attempts, wait=wait, fault=fault)
        table = tables.commands
        async with self._store.engine.begin() as connection:
            await connection.execute(
                update(table)
                .where(_is(database, id_), table.c.state == "pending")
                .values(due=now_ms() + int(wait * 1000), fault=fault)
            )

    async def _finish(
        self,
        database: str,
        id_: str,
        status: str,
        problem: dict[str, Any] | None,
        target: str | None = None,
    ) -> None:
        table = tables.commands
        body: dict[str, Any] = {"type": "result", "command": id_, "status": status, "at": now_iso()}
        async with self._store.writing(database) as connection:
            mine = await connection.execute(
                update(table)
                .where(_is(database, id_), table.c.state == "pending")
                .values(state=status, fault=None)
            )
            if not mine.rowcount:
                return
            command = await self._document(connection, database, id_)
            body["target"] = target or (command[0].target if command else None)
            if problem is not None:
                body["problem"] = problem
            edit = Edit(RESULT + id_.removeprefix(COMMAND), body)
            await self._store.write(connection, database, [edit], keep_old=False)
            if command is not None and command[0].resource and body["target"]:
                await self._refreshes.ask(connection, [(database, command[0].resource, body["target"])])
        self._refreshes.wake()

    async def _document(
        self, connection: AsyncConnection, database: str, id_: str
    ) -> tuple[Command, list[File]] | None:
        stored = (await self._store.load(connection, database, [id_])).get(id_)
        if stored is None:
            return None
        held = (await self._store.bodies(connection, database, [(id_, stored.rev)]))[id_, stored.rev]
        contents = await self._store.contents(connection, database, (a.digest for a in held[1].values()))
        files = [File(name, a.content_type, contents[a.digest]) for name, a in held[1].items()]
        return parse_command(msgspec.json.decode(held[0])), files

    async def _call(self, database: str, id_: str) -> str | None:
        """Carry the command out; gives its target's id. Raises Refused or Unreachable."""
        profile = await self._people.profile(database)
        async with self._store.engine.connect() as connection:
            document = await self._document(connection, database, id_)
        assert profile is not None
        assert document is not None
        command, files = document
        person = profile.identity()
        if command.command == "start":
            answer = await self._send(f"/{command.resource}", command, files, person, id_)
            return str(answer["id"])
        target = await self._target(database, command)
        for number, file in enumerate(files):
            await self._attach(command, target, file, person, f"{id_}/{number}")
        path = f"/{segment(command.resource or 'tasks')}/{segment(target)}"
        match command.command:
            case "message":
                path += f"/messages/{segment(command.name or '')}"
                await self._post(path, {"variables": command.data}, person, id_)
            case "complete-task":
                path = f"/tasks/{segment(target)}/complete"
                await self._post(path, {"variables": command.data}, person, id_)
            case _:
                await self._facade.call("DELETE", path, person, idempotency_key=id_)
        return target

    async def _target(self, database: str, command: Command) -> str:
        """The real id of the target: an offline start gives it only once it is carried out."""
        target = command.target or ""
        if not target.startswith(COMMAND):
            return target
        id_ = RESULT + target.removeprefix(COMMAND)
        async with self._store.engine.connect() as connection:
            stored = (await self._store.load(connection, database, [id_])).get(id_)
            if stored is not None:
                held = await self._store.bodies(connection, database, [(id_, stored.rev)])
                result = msgspec.json.decode(held[id_, stored.rev][0])
                if result["status"] == "done" and result.get("target"):
                    return str(result["target"])
        detail = f"{target} did not start anything that this could go to."
        raise Refused(409, {"title": "Conflict", "status": 409, "detail": detail})

    async def _send(
        self, path: str, command: Command, files: Sequence[File], person: Identity, key: str
    ) -> Any:
        if not files:
            return await self._post(path, command.data, person, key)
        form = aiohttp.FormData()
        form.add_field("data", msgspec.json.encode(command.data).decode(), content_type="application/json")
        field = await self._catalog.file_field(command.resource)
        for file in files:
            # photos/dent.jpg goes to the form's field photos, dent.jpg to its first field for files.
            named, slash, name = file.name.rpartition("/")
            form.add_field(
                named if slash else field,
                BytesIO(file.content),
                filename=name,
                content_type=file.content_type,
            )
        return await self._facade.call("POST", path, person, form=form, idempotency_key=key)

    async def _post(self, path: str, body: Any, person: Identity, key: str) -> Any:
        return await self._facade.call("POST", path, person, json=body, idempotency_key=key)

    async def _attach(self, command: Command, target: str, file: File, person: Identity, key: str) -> None:
        form = aiohttp.FormData()
        name = file.name.rpartition("/")[2]
        form.add_field("file", BytesIO(file.content), filename=name, content_type=file.content_type)
        path = f"/{segment(command.resource or 'tasks')}/{segment(target)}/documents"
        await self._facade.call("POST", path, person, form=form, idempotency_key=key)


def _is(database: str, id_: str) -> Any:
    return and_(tables.commands.c.database == database, tables.commands.c.id == id_)
