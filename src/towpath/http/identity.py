"""The caller of a request: a bearer token checked by the service itself, behind the gateway or not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from towpath.http.problem import Problem, handle
from towpath.identity import Identity, TokenError, TokenVerifier

ON_BEHALF_OF = "x-on-behalf-of"
"""Header by which a service names the person it acts for; only the role ``service`` may use it."""

SERVICE_ROLE = "service"

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The bearer token of an ASGI header list."""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].decode("latin-1").strip()
    return None


async def identify(headers: Iterable[tuple[bytes, bytes]], verifier: TokenVerifier) -> Identity | None:
    """The caller, or None without a token. Raises :class:`Problem` (401 or 403)."""
    headers = list(headers)
    token = bearer(headers)
    if token is None:
        return None
    try:
        identity = await verifier.verify(token)
    except TokenError as error:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if error.status == 401 else {}
        raise Problem(error.status, error.detail, headers=challenge) from None
    person = next((v for n, v in headers if n == ON_BEHALF_OF.encode()), None)
    if person:
        if not identity.has(SERVICE_ROLE):
            raise Problem(403, "Only a service may act on behalf of another.")
        return _person(person, actor=identity.subject)
    return identity


def on_behalf_of(person: Identity) -> dict[str, str]:
    """The header by which a service with a token of its own acts for ``person``."""
    claims = {
        "sub": person.subject,
        "name": person.name,
        "email": person.email,
        "roles": sorted(person.roles - {SERVICE_ROLE}),
    }
    return {ON_BEHALF_OF: base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode()}


class _Person(msgspec.Struct):
    sub: str
    roles: list[str]
    name: str | None = None
    email: str | None = None


def _person(header: bytes, *, actor: str) -> Identity:
    try:
        person = msgspec.json.decode(base64.urlsafe_b64decode(header), type=_Person)
    except ValueError as error:
        raise Problem(400, f"The header {ON_BEHALF_OF} is not base64url of a JSON object: {error}.") from None
    return Identity(
        subject=person.sub,
        name=person.name,
        email=person.email,
        # A service lends a person its reach, never its role.
        roles=frozenset(person.roles) - {SERVICE_ROLE},
        actor=actor,
    )


def identity_middleware(verifier: TokenVerifier) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that puts the caller into the request's state; what it may do is for guards."""

    def make(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == ScopeType.HTTP:
                try:
                    scope.setdefault("state", {})["identity"] = await identify(scope["headers"], verifier)
                except Problem as problem:
                    response = handle(Request(scope, receive, send), problem)
                    await response.to_asgi_response(app=None, request=Request(scope, receive, send))(
                        scope, receive, send
                    )
                    return
            await app(scope, receive, send)

        return middleware

    return make


def caller(connection: ASGIConnection[Any, Any, Any, Any]) -> Identity:
    """The caller. Raises :class:`Problem` 401 where the request carries no token."""
    identity: Identity | None = connection.scope.get("state", {}).get("identity")
    if identity is None:
        raise Problem(
            401, "This needs a bearer token of the solution's issuer.", headers={"WWW-Authenticate": "Bearer"}
        )
    return identity


def requires(*roles: str) -> Guard:
    """A guard: the caller is known and, where ``roles`` are named, has one of them."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        identity = caller(connection)
        if roles and not identity.has(*roles):
            raise Problem(403, f"This needs one of the roles: {', '.join(roles)}.")

    return guard
