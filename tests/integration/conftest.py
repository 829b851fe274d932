"""Fixtures: the claims example's back ends and the service in front of them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from integration_servers import CLAIMS, Backend, Service, claims_settings, end, serve, start

from towpath.integration import load_routes


@pytest.fixture
def start_backend(tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Start a back end of one's own; it is ended with the test."""
    with contextlib.ExitStack() as started:

        def begin(name: str, *more: str, state: Path | None = None, port: int = 0) -> Backend:
            backend = start(name, state or tmp_path / name, *more, port=port)
            started.callback(end, backend)
            return backend

        yield begin


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Backend]]:
    """All that the claims routes reach."""
    folder = tmp_path_factory.mktemp("backends")
    with contextlib.ExitStack() as started:
        running = {}
        for name in ("policies", "payments", "repairs_soap", "repairs_rest"):
            running[name] = start(name, folder / name)
            started.callback(end, running[name])
        yield running


@pytest.fixture
async def claims(backends: dict[str, Backend], tmp_path: Path) -> AsyncIterator[Service]:
    """The example's routes on the example's back ends."""
    routes = load_routes(CLAIMS / "integrations")
    async with serve(routes, claims_settings(backends), tmp_path / "integration.sqlite") as service:
        yield service


@pytest.fixture
async def faults(backends: dict[str, Backend]) -> AsyncIterator[Callable[..., Any]]:
    """Simulate trouble in a back end; it is over with the test."""
    async with aiohttp.ClientSession() as session:

        async def strike(name: str, **trouble: Any) -> None:
            async with session.post(f"{backends[name].url}/_faults", json=trouble) as answer:
                assert answer.status == 200

        yield strike
        for name in ("payments", "repairs_soap", "repairs_rest"):
            await strike(name, count=0)


@pytest.fixture(autouse=True, scope="session")
def _short_tracebacks() -> Iterator[None]:
    """structlog's console shows each frame's variables, which takes seconds for a whole service."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])
    yield
    structlog.reset_defaults()
