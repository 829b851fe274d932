"""Deliveries: each address of a notification is tried until it arrives or cannot; every attempt is kept."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from towpath.frontend.notify import tables
from towpath.frontend.notify.email import EmailSender
from towpath.frontend.notify.notifications import shown
from towpath.frontend.notify.outcomes import Expired, Failed, Later
from towpath.frontend.notify.preferences import allowed
from towpath.frontend.notify.push import PushSender
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.times import now_iso, now_ms
from towpath.frontend.upstream import Refused, Unreachable, Upstream, segment

IDLE = 15.0  # seconds after which a replica looks for what another one left
log = structlog.get_logger()


class Deliverer:
    """Sends what is due."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: NotifySettings,
        *,
        email: EmailSender | None,
        push: PushSender,
        sync: Upstream | None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._email = email
        self._push = push
        self._sync = sync
        self._bell = asyncio.Event()

    def wake(self) -> None:
        """There is something to send, and it is committed."""
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled; what was being sent then is sent again later."""
        if self._engine.dialect.name == "sqlite":
            await self._release()
        while True:
            taken, wait = await self._due()
            await asyncio.gather(*(self._deliver(row) for row in taken))
            if taken:
                continue
            try:
                await asyncio.wait_for(self._bell.wait(), min(wait, IDLE))
            except TimeoutError:
                continue
            finally:
                self._bell.clear()

    async def _release(self) -> None:
        """On SQLite we are the only process: what was taken when we ended is due at once."""
        table = tables.deliveries
        async with self._engine.begin() as connection:
            await connection.execute(update(table).where(table.c.state == "pending").values(due=now_ms()))

    async def _due(self) -> tuple[list[dict[str, Any]], float]:
        table = tables.deliveries
        lease = int(self._settings.request_timeout * 4000)
        now = now_ms()
        async with self._engine.begin() as connection:
            due = (
                select(table.c.id)
                .where(table.c.state == "pending", table.c.due <= now)
                .order_by(table.c.due)
                .limit(self._settings.concurrency)
            )
            rows = await connection.execute(
                update(table)
                .where(table.c.id.in_(due), table.c.state == "pending", table.c.due <= now)
                .values(due=now + lease, attempts=table.c.attempts + 1)
                .returning(table)
            )
            taken = [dict(row) for row in rows.mappings()]
            following = await connection.scalar(
                select(func.min(table.c.due)).where(table.c.state == "pending")
            )
        return taken, max((following or now + 60_000) - now, 0) / 1000

    async def _deliver(self, delivery: dict[str, Any]) -> None:
        state, wait = "delivered", 0.0
        try:
            detail = await self._send(delivery)
        except Later as error:
            state, detail, wait = "pending", str(error), self._backoff(delivery["attempts"], error.after)
        except (Expired, Failed) as error:
            state, detail = ("expired" if isinstance(error, Expired) else "failed"), str(error)
        except Exception as error:  # a fault of ours in one delivery must not stop the others
            log.exception("delivery failed", delivery=delivery["id"])
            state, detail = "pending", f"{type(error).__name__}: {error}"
            wait = self._backoff(delivery["attempts"], None)
        else:
            if not detail:
                state, detail = "suppressed", "The person wants no such messages on this channel."
        # The mirror must arrive for the person's devices to agree; letters and pushes lose their worth.
        last = delivery["channel"] != "sync" and delivery["attempts"] >= self._settings.max_attempts
        if state == "pending" and last:
            state = "failed"
        if state != "delivered":
            log.info("not delivered", channel=delivery["channel"], state=state, reason=detail)
        await self._record(delivery, state, detail, wait)

    def _backoff(self, attempts: int, after: float | None) -> float:
        wait = min(self._settings.retry_initial * 2 ** min(attempts - 1, 20), self._settings.retry_max)
        return float(max(wait * random.uniform(0.8, 1.2), after or 0.0))  # noqa: S311 - no secret

    async def _record(self, delivery: dict[str, Any], state: str, detail: str, wait: float) -> None:
        table = tables.deliveries
        async with self._engine.begin() as connection:
            # A newer version asked to be sent anew while this one was under way: it stays due.
            await connection.execute(
                update(table)
                .where(table.c.id == delivery["id"], table.c.version == delivery["version"])
                .values(state=state, due=now_ms() + int(wait * 1000))
            )
            number = await connection.scalar(
                select(func.coalesce(func.max(tables.attempts.c.number), 0)).where(
                    tables.attempts.c.delivery == delivery["id"]
                )
            )
            await connection.execute(
                insert(tables.attempts).values(
                    delivery=delivery["id"],
                    number=int(number or 0) + 1,
                    at=now_iso(),
                    outcome="retried" if state == "pending" else state,
                    detail=detail[:1000],
                )
            )

    async def _send(self, delivery: dict[str, Any]) -> str:
        """What the other side said; "" where the person does not want it. Raises Later, Expired, Failed."""
        table = tables.notifications
        channel, subject = str(delivery["channel"]), str(delivery["subject"])
        async with self._engine.connect() as connection:
            found = await connection.execute(select(table).where(table.c.id == delivery["notification"]))
            row = found.mappings().one()
            read = await connection.scalar(
                select(tables.reads.c.at).where(
                    tables.reads.c.notification == row["id"], tables.reads.c.subject == subject
                )
            )
            if channel != "sync" and not await allowed(connection, subject, row["category"], channel):
                return ""
        note = shown(row)
        match channel:
            case "email":
                if self._email is None:
                    raise Failed("No mail server is configured (notify.smtp).")
                return await self._email.send(str(delivery["address"]), note)
            case "push":
                return await self._push.send(subject, str(delivery["address"]), note)
            case _:
                return await self._mirror(subject, note, read=read is not None)

    async def _mirror(self, subject: str, note: dict[str, Any], *, read: bool) -> str:
        """Put it into the person's database, so that it is there offline."""
        if self._sync is None:
            raise Failed("There is no sync service.")
        path = f"/_state/{segment(subject)}/{segment('notification:' + note['id'])}"
        document = {"type": "notification", **note, "read": read}
        try:
            await self._sync.call("PUT", path, None, json=document)
        except Unreachable as error:
            raise Later(str(error), error.retry_after) from None
        except Refused as error:
            raise Failed(f"sync refused it: {error}") from None
        return "sync has it."

    async def of_notification(self, id_: str) -> list[dict[str, Any]]:
        """The deliveries of a notification with every attempt, for operators."""
        table, attempt = tables.deliveries, tables.attempts
        async with self._engine.connect() as connection:
            rows = (
                (await connection.execute(select(table).where(table.c.notification == id_))).mappings().all()
            )
            tried = (
                (
                    await connection.execute(
                        select(attempt)
                        .where(attempt.c.delivery.in_([row["id"] for row in rows]))
                        .order_by(attempt.c.number)
                    )
                )
                .mappings()
                .all()
            )
        return [
            {
                "channel": row["channel"],
                "state": row["state"],
                "attempts": [
                    {name: a[name] for name in ("number", "at", "outcome", "detail")}
                    for a in tried
                    if a["delivery"] == row["id"]
                ],
            }
            for row in rows
        ]
