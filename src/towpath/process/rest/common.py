"""What the handlers of the REST API share: bodies, answers, who may call."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Hashable
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler, post
from litestar.handlers.base import BaseRouteHandler

from towpath.http import ON_BEHALF_OF, Problem, caller
from towpath.process.server import ProcessServer
from towpath.wire import Search, SearchResult, Variables, Wire

T = TypeVar("T")
Call = Request[Any, Any, Any]
Answer = Response[bytes]

WORKER = "worker"
ADMINISTRATORS = ("service", "operator")

_encode = msgspec.json.Encoder(decimal_format="number").encode


@lru_cache(maxsize=64)
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    # Numbers keep their digits on the way to the core.
    return msgspec.json.Decoder(cast("Any", kind), float_hook=Decimal)


async def body(request: Call, kind: type[T]) -> T:
    """The request's JSON body; an empty one is ``{}``. Raises Problem 400 naming the member."""
    raw = await request.body()
    try:
        try:
            found: T = _decoder(cast("Hashable", kind)).decode(raw or b"{}")
        except msgspec.ValidationError:
            # Some clients write what they have not set as null.
            given = _decoder(Any).decode(raw)
            if not isinstance(given, dict) or None not in given.values():
                raise
            kept = {name: value for name, value in given.items() if value is not None}
            found = msgspec.convert(kept, kind)
    except msgspec.ValidationError as error:
        raise Problem(400, f"The body is not as it should be: {error}.", title="INVALID_ARGUMENT") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Problem(400, f"The body is not JSON: {error}.", title="INVALID_ARGUMENT") from None
    return found


def answer(value: Any, status: int = 200) -> Answer:
    return Response(_encode(value), status_code=status, media_type="application/json")


def nothing() -> Answer:
    return Response(b"", status_code=204)


def actor(request: Call) -> str | None:
    """The subject on whose behalf the call is made."""
    identity = request.scope.get("state", {}).get("identity")
    if identity is not None:
        subject: str = identity.subject
        return subject
    header = request.headers.get(ON_BEHALF_OF)
    if header:  # no verifier: nobody is asked who they are, and the header is taken at its word
        try:
            person = msgspec.json.decode(base64.urlsafe_b64decode(header))
            return str(person["sub"])
        except (ValueError, KeyError, TypeError):
            raise Problem(400, f"The header {ON_BEHALF_OF} is not base64url of a JSON object.") from None
    return None


def administrators(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: services (also on behalf of a person) and operators."""
    _require(connection, ADMINISTRATORS)


def workers(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: who may work on jobs."""
    _require(connection, (*ADMINISTRATORS, WORKER))


def _require(connection: ASGIConnection[Any, Any, Any, Any], roles: tuple[str, ...]) -> None:
    identity = caller(connection)
    # A service that acts for a person has shown its own role already.
    if identity.actor is None and not identity.has(*roles):
        raise Problem(403, f"This needs one of the roles: {', '.join(roles)}.", title="FORBIDDEN")


class VariablesBody(Wire):
    variables: Variables = msgspec.field(default_factory=dict)


def search_handler(
    path: str, search: Callable[[ProcessServer, Search], Awaitable[SearchResult[Any]]], server: ProcessServer
) -> HTTPRouteHandler:
    """``POST path``: a search."""

    @post(path, status_code=200)
    async def handler(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer(await search(server, await body(request, Search)))

    return handler
