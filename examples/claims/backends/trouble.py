"""Trouble on demand: a back end that fails the next requests, for demonstrations and tests.

``POST /_faults`` with ``{"next": 503, "count": 2}`` answers the next two requests so;
``{"delay": 3, "count": 1}`` lets the next one wait. ``{"count": 0}`` ends it.
"""

from __future__ import annotations

import asyncio

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Struct


class Trouble(Struct):
    """``next``: the status to answer (None: the right answer, late); ``delay`` in seconds."""

    next: int | None = None
    delay: float = 0.0
    count: int = 1


class Faults:
    """What is to go wrong."""

    def __init__(self) -> None:
        self.trouble = Trouble(count=0)

    async def strike(self) -> int | None:
        """To be called at the beginning of a request: waits, and gives the status to answer, if any."""
        trouble = self.trouble
        if trouble.count <= 0:
            return None
        trouble.count -= 1
        if trouble.delay:
            await asyncio.sleep(trouble.delay)
        return trouble.next

    def handler(self) -> HTTPRouteHandler:
        """The admin switch."""

        @post("/_faults", status_code=200)
        async def switch(data: JSONBody[Trouble]) -> Trouble:
            self.trouble = data
            return data

        return switch


def problem(status: int, detail: str) -> Response:
    """Problem details (RFC 9457)."""
    return Response(
        {"type": "about:blank", "status": status, "detail": detail},
        status_code=status,
        media_type="application/problem+json",
    )
