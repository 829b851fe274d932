"""How a service of ours is made and served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import uvicorn
from litestar import Litestar, Response, get
from litestar.config.app import AppConfig
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ControllerRouterHandler
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from towpath.http.identity import identity_middleware
from towpath.http.metrics import metrics_middleware
from towpath.http.problem import handle
from towpath.identity import TokenVerifier

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
Ready = Callable[[], str | None]  # None where all is well, else what is missing

MAX_BODY = 16 * 1024 * 1024  # bytes; the gateway has its own, smaller limit


def create_service(
    name: str,
    handlers: Sequence[ControllerRouterHandler],
    *,
    verifier: TokenVerifier | None = None,
    lifespan: Sequence[Lifespan] = (),
    ready: Ready | None = None,
    max_body: int = MAX_BODY,
    openapi: OpenAPIConfig | None = None,
    middleware: Sequence[Any] = (),
    on_app_init: Sequence[Callable[[AppConfig], AppConfig]] = (),
) -> Litestar:
    """A Litestar application with what all services share.

    Callers are identified by ``verifier`` (None: nobody is asked who they are); every refusal is problem
    details; ``/health/live``, ``/health/ready`` and ``/metrics`` answer without a token.
    """

    @get("/health/live", sync_to_thread=False, include_in_schema=False)
    def live() -> dict[str, str]:
        return {"service": name, "status": "live"}

    @get("/health/ready", sync_to_thread=False, include_in_schema=False)
    def readiness() -> Response[dict[str, str]]:
        missing = ready() if ready else None
        if missing:
            return Response({"service": name, "status": "not ready", "reason": missing}, status_code=503)
        return Response({"service": name, "status": "ready"})

    @get("/metrics", sync_to_thread=False, include_in_schema=False)
    def metrics() -> Response[bytes]:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    stack: list[Any] = [metrics_middleware(name)]
    if verifier is not None:
        stack.append(identity_middleware(verifier))
    return Litestar(
        route_handlers=[live, readiness, metrics, *handlers],
        exception_handlers={Exception: handle},
        middleware=[*stack, *middleware],
        lifespan=list(lifespan),
        request_max_body_size=max_body,
        openapi_config=openapi,
        on_app_init=list(on_app_init),
        debug=False,
        logging_config=None,
    )


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises OSError naming the address where it is taken; port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)  # a listener that is not yet accepting queues callers instead of refusing them
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{host}:{port} cannot be used: {error.strerror}") from None
    return sock


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: whoever runs several servers handles signals once."""

    def capture_signals(self) -> Any:
        return nullcontext()


@asynccontextmanager
async def serving(app: Any, sock: socket.socket, *, grace: float = 5.0) -> AsyncIterator[str]:
    """Serve ``app`` on ``sock`` while the block runs; gives the base URL.

    On leaving, connections get ``grace`` seconds to finish. Raises RuntimeError if the application
    does not start.
    """
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=max(1, round(grace)),  # whole seconds; 0 would wait without limit
        server_header=False,
        loop="none",
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("The service did not start; its log says why.")
            await asyncio.sleep(0.005)
        host, port = sock.getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await task
