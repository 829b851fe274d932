"""The sync service: its routes, and what runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import aiohttp
from litestar import Litestar, Request, asgi, delete, get, put
from litestar.params import FromPath, JSONBody
from litestar.types import Receive, Scope, Send
from sqlalchemy import select

from towpath.client import ProcessClient
from towpath.frontend.catalog import Catalog
from towpath.frontend.supervision import Part, supervised
from towpath.frontend.sync import tables
from towpath.frontend.sync.commands import Processor, Queue
from towpath.frontend.sync.couch import MY, MyDatabase
from towpath.frontend.sync.documents import check_id
from towpath.frontend.sync.errors import CouchError
from towpath.frontend.sync.feed import FeedReader
from towpath.frontend.sync.people import People
from towpath.frontend.sync.refreshes import Refreshes
from towpath.frontend.sync.rules import COMMAND, DRAFT, RESULT
from towpath.frontend.sync.settings import SyncSettings
from towpath.frontend.sync.states import Refresher, put_states
from towpath.frontend.sync.store import Store, mine
from towpath.frontend.sync.wakeups import Wakeups
from towpath.frontend.sync.writing import Writer
from towpath.frontend.upstream import Upstream
from towpath.http import Problem, caller, create_service, requires
from towpath.identity import TokenSource, TokenVerifier
from towpath.storage.database import database

MIGRATIONS = "towpath.frontend.sync.migrations"
REPLICA_POLL = 1.0  # seconds between looks for what other replicas wrote, where there can be some


class _Service:
    """The parts, joined when the service starts."""

    def __init__(self) -> None:
        self.store: Store | None = None
        self.my: MyDatabase | None = None
        self.reader: FeedReader | None = None

    def missing(self) -> str | None:
        """Why the service is not ready. Commands that wait for the facade are no reason: they are kept."""
        if self.store is None or self.reader is None:
            return "The database is not open."
        return self.reader.fault


def create_app(
    settings: SyncSettings,
    *,
    database_url: str,
    process: ProcessClient,
    verifier: TokenVerifier,
    tokens: TokenSource,
    facade_url: str,
    integration_url: str,
) -> Litestar:
    """The sync service; what runs in the background ends with it."""
    service = _Service()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with (
            database(database_url, MIGRATIONS, tables.metadata) as engine,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            facade = Upstream(session, facade_url, tokens, timeout=settings.request_timeout)
            integration = Upstream(session, integration_url, tokens, timeout=settings.request_timeout)
            store = Store(engine, settings, Wakeups())
            refreshes, queue, catalog = Refreshes(), Queue(), Catalog(facade)
            people = People(store, refreshes, settings.sources)
            processor = Processor(store, queue, people, refreshes, catalog, facade)
            refresher = Refresher(store, refreshes, people, catalog, facade, integration)
            reader = FeedReader(store, process, people, catalog, refreshes)
            service.reader = reader
            service.my = MyDatabase(store, people, Writer(store, queue))
            service.store = store
            parts: list[Part] = [processor.run, refresher.run, reader.run]
            if engine.dialect.name != "sqlite":
                parts.append(lambda: _watch_replicas(store))
            async with supervised(*parts):
                yield
            service.store = None

    @asgi(MY, is_mount=True, copy_scope=True)
    async def my(scope: Scope, receive: Receive, send: Send) -> None:
        assert service.my is not None
        await service.my(scope, receive, send)

    @get("/", sync_to_thread=False)
    def welcome() -> dict[str, Any]:
        return {"couchdb": "Welcome", "version": version("towpath"), "vendor": {"name": "Towpath"}}

    @get("/_up", sync_to_thread=False)
    def up() -> dict[str, str]:
        return {"status": "ok"}

    @get("/_session", sync_to_thread=False)
    def session(request: Request[Any, Any, Any]) -> dict[str, Any]:
        identity = request.scope.get("state", {}).get("identity")
        user = {"name": identity.subject, "roles": sorted(identity.roles)} if identity else None
        return {
            "ok": True,
            "userCtx": user or {"name": None, "roles": []},
            "info": {"authentication_handlers": ["bearer"]},
        }

    async def put_one(subject: str, docid: str, body: dict[str, Any] | None) -> dict[str, Any]:
        assert service.store is not None
        try:
            check_id(docid)
            if docid.startswith((DRAFT, COMMAND, RESULT)):
                raise Problem(403, "Drafts, commands and their results are not put here.")
            name = mine(subject)
            async with service.store.writing(name) as connection:
                changed = await put_states(service.store, connection, name, {docid: body})
        except CouchError as error:
            raise Problem(error.status, error.reason) from None
        return {"ok": True, "id": docid, "changed": bool(changed)}

    @put("/_state/{subject:str}/{docid:str}", guards=[requires("service")])
    async def put_state(
        request: Request[Any, Any, Any],
        subject: FromPath[str],
        docid: FromPath[str],
        data: JSONBody[dict[str, Any]],
    ) -> dict[str, Any]:
        caller(request)
        return await put_one(subject, docid, {k: v for k, v in data.items() if not k.startswith("_")})

    @delete("/_state/{subject:str}/{docid:str}", guards=[requires("service")], status_code=200)
    async def delete_state(subject: FromPath[str], docid: FromPath[str]) -> dict[str, Any]:
        return await put_one(subject, docid, None)

    return create_service(
        "sync",
        [my, welcome, up, session, put_state, delete_state],
        verifier=verifier,
        lifespan=[lifespan],
        ready=service.missing,
        max_body=settings.max_body_bytes,
    )


async def _watch_replicas(store: Store) -> None:
    """Wake readers here of what other replicas wrote: one query for all that are waited for."""
    table = tables.databases
    seen: dict[str, int] = {}
    while True:
        await asyncio.sleep(REPLICA_POLL)
        names = store.wakeups.waiting()
        if not names:
            seen.clear()
            continue
        async with store.engine.connect() as connection:
            rows = await connection.execute(select(table.c.name, table.c.seq).where(table.c.name.in_(names)))
            now = {str(name): int(seq) for name, seq in rows}
        for name, seq in now.items():
            if seen.get(name, seq) != seq:
                store.wakeups.wake(name)
        seen = now
