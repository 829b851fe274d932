"""Calls to our other services on behalf of a person: the facade, and integration's routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from towpath.http import on_behalf_of
from towpath.identity import Identity, TokenSource

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unreachable(Exception):
    """The service cannot be asked now; ``retry_after`` in seconds where it said so."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Refused(Exception):
    """The service said no, and will again. ``problem``: its problem details."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or status))
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class File:
    """A file of a multipart request."""

    name: str
    content_type: str
    content: bytes


class Upstream:
    """One service at ``base``, called with our own token for a person."""

    def __init__(
        self, session: aiohttp.ClientSession, base: str, tokens: TokenSource, *, timeout: float
    ) -> None:
        self._session = session
        self._base = base.rstrip("/")
        self._tokens = tokens
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def call(
        self,
        method: str,
        path: str,
        person: Identity | None,
        *,
        json: Any = None,
        form: aiohttp.FormData | None = None,
        query: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """The answer's JSON, None where it has none. Raises Unreachable or Refused."""
        try:
            headers = {"Authorization": f"Bearer {await self._tokens.token()}"}
        except Exception as error:  # whatever keeps us from a token passes: the issuer is another service
            raise Unreachable(f"No service token: {error}") from error
        if person is not None:
            headers |= on_behalf_of(person)
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        data: Any = form
        if json is not None:
            data = msgspec.json.encode(json)
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method,
                self._base + path,
                headers=headers,
                data=data,
                params=query,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{self._base} does not answer: {error or type(error).__name__}") from error
        return _judge(response, body)


def _judge(response: aiohttp.ClientResponse, body: bytes) -> Any:
    try:
        value = msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        value = None
    if response.status < 300:
        return value
    problem = value if isinstance(value, dict) else {"status": response.status, "title": response.reason}
    # 401 is about our own token, which is renewed, and no verdict on the person's request.
    if response.status in TEMPORARY or response.status == 401:
        after = response.headers.get("Retry-After", "")
        raise Unreachable(
            f"{response.status}: {problem.get('detail') or problem.get('title')}",
            float(after) if after.isdigit() else None,
        )
    raise Refused(response.status, problem)


def segment(text: str) -> str:
    """``text`` as one segment of a path."""
    return quote(text, safe=":")
