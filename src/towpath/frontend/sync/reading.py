"""Reading documents: one, many, all; which revisions a replica lacks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from towpath.frontend.sync import tables
from towpath.frontend.sync.documents import splice
from towpath.frontend.sync.errors import CouchError, bad_request, missing
from towpath.frontend.sync.exchange import Exchange
from towpath.frontend.sync.revisions import check_revision, revisions_member
from towpath.frontend.sync.store import AttachmentMap, Store, Stored

SAFE = ((b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"sandbox"))


class View(msgspec.Struct, kw_only=True):
    """What a reader wants of a document beside its body."""

    attachments: bool = False
    revs: bool = False
    revs_info: bool = False
    conflicts: bool = False
    deleted_conflicts: bool = False
    local_seq: bool = False

    @classmethod
    def of(cls, exchange: Exchange) -> View:
        return cls(**{name: exchange.flag(name) for name in cls.__struct_fields__})


def render(
    document: Stored, rev: str, body: bytes, names: AttachmentMap, contents: dict[str, bytes], view: View
) -> msgspec.Raw:
    """A document as JSON."""
    members: dict[str, Any] = {"_id": document.id, "_rev": rev}
    if document.deleted if rev == document.rev else document.tree.deleted(rev):
        members["_deleted"] = True
    if names:
        members["_attachments"] = {
            name: {
                "content_type": a.content_type,
                "revpos": a.revpos,
                "digest": a.digest,
                **(
                    {"data": base64.b64encode(contents[a.digest]).decode()}
                    if view.attachments and a.digest in contents
                    else {"length": a.length, "stub": True}
                ),
            }
            for name, a in names.items()
        }
    if view.revs:
        members["_revisions"] = revisions_member(list(document.tree.history(rev)))
    if view.revs_info:
        members["_revs_info"] = [
            {"rev": r, "status": "available" if r == rev else "missing"} for r in document.tree.history(rev)
        ]
    if view.conflicts or view.deleted_conflicts:
        others = [leaf for leaf in document.leaves if leaf != rev]
        alive = [leaf for leaf in others if not document.tree.deleted(leaf)]
        dead = [leaf for leaf in others if leaf not in alive]
        if view.conflicts and alive:
            members["_conflicts"] = alive
        if view.deleted_conflicts and dead:
            members["_deleted_conflicts"] = dead
    if view.local_seq:
        members["_local_seq"] = document.seq
    return splice(members, body)


async def rendered(
    store: Store,
    connection: AsyncConnection,
    database: str,
    wanted: Sequence[tuple[Stored, str]],
    view: View,
) -> dict[tuple[str, str], msgspec.Raw]:
    """Documents as JSON by (id, rev), of the revisions whose body is there."""
    bodies = await store.bodies(connection, database, ((document.id, rev) for document, rev in wanted))
    contents: dict[str, bytes] = {}
    if view.attachments:
        digests = (a.digest for _, names in bodies.values() for a in names.values())
        contents = await store.contents(connection, database, digests)
    found: dict[tuple[str, str], msgspec.Raw] = {}
    for document, rev in wanted:
        held = bodies.get((document.id, rev))
        if held is not None:
            found[document.id, rev] = render(document, rev, *held, contents, view)
    return found


async def get_document(store: Store, database: str, id_: str, exchange: Exchange) -> None:
    """``GET /{db}/{id}``, with ``rev``, ``open_revs`` and what :class:`View` names."""
    view = View.of(exchange)
    asked = exchange.query.get("open_revs")
    async with store.engine.connect() as connection:
        document = (await store.load(connection, database, [id_])).get(id_)
        if document is None:
            raise missing()
        if asked is not None:
            revs = document.leaves if asked == "all" else _revs(exchange.json_parameter("open_revs"))
            if exchange.flag("latest"):
                revs = _latest(document, revs)
            known = [(document, rev) for rev in revs if rev in document.tree]
            found = await rendered(store, connection, database, known, view)
            await exchange.answer(
                [{"ok": found[id_, r]} if (id_, r) in found else {"missing": r} for r in revs]
            )
            return
        rev = exchange.query.get("rev")
        if rev is None:
            if document.deleted:
                raise missing("deleted")
            rev = document.rev
        elif check_revision(rev) not in document.tree:
            raise missing()
        elif exchange.flag("latest"):
            rev = document.tree.descendants(rev)[0]
        found = await rendered(store, connection, database, [(document, rev)], view)
    if (id_, rev) not in found:
        raise missing()
    await exchange.answer(found[id_, rev], headers=[(b"etag", f'"{rev}"'.encode())])


def _revs(value: object) -> list[str]:
    if not isinstance(value, list):
        raise bad_request("open_revs must be all, or a JSON list of revisions.")
    return [check_revision(rev) for rev in value]


def _latest(document: Stored, revs: Sequence[str]) -> list[str]:
    """Each revision replaced by the leaves that grew from it."""
    found: dict[str, None] = {}
    for rev in revs:
        found.update(dict.fromkeys(document.tree.descendants(rev) if rev in document.tree else [rev]))
    return list(found)


async def get_attachment(store: Store, database: str, id_: str, name: str, exchange: Exchange) -> None:
    """``GET /{db}/{id}/{attachment}``."""
    async with store.engine.connect() as connection:
        document = (await store.load(connection, database, [id_])).get(id_)
        rev = exchange.query.get("rev") or (document.rev if document else "")
        if document is None or (document.deleted and "rev" not in exchange.query):
            raise missing("Document is missing attachment")
        held = (await store.bodies(connection, database, [(id_, rev)])).get((id_, rev))
        attachment = held[1].get(name) if held else None
        if attachment is None:
            raise missing("Document is missing attachment")
        content = (await store.contents(connection, database, [attachment.digest]))[attachment.digest]
    digest = attachment.digest.removeprefix("md5-")
    kind = attachment.content_type.encode("latin-1", "replace")
    await exchange.send_bytes(
        content,
        200,
        # A person's upload is shown as what they say it is, but runs nowhere.
        ((b"content-type", kind), (b"etag", f'"{digest}"'.encode()), (b"accept-ranges", b"none"), *SAFE),
    )


async def bulk_get(store: Store, database: str, exchange: Exchange) -> None:
    """``POST /{db}/_bulk_get``: many revisions in one answer, in the order asked for."""
    view = View.of(exchange)
    rows = _batch(store, (await exchange.json_object()).get("docs"), "docs")
    asked: list[tuple[str, str | None]] = []
    for row in rows:
        match row:
            case {"id": str(id_)}:
                rev = row.get("rev")
                asked.append((id_, None if rev is None else check_revision(rev)))
            case _:
                raise bad_request("Each row of docs needs an id.")
    async with store.engine.connect() as connection:
        documents = await store.load(connection, database, (id_ for id_, _ in asked))
        plan: list[tuple[str, list[str]]] = []
        wanted: list[tuple[Stored, str]] = []
        for id_, rev in asked:
            document = documents.get(id_)
            revs = [rev or (document.rev if document else "undefined")]
            if document is not None and exchange.flag("latest"):
                revs = _latest(document, revs)
            plan.append((id_, revs))
            if document is not None:
                wanted += [(document, r) for r in revs if r == document.rev or r in document.tree]
        found = await rendered(store, connection, database, wanted, view)
    await exchange.answer(
        {
            "results": [
                {
                    "id": id_,
                    "docs": [
                        {"ok": found[id_, rev]}
                        if (id_, rev) in found
                        else {"error": {"id": id_, "rev": rev, "error": "not_found", "reason": "missing"}}
                        for rev in revs
                    ],
                }
                for id_, revs in plan
            ]
        }
    )


async def all_docs(store: Store, database: str, exchange: Exchange) -> None:
    """``GET|POST /{db}/_all_docs``."""
    keys = exchange.json_parameter("keys")
    if exchange.method == "POST":
        keys = (await exchange.json_object()).get("keys", keys)
    view = View.of(exchange)
    table = tables.documents
    async with store.engine.connect() as connection:
        total = await connection.scalar(
            select(func.count()).where(table.c.database == database, table.c.deleted.is_(False))
        )
        if keys is not None:
            ids = [key for key in _batch(store, keys, "keys") if isinstance(key, str)]
            documents = await store.load(connection, database, ids)
        else:
            documents = await _range(store, connection, database, exchange)
            ids = list(documents)
        bodies: dict[tuple[str, str], msgspec.Raw] = {}
        if exchange.flag("include_docs"):
            alive = [(d, d.rev) for d in documents.values() if not d.deleted]
            bodies = await rendered(store, connection, database, alive, view)
    rows: list[dict[str, Any]] = []
    for id_ in ids:
        document = documents.get(id_)
        if document is None:
            rows.append({"key": id_, "error": "not_found"})
            continue
        row: dict[str, Any] = {"id": id_, "key": id_, "value": {"rev": document.rev}}
        if document.deleted:
            row["value"]["deleted"] = True
        if exchange.flag("include_docs"):
            row["doc"] = bodies.get((id_, document.rev))
        rows.append(row)
    await exchange.answer({"total_rows": total, "offset": exchange.number("skip", 0), "rows": rows})


async def _range(
    store: Store, connection: AsyncConnection, database: str, exchange: Exchange
) -> dict[str, Stored]:
    id_ = tables.documents.c.id
    start, end = (_key(exchange, "startkey", "start_key"), _key(exchange, "endkey", "end_key"))
    if exchange.flag("descending"):
        start, end = end, start
    query = select(id_).where(tables.documents.c.database == database, tables.documents.c.deleted.is_(False))
    key = _key(exchange, "key")
    if key is not None:
        query = query.where(id_ == key)
    if start is not None:
        query = query.where(id_ >= start)
    if end is not None:
        query = query.where(id_ < end if exchange.query.get("inclusive_end") == "false" else id_ <= end)
    query = query.order_by(id_.desc() if exchange.flag("descending") else id_)
    query = query.limit(exchange.number("limit", 1_000_000)).offset(exchange.number("skip", 0))
    ids = list(await connection.scalars(query))
    documents = await store.load(connection, database, ids)
    return {id_: documents[id_] for id_ in ids}


def _key(exchange: Exchange, *names: str) -> str | None:
    for name in names:
        value = exchange.json_parameter(name)
        if isinstance(value, str):
            return value
        if value is not None:
            raise CouchError(400, "query_parse_error", f"{name} must be a string in JSON.")
    return None


async def revs_diff(store: Store, database: str, exchange: Exchange, *, bare: bool) -> None:
    """``POST /{db}/_revs_diff``, and the older ``_missing_revs`` (``bare``)."""
    asked = await exchange.json_object()
    if len(asked) > store.settings.max_batch:
        raise bad_request(f"At most {store.settings.max_batch} documents at a time.")
    async with store.engine.connect() as connection:
        documents = await store.load(connection, database, asked)
    answer: dict[str, Any] = {}
    for id_, revs in asked.items():
        if not isinstance(revs, list):
            raise bad_request("Each document needs the list of its revisions.")
        document = documents.get(id_)
        lacking = [check_revision(rev) for rev in revs]
        if document is not None:
            lacking = [rev for rev in lacking if rev != document.rev and rev not in document.tree]
        if not lacking:
            continue
        if bare:
            answer[id_] = lacking
            continue
        answer[id_] = {"missing": lacking}
        if document is not None:
            ancestors = {a for rev in lacking for a in document.tree.ancestors_known(rev)}
            if ancestors:
                answer[id_]["possible_ancestors"] = sorted(ancestors)
    await exchange.answer({"missing_revs": answer} if bare else answer)


def _batch(store: Store, value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise bad_request(f"`{name}` must be an array.")
    if len(value) > store.settings.max_batch:
        raise bad_request(f"`{name}` has at most {store.settings.max_batch} rows.")
    return value
