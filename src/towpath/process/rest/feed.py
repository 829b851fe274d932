"""The event feed over HTTP: long poll, or server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from towpath.http import Problem
from towpath.process.rest.common import answer
from towpath.process.server import ProcessServer
from towpath.wire import EventQuery

KEEP_ALIVE = 15_000  # ms without an event after which a comment shows that the stream lives


def _query(request: Request[Any, Any, Any]) -> EventQuery:
    given: dict[str, Any] = dict(request.query_params)
    types = given.pop("types", "")
    given["types"] = [name.strip() for name in types.split(",") if name.strip()] or None
    try:
        query = msgspec.convert(given, EventQuery, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, f"The query is not as it should be: {error}.", title="INVALID_ARGUMENT") from None
    query.after = request.headers.get("last-event-id") or query.after
    return query


async def _stream(server: ProcessServer, query: EventQuery, first: bytes) -> AsyncIterator[bytes]:
    yield first
    while not server.host.closing:
        query.wait = KEEP_ALIVE
        page = await server.events(query)
        query.after = page.position
        yield b"".join(_frame(event) for event in page.events) or b": \n\n"


def _frame(event: Any) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        event.id.encode(),
        event.type.encode(),
        msgspec.json.encode(event),
    )


def handlers(server: ProcessServer) -> list[ControllerRouterHandler]:
    @get("/events")
    async def events(request: Request[Any, Any, Any]) -> Response[bytes] | Stream:
        query = _query(request)
        if "text/event-stream" not in request.headers.get("accept", ""):
            return answer(await server.events(query))
        query.wait = 0
        page = await server.events(query)  # what is wrong with the query is told before the stream begins
        query.after = page.position
        first = b"".join(map(_frame, page.events)) or b": \n\n"
        return Stream(
            _stream(server, query, first),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    return [events]
