"""The surface of the CouchDB protocol for ``/_my``: which method and path is which call."""

from __future__ import annotations

import structlog
from litestar.types import Receive, Scope, Send
from sqlalchemy import func, select

from towpath.frontend.sync import tables
from towpath.frontend.sync.changes import last_seq, serve_changes
from towpath.frontend.sync.errors import CouchError, forbidden, missing
from towpath.frontend.sync.exchange import Exchange
from towpath.frontend.sync.people import People
from towpath.frontend.sync.reading import all_docs, bulk_get, get_attachment, get_document, revs_diff
from towpath.frontend.sync.store import Store
from towpath.frontend.sync.writing import Writer

MY = "/_my"
log = structlog.get_logger()


class MyDatabase:
    """An ASGI application: the caller's own database."""

    def __init__(self, store: Store, people: People, writer: Writer) -> None:
        self._store = store
        self._people = people
        self._writer = writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: object) -> None:
            nonlocal begun
            begun = True
            await send(message)  # type: ignore[arg-type]

        limit = self._store.settings.max_body_bytes
        exchange: Exchange | None = None
        try:
            exchange = Exchange(scope, receive, sending, prefix=MY, max_body=limit)
            await self._serve(exchange)
        except CouchError as error:
            if begun:
                raise
            await _refusal(exchange, scope, receive, send).refuse(error)
        except Exception:
            log.exception("request failed", path=scope["path"], method=exchange.method if exchange else None)
            if begun:
                raise
            failed = CouchError(500, "internal_server_error", "The service failed; its log has the reason.")
            await _refusal(exchange, scope, receive, send).refuse(failed)

    async def _serve(self, exchange: Exchange) -> None:
        if exchange.identity is None:
            raise CouchError(401, "unauthorized", "This needs a bearer token of the solution's issuer.")
        database = await self._people.seen(exchange.identity)
        match exchange.segments:
            case []:
                await self._database(database, exchange)
            case ["_local", *rest] if rest:
                _allow(exchange, "GET", "HEAD", "PUT", "DELETE")
                await self._writer.local(database, "/".join(rest), exchange)
            case ["_design", *rest] if rest:
                if exchange.method in ("PUT", "DELETE"):
                    raise forbidden("There are no design documents here.")
                raise missing()
            case [endpoint] if endpoint.startswith("_"):
                await self._endpoint(endpoint, database, exchange)
            case [id_]:
                await self._document(database, id_, exchange)
            case [id_, *name]:
                await self._attachment(database, id_, "/".join(name), exchange)

    async def _database(self, database: str, exchange: Exchange) -> None:
        match exchange.method:
            case "GET" | "HEAD":
                await self._info(database, exchange)
            case "POST":
                await self._writer.put_document(database, None, exchange)
            case "PUT":
                raise CouchError(
                    412, "file_exists", "The database could not be created, the file already exists."
                )
            case "DELETE":
                raise forbidden("A person's database is not deleted.")
            case _:
                raise _not_allowed("GET", "HEAD", "POST")

    async def _info(self, database: str, exchange: Exchange) -> None:
        table = tables.documents
        async with self._store.engine.connect() as connection:
            rows = await connection.execute(
                select(table.c.deleted, func.count())
                .where(table.c.database == database)
                .group_by(table.c.deleted)
            )
            counts = {bool(deleted): count for deleted, count in rows}
            seq = await last_seq(connection, database)
        await exchange.answer(
            {
                "db_name": MY.strip("/"),
                "doc_count": counts.get(False, 0),
                "doc_del_count": counts.get(True, 0),
                "update_seq": seq,
                "purge_seq": 0,
                "compact_running": False,
                "instance_start_time": "0",
            }
        )

    async def _endpoint(self, name: str, database: str, exchange: Exchange) -> None:
        match name:
            case "_changes":
                _allow(exchange, "GET", "POST")
                await serve_changes(self._store, database, exchange)
            case "_bulk_docs":
                _allow(exchange, "POST")
                await self._writer.bulk_docs(database, exchange)
            case "_bulk_get":
                _allow(exchange, "POST")
                await bulk_get(self._store, database, exchange)
            case "_all_docs":
                _allow(exchange, "GET", "HEAD", "POST")
                await all_docs(self._store, database, exchange)
            case "_revs_diff" | "_missing_revs":
                _allow(exchange, "POST")
                await revs_diff(self._store, database, exchange, bare=name == "_missing_revs")
            case "_compact":
                _allow(exchange, "POST")
                await self._store.compact(database)
                await exchange.answer({"ok": True}, 202)
            case "_ensure_full_commit":
                _allow(exchange, "POST")  # every answer of ours means it is on disk
                await exchange.answer({"ok": True, "instance_start_time": "0"}, 201)
            case "_revs_limit":
                _allow(exchange, "GET")
                await exchange.answer(self._store.settings.revs_limit)
            case "_security":
                _allow(exchange, "GET")
                await exchange.answer({})
            case _:
                raise missing(f"There is no {name}.")

    async def _document(self, database: str, id_: str, exchange: Exchange) -> None:
        match exchange.method:
            case "GET" | "HEAD":
                await get_document(self._store, database, id_, exchange)
            case "PUT":
                await self._writer.put_document(database, id_, exchange)
            case "DELETE":
                await self._writer.delete_document(database, id_, exchange)
            case _:
                raise _not_allowed("GET", "HEAD", "PUT", "DELETE")

    async def _attachment(self, database: str, id_: str, name: str, exchange: Exchange) -> None:
        _allow(exchange, "GET", "HEAD", "PUT", "DELETE")
        if exchange.method in ("GET", "HEAD"):
            await get_attachment(self._store, database, id_, name, exchange)
        else:
            await self._writer.change_attachment(database, id_, name, exchange)


def _refusal(exchange: Exchange | None, scope: Scope, receive: Receive, send: Send) -> Exchange:
    """Whatever the request's path was, its refusal can be sent."""
    return exchange or Exchange({**scope, "raw_path": b""}, receive, send, prefix="", max_body=0)  # type: ignore[arg-type]


def _allow(exchange: Exchange, *methods: str) -> None:
    if exchange.method not in methods:
        raise _not_allowed(*methods)


def _not_allowed(*methods: str) -> CouchError:
    return CouchError(405, "method_not_allowed", f"Only {', '.join(methods)} allowed")
