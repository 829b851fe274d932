"""Who calls, and how a token says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The caller that a token speaks for.

    ``roles`` are the solution's (customer, adjuster, operator, partner, service...). A caller with the
    role ``service`` may act ``on_behalf_of`` a person: ``subject`` is then that person's and ``actor``
    the service's.
    """

    subject: str
    roles: frozenset[str] = frozenset()
    name: str | None = None
    email: str | None = None
    client_id: str | None = None
    actor: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    def has(self, *roles: str) -> bool:
        """True where the caller has one of ``roles``."""
        return not self.roles.isdisjoint(roles)


class TokenError(Exception):
    """A token that is not to be believed.

    ``status``: 401, 403 for a valid one that is not for us, 503 where the issuer cannot be asked.
    """

    def __init__(self, detail: str, status: int = 401) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class TokenVerifier(Protocol):
    """Checks a bearer token. Raises :class:`TokenError`."""

    async def verify(self, token: str) -> Identity: ...


class TokenSource(Protocol):
    """Gives a service its own access token (role ``service``), fetched and renewed as needed."""

    async def token(self) -> str: ...
