"""Notifications: made once for each source and recipient, shown in the inbox, sent to every address."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from towpath.frontend.notify import tables
from towpath.frontend.notify.preferences import allowed
from towpath.frontend.sql import upsert
from towpath.frontend.times import now_iso, now_ms
from towpath.identity import Identity

NAMESPACE = uuid.UUID("5f0c1f1e-6a35-4a59-9f0b-7d0f5b1e52a4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What is to be told, and to whom: a ``subject``, or everybody of a ``role`` (in the inbox only)."""

    source: str
    category: str
    title: str
    body: str
    channels: Sequence[str]
    subject: str | None = None
    role: str | None = None
    email: str | None = None
    link: str | None = None
    resource: str | None = None
    target: str | None = None

    @property
    def recipient(self) -> str:
        return f"sub:{self.subject}" if self.subject is not None else f"role:{self.role}"

    @property
    def id(self) -> str:
        """The same for the same source and recipient, so that nothing is told twice."""
        return uuid.uuid5(NAMESPACE, f"{self.source}\n{self.recipient}").hex


async def tell(connection: AsyncConnection, note: Notification, *, mirror: bool) -> bool:
    """Make the notification and its deliveries; False where it had been made. ``mirror``: into sync too."""
    table = tables.notifications
    inbox = "inbox" in note.channels and (
        note.subject is None or await allowed(connection, note.subject, note.category, "inbox")
    )
    made = await connection.execute(
        upsert(connection, table).on_conflict_do_nothing(),
        {
            "id": note.id,
            "source": note.source,
            "recipient": note.recipient,
            "category": note.category,
            "title": note.title,
            "body": note.body,
            "link": note.link,
            "resource": note.resource,
            "target": note.target,
            "at": now_iso(),
            "inbox": inbox,
        },
    )
    if not made.rowcount:
        return False
    if note.subject is None:
        return True
    addresses: list[tuple[str, str]] = []
    if inbox and mirror:
        addresses.append(("sync", note.subject))
    if "email" in note.channels and note.email:
        addresses.append(("email", note.email))
    if "push" in note.channels:
        devices = await connection.scalars(
            select(tables.subscriptions.c.id).where(tables.subscriptions.c.subject == note.subject)
        )
        addresses += [("push", device) for device in devices]
    if addresses:
        await connection.execute(
            insert(tables.deliveries),
            [
                {
                    "id": uuid.uuid4().hex,
                    "notification": note.id,
                    "subject": note.subject,
                    "channel": channel,
                    "address": address,
                    "state": "pending",
                    "attempts": 0,
                    "due": now_ms(),
                    "version": 1,
                }
                for channel, address in addresses
            ],
        )
    return True


async def exists(engine: AsyncEngine, source: str) -> str | None:
    """The id of the notification that was made of ``source``."""
    table = tables.notifications
    async with engine.connect() as connection:
        found: str | None = await connection.scalar(select(table.c.id).where(table.c.source == source))
    return found


class Inbox:
    """The in-app inbox of whoever asks: theirs, and those of their roles."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @staticmethod
    def _theirs(identity: Identity) -> Any:
        recipients = [f"sub:{identity.subject}", *(f"role:{role}" for role in sorted(identity.roles))]
        table = tables.notifications
        return and_(table.c.inbox.is_(True), table.c.recipient.in_(recipients))

    async def list(
        self, identity: Identity, *, limit: int, after: str | None, unread: bool
    ) -> dict[str, Any]:
        """``{items, unread, next}``, the newest first; ``after`` is an earlier answer's ``next``."""
        table, read = tables.notifications, tables.reads
        joined = table.outerjoin(
            read, and_(read.c.notification == table.c.id, read.c.subject == identity.subject)
        )
        theirs = self._theirs(identity)
        query = select(table, read.c.subject.label("reader")).select_from(joined).where(theirs)
        if unread:
            query = query.where(read.c.subject.is_(None))
        if after is not None:
            at, _, id_ = after.partition("_")
            query = query.where(or_(table.c.at < at, and_(table.c.at == at, table.c.id < id_)))
        query = query.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit + 1)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
            count = await connection.scalar(
                select(func.count()).select_from(joined).where(theirs, read.c.subject.is_(None))
            )
        items = [shown(row) | {"read": row["reader"] is not None} for row in rows[:limit]]
        following = f"{rows[limit - 1]['at']}_{rows[limit - 1]['id']}" if len(rows) > limit else None
        return {"items": items, "unread": count or 0, "next": following}

    async def read(self, identity: Identity, id_: str | None) -> int:
        """Mark one as read, or all that are not (None); gives how many of theirs there were."""
        table, reads = tables.notifications, tables.reads
        query = select(table.c.id).where(self._theirs(identity))
        if id_ is not None:
            query = query.where(table.c.id == id_)
        else:
            known = select(reads.c.notification).where(reads.c.subject == identity.subject)
            query = query.where(table.c.id.not_in(known))
        async with self._engine.begin() as connection:
            found = list(await connection.scalars(query))
            if found:
                await connection.execute(
                    upsert(connection, reads).on_conflict_do_nothing(),
                    [{"notification": i, "subject": identity.subject, "at": now_iso()} for i in found],
                )
                # The person's devices learn of it: the mirrored document is sent again.
                await connection.execute(
                    update(tables.deliveries)
                    .where(
                        tables.deliveries.c.notification.in_(found),
                        tables.deliveries.c.channel == "sync",
                        tables.deliveries.c.subject == identity.subject,
                    )
                    .values(
                        state="pending",
                        attempts=0,
                        due=now_ms(),
                        version=tables.deliveries.c.version + 1,
                    )
                )
        return len(found)


def shown(row: Any) -> dict[str, Any]:
    """A notification as people's programs see it."""
    names = ("id", "category", "title", "body", "link", "resource", "target", "at")
    return {name: row[name] for name in names}
