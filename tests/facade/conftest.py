"""A process server, the facade on it, and callers with real tokens over real HTTP."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from towpath.facade import FacadeSettings, ResourceSettings, create_app
from towpath.http import listen, serving
from towpath.identity import Identity, TokenError
from towpath.process import ProcessServer, ProcessSettings, open_server
from towpath.storage.documents import DocumentStore
from towpath.wire import ActivateJobs, Deployment, JobFailure, Resource

MODELS = Path(__file__).parent / "models"
SECRET = "a secret of the tests, long enough"

PEOPLE = {
    "ada": ["customer"],
    "ben": ["customer"],
    "carl": ["agent"],
    "dora": ["agent"],
    "olga": ["operator"],
    "vera": ["visitor"],
    "notify": ["service"],
}


class Tokens:
    """Mints tokens and believes those it minted."""

    issuer = "https://issuer.example"

    def __init__(self) -> None:
        self._key = OctKey.import_key(secrets.token_bytes(32))

    def mint(self, subject: str, *roles: str, lifetime: int = 600) -> str:
        claims = {
            "sub": subject,
            "name": subject.capitalize(),
            "email": f"{subject}@example.com",
            "roles": list(roles),
            "exp": int(time.time()) + lifetime,
        }
        return jwt.encode({"alg": "HS256"}, claims, self._key)

    async def verify(self, token: str) -> Identity:
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(claims)
        except (JoseError, ValueError) as error:
            raise TokenError(f"The token is not good: {error}") from None
        return Identity(
            subject=claims["sub"],
            name=claims["name"],
            email=claims["email"],
            roles=frozenset(claims["roles"]),
        )


@dataclass(slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    def fields(self) -> dict[str, str]:
        """The errors of a 400 by field."""
        assert self.status == 400, (self.status, self.body)
        assert self.headers["Content-Type"] == "application/problem+json"
        return {error["field"]: error["message"] for error in self.json["errors"]}


@dataclass(slots=True)
class Caller:
    """Somebody who calls the facade."""

    session: aiohttp.ClientSession
    base: str
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def __call__(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        async with self.session.request(
            method,
            self.base + path,
            json=json,
            data=data,
            headers=self.headers | dict(headers or {}),
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def report(self, **more: Any) -> Any:
        """A ticket of this caller, freshly started."""
        answer = await self("POST", "/tickets", {"subject": "Lift stuck"} | more)
        assert answer.status == 201, answer.body
        return answer.json


@dataclass(slots=True)
class World:
    """A facade on a process server, and the people who know it."""

    server: ProcessServer
    base: str
    session: aiohttp.ClientSession
    tokens: Tokens = field(default_factory=Tokens)

    def __getattr__(self, name: str) -> Caller:
        if name not in PEOPLE:
            raise AttributeError(name)
        return Caller(self.session, self.base, self.tokens.mint(name, *PEOPLE[name]))

    @property
    def nobody(self) -> Caller:
        return Caller(self.session, self.base, None)

    async def fix(self, **failure: Any) -> None:
        """A worker takes the one job there is, and does it, or fails with ``failure``."""
        (job,) = await self.server.activate_jobs(ActivateJobs(type="ticket-fix", request_timeout=2_000))
        if failure:
            await self.server.fail_job(job.job_key, JobFailure(**failure))
        else:
            await self.server.complete_job(job.job_key)

    async def assess(self, ticket: str, **variables: Any) -> None:
        """Carl assesses a ticket, so that it waits for the customer."""
        tasks = (await self.carl("GET", f"/tickets/{ticket}/tasks")).json["items"]
        done = await self.carl(
            "POST", f"/tasks/{tasks[0]['id']}/complete", {"variables": {"accepted": True} | variables}
        )
        assert done.status == 200, done.body


def settings() -> FacadeSettings:
    return FacadeSettings(
        resources={
            "tickets": ResourceSettings(
                process="ticket",
                title="Tickets",
                singular="Ticket",
                expose=["subject", "urgency", "photos", "note", "assessment.by"],
                start_roles=["customer", "agent"],
                read_roles=["agent"],
                cancel_roles=["agent"],
            )
        },
        max_document_bytes=50_000,
        max_documents=3,
        max_json_bytes=20_000,
        keep_alive=300,
        refresh=0.0,
    )


async def deploy(server: ProcessServer, *names: str) -> Deployment:
    return await server.deploy([Resource(name=name, content=(MODELS / name).read_bytes()) for name in names])


@asynccontextmanager
async def open_process(folder: Path) -> AsyncIterator[ProcessServer]:
    documents = DocumentStore.open(str(folder / "documents"))
    async with open_server(ProcessSettings(), state=folder / "process", documents=documents) as server:
        yield server


@asynccontextmanager
async def open_world(server: ProcessServer, configured: FacadeSettings) -> AsyncIterator[World]:
    tokens = Tokens()
    app = create_app(
        configured,
        process=server,
        verifier=tokens,
        public_url="https://tickets.example",
        link_secret=SECRET,
    )
    async with serving(app, listen("127.0.0.1", 0), grace=1) as base, aiohttp.ClientSession() as session:
        yield World(server, base, session, tokens)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ProcessServer]:
    async with open_process(tmp_path) as opened:
        await deploy(opened, "report-ticket.form", "assess-ticket.form", "ticket.bpmn", "ticket-visit.bpmn")
        yield opened


@pytest.fixture
async def world(server: ProcessServer) -> AsyncIterator[World]:
    async with open_world(server, settings()) as opened:
        yield opened
