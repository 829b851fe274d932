"""One request of the CouchDB protocol and its answer, on bare ASGI.

Document ids hold slashes and colons, answers are JSON whatever ``Accept`` says, the hottest calls are here:
so the protocol reads the raw path itself instead of going through a router of path templates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from litestar.types import Receive, Scope, Send

from towpath.frontend.sync.errors import CouchError, bad_request, too_large
from towpath.identity import Identity

Headers = Iterable[tuple[bytes, bytes]]
JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
NO_STORE: tuple[bytes, bytes] = (b"cache-control", b"no-store")


class Exchange:
    """The request's parts, decoded, and the ways to answer it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, prefix: str, max_body: int) -> None:
        self._receive = receive
        self._send = send
        self._max_body = max_body
        self.method = str(scope["method"])  # type: ignore[typeddict-item]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        raw: bytes = scope.get("raw_path") or str(scope["path"]).encode()
        path = raw.split(b"?", 1)[0].removeprefix(prefix.encode())
        self.segments = [_text(part) for part in path.strip(b"/").split(b"/") if part]
        query = scope.get("query_string", b"")
        self.query = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        self.identity: Identity | None = scope.get("state", {}).get("identity")

    # the request

    def flag(self, name: str) -> bool:
        """A parameter that is true or absent."""
        return self.query.get(name) == "true"

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number that is not negative. Raises CouchError 400."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise CouchError(400, "query_parse_error", f"{name} must be a whole number that is not negative.")
        return int(text)

    def json_parameter(self, name: str) -> Any:
        """A parameter in JSON, None where it is absent. Raises CouchError 400."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            raise CouchError(400, "query_parse_error", f"{name} must be JSON.") from None

    async def body(self) -> bytes:
        """The whole body. Raises CouchError 413 past the limit, before reading further."""
        refusal = too_large(f"The request is larger than {self._max_body} bytes.")
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > self._max_body:
            raise refusal
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise bad_request("The request ended before its body did.")
            assert message["type"] == "http.request"
            parts.append(message["body"])
            size += len(message["body"])
            if size > self._max_body:
                raise refusal
            if not message.get("more_body"):
                return b"".join(parts)

    async def json(self) -> Any:
        """The body as JSON. Raises CouchError 400."""
        try:
            return msgspec.json.decode(await self.body())
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise bad_request("invalid UTF-8 JSON") from None

    async def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises CouchError 400."""
        value = await self.json()
        if not isinstance(value, dict):
            raise bad_request("Request body must be a JSON object")
        return value

    async def disconnected(self) -> None:
        """Returns when the client has gone; the body must have been read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    # the answer

    async def answer(self, value: Any, status: int = 200, headers: Headers = ()) -> None:
        """A JSON answer."""
        await self.send_bytes(msgspec.json.encode(value), status, (JSON, *headers))

    async def send_bytes(self, content: bytes, status: int, headers: Headers) -> None:
        """A whole answer; its body is left out for HEAD."""
        await self.begin(status, (*headers, (b"content-length", str(len(content)).encode())))
        await self.chunk(b"" if self.method == "HEAD" else content, more=False)

    async def begin(self, status: int, headers: Headers) -> None:
        """The head of an answer that goes on with :meth:`chunk`."""
        await self._send({"type": "http.response.start", "status": status, "headers": [NO_STORE, *headers]})

    async def chunk(self, content: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": content, "more_body": more})

    async def refuse(self, error: CouchError) -> None:
        """The error as CouchDB says it."""
        document = {"error": error.error, "reason": error.reason, "name": error.error, "status": error.status}
        headers = [(b"www-authenticate", b"Bearer")] if error.status == 401 else []
        await self.answer(document, error.status, headers)


async def first(*waits: asyncio.Future[Any], timeout: float) -> bool:
    """Wait for the first of ``waits``, cancelling none; False after ``timeout`` seconds."""
    done, _ = await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _text(segment: bytes) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise bad_request("The path is not UTF-8.") from None
