"""What an issuer says about itself (OpenID Connect Discovery 1.0), fetched when it is first needed."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote_plus

import aiohttp

from towpath.identity.tokens import TokenError

WELL_KNOWN = "/.well-known/openid-configuration"
TIMEOUT = 5.0  # seconds for one request to the issuer
MAX_DOCUMENT = 1024 * 1024  # bytes; a JWKS of a hundred keys is far below


class IssuerUnavailableError(TokenError):
    """The issuer cannot be asked now. Status 503: the token may be good, so nobody need sign in again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, 503)


class IssuerClient:
    """HTTP with one issuer: its metadata, keys and token endpoint, over one session made on first use."""

    def __init__(self, issuer: str, *, timeout: float = TIMEOUT) -> None:
        self.issuer = issuer
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._metadata: dict[str, Any] | None = None

    async def metadata(self) -> dict[str, Any]:
        """The discovery document. Raises IssuerUnavailableError, also where it names another issuer."""
        if self._metadata is None:
            document = await self.get(self.issuer.rstrip("/") + WELL_KNOWN)
            if document.get("issuer") != self.issuer:
                raise IssuerUnavailableError(
                    f"The issuer at {self.issuer} calls itself {document.get('issuer')!r}; "
                    "the setting must be that very text."
                )
            self._metadata = document
        return self._metadata

    async def endpoint(self, name: str) -> str:
        """The URL of one endpoint of the discovery document, such as ``token_endpoint``."""
        url = (await self.metadata()).get(name)
        if not isinstance(url, str):
            raise IssuerUnavailableError(f"The issuer {self.issuer} names no {name}.")
        return url

    async def get(self, url: str) -> dict[str, Any]:
        """A JSON object. Raises IssuerUnavailableError."""
        return (await self._request("GET", url))[1]

    async def post(
        self, url: str, form: dict[str, str], auth: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of a form post; 4xx is an answer. Raises IssuerUnavailableError."""
        return await self._request("POST", url, data=form, headers=_basic(*auth) if auth else {})

    async def _request(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.request(method, url, allow_redirects=False, **options) as answer:
                status = answer.status
                document = await _object(answer)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise IssuerUnavailableError(f"The issuer {self.issuer} does not answer: {reason}.") from None
        if status >= 500 or document is None or (method == "GET" and status != 200):
            raise IssuerUnavailableError(f"The issuer {self.issuer} answers {status} at {url}.")
        return status, document

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _basic(client_id: str, secret: str) -> dict[str, str]:
    """HTTP Basic of a client: both halves form-encoded first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


async def _object(answer: aiohttp.ClientResponse) -> dict[str, Any] | None:
    """The JSON object of an answer, or None where it is something else or too long."""
    body = b""
    async for part in answer.content.iter_chunked(65536):
        body += part
        if len(body) > MAX_DOCUMENT:
            return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
