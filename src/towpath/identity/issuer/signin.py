"""What a browser sees of the local issuer: signing in, being sent back with a code, signing out."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jinja2
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from towpath.identity.issuer.directory import Directory, same, subject
from towpath.identity.issuer.errors import NO_STORE, OAuthError, once
from towpath.identity.issuer.grants import Grant, Grants
from towpath.identity.issuer.mint import Mint
from towpath.identity.settings import AccountSettings, ClientSettings, IssuerSettings

CODE_LIFETIME = 60.0  # seconds; RFC 6749, 4.1.2 recommends ten minutes at most
# Cookies of one host are shared by all its ports, so their names must not meet another service's.
SESSION_COOKIE = "towpath_issuer_session"
FORM_COOKIE = "towpath_issuer_form"
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")
# What goes through the login form and comes back with it.
_CARRIED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)

_pages = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class PageError(Exception):
    """A request that must not be answered by a redirect, because where to is not to be trusted."""


class SignIn:
    """The authorization endpoint (RFC 6749, 3.1; PKCE with S256 is required) and the end of a session."""

    def __init__(
        self, settings: IssuerSettings, url: str, directory: Directory, grants: Grants, mint: Mint
    ) -> None:
        self._settings = settings
        self._url = url
        self._directory = directory
        self._grants = grants
        self._mint = mint
        self._secure = url.startswith("https:")

    def begin(self, query: dict[str, str], session: str | None, form_key: str | None) -> Response[Any]:
        """Send the browser back at once where someone is signed in, else show the login page."""
        client = self._client(query)
        try:
            _check(query)
            prompt = query.get("prompt", "").split()
            account = self._signed_in(session)
            if account is not None and not {"login", "select_account"} & set(prompt):
                return self._send_code(query, client, account, status=302)
            if "none" in prompt:
                raise OAuthError("login_required", "Nobody is signed in.")
        except OAuthError as error:
            return self._send_back(query, {"error": error.error, "error_description": error.description}, 302)
        return self._login_page(query, client, form_key, query.get("login_hint", ""))

    def sign_in(self, form: dict[str, str], form_key: str | None) -> Response[Any]:
        """Take the login form."""
        client = self._client(form)
        _check_or_page(form)
        if not form_key or not same(form.get("form_key", ""), form_key):
            # Not our page, or a browser that keeps no cookies: show the page again, sign nobody in.
            return self._login_page(
                form, client, form_key, "", "The page was too old. Please try again.", 403
            )
        tapped = form.get("account")
        if tapped is not None and self._settings.offers_one_tap:
            account = self._directory.accounts.get(tapped)
        else:
            account = self._directory.sign_in(form.get("username", ""), form.get("password", ""))
        if account is None:
            problem = "The user name or the password is wrong."
            return self._login_page(form, client, form_key, form.get("username", ""), problem, 401)
        grant = Grant(subject=subject(account), auth_time=int(time.time()))
        session, _ = self._grants.give("session", grant, self._settings.session_lifetime)
        response = self._send_code(form, client, account, status=303)
        response.cookies.append(self._cookie(SESSION_COOKIE, session, self._settings.session_lifetime))
        return response

    def end(self, query: dict[str, str], session: str | None) -> Response[Any]:
        """End the session (OpenID Connect RP-Initiated Logout 1.0)."""
        found = self._grants.find("session", session) if session else None
        if found is not None:
            self._grants.revoke(found.family)
        hint = self._mint.read(query.get("id_token_hint", ""))
        if hint is not None and isinstance(hint.get("sid"), str):
            self._grants.revoke(hint["sid"])
        client = self._directory.clients.get(query.get("client_id") or str((hint or {}).get("aud")))
        target = query.get("post_logout_redirect_uri", "")
        if client is not None and target and self._directory.may_return_to(client, target):
            state = {"state": query["state"]} if "state" in query else {}
            response: Response[Any] = Response(
                None, status_code=303, headers=NO_STORE | {"Location": _with(target, state)}
            )
        else:
            response = page("message.html", title="Signed out", text="You can close this page.")
        response.cookies.append(self._cookie(SESSION_COOKIE, "", 0))
        return response

    def _client(self, query: dict[str, str]) -> ClientSettings:
        client = self._directory.clients.get(query.get("client_id", ""))
        if client is None:
            raise PageError("The application that sent you here is not known to this issuer (client_id).")
        if not self._directory.may_return_to(client, query.get("redirect_uri", "")):
            raise PageError(
                "The application wants you sent back to an address that is not one of its own (redirect_uri)."
            )
        return client

    def _signed_in(self, session: str | None) -> AccountSettings | None:
        found = self._grants.find("session", session) if session else None
        return self._directory.account_of(found.grant.subject) if found else None

    def _send_code(
        self, query: dict[str, str], client: ClientSettings, account: AccountSettings, *, status: int
    ) -> Response[Any]:
        grant = Grant(
            subject=subject(account),
            client_id=client.client_id,
            scope=query.get("scope", "openid"),
            redirect_uri=query["redirect_uri"],
            challenge=query["code_challenge"],
            nonce=query.get("nonce", ""),
            auth_time=int(time.time()),
        )
        code, _ = self._grants.give("code", grant, CODE_LIFETIME)
        return self._send_back(query, {"code": code}, status)

    def _send_back(self, query: dict[str, str], parameters: dict[str, str], status: int) -> Response[Any]:
        # ``iss`` (RFC 9207) lets a client of several issuers see whose answer this is.
        state = {"state": query["state"]} if "state" in query else {}
        location = _with(query["redirect_uri"], parameters | state | {"iss": self._url})
        return Response(None, status_code=status, headers=NO_STORE | {"Location": location})

    def _login_page(
        self,
        query: dict[str, str],
        client: ClientSettings,
        form_key: str | None,
        username: str,
        problem: str = "",
        status: int = 200,
    ) -> Response[Any]:
        form_key = form_key or secrets.token_urlsafe(16)
        target = urlsplit(query["redirect_uri"])
        response = page(
            "login.html",
            status=status,
            # Browsers hold the redirect after a form to form-action too.
            form_action=f"'self' {target.scheme}://{target.netloc}",
            client=client.name or client.client_id,
            accounts=self._settings.accounts if self._settings.offers_one_tap else [],
            carried={name: query[name] for name in _CARRIED if name in query},
            form_key=form_key,
            username=username,
            problem=problem,
        )
        response.cookies.append(self._cookie(FORM_COOKIE, form_key, 3600))
        return response

    def _cookie(self, name: str, value: str, lifetime: int) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            max_age=lifetime,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )


def page(template: str, *, status: int = 200, form_action: str = "'self'", **values: Any) -> Response[str]:
    """A page that runs no script, loads nothing and is framed by nobody."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return Response(
        _pages.get_template(template).render(style_nonce=nonce, **values),
        status_code=status,
        media_type="text/html",
        headers=NO_STORE
        | {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


def show_page_error(_: Request[Any, Any, Any], error: PageError) -> Response[str]:
    """Litestar's exception handler for PageError."""
    return page("message.html", status=400, title="This link does not work", text=str(error))


def _check(query: dict[str, str]) -> None:
    """Raises OAuthError for what is wrong in an authorization request of a known client."""
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if query.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "PKCE is required: code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(query.get("code_challenge", "")):
        raise OAuthError(
            "invalid_request", "PKCE is required: code_challenge must be 43 base64url characters."
        )
    if query.get("request") or query.get("request_uri"):
        raise OAuthError("request_not_supported", "Request objects are not supported.")


def _check_or_page(form: dict[str, str]) -> None:
    try:
        _check(form)
    except OAuthError as error:
        raise PageError(error.description) from None


def _with(uri: str, parameters: dict[str, str]) -> str:
    """``uri`` with ``parameters`` added to its query."""
    parts = urlsplit(uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))


def sign_in_handlers(sign_in: SignIn) -> list[HTTPRouteHandler]:
    """``/authorize`` (the page and its form) and ``/logout``."""

    @get("/authorize")
    async def authorize(request: Request[Any, Any, Any]) -> Response[Any]:
        return sign_in.begin(
            _parameters(request.query_params),
            request.cookies.get(SESSION_COOKIE),
            request.cookies.get(FORM_COOKIE),
        )

    @post("/authorize", status_code=200)
    async def login(request: Request[Any, Any, Any]) -> Response[Any]:
        return sign_in.sign_in(_parameters(await request.form()), request.cookies.get(FORM_COOKIE))

    @get("/logout")
    async def logout(request: Request[Any, Any, Any]) -> Response[Any]:
        return sign_in.end(_parameters(request.query_params), request.cookies.get(SESSION_COOKIE))

    @post("/logout", status_code=200)
    async def logout_form(request: Request[Any, Any, Any]) -> Response[Any]:
        return sign_in.end(_parameters(await request.form()), request.cookies.get(SESSION_COOKIE))

    return [authorize, login, logout, logout_form]


def _parameters(given: Any) -> dict[str, str]:
    try:
        return once(given)
    except OAuthError as error:
        raise PageError(error.description) from None
