"""What the gateway costs a request: CPU of Envoy, plain and as we configure it, and the time it adds.

``python -m bench.gateway [--quick] [--json]``. The upstream is a program of its own that answers at once;
both gateways run on one worker and are measured in turns with the same load on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from towpath.gateway import Gateway, GatewayRoute, GatewaySettings, IssuerRef, PlanSettings, files, find_envoy
from towpath.gateway.admin import Admin
from towpath.gateway.envoy import Envoy
from towpath.http import listen, serving
from towpath.identity import IssuerSettings
from towpath.identity.issuer import create_issuer

CONNECTIONS = 16
BODY = b"ok"

UPSTREAM = f"""
import asyncio, uvloop
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: {len(BODY)}\\r\\n\\r\\n{BODY.decode()}"
class Answer(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.kept = transport, b""
    def data_received(self, data):
        self.kept += data
        while b"\\r\\n\\r\\n" in self.kept:
            _, _, self.kept = self.kept.partition(b"\\r\\n\\r\\n")
            self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
uvloop.run(main())
"""


@dataclass(frozen=True)
class Target:
    """Something to send requests to, and the process whose CPU is counted."""

    port: int
    path: str
    headers: str
    pid: int | None


class Caller(asyncio.Protocol):
    """One connection that sends its next request when it has the answer to the last."""

    def __init__(self, request: bytes, count: int, done: asyncio.Future[list[float]]) -> None:
        self.request, self.left, self.done = request, count, done
        self.kept, self.times, self.begun = b"", [], 0.0  # type: bytes, list[float], float

    def connection_made(self, transport: Any) -> None:  # uvloop's transports are none of asyncio's
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.kept += data
        if not self.kept.endswith(b"\r\n\r\n" + BODY):
            if b"\r\n\r\n" in self.kept and not self.kept.startswith(b"HTTP/1.1 200"):
                self.fail(RuntimeError(f"not 200: {self.kept[:200]!r}"))
            return
        self.times.append(time.perf_counter() - self.begun)
        self.kept = b""
        self.left -= 1
        if self.left > 0:
            self.ask()
        else:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(self.times)

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(error or RuntimeError("the connection was closed"))

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def load(target: Target, requests: int, connections: int) -> tuple[float, list[float]]:
    """CPU seconds of the target's process, and the seconds that each request took."""
    request = f"GET {target.path} HTTP/1.1\r\nHost: bench\r\n{target.headers}\r\n".encode()
    loop = asyncio.get_running_loop()
    process = psutil.Process(target.pid) if target.pid else None
    before = sum(process.cpu_times()[:2]) if process else 0.0
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[list[float]] = loop.create_future()
        await loop.create_connection(
            lambda done=done: Caller(request, requests // connections, done), "127.0.0.1", target.port
        )
        waiting.append(done)
    times = [t for part in await asyncio.gather(*waiting) for t in part]
    after = sum(process.cpu_times()[:2]) if process else 0.0
    return after - before, times


def plain_configuration(port: int, admin_port: int, upstream: int) -> dict[str, Any]:
    """The least Envoy that proxies."""

    def address(at: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": at}}

    endpoint = {"endpoint": {"address": address(upstream)}}
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "plain",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
                }
            ]
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": [{"address": address(port), "filter_chains": [{"filters": [network]}]}],
            "clusters": [
                {
                    "name": "upstream",
                    "type": "STATIC",
                    "load_assignment": {
                        "cluster_name": "upstream",
                        "endpoints": [{"lb_endpoints": [endpoint]}],
                    },
                }
            ],
        },
    }


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[int]:
    with subprocess.Popen([sys.executable, "-c", UPSTREAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(await asyncio.to_thread(process.stdout.readline))
        finally:
            process.terminate()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until ``holds``, 20 seconds at most."""
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def plain(folder: Path, upstream_port: int) -> AsyncIterator[Target]:
    ports = []
    for _ in range(2):
        with listen("127.0.0.1", 0) as sock:
            ports.append(sock.getsockname()[1])
    path = folder / "plain.json"
    files.write(path, plain_configuration(*ports, upstream_port))
    arguments = ["-c", str(path), "--concurrency", "1", "--log-level", "error"]
    envoy = Envoy(find_envoy(), arguments, lambda _: None)
    envoy.start()
    admin = Admin(f"http://127.0.0.1:{ports[1]}")
    try:
        await until(admin.ready)
        yield Target(ports[0], "/claims", "", envoy.pid)
    finally:
        await envoy.stop()
        await admin.close()


@contextlib.asynccontextmanager
async def full(folder: Path, upstream_port: int) -> AsyncIterator[Target]:
    """Our gateway: token checked, plan counted, JSON access log, security headers."""
    settings = GatewaySettings(plans={"standard": PlanSettings(requests=1_000_000_000)})
    sock = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    issuer = create_issuer(IssuerSettings(token_lifetime=3600), url=url, state=folder / "identity")
    async with serving(issuer, sock), aiohttp.ClientSession() as http:
        form = {"grant_type": "password", "client_id": "towpath-web", "username": "ada", "password": "ada"}
        async with http.post(f"{url}/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        async with Gateway(
            settings,
            state=folder / "gateway",
            host="127.0.0.1",
            port=0,
            admin_port=0,
            issuer=IssuerRef(issuer=url, jwks=f"{url}/jwks", audience="towpath"),
            upstreams={"facade": f"http://127.0.0.1:{upstream_port}"},
            routes=[GatewayRoute("/claims", "facade")],
        ) as gateway:
            headers = {"Authorization": f"Bearer {token}"}

            async def served() -> bool:
                async with http.get(f"{gateway.url}/claims", headers=headers) as answer:
                    return answer.status == 200

            await until(served)
            port = int(gateway.url.rpartition(":")[2])
            yield Target(port, "/claims", f"Authorization: Bearer {token}\r\n", gateway.pid)


async def measure(*, quick: bool, progress: Progress) -> list[dict[str, Any]]:
    """The rows of the table."""
    requests, rounds = (4_000, 3) if quick else (20_000, 7)
    single = requests // 8
    cpu: dict[str, list[float]] = {"plain": [], "full": []}
    p50: dict[str, list[float]] = {"direct": [], "plain": [], "full": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with upstream() as port, plain(folder, port) as first, full(folder, port) as second:
            targets = {"direct": Target(port, "/claims", "", None), "plain": first, "full": second}
            bar = progress.add_task("gateway", total=rounds * len(targets) + 2)
            for target in (first, second):  # connections, caches and code pages are warm before we count
                await load(target, requests // 4, CONNECTIONS)
                progress.advance(bar)
            for _ in range(rounds):
                for what, target in targets.items():
                    if what in cpu:
                        seconds, _ = await load(target, requests, CONNECTIONS)
                        cpu[what].append(seconds / requests * 1e6)
                    _, times = await load(target, single, 1)
                    p50[what].append(statistics.median(times) * 1e3)
                    progress.advance(bar)
    plain_cpu, full_cpu = (statistics.median(cpu[what]) for what in ("plain", "full"))
    direct, added_plain, added_full = (statistics.median(p50[what]) for what in ("direct", "plain", "full"))
    ratio, added = full_cpu / plain_cpu, added_full - direct
    return [
        row("CPU a request, Envoy plain", plain_cpu, "µs"),
        row("CPU a request, token + plan limit + JSON log", full_cpu, "µs"),
        row("  of that to plain", ratio, "x", "<= 1.6", ratio <= 1.6),
        row("p50 added at one connection, Envoy plain", added_plain - direct, "ms"),
        row("p50 added at one connection, full route", added, "ms", "< 0.3", added < 0.3),
    ]


def row(name: str, value: float, unit: str, goal: str = "", ok: bool | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "ok": ok}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="finish in a minute")
    arguments = parser.parse_args()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        rows = uvloop.run(measure(quick=arguments.quick, progress=progress))
    if arguments.json:
        print(json.dumps({"rows": rows}, ensure_ascii=False))
        return
    table = Table("", "value", "unit", "goal", "ok", title="Gateway")
    for entry in rows:
        verdict = {None: "", True: "yes", False: "no"}[entry["ok"]]
        table.add_row(entry["name"], f"{entry['value']:g}", entry["unit"], entry["goal"], verdict)
    Console().print(table)


if __name__ == "__main__":
    main()
