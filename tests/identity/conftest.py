"""A local issuer served on loopback, and a client of it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from towpath.http import listen, serving
from towpath.identity import ClientSettings, IssuerSettings
from towpath.identity.issuer import create_issuer
from towpath.identity.settings import demo_clients

GATEWAY = "http://127.0.0.1:8080"


class ServeIssuer(Protocol):
    def __call__(
        self, settings: IssuerSettings | None = None, *, port: int = 0
    ) -> AbstractAsyncContextManager[str]: ...


@pytest.fixture
def serve_issuer(tmp_path: Path) -> ServeIssuer:
    """Serves an issuer whose state outlives it; gives its URL."""

    @asynccontextmanager
    async def serve(settings: IssuerSettings | None = None, *, port: int = 0) -> AsyncIterator[str]:
        sock = listen("127.0.0.1", port)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        app = create_issuer(
            settings or IssuerSettings(), url=url, state=tmp_path / "identity", origins=[GATEWAY]
        )
        async with serving(app, sock):
            yield url

    return serve


@pytest.fixture
async def issuer(serve_issuer: ServeIssuer) -> AsyncIterator[str]:
    settings = IssuerSettings(
        clients=[*demo_clients(), ClientSettings(client_id="late", token_lifetime=-3600)], refresh_reuse=0
    )
    async with serve_issuer(settings) as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def password_token(http: aiohttp.ClientSession, issuer: str, user: str, **more: str) -> dict[str, Any]:
    """The token response for a demo account."""
    form = {"grant_type": "password", "client_id": "towpath-web", "username": user, "password": user} | more
    async with http.post(f"{issuer}/token", data=form) as answer:
        document: dict[str, Any] = await answer.json()
        return document
