"""The console on a process server and a local issuer, all real and on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from towpath.console import ConsoleSettings, create_app
from towpath.http import listen, serving
from towpath.identity import IssuerSettings, OidcVerifier
from towpath.identity.issuer import create_issuer
from towpath.process import ProcessServer, ProcessSettings, open_server
from towpath.storage.documents import DocumentStore
from towpath.wire import ActivateJobs, CreateProcessInstance, JobFailure, Resource

ROOT = Path(__file__).resolve().parents[2]
MODEL = Path(__file__).parent / "models" / "parcel.bpmn"


@pytest.fixture(scope="session", autouse=True)
def built_pages() -> None:
    """The pages as they are now; nothing is done where they are current."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "build_web.py")], check=True)


@dataclass(slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass(slots=True)
class Console:
    """The running console. ``server`` is the process server behind it."""

    base: str
    issuer: str
    http: aiohttp.ClientSession
    server: ProcessServer

    async def token(self, user: str) -> str:
        form = {"grant_type": "password", "client_id": "towpath-web", "username": user, "password": user}
        async with self.http.post(f"{self.issuer}/token", data=form) as answer:
            token: str = (await answer.json())["access_token"]
            return token

    async def __call__(
        self,
        path: str,
        *,
        method: str = "GET",
        user: str | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if user:
            sent["Authorization"] = f"Bearer {await self.token(user)}"
        async with self.http.request(
            method, self.base + path, json=json, headers=sent, allow_redirects=False
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def start(self, business_id: str, **variables: Any) -> str:
        """A parcel's process instance key."""
        made = await self.server.create_process_instance(
            CreateProcessInstance(
                process_definition_id="parcel", business_id=business_id, variables=variables
            )
        )
        return made.process_instance_key

    async def fail(self, message: str) -> str:
        """Fail the next job for good; gives its key."""
        [job] = await self.server.activate_jobs(
            ActivateJobs(type="carry", max_jobs_to_activate=1, request_timeout=5_000)
        )
        await self.server.fail_job(job.job_key, JobFailure(retries=0, error_message=message))
        return job.job_key


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    at_issuer, at_console = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{at_issuer.getsockname()[1]}"
    base = f"http://127.0.0.1:{at_console.getsockname()[1]}"
    issuing = create_issuer(IssuerSettings(), url=issuer, state=tmp_path / "identity", origins=[base])
    documents = DocumentStore.open(str(tmp_path / "documents"))
    async with (
        serving(issuing, at_issuer),
        open_server(ProcessSettings(), state=tmp_path, documents=documents) as server,
        aiohttp.ClientSession() as http,
        OidcVerifier(issuer, audience="towpath") as verifier,
    ):
        await server.deploy([Resource(name=MODEL.name, content=MODEL.read_bytes())])
        app = create_app(
            ConsoleSettings(event_wait=5_000),
            process=server,
            verifier=verifier,
            issuer=issuer,
            client_id="towpath-web",
            title="Parcels & more",
        )
        async with serving(app, at_console):
            yield Console(base, issuer, http, server)
