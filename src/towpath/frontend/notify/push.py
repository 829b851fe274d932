"""Web Push (RFC 8030, 8291, 8292): subscriptions of people's devices, and sending to them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from towpath.frontend.notify import tables
from towpath.frontend.notify.outcomes import Expired, Failed, Later
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.sql import upsert
from towpath.frontend.times import now_iso
from towpath.http import Problem

MAX_PAYLOAD = 3000  # bytes of JSON; a push service takes 4096 with the encryption's overhead (RFC 8291, 4)
TOKEN_LIFE = 12 * 3600  # seconds; at most 24 hours (RFC 8292, 2)
P256_POINT = 65  # bytes of an uncompressed point
AUTH = 16  # bytes of the shared secret


class Keys(msgspec.Struct, kw_only=True):
    p256dh: str
    auth: str


class Subscription(msgspec.Struct, kw_only=True):
    """A browser's ``PushSubscription`` as its ``toJSON()`` gives it."""

    endpoint: str
    keys: Keys
    expirationTime: float | None = None  # noqa: N815 - the browser's name


class Endpoint(msgspec.Struct, kw_only=True):
    """Which subscription to forget; more of it may be sent."""

    endpoint: str


class Vapid:
    """Our voluntary identification to push services."""

    def __init__(self, pem: str) -> None:
        try:
            key = serialization.load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(f"The VAPID key is no PEM private key: {error}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError("The VAPID key must be of the curve P-256.")
        self._vapid = Vapid02(key)
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.public_key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def headers(self, endpoint: str, contact: str) -> dict[str, str]:
        """The authorization for one push service."""
        parts = urlsplit(endpoint)
        claims = {
            "sub": contact,
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + TOKEN_LIFE,
        }
        signed: dict[str, str] = self._vapid.sign(claims)
        return signed


def is_public(address: str) -> bool:
    """Whether an IP address may be reached on a stranger's word."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only, at the moment of connecting: a name cannot change its mind."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(row["host"]) for row in found):
            raise OSError(f"{host} is on a private network")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def push_session(settings: NotifySettings) -> aiohttp.ClientSession:
    """The pooled client for push services: it follows no redirect and reaches no private address."""
    resolver = None if settings.allow_private_push else PublicResolver()
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=resolver, limit_per_host=20),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=settings.request_timeout),
    )


async def check_subscription(wanted: Subscription, settings: NotifySettings) -> None:
    """Raises :class:`Problem` 400 where we must not, or could not, send there."""
    parts = urlsplit(wanted.endpoint)
    host = parts.hostname or ""
    if len(wanted.endpoint) > 2000 or not host or parts.username is not None:
        raise Problem(400, "The endpoint is not the URL of a push service.")
    if parts.scheme != "https" and not (settings.allow_private_push and parts.scheme == "http"):
        raise Problem(400, "The endpoint must be an https URL.")
    for name, value, size in (("p256dh", wanted.keys.p256dh, P256_POINT), ("auth", wanted.keys.auth, AUTH)):
        if _decoded(value, size) is None:
            raise Problem(400, f"keys.{name} must be {size} bytes in base64url.")
    try:
        point = _decoded(wanted.keys.p256dh, P256_POINT) or b""
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise Problem(400, "keys.p256dh is no point of the curve P-256.") from None
    if settings.allow_private_push:
        return
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise Problem(400, f"The push service {host} cannot be found.") from None
    if not all(is_public(str(row[4][0])) for row in found):
        raise Problem(400, "The endpoint is on a private network.")


def _decoded(text: str, size: int) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if len(raw) == size else None


class Devices:
    """The subscriptions of people's devices."""

    def __init__(self, engine: AsyncEngine, settings: NotifySettings) -> None:
        self._engine = engine
        self._settings = settings

    async def put(self, subject: str, wanted: Subscription) -> None:
        """Remember a device; another person's who used it before loses it. Raises :class:`Problem`."""
        await check_subscription(wanted, self._settings)
        table = tables.subscriptions
        row = {
            "id": hashlib.sha256(wanted.endpoint.encode()).hexdigest(),
            "subject": subject,
            "endpoint": wanted.endpoint,
            "p256dh": wanted.keys.p256dh,
            "auth": wanted.keys.auth,
            "at": now_iso(),
        }
        async with self._engine.begin() as connection:
            statement = upsert(connection, table)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"], set_={n: statement.excluded[n] for n in row if n != "id"}
                ),
                row,
            )
            count = await connection.scalar(
                select(func.count()).select_from(table).where(table.c.subject == subject)
            )
            if int(count or 0) > self._settings.max_subscriptions:
                oldest = await connection.scalar(
                    select(table.c.id).where(table.c.subject == subject).order_by(table.c.at).limit(1)
                )
                await connection.execute(delete(table).where(table.c.id == oldest))

    async def forget(self, subject: str, endpoint: str) -> None:
        """The person's device wants no more; forgetting twice is no error."""
        id_ = hashlib.sha256(endpoint.encode()).hexdigest()
        table = tables.subscriptions
        async with self._engine.begin() as connection:
            await connection.execute(delete(table).where(table.c.id == id_, table.c.subject == subject))
            await connection.execute(
                update(tables.deliveries)
                .where(
                    tables.deliveries.c.address == id_,
                    tables.deliveries.c.subject == subject,
                    tables.deliveries.c.state == "pending",
                )
                .values(state="expired")
            )


class PushSender:
    """Sends one notification to one device."""

    def __init__(
        self, engine: AsyncEngine, settings: NotifySettings, vapid: Vapid, session: aiohttp.ClientSession
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._vapid = vapid
        self._session = session

    async def send(self, subject: str, address: str, note: dict[str, Any]) -> str:
        """Hand it to the push service. Raises Later, Expired or Failed."""
        table = tables.subscriptions
        async with self._engine.connect() as connection:
            row = (
                (
                    await connection.execute(
                        select(table).where(table.c.id == address, table.c.subject == subject)
                    )
                )
                .mappings()
                .first()
            )
        if row is None:
            raise Expired("The device has unsubscribed.")
        endpoint = str(row["endpoint"])
        host = urlsplit(endpoint).hostname or ""
        if not self._settings.allow_private_push and not _may_reach(host):
            raise Failed("The endpoint is on a private network.")
        keys = {"p256dh": row["p256dh"], "auth": row["auth"]}
        try:
            body = WebPusher({"endpoint": endpoint, "keys": keys}).encode(payload(note))["body"]
        except (WebPushException, ValueError) as error:
            raise Failed(f"The message cannot be encrypted for this device: {error}") from None
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._settings.push_ttl),
            "Urgency": "normal",
            **self._vapid.headers(endpoint, self._settings.push_contact),
        }
        try:
            async with self._session.post(
                endpoint, data=body, headers=headers, allow_redirects=False
            ) as response:
                await response.content.read(2000)
                status, after = response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Later(f"{host} does not answer: {error or type(error).__name__}") from None
        if status in (404, 410):
            await self._prune(address)
            raise Expired(f"{host} knows the device no more ({status}).")
        if status == 429 or status >= 500:
            raise Later(f"{host} answered {status}.", float(after) if after.isdigit() else None)
        if not 200 <= status < 300:
            raise Failed(f"{host} answered {status}.")
        return f"{host} took it ({status})."

    async def _prune(self, address: str) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(tables.subscriptions).where(tables.subscriptions.c.id == address))


def _may_reach(host: str) -> bool:
    try:
        return is_public(host)  # an address is not resolved, so it is looked at here
    except ValueError:
        return True


def payload(note: dict[str, Any]) -> bytes:
    """The message as the page's service worker reads it, small enough for every push service."""
    message = {name: note[name] for name in ("id", "title", "body", "resource", "target") if note[name]}
    encoded = msgspec.json.encode(message)
    while len(encoded) > MAX_PAYLOAD:
        message["body"] = message.get("body", "")[: len(message.get("body", "")) * 3 // 4] + "…"
        encoded = msgspec.json.encode(message)
    return encoded
