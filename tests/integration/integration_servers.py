"""The claims example's back ends as real programs on free ports, and the service in front of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from towpath.http import listen, serving
from towpath.identity import Identity, TokenError
from towpath.integration import IntegrationSettings, create_app
from towpath.storage.database import sqlite_url

CLAIMS = Path(__file__).parents[2] / "examples" / "claims"
START_TIMEOUT = 60.0


@dataclass
class Backend:
    """A running program of ``examples/claims/backends``."""

    name: str
    process: subprocess.Popen[str]
    ready: str  # the line that it printed
    state: Path
    urls: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.urls = self.ready.split()[2:]

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


def start(name: str, state: Path, *more: str, port: int = 0) -> Backend:
    command = [sys.executable, "-W", "error", str(CLAIMS / "backends" / f"{name}.py")]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--state", str(state), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("ready"):
        process.kill()
        rest = process.communicate()[0]
        pytest.fail(f"{name} did not start: {line}\n{rest}")
    return Backend(name, process, line, state)


def end(backend: Backend) -> None:
    if backend.process.poll() is None:
        backend.stop()
    if backend.process.stdout:
        backend.process.stdout.close()


PEOPLE = {
    "service": Identity(subject="towpath-services", roles=frozenset({"service"})),
    "ada": Identity(subject="ada", roles=frozenset({"customer"}), name="Ada Jensen"),
    "ben": Identity(subject="ben", roles=frozenset({"customer"})),
    "olga": Identity(subject="olga", roles=frozenset({"operator"})),
}


class Names:
    """A verifier for tests: the token is the person's name."""

    async def verify(self, token: str) -> Identity:
        if token not in PEOPLE:
            raise TokenError("This token is nobody's.")
        return PEOPLE[token]


@dataclass
class Service:
    """A running integration service and a client of it."""

    url: str
    session: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, body: Any = None, *, who: str | None = "service", **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent["authorization"] = f"Bearer {who}"
        async with self.session.request(method, self.url + path, json=body, headers=sent) as response:
            text = await response.text()
            return response.status, await response.json(content_type=None) if text else None


@contextlib.asynccontextmanager
async def serve(
    routes: list[Any],
    settings: IntegrationSettings,
    database: Path,
    *,
    process: Any = None,
    verifier: Any = None,
) -> AsyncIterator[Service]:
    app = create_app(
        settings,
        routes=routes,
        database_url=sqlite_url(database),
        process=process,
        verifier=verifier or Names(),
    )
    async with serving(app, listen("127.0.0.1", 0)) as url, aiohttp.ClientSession() as session:
        yield Service(url, session)


def claims_settings(backends: dict[str, Backend], **values: str) -> IntegrationSettings:
    """What the example's towpath.toml says, with the ports of this run."""
    policies = f"postgresql://policies:policies@127.0.0.1:{backends['policies'].port}/policies"
    return IntegrationSettings(
        connections={
            "policies": {"url": policies},
            "payments": {"url": backends["payments"].url, "timeout": 1.0},
            "repairs_soap": {"url": backends["repairs_soap"].url},
            "repairs_rest": {"url": backends["repairs_rest"].url},
        },
        values=values,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Until ``condition`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
