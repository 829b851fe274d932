"""Bearer tokens of an OIDC issuer, checked by the service that receives them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import math
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key, import_key

from towpath.identity.discovery import IssuerClient, IssuerUnavailableError
from towpath.identity.tokens import Identity, TokenError

# Asymmetric only: a verifier that also takes HS256 can be fed the public key as a shared secret, and one
# that takes "none" can be fed anything (RFC 8725, 2.1).
ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA", "Ed25519")
_KEY_TYPE = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}

LEEWAY = 10.0  # seconds that clocks may differ
JWKS_LIFETIME = 600.0  # seconds until keys are fetched again, wanted or not
REFRESH_INTERVAL = 10.0  # seconds between fetches that an unknown key id may cause
RETRY_INTERVAL = 1.0  # seconds before an issuer that did not answer is asked again
MAX_TOKEN = 16 * 1024  # characters
CACHED_TOKENS = 4096


class OidcVerifier:
    """Checks tokens against an issuer's keys; a :class:`~towpath.identity.TokenVerifier`.

    Signature (asymmetric algorithms only), ``iss``, ``aud``, ``exp`` and ``nbf`` are checked. Keys are
    found by discovery, kept for ``jwks_lifetime`` seconds, and fetched again for an unknown key id at most
    every ``refresh_interval`` seconds. While the issuer is down, known keys go on being used. A verified
    token is remembered, by its hash, until it expires or the keys change.
    """

    def __init__(
        self,
        issuer: str,
        audience: str = "towpath",
        roles_claim: str = "roles",
        *,
        leeway: float = LEEWAY,
        jwks_lifetime: float = JWKS_LIFETIME,
        refresh_interval: float = REFRESH_INTERVAL,
        retry_interval: float = RETRY_INTERVAL,
        cached_tokens: int = CACHED_TOKENS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.roles_claim = roles_claim
        self._leeway = leeway
        self._clock = clock
        self._keys = _IssuerKeys(IssuerClient(issuer), jwks_lifetime, refresh_interval, retry_interval, clock)
        self._cache: OrderedDict[bytes, tuple[float, int, Identity]] = OrderedDict()
        self._cached_tokens = cached_tokens

    async def verify(self, token: str) -> Identity:
        """The caller that ``token`` speaks for.

        Raises TokenError: 401 for a token not to be believed, 403 for a good one with another audience,
        503 where the issuer's keys cannot be had.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = self._clock()
        known = self._cache.get(digest)
        if known is not None and known[0] > now and known[1] == self._keys.version and self._keys.fresh:
            self._cache.move_to_end(digest)
            return known[2]
        header = _header(token)
        key = await self._keys.find(header["alg"], header.get("kid"))
        try:
            claims = _decode(token, key, header["alg"])
        except (JoseError, ValueError):
            raise TokenError("The token's signature does not fit its content.") from None
        expires = self._check(claims, now)
        identity = self._identity(claims)
        self._cache[digest] = (expires + self._leeway, self._keys.version, identity)
        self._cache.move_to_end(digest)
        while len(self._cache) > self._cached_tokens:
            self._cache.popitem(last=False)
        return identity

    def _check(self, claims: Mapping[str, Any], now: float) -> float:
        """The expiry of claims that hold. Raises TokenError."""
        if claims.get("iss") != self.issuer:
            raise TokenError("The token is of another issuer.")
        expires: Any = claims.get("exp")
        if not _is_time(expires):
            raise TokenError("The token has no expiry (exp).")
        if expires + self._leeway <= now:
            raise TokenError("The token has expired.")
        not_before = claims.get("nbf", now)
        if not _is_time(not_before) or not_before - self._leeway > now:
            raise TokenError("The token is not valid yet (nbf).")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise TokenError("The token has no subject (sub).")
        audience = claims.get("aud")
        if self.audience not in ([audience] if isinstance(audience, str) else audience or ()):
            raise TokenError(f"The token is not meant for {self.audience!r} (aud).", 403)
        return float(expires)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        return Identity(
            subject=claims["sub"],
            roles=frozenset(_roles(claims, self.roles_claim)),
            name=_text(claims.get("name")),
            email=_text(claims.get("email")),
            client_id=_text(claims.get("azp")) or _text(claims.get("client_id")),
            claims=claims,
        )

    async def close(self) -> None:
        """Close the connections to the issuer."""
        await self._keys.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _IssuerKeys:
    """An issuer's public keys: fetched once for all who wait, kept over its outages."""

    def __init__(
        self,
        client: IssuerClient,
        lifetime: float,
        refresh_interval: float,
        retry_interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._lifetime = lifetime
        self._refresh_interval = refresh_interval
        self._retry_interval = retry_interval
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: list[Key] | None = None
        self._document: Any = None
        self._fetched = -math.inf
        self._tried = -math.inf
        self._failure: IssuerUnavailableError | None = None
        self.version = 0

    @property
    def fresh(self) -> bool:
        """False when it is time to fetch the keys again."""
        now = self._clock()
        return now < self._fetched + self._lifetime or now < self._tried + self._retry_interval

    async def find(self, algorithm: str, kid: str | None) -> Key:
        """The key for a token's header. Raises TokenError."""
        if self._keys is None or not self.fresh:
            await self._refresh(self._retry_interval)
        key = self._pick(algorithm, kid)
        if key is None:
            await self._refresh(self._refresh_interval)
            key = self._pick(algorithm, kid)
        if key is None:
            raise TokenError("The token is signed with a key that the issuer does not have.")
        return key

    def _pick(self, algorithm: str, kid: str | None) -> Key | None:
        fitting = [
            key
            for key in self._keys or ()
            if key.key_type == _KEY_TYPE[algorithm]
            and key.get("use", "sig") == "sig"
            and key.get("alg", algorithm) == algorithm
        ]
        if kid is None:
            # Without an id the choice must not be a guess.
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.get("kid") == kid), None)

    async def _refresh(self, interval: float) -> None:
        """Fetch the keys unless that was tried within ``interval`` seconds."""
        async with self._lock:
            if self._clock() >= self._tried + interval:
                try:
                    document = await self._client.get(await self._client.endpoint("jwks_uri"))
                    keys = _import(document)
                    if not keys:
                        raise IssuerUnavailableError(f"The issuer {self._client.issuer} has no usable key.")
                    if document != self._document:
                        self._document, self._keys = document, keys
                        self.version += 1
                    self._fetched, self._failure = self._clock(), None
                except IssuerUnavailableError as error:
                    self._failure = error
                finally:
                    self._tried = self._clock()
            if self._keys is None:
                raise self._failure or IssuerUnavailableError(
                    f"The issuer {self._client.issuer} is not known yet."
                )

    async def close(self) -> None:
        await self._client.close()


def _import(document: Mapping[str, Any]) -> list[Key]:
    """The keys of a JWKS that can be used; RFC 7517, 5: what is not understood is ignored."""
    keys: list[Key] = []
    for entry in document.get("keys") or ():
        if isinstance(entry, dict) and entry.get("kty") in ("RSA", "EC", "OKP"):
            try:
                keys.append(import_key(entry))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return keys


def _header(token: str) -> dict[str, Any]:
    """The header of a compact JWS whose algorithm is allowed. Raises TokenError."""
    if len(token) > MAX_TOKEN:
        raise TokenError("The token is too long.")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("The token is not a signed JWT.")
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except ValueError:
        raise TokenError("The token is not a signed JWT.") from None
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise TokenError(f"The token must be signed with one of {', '.join(ALGORITHMS)}.")
    if not isinstance(header.get("kid"), str | None):
        raise TokenError("The token's key id is not text.")
    return header


def _decode(token: str, key: Key, algorithm: str) -> Mapping[str, Any]:
    """The claims of a token whose signature fits. Raises JoseError or ValueError."""
    if algorithm != "EdDSA":
        return jwt.decode(token, key, algorithms=[algorithm]).claims
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; issuers will go on sending the old name for years.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(token, key, algorithms=[algorithm]).claims


def _roles(claims: Mapping[str, Any], path: str) -> list[str]:
    """Roles at ``path``: a claim of that very name (they may contain dots), else a dotted path."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.split()
    return [role for role in found if isinstance(role, str)] if isinstance(found, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
