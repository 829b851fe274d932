"""The local issuer as an application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar, Request, Response, get, route
from litestar.config.cors import CORSConfig
from litestar.enums import HttpMethod

from towpath.identity.issuer.directory import LOOPBACK, Directory
from towpath.identity.issuer.errors import NO_STORE, OAuthError, refuse
from towpath.identity.issuer.grants import Grants
from towpath.identity.issuer.keys import service_secret, signing_key
from towpath.identity.issuer.mint import Mint, profile
from towpath.identity.issuer.signin import PageError, SignIn, show_page_error, sign_in_handlers
from towpath.identity.issuer.token import GRANTS, TokenEndpoint, token_handlers
from towpath.identity.settings import IssuerSettings

MAX_BODY = 64 * 1024  # bytes of a form


def create_issuer(
    settings: IssuerSettings,
    *,
    url: str,
    state: Path,
    origins: Sequence[str] = (),
    host: str | None = None,
) -> Litestar:
    """An OIDC issuer for development, which calls itself ``url``.

    ``state`` keeps its key, its sessions and the services' secret. ``origins`` (the gateway's, such as
    ``http://127.0.0.1:8080``) may ask for tokens from a browser and have browsers sent back to them.
    ``host`` is the address it is served on, where that is not the host of ``url``.

    Raises ValueError where others could reach it and ``allow_remote`` is not set, and for accounts or
    clients that cannot be used.
    """
    url = url.rstrip("/")
    for reachable in filter(None, (urlsplit(url).hostname, host)):
        if reachable not in LOOPBACK and not settings.allow_remote:
            raise ValueError(
                f"The local issuer is for development and does not serve on {reachable}, where others can "
                "reach it. Use an OIDC issuer of your own ([identity] issuer = its URL), "
                "or set [identity] allow_remote = true."
            )
    directory = Directory(settings, origins, service_secret(state))
    mint = Mint(settings, url, signing_key(state, settings.algorithm))
    grants = Grants(state / "identity.db")

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            grants.close()

    async def check_host(request: Request[Any, Any, Any]) -> Response[Any] | None:
        # A page elsewhere may point a name of its own at 127.0.0.1 (DNS rebinding) and would then be of
        # this origin; its requests carry that name.
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname
        if settings.allow_remote or name in LOOPBACK:
            return None
        return Response({"error": "invalid_request", "error_description": "Wrong host."}, status_code=421)

    return Litestar(
        route_handlers=[
            *_discovery(settings, url, mint),
            *token_handlers(TokenEndpoint(settings, directory, grants, mint)),
            *sign_in_handlers(SignIn(settings, url, directory, grants, mint)),
            _userinfo(settings, directory, mint),
        ],
        exception_handlers={OAuthError: refuse, PageError: show_page_error},
        before_request=check_host,
        cors_config=CORSConfig(
            allow_origins=list(directory.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Requested-With"],
            max_age=600,
        ),
        lifespan=[lifespan],
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        debug=False,
        logging_config=None,
    )


def _discovery(settings: IssuerSettings, url: str, mint: Mint) -> list[Any]:
    document = {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "userinfo_endpoint": f"{url}/userinfo",
        "jwks_uri": f"{url}/jwks",
        "end_session_endpoint": f"{url}/logout",
        "revocation_endpoint": f"{url}/revoke",
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [g for g in GRANTS if g != "password" or settings.offers_password_grant],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [settings.algorithm],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "name", "email", "preferred_username", "roles", "plan"],
        "authorization_response_iss_parameter_supported": True,
    }

    @get(
        ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"], sync_to_thread=False
    )
    def discovery() -> dict[str, Any]:
        return document

    @get("/jwks", sync_to_thread=False)
    def jwks() -> Response[dict[str, Any]]:
        return Response(mint.jwks(), headers={"Cache-Control": "max-age=300"})

    @get("/health/live", sync_to_thread=False)
    def live() -> dict[str, str]:
        return {"service": "identity", "status": "live"}

    @get("/health/ready", sync_to_thread=False)
    def ready() -> dict[str, str]:
        return {"service": "identity", "status": "ready"}

    return [discovery, jwks, live, ready]


def _userinfo(settings: IssuerSettings, directory: Directory, mint: Mint) -> Any:
    @route("/userinfo", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200, sync_to_thread=False)
    def userinfo(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = mint.read(token.strip(), settings.audience) if scheme.lower() == "bearer" else None
        account = directory.account_of(claims["sub"]) if claims else None
        if claims is None or account is None:
            raise OAuthError("invalid_token", "An access token of a person is needed.", 401)
        return Response(
            {"sub": claims["sub"], "roles": account.roles, "plan": account.plan, **profile(account)},
            headers=NO_STORE,
        )

    return userinfo
