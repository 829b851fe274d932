"""HTTP services by aiohttp: one pool a connection, no redirects, bounded answers."""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from msgspec import field
from yarl import URL

from towpath.integration.connectors.base import Connector, Options
from towpath.integration.errors import BackendError, BackendTimeout, BackendUnavailable

T = TypeVar("T")

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses by which a server says that the same request may go well later."""


class HttpOptions(Options, kw_only=True):
    """``url``: what every path is put behind. ``headers`` go with every request (an API key, say).

    ``pool``: connections; ``max_body``: bytes that an answer may have.
    """

    headers: dict[str, str] = field(default_factory=dict)
    pool: int = 100
    max_body: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    backend: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, type_: type[T]) -> T: ...
    def json(self, type_: Any = Any) -> Any:
        """The body as JSON values, or as ``type_``. Raises :class:`BackendError` where it is not that."""
        try:
            return msgspec.json.decode(self.body, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BackendError(self.backend, f"its answer is not what was agreed: {error}") from None


class HttpConnector(Connector[HttpOptions]):
    """Requests to one server.

    A path's ``{name}`` is filled from ``path`` and quoted, so that a value can never lead elsewhere. An
    answer that is neither 2xx nor in ``expect`` raises: :class:`BackendUnavailable` where trying again may
    help, else :class:`BackendError`.
    """

    protocol = "http"
    options_type = HttpOptions

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._session: aiohttp.ClientSession | None = None
        self._base = ""

    def check(self, options: HttpOptions) -> None:
        url = urlsplit(options.url)
        if url.scheme not in ("http", "https") or not url.netloc or url.query or url.fragment:
            raise self.refuse("url: expected http(s)://host[:port][/path].")

    async def open(self, connections: Mapping[str, dict[str, Any]]) -> None:
        await super().open(connections)
        self._base = self.options.url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.options.pool, ttl_dns_cache=30),
            timeout=aiohttp.ClientTimeout(total=self.options.timeout),
            headers=self.options.headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        await super().close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        expect: Iterable[int] = (),
        **parameters: str | int,
    ) -> Answer:
        """Send one request; ``parameters`` fill the path's ``{name}``."""
        if self._session is None:
            self.options  # noqa: B018 (says that the connection is not open)
        assert self._session is not None
        if not path.startswith("/"):
            raise ValueError(f"The path {path!r} does not begin with '/'.")
        if parameters:
            path = path.format_map({name: _segment(name, value) for name, value in parameters.items()})
        sent = dict(headers or ())
        body = None
        if json is not None:
            body = msgspec.json.encode(json)
            sent["Content-Type"] = "application/json"
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        limit = self.options.max_body
        try:
            async with self._session.request(
                method,
                URL(self._base + path, encoded=True),
                params=query,
                data=body,
                headers=sent,
                allow_redirects=False,
            ) as response:
                status, received = response.status, response.headers
                content = await response.content.read(limit + 1) if limit else b""
                while len(content) <= limit and not response.content.at_eof():
                    content += await response.content.read(limit + 1 - len(content))
        except TimeoutError:
            raise BackendTimeout(self.name, f"no answer within {self.options.timeout:g} s") from None
        except aiohttp.InvalidURL:
            raise BackendError(self.name, "the path makes no usable address") from None
        except (aiohttp.ClientError, OSError) as error:
            raise BackendUnavailable(self.name, f"it cannot be reached ({type(error).__name__})") from error
        if len(content) > limit:
            raise BackendError(self.name, f"its answer has more than {limit} bytes", status=status)
        if 200 <= status < 300 or status in expect:
            return Answer(self.name, status, received, content)
        raise self._refused(status, received, content)

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes) -> BackendError:
        detail = f"it answered {status}{_reason(body)}"
        if status in _TRY_AGAIN:
            after = headers.get("Retry-After", "")
            wait = float(after) if after.isascii() and after.isdigit() else None
            return BackendUnavailable(self.name, detail, status=status, retry_after=wait)
        return BackendError(self.name, detail, status=status)

    async def get(self, path: str, **more: Any) -> Answer:
        """GET; see :meth:`request`."""
        return await self.request("GET", path, **more)

    async def post(self, path: str, **more: Any) -> Answer:
        """POST; see :meth:`request`."""
        return await self.request("POST", path, **more)

    async def put(self, path: str, **more: Any) -> Answer:
        """PUT; see :meth:`request`."""
        return await self.request("PUT", path, **more)

    async def patch(self, path: str, **more: Any) -> Answer:
        """PATCH; see :meth:`request`."""
        return await self.request("PATCH", path, **more)

    async def delete(self, path: str, **more: Any) -> Answer:
        """DELETE; see :meth:`request`."""
        return await self.request("DELETE", path, **more)


def _segment(name: str, value: str | int) -> str:
    text = quote(str(value), safe="")
    # Dots alone would be taken for a step to another path by whoever normalises it.
    if not text or set(text) == {"."}:
        raise ValueError(f"The path's {name!r} cannot be {value!r}.")
    return text


def _reason(body: bytes) -> str:
    """What problem details say of themselves; anything else may hold what is not for others."""
    try:
        document = stdlib_json.loads(body)
    except ValueError:
        return ""
    detail = document.get("detail") if isinstance(document, dict) else None
    return f": {detail[:200]}" if isinstance(detail, str) else ""


def http(connection: str) -> HttpConnector:
    """The server that ``[integration.connections.<connection>]`` names."""
    return HttpConnector(connection)
