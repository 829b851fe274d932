"""The facade's pages: the confirmation page of a link, and the API's documentation."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

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


def page(template: str, status: int, **values: Any) -> Response[str]:
    """A page that loads nothing from elsewhere, is kept nowhere, and tells nobody its address."""
    text = TEMPLATES.get_template(template).render(**values)
    return Response(
        text,
        status_code=status,
        media_type="text/html",
        headers={
            "Content-Security-Policy": _policy(text),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )


def _policy(text: str) -> str:
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
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def documentation_routes(title: str) -> list[ControllerRouterHandler]:
    """The handler of ``/docs``: Swagger UI on the generated document, from our own assets."""

    @get("/docs", sync_to_thread=False)
    def docs() -> Response[str]:
        return page("docs.html", 200, title=title)

    return [docs]
