"""Requests counted and timed, by service, method and status."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Histogram

REQUESTS = Histogram(
    "towpath_http_request_seconds",
    "Time until the last byte of an answer.",
    ["service", "method", "status"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10),
)


@lru_cache(1024)
def observer(service: str, method: str, status: int) -> Histogram:
    """The labelled child; looking it up in the histogram costs more than observing in it."""
    return REQUESTS.labels(service, method, status)


def metrics_middleware(service: str) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that observes each request of ``service``."""

    def make(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            status = 500
            begun = time.perf_counter()

            async def watch(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, watch)
            finally:
                observer(service, scope["method"], status).observe(time.perf_counter() - begun)

        return middleware

    return make
