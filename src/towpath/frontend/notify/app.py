"""The notify service: its routes, and what runs beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import structlog
from litestar import Litestar, Request, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncEngine

from towpath.client import ProcessClient, WorkerPool
from towpath.frontend.catalog import Catalog
from towpath.frontend.notify import tables
from towpath.frontend.notify.cases import Cases
from towpath.frontend.notify.deliveries import Deliverer
from towpath.frontend.notify.email import EmailSender
from towpath.frontend.notify.milestones import MilestoneReader
from towpath.frontend.notify.notifications import Inbox
from towpath.frontend.notify.preferences import Preferences, get_preferences, put_preferences
from towpath.frontend.notify.push import Devices, Endpoint, PushSender, Subscription, Vapid, push_session
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.notify.templates import load_templates
from towpath.frontend.notify.worker import NotifyWorker
from towpath.frontend.supervision import supervised
from towpath.frontend.upstream import Upstream
from towpath.http import Problem, caller, create_service, requires
from towpath.identity import TokenSource, TokenVerifier
from towpath.storage.database import database

MIGRATIONS = "towpath.frontend.notify.migrations"
MAX_BODY = 64 * 1024  # bytes
log = structlog.get_logger()

AnyRequest = Request[Any, Any, Any]


class _Service:
    """The parts, joined when the service starts."""

    engine: AsyncEngine
    inbox: Inbox
    devices: Devices
    deliverer: Deliverer
    reader: MilestoneReader | None = None
    pool: WorkerPool | None = None

    def missing(self) -> str | None:
        """Why the service is not ready."""
        if self.reader is None or self.pool is None:
            return "The database is not open."
        return self.reader.fault or self.pool.waiting


def create_app(
    settings: NotifySettings,
    *,
    database_url: str,
    templates: Path,
    process: ProcessClient,
    verifier: TokenVerifier,
    tokens: TokenSource,
    facade_url: str,
    sync_url: str | None,
    public_url: str,
    vapid_key: str,
) -> Litestar:
    """The notify service; what runs in the background ends with it.

    ``vapid_key``: PEM of a P-256 private key. Raises Faulty for templates that cannot be used and ValueError
    for a key that cannot.
    """
    known = load_templates(templates)
    vapid = Vapid(vapid_key)
    service = _Service()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with (
            database(database_url, MIGRATIONS, tables.metadata) as engine,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            push_session(settings) as pushing,
        ):
            timeout = settings.request_timeout
            facade = Upstream(session, facade_url, tokens, timeout=timeout)
            sync = Upstream(session, sync_url, tokens, timeout=timeout) if sync_url else None
            email: EmailSender | None = None
            if settings.smtp:
                email = EmailSender(settings.smtp, settings.sender, timeout, public_url)
            cases = Cases(process, Catalog(facade))
            push = PushSender(engine, settings, vapid, pushing)
            deliverer = Deliverer(engine, settings, email=email, push=push, sync=sync)
            mirror = sync is not None
            notifier = NotifyWorker(engine, settings, cases, known, deliverer, facade, mirror=mirror)
            service.pool = WorkerPool(process, [notifier.worker()], name="notify")
            service.reader = MilestoneReader(
                engine, settings, process, cases, known, deliverer, mirror=mirror
            )
            service.engine, service.deliverer = engine, deliverer
            service.inbox, service.devices = Inbox(engine), Devices(engine, settings)
            async with supervised(service.reader.run, service.pool.run, deliverer.run):
                yield

    @get("/inbox")
    async def inbox(
        request: AnyRequest,
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        after: FromQuery[str | None] = None,
        unread: FromQuery[bool] = False,
    ) -> dict[str, Any]:
        return await service.inbox.list(caller(request), limit=limit, after=after, unread=unread)

    @post("/inbox/{id:str}/read", status_code=200)
    async def read(request: AnyRequest, id: FromPath[str]) -> dict[str, Any]:
        if not await service.inbox.read(caller(request), id):
            raise Problem(404, f"There is no notification {id!r}.")
        service.deliverer.wake()
        return {"id": id, "read": True}

    @post("/inbox/read", status_code=200)
    async def read_all(request: AnyRequest) -> dict[str, Any]:
        count = await service.inbox.read(caller(request), None)
        service.deliverer.wake()
        return {"read": count}

    @get("/push/key", sync_to_thread=False)
    def push_key() -> dict[str, str]:
        return {"publicKey": vapid.public_key}

    @put("/push/subscriptions", status_code=204)
    async def subscribe(request: AnyRequest, data: JSONBody[Subscription]) -> None:
        await service.devices.put(caller(request).subject, data)

    @delete("/push/subscriptions", status_code=204)
    async def unsubscribe(request: AnyRequest, data: JSONBody[Endpoint]) -> None:
        await service.devices.forget(caller(request).subject, data.endpoint)

    @get("/preferences")
    async def preferences(request: AnyRequest) -> Preferences:
        return await get_preferences(service.engine, caller(request).subject)

    @put("/preferences")
    async def prefer(request: AnyRequest, data: JSONBody[Preferences]) -> Preferences:
        subject = caller(request).subject
        await put_preferences(service.engine, subject, data)
        return await get_preferences(service.engine, subject)

    @get("/notifications/{id:str}/deliveries", guards=[requires("operator", "service")])
    async def deliveries(id: FromPath[str]) -> dict[str, Any]:
        return {"items": await service.deliverer.of_notification(id)}

    return create_service(
        "notify",
        [
            inbox,
            read,
            read_all,
            push_key,
            subscribe,
            unsubscribe,
            preferences,
            prefer,
            deliveries,
        ],
        verifier=verifier,
        lifespan=[lifespan],
        ready=service.missing,
        max_body=MAX_BODY,
    )
