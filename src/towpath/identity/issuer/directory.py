"""Whom the local issuer knows: people, applications, and where it may send a browser back to."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from towpath.identity.settings import AccountSettings, ClientSettings, IssuerSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Directory:
    """Accounts and clients of the settings. Raises ValueError where one is named twice or unusable."""

    def __init__(self, settings: IssuerSettings, origins: Sequence[str], service_secret: str) -> None:
        self.accounts = {account.username: account for account in settings.accounts}
        self._subjects = {subject(account): account for account in settings.accounts}
        ours = ClientSettings(
            client_id=settings.service_client_id, secret=service_secret, name="Services", roles=["service"]
        )
        web = ClientSettings(client_id=settings.web_client_id, name="Towpath")
        self.clients = {client.client_id: client for client in [web, ours, *settings.clients]}
        _once("identity.accounts username", [a.username for a in settings.accounts])
        _once("identity.accounts subject", [subject(a) for a in settings.accounts])
        _once("identity.clients client_id", [ours.client_id, *(c.client_id for c in settings.clients)])
        for account in settings.accounts:
            if not account.username or not account.password:
                raise ValueError(
                    f"identity.accounts: {account.username!r} needs a username and a password, neither empty."
                )
        self.origins = tuple(dict.fromkeys(twin for origin in origins for twin in _twins(origin)))

    def account_of(self, sub: str) -> AccountSettings | None:
        """The account with this subject; None where it was taken out of the settings."""
        return self._subjects.get(sub)

    def sign_in(self, username: str, password: str) -> AccountSettings | None:
        """The account whose password this is. Takes as long for an unknown name as for a known one."""
        account = self.accounts.get(username)
        good = same(password, account.password if account else "")
        return account if good and account else None

    def may_return_to(self, client: ClientSettings, uri: str) -> bool:
        """Whether a browser may be sent to ``uri`` with a code for ``client`` (RFC 6749, 3.1.2)."""
        parts = urlsplit(uri)
        if parts.scheme not in ("http", "https") or parts.fragment or parts.username or "\\" in uri:
            return False
        if uri in client.redirect_uris:
            return True
        return not client.secret and f"{parts.scheme}://{parts.netloc}" in self.origins


def subject(account: AccountSettings) -> str:
    """``sub`` of an account's tokens."""
    return account.subject or account.username


def same(given: str, expected: str) -> bool:
    """Compare secrets in a time that tells nothing of where they differ."""
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}: {name!r} is there twice.")
        seen.add(name)


def _twins(origin: str) -> list[str]:
    """An origin, and on loopback its other spellings: people type localhost for 127.0.0.1."""
    parts = urlsplit(origin)
    port = f":{parts.port}" if parts.port else ""
    if parts.hostname not in LOOPBACK:
        return [f"{parts.scheme}://{parts.netloc}"]
    hosts = [parts.hostname, *(host for host in LOOPBACK if host != parts.hostname)]
    return [f"{parts.scheme}://{f'[{h}]' if ':' in h else h}{port}" for h in hosts]
