"""Writing documents and attachments; the replicators' own documents (``_local``)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select

from towpath.frontend.sql import upsert
from towpath.frontend.sync import tables
from towpath.frontend.sync.commands import Queue
from towpath.frontend.sync.documents import Edit, Upload, check_name, check_size, parse, splice
from towpath.frontend.sync.errors import CouchError, bad_request, conflict, forbidden, missing
from towpath.frontend.sync.exchange import Exchange
from towpath.frontend.sync.revisions import check_revision
from towpath.frontend.sync.rules import check_write
from towpath.frontend.sync.store import Outcome, Store


class Writer:
    """A client's writes: what the rules allow, and new commands into the queue with the same commit."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue

    async def _write(self, database: str, edits: Sequence[Edit]) -> list[Outcome]:
        async with self._store.writing(database) as connection:
            outcomes = await self._store.write(connection, database, edits, check=check_write)
            new = await self._queue.put(connection, database, outcomes)
        if new:
            self._queue.wake()
        return outcomes

    async def _write_one(self, database: str, edit: Edit, exchange: Exchange, status: int = 201) -> None:
        (outcome,) = await self._write(database, [edit])
        if outcome.error is not None:
            raise outcome.error
        await exchange.answer({"ok": True, "id": edit.id, "rev": outcome.rev}, status)

    async def put_document(self, database: str, id_: str | None, exchange: Exchange) -> None:
        """``PUT /{db}/{id}`` and ``POST /{db}``."""
        new_edits = exchange.query.get("new_edits") != "false"
        document = await exchange.json_object()
        if id_ is None:
            id_ = document.get("_id") or uuid.uuid4().hex
        edit = parse(document, self._store.settings, new_edits=new_edits, id_=id_)
        rev = _given_rev(exchange)
        if rev is not None and new_edits:
            if edit.rev not in (None, rev):
                raise bad_request("Document rev from request body and query string have different values")
            edit.rev = rev
        await self._write_one(database, edit, exchange)

    async def delete_document(self, database: str, id_: str, exchange: Exchange) -> None:
        """``DELETE /{db}/{id}?rev=``."""
        async with self._store.engine.connect() as connection:
            document = (await self._store.load(connection, database, [id_])).get(id_)
        if document is None or document.deleted:
            raise missing("deleted" if document else "missing")
        edit = Edit(id_, {}, rev=_given_rev(exchange), deleted=True)
        await self._write_one(database, edit, exchange, 200)

    async def change_attachment(self, database: str, id_: str, name: str, exchange: Exchange) -> None:
        """``PUT|DELETE /{db}/{id}/{attachment}?rev=``: a new revision with it or without."""
        upload: Upload | None = None
        if exchange.method == "PUT":
            kind = exchange.headers.get("content-type", "application/octet-stream")
            content = check_size(check_name(name), await exchange.body(), self._store.settings)
            upload = Upload(kind, content)
        rev = _given_rev(exchange)
        async with self._store.engine.connect() as connection:
            document = (await self._store.load(connection, database, [id_])).get(id_)
            edit = Edit(id_, {}, rev=rev)
            if document is not None and rev is not None:
                held = (await self._store.bodies(connection, database, [(id_, rev)])).get((id_, rev))
                if held is None:
                    raise conflict()
                edit.body = msgspec.json.decode(held[0])
                edit.uploads = {n: Upload(a.content_type, None, a.digest) for n, a in held[1].items()}
        if upload is not None:
            edit.uploads[name] = upload
        elif edit.uploads.pop(name, None) is None:
            raise missing("Document is missing attachment")
        await self._write_one(database, edit, exchange, 201 if upload else 200)

    async def bulk_docs(self, database: str, exchange: Exchange) -> None:
        """``POST /{db}/_bulk_docs``: each row stands or falls alone."""
        request = await exchange.json_object()
        documents = request.get("docs")
        new_edits = request.get("new_edits") is not False
        if not isinstance(documents, list):
            raise bad_request("`docs` must be an array.")
        if len(documents) > self._store.settings.max_batch:
            raise bad_request(f"`docs` has at most {self._store.settings.max_batch} rows.")
        edits: list[Edit] = []
        rows: list[Edit | dict[str, Any]] = []
        for document in documents:
            try:
                if isinstance(document, dict) and new_edits and "_id" not in document:
                    document["_id"] = uuid.uuid4().hex
                edit = parse(document, self._store.settings, new_edits=new_edits)
            except CouchError as error:
                # A row that can never be stored is told as forbidden: a replicator then reports it and goes
                # on, where any other error would make it send the same batch for ever.
                id_ = document.get("_id") if isinstance(document, dict) else None
                rows.append(forbidden(f"{error.error}: {error.reason}").row(str(id_)))
            else:
                edits.append(edit)
                rows.append(edit)
        outcomes = iter(await self._write(database, edits) if edits else [])
        answer: list[dict[str, Any]] = []
        for row in rows:
            if isinstance(row, dict):
                answer.append(row)
                continue
            outcome = next(outcomes)
            if outcome.error is not None:
                refusal = outcome.error
                if not new_edits and refusal.status in (400, 413):
                    refusal = forbidden(f"{refusal.error}: {refusal.reason}")
                answer.append(refusal.row(outcome.id, outcome.rev))
            elif new_edits:
                answer.append({"ok": True, "id": outcome.id, "rev": outcome.rev})
        await exchange.answer(answer, 201)

    async def local(self, database: str, id_: str, exchange: Exchange) -> None:
        """``GET|PUT|DELETE /{db}/_local/{id}``: never replicated; replicators keep their checkpoints so."""
        table = tables.locals_
        mine = (table.c.database == database) & (table.c.id == id_)
        if exchange.method in ("GET", "HEAD"):
            async with self._store.engine.connect() as connection:
                row = (await connection.execute(select(table.c.rev, table.c.body).where(mine))).first()
            if row is None:
                raise missing()
            await exchange.answer(splice({"_id": f"_local/{id_}", "_rev": f"0-{row[0]}"}, row[1]))
            return
        document = await exchange.json_object() if exchange.method == "PUT" else {}
        given = document.get("_rev") or _given_rev(exchange, local=True)
        body = msgspec.json.encode({k: v for k, v in document.items() if not k.startswith("_")})
        if len(body) > self._store.settings.max_document_bytes:
            raise CouchError(413, "document_too_large", "The document is too large.")
        async with self._store.writing(database) as connection:
            held = await connection.scalar(select(table.c.rev).where(mine))
            if held is None and exchange.method == "DELETE":
                raise missing()
            if held is not None and given != f"0-{held}":
                raise conflict()
            rev = (held or 0) + 1
            if exchange.method == "DELETE":
                await connection.execute(delete(table).where(mine))
            else:
                statement = upsert(connection, table)
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["database", "id"], set_={"rev": rev, "body": body}
                    ),
                    {"database": database, "id": id_, "rev": rev, "body": body},
                )
        status = 201 if exchange.method == "PUT" else 200
        await exchange.answer({"ok": True, "id": f"_local/{id_}", "rev": f"0-{rev}"}, status)


def _given_rev(exchange: Exchange, *, local: bool = False) -> str | None:
    rev = exchange.query.get("rev") or exchange.headers.get("if-match", "").strip('"') or None
    return rev if rev is None or local else check_revision(rev)
