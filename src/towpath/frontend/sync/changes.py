"""The changes feed: normal, longpoll and continuous.

A waiting reader is one task on one future: no thread, no database connection, and only a change of its own
database wakes it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from towpath.frontend.sync import tables
from towpath.frontend.sync.errors import CouchError, bad_request
from towpath.frontend.sync.exchange import JSON, Exchange, first
from towpath.frontend.sync.reading import View, rendered
from towpath.frontend.sync.store import Store, Stored

BATCH = 1000  # rows that a reader holds in memory at a time


class Feed(msgspec.Struct, kw_only=True):
    """What a reader asked for. Times in seconds."""

    kind: str
    since: int
    limit: int | None
    descending: bool
    include_docs: bool
    all_leaves: bool
    view: View
    ids: list[str] | None
    heartbeat: float
    timeout: float


async def last_seq(connection: AsyncConnection, database: str) -> int:
    """The sequence of the newest change; 0 where there was none."""
    table = tables.databases
    return int(await connection.scalar(select(table.c.seq).where(table.c.name == database)) or 0)


async def serve_changes(store: Store, database: str, exchange: Exchange) -> None:
    """``GET|POST /{db}/_changes``."""
    body = await exchange.body()
    feed = await _feed(store, database, exchange, body)
    if feed.kind == "normal":
        rows, last, pending = await _read(store, database, feed)
        await exchange.answer({"results": rows, "last_seq": last, "pending": pending})
        return
    gone = asyncio.ensure_future(exchange.disconnected())
    try:
        await (_longpoll if feed.kind == "longpoll" else _continuous)(store, database, feed, exchange, gone)
    finally:
        gone.cancel()


async def _feed(store: Store, database: str, exchange: Exchange, body: bytes) -> Feed:
    kind = exchange.query.get("feed", "normal")
    if kind not in ("normal", "longpoll", "continuous"):
        raise bad_request("feed is one of: normal, longpoll, continuous.")
    since = exchange.query.get("since", "0")
    if since == "now":
        async with store.engine.connect() as connection:
            position = await last_seq(connection, database)
    else:
        text = since.strip('"')
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise bad_request("since is a sequence of this database, or now.")
        position = int(text)
    ids: list[str] | None = None
    match exchange.query.get("filter"):
        case None:
            pass
        case "_doc_ids":
            ids = _doc_ids(exchange, body, store.settings.max_batch)
        case other:
            raise CouchError(404, "not_found", f"There is no filter {other!r}.")
    limit = exchange.number("limit")
    heartbeat = store.settings.heartbeat
    if exchange.query.get("heartbeat", "true") != "true":
        heartbeat = max((exchange.number("heartbeat") or 0) / 1000, 1.0)
    timeout = exchange.number("timeout")
    longest = store.settings.longpoll_timeout
    if timeout is None:
        # As in CouchDB, a heartbeat asked for keeps the connection until there is a change.
        longest = float("inf") if "heartbeat" in exchange.query else longest
    else:
        longest = min(timeout / 1000, 3600.0)
    return Feed(
        kind=kind,
        since=position,
        limit=None if limit is None else max(limit, 1),  # as CouchDB does
        descending=exchange.flag("descending"),
        include_docs=exchange.flag("include_docs"),
        all_leaves=exchange.query.get("style") == "all_docs",
        view=View.of(exchange),
        ids=ids,
        heartbeat=heartbeat,
        timeout=longest,
    )


def _doc_ids(exchange: Exchange, body: bytes, most: int) -> list[str]:
    ids = exchange.json_parameter("doc_ids")
    if body:
        try:
            ids = msgspec.json.decode(body, type=dict[str, Any]).get("doc_ids", ids)
        except msgspec.DecodeError:
            raise bad_request("invalid UTF-8 JSON") from None
    if not isinstance(ids, list) or len(ids) > most or not all(isinstance(i, str) for i in ids):
        raise bad_request(f"filter=_doc_ids needs doc_ids, a list of at most {most} ids.")
    return ids


async def _read(
    store: Store, database: str, feed: Feed, most: int | None = None
) -> tuple[list[dict[str, Any]], int, int]:
    """Changes after ``feed.since``: rows, the position to go on from, how many there are beyond."""
    limit = min((n for n in (feed.limit, most) if n is not None), default=None)
    table = tables.documents
    condition = (table.c.database == database) & (table.c.seq > feed.since)
    if feed.ids is not None:
        condition &= table.c.id.in_(feed.ids)
    query = select(table.c.id, table.c.seq, table.c.deleted, table.c.leaves, table.c.tree).where(condition)
    query = query.order_by(table.c.seq.desc() if feed.descending else table.c.seq)
    if limit is not None:
        query = query.limit(limit)
    async with store.engine.connect() as connection:
        newest = await last_seq(connection, database)  # first: what commits after it is in the next read
        found = [
            Stored(id_, seq, deleted, leaves.split(" "), tree)
            for id_, seq, deleted, leaves, tree in await connection.execute(query)
        ]
        pending = 0
        full = limit is not None and len(found) == limit
        if full and not feed.descending:
            beyond = condition & (table.c.seq > found[-1].seq)
            pending = int(await connection.scalar(select(func.count()).where(beyond)) or 0)
        documents: dict[tuple[str, str], msgspec.Raw] = {}
        if feed.include_docs:
            documents = await rendered(store, connection, database, [(d, d.rev) for d in found], feed.view)
    rows: list[dict[str, Any]] = []
    for document in found:
        revs = document.leaves if feed.all_leaves else document.leaves[:1]
        row: dict[str, Any] = {
            "seq": document.seq,
            "id": document.id,
            "changes": [{"rev": rev} for rev in revs],
        }
        if document.deleted:
            row["deleted"] = True
        if feed.include_docs:
            row["doc"] = documents.get((document.id, document.rev))
        rows.append(row)
    if found:
        last = found[-1].seq if full or feed.descending else max(found[-1].seq, newest)
    else:
        last = max(feed.since, newest)
    return rows, last, pending


async def _wait(
    exchange: Exchange, feed: Feed, ticket: asyncio.Future[None], gone: asyncio.Future[None], until: float
) -> bool:
    """Until the database changes, with heartbeats; False where time is up or the client has gone."""
    while not ticket.done():
        left = until - time.monotonic()
        if left <= 0:
            return False
        told = await first(ticket, gone, timeout=min(feed.heartbeat, left))
        if gone.done():
            return False
        if not told and left > feed.heartbeat:
            await exchange.chunk(b"\n")
    return True


async def _longpoll(
    store: Store, database: str, feed: Feed, exchange: Exchange, gone: asyncio.Future[None]
) -> None:
    until = time.monotonic() + feed.timeout
    await exchange.begin(200, (JSON,))
    await exchange.chunk(b'{"results":[\n')
    while True:
        ticket = store.wakeups.ticket(database)
        rows, last, pending = await _read(store, database, feed)
        if rows or not await _wait(exchange, feed, ticket, gone, until):
            break
    if gone.done():
        return
    body = b",\n".join(msgspec.json.encode(row) for row in rows)
    tail = msgspec.json.encode({"last_seq": last, "pending": pending})
    await exchange.chunk(body + b"\n]," + tail[1:] + b"\n", more=False)


async def _continuous(
    store: Store, database: str, feed: Feed, exchange: Exchange, gone: asyncio.Future[None]
) -> None:
    await exchange.begin(200, (JSON,))
    await exchange.chunk(b"\n")
    while not gone.done():
        ticket = store.wakeups.ticket(database)
        rows, last, pending = await _read(store, database, feed, BATCH)
        if rows:
            await exchange.chunk(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        feed.since = last
        if feed.limit is not None:
            feed.limit -= len(rows)
            if feed.limit <= 0:
                break
        if pending:
            continue
        if not await _wait(exchange, feed, ticket, gone, time.monotonic() + feed.timeout):
            break
    if not gone.done():
        await exchange.chunk(msgspec.json.encode({"last_seq": feed.since}) + b"\n", more=False)
