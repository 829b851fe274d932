"""Documents in SQL: every write is one transaction that holds its database's row."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from towpath.frontend.sql import upsert
from towpath.frontend.sync import tables
from towpath.frontend.sync.documents import Attachment, Edit, Upload, digest_of, encode_body
from towpath.frontend.sync.errors import CouchError, conflict
from towpath.frontend.sync.revision_ids import revision_id
from towpath.frontend.sync.revisions import Tree, generation
from towpath.frontend.sync.rules import Command
from towpath.frontend.sync.settings import SyncSettings
from towpath.frontend.sync.wakeups import Wakeups

CHUNK = 500  # ids of one IN list; SQLite's limit on parameters is far above

Check = Callable[..., Command | None]
AttachmentMap = dict[str, Attachment]
_attachment_map = msgspec.json.Decoder(AttachmentMap)


def mine(subject: str) -> str:
    """The name of a person's own database, ``/_my`` to them."""
    return f"_my/{subject}"


def chunks(items: Iterable[str]) -> list[list[str]]:
    rows = list(items)
    return [rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)]


@dataclass(slots=True)
class Stored:
    """A document's row, with its tree decoded only where somebody asks."""

    id: str
    seq: int
    deleted: bool
    leaves: list[str]
    encoded: str
    _tree: Tree | None = None

    @property
    def rev(self) -> str:
        """The winner's."""
        return self.leaves[0]

    @property
    def tree(self) -> Tree:
        if self._tree is None:
            self._tree = Tree.decode(self.encoded)
        return self._tree


@dataclass(slots=True)
class Outcome:
    """What became of one edit. ``written`` is False where the revision was there already."""

    id: str
    rev: str | None
    error: CouchError | None = None
    written: bool = False
    command: Command | None = None


@dataclass(slots=True)
class _Batch:
    """What a transaction is about to write."""

    trees: dict[str, Tree] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    maps: dict[tuple[str, str], AttachmentMap] = field(default_factory=dict)


class Store:
    """The documents of all databases."""

    def __init__(self, engine: AsyncEngine, settings: SyncSettings, wakeups: Wakeups) -> None:
        self.engine = engine
        self.settings = settings
        self.wakeups = wakeups

    @asynccontextmanager
    async def writing(self, *databases: str) -> AsyncIterator[AsyncConnection]:
        """A transaction that holds the rows of ``databases``; their readers are woken after its commit.

        It begins with a write to those rows: PostgreSQL lines up the writers of one database by it, so that
        its sequence becomes visible in order. On SQLite there is one writer anyway.
        """
        async with self.engine.begin() as connection:
            statement = upsert(connection, tables.databases)
            statement = statement.on_conflict_do_update(
                index_elements=["name"], set_={"seq": tables.databases.c.seq}
            )
            for name in sorted(databases):
                await connection.execute(statement, {"name": name, "seq": 0, "profile": None})
            yield connection
        for name in databases:
            self.wakeups.wake(name)

    # reading

    async def load(self, connection: AsyncConnection, database: str, ids: Iterable[str]) -> dict[str, Stored]:
        """The documents there are among ``ids``, deleted ones too."""
        table = tables.documents
        found: dict[str, Stored] = {}
        for chunk in chunks(dict.fromkeys(ids)):
            rows = await connection.execute(
                select(table.c.id, table.c.seq, table.c.deleted, table.c.leaves, table.c.tree).where(
                    table.c.database == database, table.c.id.in_(chunk)
                )
            )
            for id_, seq, deleted, leaves, tree in rows:
                found[id_] = Stored(id_, seq, deleted, leaves.split(" "), tree)
        return found

    async def bodies(
        self, connection: AsyncConnection, database: str, wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[bytes, AttachmentMap]]:
        """Bodies and attachments by (id, rev), of the revisions that are not compacted away."""
        table = tables.revisions
        pairs = set(wanted)
        found: dict[tuple[str, str], tuple[bytes, AttachmentMap]] = {}
        for chunk in chunks({id_ for id_, _ in pairs}):
            # By id alone: compaction keeps revisions few, and a list of pairs is no use to SQLite's planner.
            rows = await connection.execute(
                select(table.c.id, table.c.rev, table.c.body, table.c.attachments).where(
                    table.c.database == database, table.c.id.in_(chunk)
                )
            )
            for id_, rev, body, names in rows:
                if (id_, rev) in pairs:
                    found[id_, rev] = (body, _attachment_map.decode(names) if names else {})
        return found

    async def contents(
        self, connection: AsyncConnection, database: str, digests: Iterable[str]
    ) -> dict[str, bytes]:
        """Attachments' bytes by digest."""
        table = tables.attachments
        found: dict[str, bytes] = {}
        for chunk in chunks(dict.fromkeys(digests)):
            rows = await connection.execute(
                select(table.c.digest, table.c.content).where(
                    table.c.database == database, table.c.digest.in_(chunk)
                )
            )
            found.update((digest, content) for digest, content in rows)
        return found

    @staticmethod
    async def sequences(connection: AsyncConnection, database: str, ids: Sequence[str]) -> dict[str, int]:
        """The sequence of each document's newest change."""
        table = tables.documents
        found: dict[str, int] = {}
        for chunk in chunks(ids):
            rows = await connection.execute(
                select(table.c.id, table.c.seq).where(table.c.database == database, table.c.id.in_(chunk))
            )
            found.update((id_, seq) for id_, seq in rows)
        return found

    # writing

    async def write(
        self,
        connection: AsyncConnection,
        database: str,
        edits: Sequence[Edit],
        *,
        check: Check | None = None,
        keep_old: bool = True,
    ) -> list[Outcome]:
        """Write ``edits`` inside a transaction of :meth:`writing`; one refused edit leaves the others be.

        An edit with a ``history`` is a replicated revision (``new_edits: false``); the others make a new one
        on their ``rev``. ``check`` decides what may be written and raises CouchError.
        """
        stored = await self.load(connection, database, (edit.id for edit in edits))
        batch = _Batch({id_: document.tree for id_, document in stored.items()})
        await self._known_attachments(connection, database, edits, batch)
        outcomes: list[Outcome] = []
        for edit in edits:
            outcome = Outcome(edit.id, edit.history[0] if edit.history else edit.rev)
            try:
                self._apply(edit, outcome, batch, check)
            except CouchError as error:
                outcome.error = error
            outcomes.append(outcome)
        await self._save(connection, database, batch, stored)
        if not keep_old:
            await self._forget(connection, database, batch)
        return outcomes

    def _apply(self, edit: Edit, outcome: Outcome, batch: _Batch, check: Check | None) -> None:
        tree = batch.trees.get(edit.id)
        if edit.history and tree is not None and edit.history[0] in tree:
            return  # sent again: nothing to do, and nothing to refuse
        if check is not None:
            outcome.command = check(edit, exists=tree is not None)
        parent = edit.history[1] if len(edit.history) > 1 else None
        if not edit.history:
            parent = _parent(edit, tree)
        names = self._attach(edit, parent, tree, batch)
        body = encode_body(edit, self.settings)
        history = edit.history
        if not history:
            digests = [(name, a.content_type, _md5(a.digest)) for name, a in names.items()]
            rev = revision_id(parent=parent, deleted=edit.deleted, body=edit.body, attachments=digests)
            history = [rev, *(tree.history(parent) if tree is not None and parent else ())]
            if tree is not None and rev in tree:
                raise conflict()  # the same edit again, on a revision that has grown on since
        for attachment in names.values():
            attachment.revpos = attachment.revpos or generation(history[0])
        tree = batch.trees.setdefault(edit.id, Tree())
        tree.merge(history, deleted=edit.deleted)
        tree.stem(self.settings.revs_limit)
        batch.touched[edit.id] = None
        batch.maps[edit.id, history[0]] = names
        batch.revisions.append(
            {
                "id": edit.id,
                "rev": history[0],
                "body": body,
                "attachments": msgspec.json.encode(names).decode() if names else None,
            }
        )
        outcome.rev = history[0]
        outcome.written = True

    def _attach(self, edit: Edit, parent: str | None, tree: Tree | None, batch: _Batch) -> AttachmentMap:
        names: AttachmentMap = {}
        for name, upload in edit.uploads.items():
            if upload.content is not None:
                digest = digest_of(upload.content)
                batch.contents[digest] = upload.content
                names[name] = Attachment(
                    content_type=upload.content_type, digest=digest, length=len(upload.content)
                )
                continue
            known = self._stubbed(edit, name, upload, parent, tree, batch)
            if known is None:
                raise CouchError(412, "missing_stub", f"Invalid attachment stub in {edit.id} for {name}")
            names[name] = msgspec.structs.replace(known)
        return names

    def _stubbed(
        self, edit: Edit, name: str, upload: Upload, parent: str | None, tree: Tree | None, batch: _Batch
    ) -> Attachment | None:
        """The attachment that a stub means: the parent's of that name, else any with that digest."""
        if tree is None:
            return None
        line = list(tree.history(parent)) if parent and parent in tree else []
        for rev in [*line, *tree.nodes]:
            names = batch.maps.get((edit.id, rev), {})
            known = names.get(name)
            if known is not None and upload.digest in (None, known.digest):
                return known
        return None

    async def _known_attachments(
        self, connection: AsyncConnection, database: str, edits: Sequence[Edit], batch: _Batch
    ) -> None:
        table = tables.revisions
        stubs = {e.id for e in edits if any(u.content is None for u in e.uploads.values())}
        for chunk in chunks(stubs):
            rows = await connection.execute(
                select(table.c.id, table.c.rev, table.c.attachments).where(
                    table.c.database == database,
                    table.c.id.in_(chunk),
                    table.c.attachments.is_not(None),
                )
            )
            for id_, rev, names in rows:
                batch.maps[id_, rev] = _attachment_map.decode(names)

    async def _save(
        self, connection: AsyncConnection, database: str, batch: _Batch, stored: dict[str, Stored]
    ) -> None:
        if not batch.touched:
            return
        table = tables.databases
        last = await connection.scalar(
            update(table)
            .where(table.c.name == database)
            .values(seq=table.c.seq + len(batch.touched))
            .returning(table.c.seq)
        )
        first = int(last or 0) - len(batch.touched) + 1
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for seq, id_ in enumerate(batch.touched, first):
            tree = batch.trees[id_]
            leaves = tree.leaves()
            (changed if id_ in stored else new).append(
                {
                    "database": database,
                    "id": id_,
                    "seq": seq,
                    "deleted": tree.deleted(leaves[0]),
                    "leaves": " ".join(leaves),
                    "tree": tree.encode(),
                }
            )
        if new:
            await connection.execute(insert(tables.documents), new)
        if changed:
            statement = upsert(connection, tables.documents)
            columns = ("seq", "deleted", "leaves", "tree")
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["database", "id"], set_={c: statement.excluded[c] for c in columns}
                ),
                changed,
            )
        await connection.execute(
            insert(tables.revisions), [{"database": database, **row} for row in batch.revisions]
        )
        if batch.contents:
            await connection.execute(
                upsert(connection, tables.attachments).on_conflict_do_nothing(),
                [
                    {"database": database, "digest": digest, "content": content}
                    for digest, content in batch.contents.items()
                ],
            )

    async def _forget(self, connection: AsyncConnection, database: str, batch: _Batch) -> None:
        """Drop the bodies that the written revisions replaced: nobody merges what the service writes."""
        table = tables.revisions
        for id_ in batch.touched:
            await connection.execute(
                delete(table).where(
                    table.c.database == database,
                    table.c.id == id_,
                    table.c.rev.not_in(batch.trees[id_].leaves()),
                )
            )

    async def compact(self, database: str) -> None:
        """Drop the bodies of revisions that are no leaves, and attachments that no revision holds."""
        async with self.writing(database) as connection:
            rows = await connection.execute(
                select(tables.documents.c.id, tables.documents.c.leaves).where(
                    tables.documents.c.database == database
                )
            )
            leaves = {id_: set(text.split(" ")) for id_, text in rows}
            table = tables.revisions
            kept: set[str] = set()
            held = await connection.execute(
                select(table.c.id, table.c.rev, table.c.attachments).where(table.c.database == database)
            )
            for id_, rev, names in held.all():
                if rev in leaves.get(id_, ()):
                    kept.update(a.digest for a in (_attachment_map.decode(names) if names else {}).values())
                else:
                    await connection.execute(
                        delete(table).where(
                            table.c.database == database, table.c.id == id_, table.c.rev == rev
                        )
                    )
            content = tables.attachments
            found = await connection.execute(select(content.c.digest).where(content.c.database == database))
            for (digest,) in found.all():
                if digest not in kept:
                    await connection.execute(
                        delete(content).where(content.c.database == database, content.c.digest == digest)
                    )


def _parent(edit: Edit, tree: Tree | None) -> str | None:
    """The revision that a new edit grows from. Raises CouchError 409."""
    if tree is None:
        if edit.rev is not None:
            raise conflict()
        return None
    winner = tree.leaves()[0]
    if edit.rev is None:
        if not tree.deleted(winner):
            raise conflict()
        return winner  # a deleted document is made anew on top of its deletion
    if not tree.is_leaf(edit.rev):
        raise conflict()
    return edit.rev


def _md5(digest: str) -> bytes:
    return base64.b64decode(digest.removeprefix("md5-"))
