"""A service's own access token, by the client credentials grant (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from towpath.identity.discovery import IssuerClient, IssuerUnavailableError
from towpath.identity.tokens import TokenError

EARLY = 60.0  # seconds before its end that a token is renewed, or a fifth of its life where that is less
UNTOLD_LIFETIME = 300.0  # seconds assumed where the issuer does not say expires_in (it SHOULD)


class ClientCredentials:
    """Fetches and renews a token; a :class:`~towpath.identity.TokenSource`.

    However many ask at once, one request is made. A token that could not be renewed early is used until
    it expires. Raises TokenError: 401 where the issuer refuses the client, 503 where it does not answer.
    """

    def __init__(self, issuer: str, client_id: str, secret: str, *, scope: str | None = None) -> None:
        self.client_id = client_id
        self._client = IssuerClient(issuer)
        self._secret = secret
        self._scope = scope
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0  # time.monotonic(); so is the next
        self._expires_at = 0.0

    async def token(self) -> str:
        """An access token that is good for a while yet."""
        if time.monotonic() < self._renew_at:
            return self._token
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                try:
                    await self._fetch()
                except IssuerUnavailableError:
                    if time.monotonic() >= self._expires_at:
                        raise
            return self._token

    async def _fetch(self) -> None:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        begun = time.monotonic()
        status, answer = await self._client.post(
            await self._client.endpoint("token_endpoint"), form, auth=(self.client_id, self._secret)
        )
        token = answer.get("access_token")
        if status != 200 or not isinstance(token, str):
            reason = answer.get("error_description") or answer.get("error") or f"status {status}"
            raise TokenError(f"The issuer {self._client.issuer} refuses {self.client_id!r}: {reason}")
        lifetime = answer.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) else UNTOLD_LIFETIME
        self._token = token
        self._expires_at = begun + seconds
        self._renew_at = begun + seconds - min(EARLY, seconds / 5)

    async def close(self) -> None:
        """Close the connections to the issuer."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
