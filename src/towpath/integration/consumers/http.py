"""``http:`` endpoints: routes as HTTP operations. Plain ASGI, since every request of a route passes here."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import MediaType, Request, Response, asgi
from litestar import route as litestar_route
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from litestar.types import HTTPScope, Receive, Scope, Send

from towpath.http import Problem
from towpath.identity import Identity
from towpath.integration.endpoints import HttpEndpoint
from towpath.integration.engine import Engine
from towpath.integration.errors import BackendError, BpmnError, Exhausted, InvalidInput
from towpath.integration.exchange import Exchange, Message
from towpath.integration.routes import Route

HEADERS = frozenset({"accept-language", "traceparent", "tracestate", "x-request-id"})
"""Request headers that every route's message may have; a route names further ones."""

CONTROL_HEADERS = frozenset({"content-length", "content-type", "idempotency-key"})
"""Request headers that the endpoint itself goes by; they are no part of the message."""

KEY_LIMIT = 200  # characters of an Idempotency-Key

_PARAMETER = re.compile(r"\{([^}]+)\}")

_Target = tuple[Route, HttpEndpoint]


def handlers(
    engine: Engine, routes: Sequence[Route], *, open_to_all: bool, max_body: int
) -> list[BaseRouteHandler]:
    """A handler for each path. ``open_to_all``: nobody is asked who they are."""
    by_path: dict[str, dict[str, _Target]] = {}
    names: dict[str, str] = {}
    for route in routes:
        for endpoint in route.http_endpoints:
            # Operations on one path may name its parameters differently; Litestar knows one path.
            path = names.setdefault(endpoint.shape, endpoint.path)
            by_path.setdefault(path, {})[endpoint.method] = (route, endpoint)
    return [
        _handler(_Operations(engine, methods, path, open_to_all=open_to_all, max_body=max_body), path)
        for path, methods in by_path.items()
    ]


def _handler(operations: _Operations, path: str) -> BaseRouteHandler:
    if "{" not in path:
        return asgi(path, copy_scope=False)(operations)

    # Litestar 2.25 cannot find an ASGI handler at a path with parameters (KeyError of the method).
    @litestar_route(_PARAMETER.sub(r"{\1:str}", path), http_method=list(operations.methods), status_code=200)
    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        status, body = await operations.answer(request.scope, request.receive)
        return Response(body, status_code=status, media_type=MediaType.JSON)

    return answer


def own_key(caller: Identity, key: str) -> str:
    """A person's Idempotency-Key as the route sees it: two people who choose the same one share nothing."""
    return f"{hashlib.sha256(caller.subject.encode()).hexdigest()[:32]}-{key}"


class _Operations:
    """The routes that answer at one path."""

    def __init__(
        self, engine: Engine, methods: dict[str, _Target], path: str, *, open_to_all: bool, max_body: int
    ) -> None:
        self._engine = engine
        self.methods: dict[Any, _Target] = methods
        self._parameters = _PARAMETER.findall(path)
        self._open = open_to_all
        self._max_body = max_body
        self._allow = ", ".join(sorted(methods))
        self._wanted = {
            method: frozenset(n.encode("latin-1") for n in HEADERS | CONTROL_HEADERS | route.headers)
            for method, (route, _) in methods.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: answer one request."""
        status, body = await self.answer(scope, receive)
        headers = []
        if status != HTTP_204_NO_CONTENT:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        """Status and JSON body. Raises :class:`Problem`, or what only the log may tell."""
        if scope["type"] != ScopeType.HTTP:
            raise Problem(400, "Routes answer plain HTTP requests.")
        target = self.methods.get(scope["method"])
        if target is None:
            raise Problem(405, f"This path answers {self._allow}.", headers={"Allow": self._allow})
        route, endpoint = target
        path_values: dict[str, str] = {}
        if self._parameters:
            values = [str(scope["path_params"][name]) for name in self._parameters]
            path_values = dict(zip(endpoint.parameters, values, strict=True))
        caller = self._authorize(scope, endpoint)
        wanted = self._wanted[endpoint.method]
        headers = {n.decode("latin-1"): v.decode("latin-1") for n, v in scope["headers"] if n in wanted}
        body, text = await self._body(endpoint, headers, scope, receive)
        if path_values:
            if not isinstance(body, dict):
                raise Problem(400, "The body is not a JSON object.")
            body = body | path_values
        key = headers.get("idempotency-key") or secrets.token_hex(16)
        if len(key) > KEY_LIMIT:
            raise Problem(400, f"The Idempotency-Key has more than {KEY_LIMIT} characters.")
        if caller is not None and not caller.has("service"):
            key = own_key(caller, key)
        allowed = route.headers
        exchange = Exchange(
            message=Message(body, {n: v for n, v in headers.items() if n in HEADERS or n in allowed}),
            key=key,
            endpoint=endpoint.uri,
            properties={"text": True} if text or path_values else {},
            caller=caller,
        )
        if self._engine.counters[route.id].in_flight >= route.concurrency:
            busy = f"The route {route.id} has {route.concurrency} exchanges in flight."
            raise Problem(429, busy, headers={"Retry-After": "1"})
        try:
            result = await self._engine.run(route, exchange)
        except Exception as error:
            raise as_problem(error) from error
        if result is None:
            return HTTP_204_NO_CONTENT, b""
        return HTTP_200_OK, msgspec.json.encode(result)

    def _authorize(self, scope: Scope, endpoint: HttpEndpoint) -> Identity | None:
        caller: Identity | None = scope.get("state", {}).get("identity")
        if self._open:  # nobody is asked
            return caller
        if caller is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Problem(401, "This needs a bearer token of the solution's issuer.", headers=challenge)
        if not endpoint.users and not caller.has("service"):
            raise Problem(403, "Only services may call this route.")
        return caller

    async def _body(
        self, endpoint: HttpEndpoint, headers: dict[str, str], scope: HTTPScope, receive: Receive
    ) -> tuple[Any, bool]:
        """The message's body, and whether its values came as text (from the query)."""
        query = scope["query_string"]
        values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
        if endpoint.method in ("GET", "DELETE"):
            return values, True
        content = await self._read(headers, receive)
        if not content:
            return values, bool(values)
        if headers.get("content-type", "application/json").partition(";")[0].strip() != "application/json":
            raise Problem(415, "This route takes application/json.")
        try:
            body = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, f"The body is not JSON: {error}") from None
        if values and isinstance(body, dict):
            body = values | body
        return body, False

    def _too_large(self) -> Problem:
        return Problem(413, f"The body has more than {self._max_body} bytes.")

    async def _read(self, headers: dict[str, str], receive: Receive) -> bytes:
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._max_body:
            raise self._too_large()
        content = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "The request ended before its body.")
            content += message.get("body", b"")  # type: ignore[operator]
            if len(content) > self._max_body:
                raise self._too_large()
            if not message.get("more_body", False):
                return content


def as_problem(error: Exception) -> Exception:
    """What a caller is told of a route's failure; ours alone stays an unknown error (500)."""
    match error:
        case BpmnError():
            return Problem(422, error.message, title=error.code, code=error.code)
        case InvalidInput():
            return Problem(400, str(error))
        case Exhausted(cause=TimeoutError()):
            return Problem(504, str(error), attempts=error.attempts)
        case Exhausted(cause=BackendError() | ConnectionError()):
            return Problem(502, str(error), attempts=error.attempts)
        case Exhausted(cause=Exception() as cause):
            return cause
        case _:
            return error
