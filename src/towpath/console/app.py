"""The console's application: pages, assets and the operator's API in one service."""

from __future__ import annotations

from litestar import Litestar

from towpath.client import ProcessClient
from towpath.console.api import operator_api
from towpath.console.pages import Site, page_handlers
from towpath.console.settings import ConsoleSettings
from towpath.http import create_service
from towpath.identity import TokenVerifier
from towpath.web import AssetsMissing, assets


def create_app(
    settings: ConsoleSettings,
    *,
    process: ProcessClient,
    verifier: TokenVerifier | None,
    issuer: str,
    client_id: str,
    title: str,
) -> Litestar:
    """The console. ``issuer`` and ``client_id`` are what the browser signs in with (code flow with PKCE);
    ``title`` is the solution's name, shown on every page and on the phone's home screen.
    """

    def ready() -> str | None:
        try:
            assets()
        except AssetsMissing as error:
            return str(error)
        return None

    return create_service(
        "console",
        [
            *page_handlers(Site(title=title, issuer=issuer, client_id=client_id)),
            operator_api(settings, process),
        ],
        verifier=verifier,
        ready=ready,
        max_body=1024 * 1024,
    )
