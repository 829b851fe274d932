"""The facade as an application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from litestar import Litestar

from towpath.client import ProcessClient
from towpath.facade.catalog import Catalog
from towpath.facade.context import Facade
from towpath.facade.documents import document_routes
from towpath.facade.events import event_routes
from towpath.facade.instances import instance_routes
from towpath.facade.links import link_routes
from towpath.facade.messages import message_routes
from towpath.facade.openapi import openapi_routes
from towpath.facade.operations import operation_routes
from towpath.facade.pages import documentation_routes
from towpath.facade.settings import FacadeSettings
from towpath.facade.tasks import task_routes
from towpath.http import create_service
from towpath.identity import TokenVerifier
from towpath.wire import ProcessError

FIRST_PAUSE = 0.2  # seconds between attempts to learn what is deployed; doubled up to
LONGEST_PAUSE = 5.0
ROOM = 1024 * 1024  # bytes of a multipart body beside its files

log = structlog.get_logger()


def create_app(
    settings: FacadeSettings,
    *,
    process: ProcessClient,
    verifier: TokenVerifier,
    public_url: str,
    link_secret: str,
) -> Litestar:
    """The facade. ``public_url`` is where callers reach it (the gateway); links are made with it.

    ``link_secret`` signs links and makes repeated starts find their instance: all replicas need the same,
    and it has to stay. Raises ValueError where it is shorter than 16 characters.
    """
    if len(link_secret) < 16:
        raise ValueError("link_secret: at least 16 characters, chosen at random")
    facade = Facade(settings, process, Catalog(process, settings), public_url, link_secret.encode())

    @asynccontextmanager
    async def acquaint(_: Litestar) -> AsyncIterator[None]:
        """Learn what is deployed as soon as the process server answers, so that readiness is true."""
        task = asyncio.create_task(_acquaint(facade.catalog))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    issuer = settings.issuer or getattr(verifier, "issuer", "")
    return create_service(
        "facade",
        [
            *instance_routes(facade),
            *message_routes(facade),
            *document_routes(facade),
            *event_routes(facade),
            *task_routes(facade),
            *operation_routes(facade),
            *link_routes(facade),
            *openapi_routes(facade, issuer=issuer),
            *documentation_routes("API", issuer=issuer, client_id=settings.client_id),
        ],
        verifier=verifier,
        lifespan=[acquaint],
        ready=lambda: facade.catalog.missing,
        max_body=settings.max_documents * settings.max_document_bytes + settings.max_json_bytes + ROOM,
    )


async def _acquaint(catalog: Catalog) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            await catalog.view()
        except ProcessError as error:
            log.info("waiting for the process server", reason=error.detail)
        # A process that is named and not deployed yet is looked for as well.
        if catalog.missing is None:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
