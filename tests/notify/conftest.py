"""A mail server and a push service on loopback, which real messages reach, beside the real services."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import http_ece
import msgspec
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.sync.stack import Stack, base, notifying, unpadded, vapid_pem
from towpath.frontend.notify import NotifySettings
from towpath.http import listen

CONFIRM = """
title = "Please confirm {{ id }}"
body = \"\"\"
Hello {{ customer.name }} <&>,

confirm here: {{ link }}
\"\"\"
channels = ["inbox", "email", "push"]
"""


class Mailbox:
    """What a mail server was given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self._loop.call_soon_threadsafe(self.arrived.set)
        return "250 OK"


@dataclass
class Device:
    """A browser's subscription with its private key, and what it received."""

    url: str
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    def subscription(self) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": unpadded(point), "auth": unpadded(self.auth)}
        return {"endpoint": f"{self.url}/push/{self.name}", "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        return dict(msgspec.json.decode(plain))


@dataclass
class PushService:
    """Speaks RFC 8030 as a push company does; ``script`` is what the next requests are answered."""

    url: str = ""
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    arrived: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((request.match_info["device"], dict(request.headers), body))
        status, headers = self.script.pop(0) if self.script else (201, {})
        if status == 201:
            self.arrived.put_nowait(body)
        return web.Response(status=status, headers=headers)


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    found = Mailbox()
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    sock.close()
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    yield found, f"smtp://127.0.0.1:{port}"
    controller.stop()


@pytest.fixture
async def push_service() -> AsyncIterator[PushService]:
    found = PushService()
    app = web.Application()
    app.router.add_post("/push/{device}", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = listen("127.0.0.1", 0)
    await web.SockSite(runner, sock).start()
    found.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    yield found
    await runner.cleanup()


@dataclass
class Notifying:
    """The stack, and the notify service that can be started and stopped on it."""

    stack: Stack
    serve: Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
async def services(tmp_path: Path, mailbox: tuple[Mailbox, str]) -> AsyncIterator[Notifying]:
    (tmp_path / "notifications").mkdir()
    (tmp_path / "notifications" / "confirm.toml").write_text(CONFIRM)
    async with AsyncExitStack() as exits:
        stack, verifier, tokens = await exits.enter_async_context(base(tmp_path))
        vapid = vapid_pem()

        def serve(**settings: Any) -> AbstractAsyncContextManager[None]:
            wanted = {"smtp": mailbox[1], "sender": "Reports <reports@example.com>"} | settings
            wanted = {"allow_private_push": True, "retry_initial": 0.02, "retry_max": 0.1} | wanted
            return notifying(stack, verifier, tokens, tmp_path, NotifySettings(**wanted), vapid=vapid)

        yield Notifying(stack, serve)
