"""The facade's pages: the confirmation page of a link, and the API's documentation."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from litestar import Response, get
from litestar.types import ControllerRouterHandler

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
)
INLINE = {
    "style": re.compile(r"<style>(.*?)</style>", re.S),
    "script": re.compile(r"<script>(.*?)</script>", re.S),
}


def page(template: str, status: int, *, connect: str = "", **values: Any) -> Response[str]:
    """A page that loads nothing from elsewhere, is kept nowhere, and tells nobody its address.

    Its script may send requests to us and to the origin ``connect``.
    """
    text = TEMPLATES.get_template(template).render(**values)
    return Response(
        text,
        status_code=status,
        media_type="text/html",
        headers={
            "Content-Security-Policy": _policy(text, connect),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )


def _policy(text: str, connect: str) -> str:
    """Only what the page itself holds may run or style it, named by its hash."""
    hashes = {
        kind: " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"
            for block in pattern.findall(text)
        )
        for kind, pattern in INLINE.items()
    }
    return (
        f"default-src 'none'; script-src 'self' {hashes['script']}; style-src 'self' {hashes['style']}; "
        f"img-src 'self' data:; font-src 'self'; connect-src 'self' {connect}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def documentation_routes(title: str, *, issuer: str, client_id: str) -> list[ControllerRouterHandler]:
    """The handlers of ``/docs``: Swagger UI on the generated document, from our own assets.

    One can sign in there as ``client_id`` at ``issuer``, in a window that comes back to ``/docs/signed-in``.
    """
    parts = urlsplit(issuer)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @get("/docs", sync_to_thread=False)
    def docs() -> Response[str]:
        return page("docs.html", 200, connect=origin, title=title, client_id=client_id)

    @get("/docs/signed-in", sync_to_thread=False)
    def signed_in() -> Response[str]:
        return page("signed-in.html", 200, title=title)

    return [docs, signed_in]
