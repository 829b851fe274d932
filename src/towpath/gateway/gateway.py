"""The gateway while it runs: Envoy on rendered files, which are kept current."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from towpath.children import spawn
from towpath.gateway import files
from towpath.gateway.admin import POLL, Admin
from towpath.gateway.binary import find_envoy
from towpath.gateway.envoy import Envoy, EnvoyFailedError
from towpath.gateway.render import Configuration, Places
from towpath.gateway.routes import GatewayRoute, IssuerRef
from towpath.gateway.settings import GatewaySettings

log = structlog.get_logger()

START_TIMEOUT = 20.0  # seconds; Envoy is ready in a third of one on an idle machine
ROTATION_INTERVAL = 30.0  # seconds between looks at the size of the access log


def render(
    settings: GatewaySettings,
    *,
    state: Path,
    host: str,
    port: int,
    admin_port: int,
    issuer: IssuerRef,
    upstreams: Mapping[str, str],
    routes: Sequence[GatewayRoute],
) -> dict[str, Any]:
    """The whole configuration as one static document of Envoy. Raises Faulty."""
    return Configuration(
        settings,
        Places(state),
        host=host,
        port=port,
        admin_port=admin_port,
        issuer=issuer,
        upstreams=upstreams,
        routes=routes,
    ).merged()


class Gateway:
    """Runs Envoy while its block runs.

    ``state`` is a folder for its files alone. A port of 0 is a free one, known at once: see ``url`` and
    ``admin_url``. ``envoy`` is the binary; where it is None, ``find_envoy`` says which.

    Raises EnvoyMissingError, OSError for a port in use, Faulty for routes or settings that cannot be
    used; on entering also EnvoyFailedError.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        state: Path,
        host: str,
        port: int,
        admin_port: int,
        issuer: IssuerRef,
        upstreams: Mapping[str, str],
        routes: Sequence[GatewayRoute],
        envoy: str | None = None,
    ) -> None:
        self._settings = settings
        self._binary = find_envoy(envoy)
        self._places = Places(state.absolute())
        self._issuer = issuer
        self._host = host
        self._reserved = contextlib.ExitStack()
        with contextlib.ExitStack() as reserved:
            self._port = _reserve(reserved, host, port)
            self._admin_port = _reserve(reserved, "127.0.0.1", admin_port)
            self._upstreams, self._routes = dict(upstreams), list(routes)
            self._configuration = self._configure()
            self._reserved = reserved.pop_all()
        arguments = ["-c", str(self._places.bootstrap), "--concurrency", str(settings.workers)]
        self._envoy = Envoy(self._binary, [*arguments, "--log-level", settings.log_level], _print)
        self._admin: Admin | None = None
        self._rotation: asyncio.Task[None] | None = None
        self._updating = asyncio.Lock()

    @property
    def url(self) -> str:
        """The origin at which callers reach it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        scheme = "https" if self._settings.tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def admin_url(self) -> str:
        """Envoy's admin interface; ``/stats/prometheus`` has its statistics."""
        return f"http://127.0.0.1:{self._admin_port}"

    @property
    def access_log(self) -> Path:
        """The access log, where it goes to a file."""
        return self._places.log

    @property
    def pid(self) -> int | None:
        """Envoy's process id, while it runs."""
        return self._envoy.pid

    async def ready(self) -> bool:
        """Whether Envoy takes requests now."""
        return self._admin is not None and await self._admin.ready()

    def _configure(self) -> Configuration:
        return Configuration(
            self._settings,
            self._places,
            host=self._host,
            port=self._port,
            admin_port=self._admin_port,
            issuer=self._issuer,
            upstreams=self._upstreams,
            routes=self._routes,
        )

    async def check(self) -> None:
        """Have Envoy itself check the whole configuration, without serving. Raises EnvoyFailedError."""
        await check(self._binary, self._configuration, self._places)

    async def update(
        self,
        *,
        upstreams: Mapping[str, str] | None = None,
        routes: Sequence[GatewayRoute] | None = None,
    ) -> None:
        """Serve other routes or upstreams, and read the certificate again; no connection is closed.

        Returns when Envoy has taken it. Raises Faulty or EnvoyFailedError, and then goes on as it was.
        """
        async with self._updating:
            before = self._configuration, self._upstreams, self._routes
            try:
                self._upstreams = dict(self._upstreams if upstreams is None else upstreams)
                self._routes = list(self._routes if routes is None else routes)
                self._configuration = self._configure()
                await self.check()
                await self._hand_over(before[0])
            except BaseException:
                self._configuration, self._upstreams, self._routes = before
                raise

    async def _hand_over(self, before: Configuration) -> None:
        """Clusters that come first, then routes, then clusters that go: no route is without its cluster."""
        resources = self._configuration.resources()
        names = {cluster["name"] for cluster in resources["cds"]}
        leaving = [c for c in before.resources()["cds"] if c["name"] not in names]
        if "sds" in resources:
            await self._put("sds", resources["sds"])
        await self._put("cds", [*resources["cds"], *leaving])
        await self._put("rds", resources["rds"])
        if leaving:
            await self._put("cds", resources["cds"])

    async def _put(self, kind: str, resources: list[dict[str, Any]]) -> None:
        path, document = self._places.resources(kind), files.discovery(resources)
        rejected = await self._admin.rejected(kind) if self._admin else 0
        files.write(path, document)
        if self._admin is not None:
            await self._admin.taken(kind, document["version_info"], rejected=rejected)

    async def __aenter__(self) -> Self:
        try:
            self._places.state.mkdir(parents=True, exist_ok=True, mode=0o700)
            await self.check()
            for kind, resources in self._configuration.resources().items():
                files.write(self._places.resources(kind), files.discovery(resources))
            files.write(self._places.bootstrap, self._configuration.bootstrap())
            self._admin = Admin(self.admin_url)
            self._envoy.start()
            await self._until_ready(self._admin)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        if self._settings.access_log.to == "file":
            self._rotation = asyncio.create_task(self._rotate(self._admin))
        return self

    async def _until_ready(self, admin: Admin) -> None:
        end = time.monotonic() + START_TIMEOUT
        while not await admin.ready():
            if self._envoy.starts > 1 or time.monotonic() > end:
                raise EnvoyFailedError(f"Envoy did not start: {self._envoy.last_words or 'it said nothing'}")
            await asyncio.sleep(POLL)

    async def _rotate(self, admin: Admin) -> None:
        settings = self._settings.access_log
        while True:
            await asyncio.sleep(ROTATION_INTERVAL)
            try:
                if files.rotate(self._places.log, max_bytes=settings.max_bytes, keep=settings.keep):
                    await admin.reopen_logs()
            except Exception as error:
                log.warning("the access log could not be put aside", error=str(error))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rotation is not None:
            self._rotation.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rotation
        await self._envoy.stop()
        if self._admin is not None:
            await self._admin.close()
        self._reserved.close()

    def close(self) -> None:
        """Give the ports back where the gateway was made and never entered."""
        self._reserved.close()


async def check(binary: Path, configuration: Configuration, places: Places) -> None:
    """Have Envoy check a configuration as one static file. Raises EnvoyFailedError with its reason."""
    path = places.merged
    files.write(path, configuration.merged())
    try:
        command = [
            str(binary),
            "--mode",
            "validate",
            "-c",
            str(path),
            "--log-level",
            "error",
            "--log-format",
            "%v",
        ]
        process = await spawn(command, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
    finally:
        path.unlink(missing_ok=True)  # it holds the certificate's key
    if process.returncode != 0:
        # What it says before its reason are failed fetches of keys: a check has no network.
        lines = [line for line in said.decode(errors="replace").splitlines() if "fetch" not in line]
        raise EnvoyFailedError(f"Envoy does not accept the configuration: {' '.join(lines).strip()}")


def _reserve(stack: contextlib.ExitStack, host: str, port: int) -> int:
    """Bind a port without listening, so that nobody else is given it: Envoy binds it all the same.

    Both sockets have SO_REUSEADDR, by which Linux lets several bind while none of the others listens.
    Raises OSError naming the address where somebody does.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    stack.callback(sock.close)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        raise OSError(error.errno, f"{host}:{port} cannot be used: {os.strerror(error.errno or 0)}") from None
    bound: int = sock.getsockname()[1]
    return bound


def _print(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
