"""Tokens of the local issuer: access tokens (RFC 9068) and ID tokens (OpenID Connect Core 1.0)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from towpath.identity.issuer.directory import subject
from towpath.identity.issuer.grants import Grant
from towpath.identity.issuer.keys import SigningKey
from towpath.identity.settings import AccountSettings, ClientSettings, IssuerSettings


class Mint:
    """Makes tokens, and reads its own back."""

    def __init__(
        self, settings: IssuerSettings, url: str, key: SigningKey, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._url = url
        self._key = key
        self._clock = clock

    def jwks(self) -> dict[str, Any]:
        """The public key, as a JWK set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def lifetime(self, client: ClientSettings) -> int:
        """Seconds of an access token for ``client``."""
        return self._settings.token_lifetime if client.token_lifetime is None else client.token_lifetime

    def for_person(self, account: AccountSettings, client: ClientSettings, scope: str) -> str:
        """An access token by which ``client`` acts for a person."""
        return self._access(client, subject(account), account.roles, account.plan, scope, profile(account))

    def for_client(self, client: ClientSettings, scope: str) -> str:
        """An access token by which ``client`` acts for itself."""
        named = {"name": client.name} if client.name else {}
        return self._access(client, client.client_id, client.roles, client.plan, scope, named)

    def _access(
        self,
        client: ClientSettings,
        sub: str,
        roles: list[str],
        plan: str,
        scope: str,
        more: dict[str, str],
    ) -> str:
        claims = {
            **self._common(sub, self.lifetime(client)),
            "aud": self._settings.audience,
            "jti": secrets.token_urlsafe(12),
            "azp": client.client_id,
            "client_id": client.client_id,
            "roles": roles,
            "plan": plan,
            **more,
        }
        return self._sign(claims | ({"scope": scope} if scope else {}), "at+jwt")

    def id_token(self, account: AccountSettings, client: ClientSettings, grant: Grant, family: str) -> str:
        """Tells ``client`` who signed in; no credential for our services (its audience is the client)."""
        claims = {
            **self._common(subject(account), max(self.lifetime(client), 60)),
            "aud": client.client_id,
            "azp": client.client_id,
            "auth_time": grant.auth_time,
            "sid": family,
            "roles": account.roles,
            **profile(account),
        }
        return self._sign(claims | ({"nonce": grant.nonce} if grant.nonce else {}), "JWT")

    def read(self, token: str, audience: str | None = None) -> dict[str, Any] | None:
        """The claims of a token of ours; None where it is not. With ``audience``, it must not be expired."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[self._settings.algorithm]).claims
        except (JoseError, ValueError):
            return None
        if audience is not None and (claims.get("aud") != audience or claims.get("exp", 0) <= self._clock()):
            return None
        return claims

    def _common(self, sub: str, lifetime: int) -> dict[str, Any]:
        now = int(self._clock())
        return {"iss": self._url, "sub": sub, "iat": now, "exp": now + lifetime}

    def _sign(self, claims: dict[str, Any], kind: str) -> str:
        header = {"alg": self._settings.algorithm, "kid": self._key.kid, "typ": kind}
        return jwt.encode(header, claims, self._key, algorithms=[self._settings.algorithm])


def profile(account: AccountSettings) -> dict[str, str]:
    """The claims ``name`` and ``email`` of an account, where it has them."""
    texts = {"name": account.name, "email": account.email, "preferred_username": account.username}
    return {claim: text for claim, text in texts.items() if text}
