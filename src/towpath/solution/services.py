"""How each service of a solution is made from its settings and from where its neighbours are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from litestar import Litestar

from towpath import console, facade, integration, process
from towpath.client import ProcessClient, WorkerPool
from towpath.frontend import notify, sync
from towpath.gateway import Gateway, GatewayRoute, IssuerRef, blueprint_routes
from towpath.identity import ClientCredentials, OidcVerifier, TokenSource, TokenVerifier
from towpath.identity.discovery import IssuerClient
from towpath.identity.issuer import create_issuer
from towpath.process import ProcessServer
from towpath.solution.secrets import Secrets
from towpath.solution.settings import Settings
from towpath.solution.solution import Solution
from towpath.storage.database import sqlite_url
from towpath.storage.documents import DocumentStore


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the services of one run have in common."""

    solution: Solution
    settings: Settings  # with the run's own ports
    state: Path
    secrets: Secrets
    urls: dict[str, str]  # service -> base URL at which the others reach it
    public_url: str  # where the outside world finds the gateway
    verifier: TokenVerifier
    tokens: TokenSource

    @property
    def issuer_url(self) -> str:
        """The ``iss`` of tokens."""
        identity = self.settings.identity
        return self.urls["identity"] if identity.is_local else identity.issuer

    def database(self, service: str) -> str:
        """The URL of the database of ``service``."""
        return sqlite_url(self.state / f"{service}.db")


def issuer(settings: Settings, *, url: str, public_url: str, state: Path) -> Litestar:
    """The local issuer. Raises ValueError for accounts or clients that cannot be used."""
    return create_issuer(
        settings.identity,
        url=url,
        state=state / "identity",
        origins=[public_url],
        host=settings.services.host,
    )


def verifier(settings: Settings, issuer_url: str) -> OidcVerifier:
    """What checks the tokens of the solution's issuer."""
    identity = settings.identity
    return OidcVerifier(issuer_url, audience=identity.audience, roles_claim=identity.roles_claim)


def tokens(settings: Settings, issuer_url: str, secret: str) -> ClientCredentials:
    """What gives our services their own tokens."""
    return ClientCredentials(issuer_url, settings.identity.service_client_id, secret)


@asynccontextmanager
async def process_server(context: Context) -> AsyncIterator[ProcessServer]:
    """The process server on its store, with the solution's models deployed."""
    where = context.settings.storage.documents or str(context.state / "documents")
    if "://" not in where:
        where = str(context.solution.root / where)
    documents = await asyncio.to_thread(DocumentStore.open, where)
    async with process.open_server(
        context.settings.process, state=context.state, documents=documents
    ) as server:
        if context.solution.resources:
            await server.deploy(context.solution.resources)
        yield server


@asynccontextmanager
async def workers(context: Context, client: ProcessClient) -> AsyncIterator[None]:
    """The solution's own job workers, at work while the block runs."""
    if not context.solution.workers:
        yield
        return
    pool = WorkerPool(client, context.solution.workers, name=context.solution.name)
    task = asyncio.create_task(pool.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _facade(context: Context, client: ProcessClient) -> Litestar:
    return facade.create_app(
        context.settings.facade,
        process=client,
        verifier=context.verifier,
        public_url=context.public_url,
        link_secret=context.secrets.link,
    )


def _sync(context: Context, client: ProcessClient) -> Litestar:
    return sync.create_app(
        context.settings.sync,
        database_url=context.database("sync"),
        process=client,
        verifier=context.verifier,
        tokens=context.tokens,
        facade_url=context.urls["facade"],
        integration_url=context.urls["integration"],
    )


def _notify(context: Context, client: ProcessClient) -> Litestar:
    return notify.create_app(
        context.settings.notify,
        database_url=context.database("notify"),
        templates=context.solution.root / "notifications",
        process=client,
        verifier=context.verifier,
        tokens=context.tokens,
        facade_url=context.urls["facade"],
        sync_url=context.urls["sync"],
        public_url=context.public_url,
        vapid_key=context.secrets.vapid_key,
    )


def _integration(context: Context, client: ProcessClient) -> Litestar:
    return integration.create_app(
        context.settings.integration,
        routes=context.solution.routes,
        database_url=context.database("integration"),
        process=client,
        verifier=context.verifier,
    )


def _console(context: Context, client: ProcessClient) -> Litestar:
    return console.create_app(
        context.settings.console,
        process=client,
        verifier=context.verifier,
        issuer=context.issuer_url,
        client_id=context.settings.identity.web_client_id,
        title=context.solution.title,
    )


APPS: dict[str, Callable[[Context, ProcessClient], Litestar]] = {
    "integration": _integration,
    "facade": _facade,
    "sync": _sync,
    "notify": _notify,
    "console": _console,
}
"""The services that reach the process server through its client, in the order in which they start."""


def gateway_routes(solution: Solution, settings: Settings) -> list[GatewayRoute]:
    """What the gateway lets through, and to whom."""
    data = [
        endpoint.path.partition("{")[0]
        for route in solution.routes
        for endpoint in route.http_endpoints
        if endpoint.users
    ]
    return blueprint_routes(settings.facade.resources, data=data, max_upload=settings.gateway.max_upload)


async def gateway(context: Context, *, host: str, port: int, admin_port: int) -> Gateway:
    """Envoy, configured for the solution. Raises TokenError where the issuer cannot be asked for its keys."""
    identity = context.settings.identity
    if identity.is_local:
        jwks = f"{context.issuer_url}/jwks"
    else:
        asked = IssuerClient(context.issuer_url)
        try:
            jwks = await asked.endpoint("jwks_uri")
        finally:
            await asked.close()
    return Gateway(
        context.settings.gateway,
        state=context.state / "gateway",
        host=host,
        port=port,
        admin_port=admin_port,
        issuer=IssuerRef(
            issuer=context.issuer_url,
            jwks=jwks,
            audience=identity.audience,
            roles_claim=identity.roles_claim,
        ),
        upstreams={
            name: context.urls[name] for name in ("facade", "sync", "notify", "integration", "console")
        },
        routes=gateway_routes(context.solution, context.settings),
    )
