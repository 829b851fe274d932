"""A real Envoy before a real upstream, with tokens of the local issuer."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from towpath.gateway import Gateway, GatewayRoute, GatewaySettings, IssuerRef
from towpath.http import listen, serving
from towpath.identity import AccountSettings, ClientSettings, IssuerSettings
from towpath.identity.issuer import create_issuer
from towpath.identity.settings import demo_accounts, demo_clients

ROUTES = [
    GatewayRoute("/", redirect="/app/", public=True),
    GatewayRoute("/open", "echo", public=True),
    GatewayRoute("/links", "echo", public=True, private=True),
    GatewayRoute("/claims", "echo", max_body=200_000),
    GatewayRoute("/claims", "echo", pattern="/claims/[^/]+/events", stream=True),
    GatewayRoute("/stripped", "echo", rewrite="/"),
    GatewayRoute("/moved", "echo", rewrite="/elsewhere"),
    GatewayRoute("/operators", "echo", roles=("operator", "adjuster")),
    GatewayRoute("/stream", "echo", public=True, stream=True),
    GatewayRoute("/gone", "gone", public=True),
]


class Upstream:
    """A service that tells what reached it."""

    def __init__(self) -> None:
        self.url = ""
        self.gate = asyncio.Event()
        self.bodies: list[int] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/stream/events", self.events)
        app.router.add_get("/claims/{id}/events", self.events)
        app.router.add_get("/stream/socket", self.socket)
        app.router.add_get("/open/text", self.text)
        app.router.add_route("*", "/{path:.*}", self.echo)
        return app

    async def echo(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(len(body))
        return web.json_response(
            {
                "path": request.path_qs,
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "size": len(body),
            },
            headers={"Server": "secret/1.0", "X-Powered-By": "secret"},
        )

    async def text(self, _: web.Request) -> web.Response:
        return web.Response(text="word " * 1000)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """One event at once, the next when the test opens the gate."""
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"data: first\n\n")
        await self.gate.wait()
        await answer.write(b"data: second\n\n")
        return answer

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"echo {message.data}")
        return socket


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Bench:
    """What a test has: issuer, upstream, and gateways made before them."""

    def __init__(self, issuer: str, upstream: Upstream, http: aiohttp.ClientSession, state: Path) -> None:
        self.issuer = issuer
        self.upstream = upstream
        self.http = http
        self.state = state

    def gateway(self, settings: GatewaySettings | None = None, **changes: Any) -> Gateway:
        arguments: dict[str, Any] = {
            "state": self.state / "gateway",
            "host": "127.0.0.1",
            "port": 0,
            "admin_port": 0,
            "issuer": IssuerRef(issuer=self.issuer, jwks=f"{self.issuer}/jwks", audience="towpath"),
            "upstreams": {"echo": self.upstream.url, "gone": f"http://127.0.0.1:{free_port()}"},
            "routes": ROUTES,
        }
        return Gateway(settings or GatewaySettings(), **(arguments | changes))

    async def token(self, user: str = "ada", client: str = "towpath-web") -> str:
        form = {"grant_type": "password", "client_id": client, "username": user, "password": user}
        async with self.http.post(f"{self.issuer}/token", data=form) as answer:
            token: str = (await answer.json())["access_token"]
            return token

    async def bearer(self, user: str = "ada", client: str = "towpath-web") -> dict[str, str]:
        return {"Authorization": f"Bearer {await self.token(user, client)}"}

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until ``holds`` (which may be awaited) is true."""
        async with asyncio.timeout(20):
            while True:
                found = holds()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.02)

    async def status(self, url: str, **options: Any) -> int:
        async with self.http.get(url, **options) as answer:
            return answer.status

    async def keys_are_there(self, gateway: Gateway) -> None:
        """Envoy fetches the issuer's keys beside its start."""
        headers = await self.bearer()

        async def good() -> bool:
            return await self.status(f"{gateway.url}/claims", headers=headers) == 200

        await self.until(good)


@asynccontextmanager
async def upstream_served() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    runner = web.AppRunner(upstream.app(), handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield upstream
    finally:
        await runner.cleanup()


@asynccontextmanager
async def issuer_served(state: Path, *, audience: str = "towpath", port: int = 0) -> AsyncIterator[str]:
    settings = IssuerSettings(
        audience=audience,
        accounts=[
            *demo_accounts(),
            AccountSettings(username="tiny", password="tiny", roles=["customer"], plan="tiny"),
            AccountSettings(username="odd", password="odd", roles=["customer"], plan="unheard-of"),
        ],
        clients=[*demo_clients(), ClientSettings(client_id="late", token_lifetime=-3600)],
    )
    sock = listen("127.0.0.1", port)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with serving(create_issuer(settings, url=url, state=state), sock):
        yield url


Setting = Callable[[], AbstractAsyncContextManager[Bench]]


@asynccontextmanager
async def bench_in(state: Path) -> AsyncIterator[Bench]:
    async with (
        issuer_served(state / "identity") as issuer,
        upstream_served() as upstream,
        aiohttp.ClientSession() as http,
    ):
        yield Bench(issuer, upstream, http, state)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as made:
        yield made
