"""The whole blueprint in one process: every service on its port, Envoy and the back ends as children."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import structlog

from towpath.faults import Fault, Faulty
from towpath.http import listen, serving
from towpath.process import create_app
from towpath.solution import backends, secrets, services
from towpath.solution.settings import SERVICES, BackendSettings
from towpath.solution.solution import Solution

log = structlog.get_logger()

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run differs from what the solution says."""

    state: Path | None = None  # default: .towpath in the solution's folder
    free_ports: bool = False
    gateway: bool = True
    backends: bool = True


@dataclass(kw_only=True)
class Running:
    """A blueprint that is up: where everything is."""

    title: str
    gateway_url: str
    urls: dict[str, str] = field(default_factory=dict)
    backends: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: Path
    admin_url: str | None = None


@asynccontextmanager
async def running(
    solution: Solution, options: Options, progress: Progress = lambda _: None
) -> AsyncIterator[Running]:
    """Everything of ``solution``, up while the block runs.

    Raises :class:`Faulty` for ports in use and a state folder that another run holds, and
    :class:`towpath.solution.backends.BackendError` for a back end that does not come up. On leaving,
    all ends in the reverse order; what was answered is on disk.
    """
    state = (options.state or solution.root / ".towpath").resolve()
    await asyncio.to_thread((state / "logs").mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stack.enter_context(_locked(state))
        kept = secrets.load(state, solution.settings.identity)
        sockets, ports = _sockets(solution, options)
        for sock in sockets.values():
            stack.callback(sock.close)
        settings = solution.at_ports(ports)
        host = settings.services.host
        urls = {name: base_url(host, sock.getsockname()[1]) for name, sock in sockets.items()}
        gateway_url = base_url(host, settings.services.gateway)
        # Without a gateway there is no one origin; what the outside needs most is the facade.
        public_url = gateway_url if options.gateway else urls["facade"]
        result = Running(title=solution.title, gateway_url=gateway_url, urls=urls, state=state)

        if options.backends and settings.backends:
            progress(f"back ends: {', '.join(backend.name for backend in settings.backends)}")
            await _start_backends(stack, settings.backends, solution.root, host, state)
            result.backends = {
                b.name: {"port": b.port} | ({"http_port": b.http_port} if b.http_port else {})
                for b in settings.backends
            }

        issuer_url = urls["identity"] if settings.identity.is_local else settings.identity.issuer
        if settings.identity.is_local:
            progress("identity: the local issuer")
            issuer = services.issuer(settings, url=issuer_url, public_url=public_url, state=state)
            await stack.enter_async_context(serving(issuer, sockets["identity"]))
        verifier = services.verifier(settings, issuer_url)
        stack.push_async_callback(verifier.close)
        tokens = services.tokens(settings, issuer_url, kept.service)
        stack.push_async_callback(tokens.close)
        context = services.Context(
            solution=solution,
            settings=settings,
            state=state,
            secrets=kept,
            urls=urls,
            public_url=public_url,
            verifier=verifier,
            tokens=tokens,
        )

        progress("process server")
        server = await stack.enter_async_context(services.process_server(context))
        await stack.enter_async_context(serving(create_app(server, verifier), sockets["process"]))
        for name, create in services.APPS.items():
            progress(name)
            await stack.enter_async_context(serving(create(context, server), sockets[name]))
        await stack.enter_async_context(services.workers(context, server))
        if options.gateway:
            progress("gateway: Envoy")
            gateway = await stack.enter_async_context(
                await services.gateway(
                    context,
                    host=host,
                    port=settings.services.gateway,
                    admin_port=settings.services.gateway_admin,
                )
            )
            result.gateway_url = gateway.url
            result.admin_url = gateway.admin_url
        yield result


@contextmanager
def _locked(state: Path) -> Any:
    """Hold the state folder: two runs on one would each think that they own it."""
    lock: IO[str] = (state / "lock").open("a+")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            lock.seek(0)
            raise Faulty(
                [
                    Fault(
                        message=f"The state in {state} is in use by another run "
                        f"(process {lock.read().strip()}).",
                        rule="run.state-in-use",
                        remedy="Stop that run, or give this one another folder with --state.",
                    )
                ]
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _sockets(solution: Solution, options: Options) -> tuple[dict[str, socket.socket], dict[str, int]]:
    """A listening socket for each service, and a port for whatever listens in a process of its own.

    Raises :class:`Faulty` with a fault for each address that is taken.
    """
    configured = solution.settings
    host = configured.services.host
    faults: list[Fault] = []
    sockets: dict[str, socket.socket] = {}
    ports: dict[str, int] = {}
    held: list[socket.socket] = []  # so that no two are given the same free port

    def take(key: str, wanted: int) -> socket.socket | None:
        try:
            sock = listen(host, 0 if options.free_ports else wanted)
        except OSError as error:
            faults.append(
                Fault(
                    message=f"{key} cannot listen on {host}:{wanted}: {error.strerror or error}.",
                    rule="run.port-in-use",
                    remedy="Stop what listens there, change the port in towpath.toml, or use --free-ports.",
                )
            )
            return None
        ports[key] = sock.getsockname()[1]
        return sock

    for name in SERVICES:
        if name == "identity" and not configured.identity.is_local:
            continue
        sock = take(f"services.{name}", configured.services.port(name))
        if sock is not None:
            sockets[name] = sock
    outside = [(f"services.{n}", configured.services.port(n)) for n in ("gateway", "gateway_admin")]
    if not options.gateway:
        outside = []
    if options.backends:
        for backend in configured.backends:
            outside.append((f"backends.{backend.name}.port", backend.port))
            if backend.http_port is not None:
                outside.append((f"backends.{backend.name}.http_port", backend.http_port))
    for key, wanted in outside:
        sock = take(key, wanted)
        if sock is not None:
            held.append(sock)
    for sock in held:
        sock.close()
    if faults:
        for sock in sockets.values():
            sock.close()
        raise Faulty(faults)
    return sockets, ports


def base_url(host: str, port: int) -> str:
    host = "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host and not host.startswith("[") else f"http://{host}:{port}"


async def _start_backends(
    stack: AsyncExitStack,
    wanted: list[BackendSettings],
    root: Path,
    host: str,
    state: Path,
) -> None:
    """Start them all at once; a failure of one ends the others."""

    async def start(backend: BackendSettings) -> AsyncExitStack:
        own = AsyncExitStack()
        await own.enter_async_context(
            backends.running(
                backend,
                root=root,
                host=host,
                state=state / "backends" / backend.name,
                log_file=state / "logs" / f"backend-{backend.name}.log",
            )
        )
        return own

    started = await asyncio.gather(*(start(backend) for backend in wanted), return_exceptions=True)
    for outcome in started:
        if isinstance(outcome, AsyncExitStack):
            stack.push_async_exit(outcome)
    for outcome in started:
        if isinstance(outcome, BaseException):
            raise outcome
