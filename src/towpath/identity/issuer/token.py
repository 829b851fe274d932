"""The token endpoint: grants of RFC 6749, PKCE (RFC 7636), revocation (RFC 7009)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from typing import Any
from urllib.parse import unquote_plus

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from towpath.identity.issuer.directory import Directory, same, subject
from towpath.identity.issuer.errors import NO_STORE, OAuthError, once
from towpath.identity.issuer.grants import Found, Grant, Grants, new_family
from towpath.identity.issuer.mint import Mint
from towpath.identity.settings import AccountSettings, ClientSettings, IssuerSettings

GRANTS = ("authorization_code", "refresh_token", "client_credentials", "password")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # RFC 7636, 4.1


class TokenEndpoint:
    """Answers a grant with tokens."""

    def __init__(self, settings: IssuerSettings, directory: Directory, grants: Grants, mint: Mint) -> None:
        self._settings = settings
        self._directory = directory
        self._grants = grants
        self._mint = mint

    def answer(self, form: dict[str, str], authorization: str | None) -> dict[str, Any]:
        """The token response. Raises OAuthError."""
        client = self._client(form, authorization)
        match form.get("grant_type"):
            case "authorization_code":
                return self._code(form, client)
            case "refresh_token":
                return self._refresh(form, client)
            case "client_credentials":
                return self._client_credentials(form, client)
            case "password" if self._settings.offers_password_grant:
                return self._password(form, client)
            case None:
                raise OAuthError("invalid_request", "grant_type is missing.")
            case other:
                raise OAuthError("unsupported_grant_type", f"This issuer does not offer {other!r}.")

    def _client(self, form: dict[str, str], authorization: str | None) -> ClientSettings:
        """Who asks, by HTTP Basic or by the form; a public client by its id alone."""
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization and authorization[:6].lower() == "basic ":
            try:
                plain = base64.b64decode(authorization[6:], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                plain = ":"
            # RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
            name, secret = (unquote_plus(half) for half in plain.partition(":")[::2])
        client = self._directory.clients.get(name)
        good = same(secret, client.secret if client else "")
        if client is None or not good:
            raise OAuthError("invalid_client", "The client is unknown or its secret is wrong.", 401)
        return client

    def _code(self, form: dict[str, str], client: ClientSettings) -> dict[str, Any]:
        code = form.get("code", "")
        found = self._grants.find("code", code)
        if found is None:
            raise OAuthError("invalid_grant", "The code is unknown or has expired.")
        if not self._grants.use(code):
            # RFC 6749, 4.1.2: one of the two who used it has stolen it; neither keeps what it got.
            self._grants.revoke(found.family)
            raise OAuthError("invalid_grant", "The code was used before; what came of it is revoked.")
        grant = found.grant
        verifier = form.get("code_verifier", "")
        if grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "The code was given to another client.")
        if grant.redirect_uri != form.get("redirect_uri"):
            raise OAuthError("invalid_grant", "redirect_uri is not the one the code was asked with.")
        if not _VERIFIER.fullmatch(verifier) or not same(challenge_of(verifier), grant.challenge):
            raise OAuthError("invalid_grant", "code_verifier does not fit the code_challenge.")
        return self._for_person(self._account(found), client, found)

    def _refresh(self, form: dict[str, str], client: ClientSettings) -> dict[str, Any]:
        token = form.get("refresh_token", "")
        found = self._grants.find("refresh", token)
        if found is None or found.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "The refresh token is unknown, expired or revoked.")
        if not self._grants.use(token) and (
            found.used is None or time.time() - found.used > self._settings.refresh_reuse
        ):
            self._grants.revoke(found.family)
            raise OAuthError("invalid_grant", "The refresh token was used before; its sign-in is revoked.")
        return self._for_person(self._account(found), client, found)

    def _client_credentials(self, form: dict[str, str], client: ClientSettings) -> dict[str, Any]:
        if not client.secret:
            raise OAuthError("unauthorized_client", "A public client has no credentials of its own.")
        scope = form.get("scope", "")
        return self._response(self._mint.for_client(client, scope), client, scope)

    def _password(self, form: dict[str, str], client: ClientSettings) -> dict[str, Any]:
        account = self._directory.sign_in(form.get("username", ""), form.get("password", ""))
        if account is None:
            raise OAuthError("invalid_grant", "The user name or the password is wrong.")
        grant = Grant(
            subject=subject(account),
            client_id=client.client_id,
            scope=form.get("scope", "openid"),
            auth_time=int(time.time()),
        )
        return self._for_person(account, client, Found(grant, new_family(), None))

    def _account(self, found: Found) -> AccountSettings:
        account = self._directory.account_of(found.grant.subject)
        if account is None:
            raise OAuthError("invalid_grant", "The account is no longer there.")
        return account

    def _for_person(self, account: AccountSettings, client: ClientSettings, found: Found) -> dict[str, Any]:
        grant = found.grant
        response = self._response(self._mint.for_person(account, client, grant.scope), client, grant.scope)
        refresh, _ = self._grants.give("refresh", grant, self._settings.session_lifetime, family=found.family)
        response["refresh_token"] = refresh
        if "openid" in grant.scope.split():
            response["id_token"] = self._mint.id_token(account, client, grant, found.family)
        return response

    def _response(self, token: str, client: ClientSettings, scope: str) -> dict[str, Any]:
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": max(self._mint.lifetime(client), 0),
        }
        return answer | ({"scope": scope} if scope else {})

    def revoke(self, form: dict[str, str], authorization: str | None) -> None:
        """Revoke a refresh token and all that came of its sign-in. Raises OAuthError for a wrong client."""
        client = self._client(form, authorization)
        found = self._grants.find("refresh", form.get("token", ""))
        if found is not None and found.grant.client_id == client.client_id:
            self._grants.revoke(found.family)


def challenge_of(verifier: str) -> str:
    """``code_challenge`` of a verifier by S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def token_handlers(endpoint: TokenEndpoint) -> list[HTTPRouteHandler]:
    """``/token`` and ``/revoke``."""

    @post("/token", status_code=200)
    async def token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        form = once(await request.form())
        return Response(endpoint.answer(form, request.headers.get("authorization")), headers=NO_STORE)

    @post("/revoke", status_code=200)
    async def revoke(request: Request[Any, Any, Any]) -> Response[None]:
        endpoint.revoke(once(await request.form()), request.headers.get("authorization"))
        return Response(None, headers=NO_STORE)

    return [token, revoke]
