"""``[identity]`` of ``towpath.toml``."""

from __future__ import annotations

from typing import Literal

import msgspec

WEB_CLIENT = "towpath-web"
SERVICE_CLIENT = "towpath-services"


class AccountSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[identity.accounts]]``: a person whom the local issuer knows."""

    username: str
    password: str
    name: str = ""
    email: str = ""
    roles: list[str] = []
    plan: str = "standard"
    subject: str = ""  # ``sub`` of the tokens; the user name where empty


class ClientSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[identity.clients]]``: an application that the local issuer knows.

    Without a ``secret`` it is public: authorization code with PKCE and refresh, no client credentials.
    ``roles`` and ``plan`` are those of the client itself under client credentials.
    """

    client_id: str
    secret: str = ""
    name: str = ""
    redirect_uris: list[str] = []  # beside every path of the gateway's own origins
    roles: list[str] = []
    plan: str = "standard"
    token_lifetime: int | None = None  # seconds; below zero mints expired tokens, for tests of refusals


def demo_accounts() -> list[AccountSettings]:
    """The people of the demonstration; each one's password is the user name."""
    return [
        AccountSettings(
            username=username,
            password=username,
            name=name,
            email=f"{username}@example.com",
            roles=[role],
        )
        for username, name, role in (
            ("ada", "Ada Becker", "customer"),
            ("ben", "Ben Okafor", "customer"),
            ("carl", "Carl Jensen", "adjuster"),
            ("olga", "Olga Petrova", "operator"),
        )
    ]


def demo_clients() -> list[ClientSettings]:
    """A partner's client."""
    return [
        ClientSettings(
            client_id="garage-hamburg",
            secret="garage-hamburg",  # noqa: S106  (a demonstration account, on loopback only)
            name="Garage Hamburg",
            roles=["partner"],
            plan="partner",
        ),
    ]


class IssuerSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the local issuer needs to know; all of it is ignored where the issuer is a URL."""

    audience: str = "towpath"
    accounts: list[AccountSettings] = msgspec.field(default_factory=demo_accounts)
    clients: list[ClientSettings] = msgspec.field(default_factory=demo_clients)
    token_lifetime: int = 900  # seconds of an access token
    session_lifetime: int = 30 * 24 * 3600  # seconds of a refresh token unused, and of the login session
    algorithm: Literal["ES256", "RS256"] = "ES256"
    refresh_reuse: int = 10  # seconds in which a rotated refresh token is taken again: its answer may be lost
    web_client_id: str = WEB_CLIENT  # known to the local issuer without being listed; so is the next
    service_client_id: str = SERVICE_CLIENT
    allow_remote: bool = False  # serve on a host that others can reach
    # The next two default to "yes, unless allow_remote": neither belongs where others can reach it.
    one_tap: bool | None = None  # sign in to an account by a tap, without its password
    password_grant: bool | None = None  # grant_type=password, for tours with curl

    @property
    def offers_one_tap(self) -> bool:
        """Whether the login page signs in without a password."""
        return not self.allow_remote if self.one_tap is None else self.one_tap

    @property
    def offers_password_grant(self) -> bool:
        """Whether the token endpoint takes a user name and password."""
        return not self.allow_remote if self.password_grant is None else self.password_grant


class IdentitySettings(IssuerSettings, kw_only=True, forbid_unknown_fields=True):
    """``[identity]``: who says who is calling.

    ``issuer`` is ``local`` or the URL of an OIDC issuer. With a URL, the services' own credentials are
    ``service_client_id`` and the secret that the environment holds under the name
    ``service_secret_env``; the local issuer makes them itself.
    """

    issuer: str = "local"
    roles_claim: str = "roles"  # a dotted path is allowed: realm_access.roles
    service_secret_env: str = "TOWPATH_SERVICE_SECRET"  # noqa: S105  (the name of a variable)

    @property
    def is_local(self) -> bool:
        """Whether Towpath runs its own issuer for development."""
        return self.issuer == "local"
