"""The front-end services with the real process server, facade and issuer, each served on loopback."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from towpath import facade
from towpath.facade import FacadeSettings, ResourceSettings
from towpath.frontend import notify, sync
from towpath.frontend.notify import NotifySettings
from towpath.frontend.sync import SyncSettings
from towpath.http import listen, serving
from towpath.identity import ClientCredentials, IssuerSettings, OidcVerifier
from towpath.identity.issuer import create_issuer, service_secret
from towpath.process import ProcessServer, ProcessSettings, open_server
from towpath.storage.database import sqlite_url
from towpath.storage.documents import DocumentStore
from towpath.wire import Resource

HERE = Path(__file__).parent
REPORTS = ResourceSettings(
    process="report",
    title="Reports",
    singular="Report",
    id_prefix="R",
    expose=["text"],
    cancel_roles=["operator"],
)


def vapid_pem() -> str:
    """A fresh P-256 private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Stack:
    """The running services' addresses, and calls to them."""

    process: ProcessServer
    issuer: str
    http: aiohttp.ClientSession
    urls: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, user: str) -> str:
        if user not in self.tokens:
            form = {"grant_type": "password", "client_id": "towpath-web", "username": user, "password": user}
            async with self.http.post(f"{self.issuer}/token", data=form) as answer:
                self.tokens[user] = (await answer.json())["access_token"]
        return self.tokens[user]

    async def call(
        self, service: str, method: str, path: str, user: str | None = "ada", **more: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {await self.token(user)}"} if user else {}
        async with self.http.request(method, self.urls[service] + path, headers=headers, **more) as answer:
            return answer.status, await answer.json(content_type=None)

    async def document(self, id_: str, user: str = "ada", **wanted: Any) -> dict[str, Any]:
        """A document of the user's database once it holds ``wanted``; the changes feed tells when."""
        since = 0
        while True:
            status, found = await self.call("sync", "GET", f"/_my/{id_}", user)
            if status == 200 and found | wanted == found:
                return dict(found)
            path = f"/_my/_changes?feed=longpoll&since={since}"
            _, changes = await self.call("sync", "GET", path, user)
            since = changes["last_seq"]

    async def documents(self, prefix: str, count: int, user: str = "ada") -> list[dict[str, Any]]:
        """The documents whose ids begin with ``prefix``, once there are ``count``."""
        since = 0
        while True:
            query = f'include_docs=true&startkey="{prefix}"&endkey="{prefix}~"'
            _, found = await self.call("sync", "GET", f"/_my/_all_docs?{query}", user)
            if len(found["rows"]) >= count:
                return [row["doc"] for row in found["rows"]]
            _, changes = await self.call("sync", "GET", f"/_my/_changes?feed=longpoll&since={since}", user)
            since = changes["last_seq"]


@asynccontextmanager
async def base(folder: Path) -> AsyncIterator[tuple[Stack, OidcVerifier, ClientCredentials]]:
    """Issuer, process server with the model report.bpmn, facade and sync."""
    async with AsyncExitStack() as stack:
        sock = listen("127.0.0.1", 0)
        issuer = f"http://127.0.0.1:{sock.getsockname()[1]}"
        app = create_issuer(IssuerSettings(), url=issuer, state=folder / "identity", origins=[])
        await stack.enter_async_context(serving(app, sock))
        secret = service_secret(folder / "identity")
        tokens = await stack.enter_async_context(ClientCredentials(issuer, "towpath-services", secret))
        verifier = await stack.enter_async_context(OidcVerifier(issuer))
        (folder / "process").mkdir(exist_ok=True)
        documents = DocumentStore.open(str(folder / "documents"))
        process = await stack.enter_async_context(
            open_server(ProcessSettings(), state=folder / "process", documents=documents)
        )
        await process.deploy([Resource(name="report.bpmn", content=(HERE / "report.bpmn").read_bytes())])
        http = await stack.enter_async_context(aiohttp.ClientSession())
        found = Stack(process, issuer, http)
        sock = listen("127.0.0.1", 0)
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        app = facade.create_app(
            FacadeSettings(resources={"reports": REPORTS}),
            process=process,
            verifier=verifier,
            public_url=address,
            link_secret="a secret that is long enough for links",
        )
        found.urls["facade"] = await stack.enter_async_context(serving(app, sock, grace=1.0))
        app = sync.create_app(
            SyncSettings(retry_initial=0.02, retry_max=0.2),
            database_url=sqlite_url(folder / "sync.db"),
            process=process,
            verifier=verifier,
            tokens=tokens,
            facade_url=found.urls["facade"],
            integration_url="http://127.0.0.1:1",
        )
        found.urls["sync"] = await stack.enter_async_context(serving(app, listen("127.0.0.1", 0), grace=1.0))
        yield found, verifier, tokens


@asynccontextmanager
async def notifying(
    stack: Stack,
    verifier: OidcVerifier,
    tokens: ClientCredentials,
    folder: Path,
    settings: NotifySettings,
    *,
    vapid: str,
) -> AsyncIterator[None]:
    """The notify service on top; one after another go on where the last one was."""
    app = notify.create_app(
        settings,
        database_url=sqlite_url(folder / "notify.db"),
        templates=folder / "notifications",
        process=stack.process,
        verifier=verifier,
        tokens=tokens,
        facade_url=stack.urls["facade"],
        sync_url=stack.urls["sync"],
        public_url=stack.urls["facade"],
        vapid_key=vapid,
    )
    async with serving(app, listen("127.0.0.1", 0), grace=1.0) as url:
        stack.urls["notify"] = url
        yield
