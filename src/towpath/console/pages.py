"""The pages' shells, their assets, and what the phone app is installed from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import Environment, PackageLoader
from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from towpath.http import Problem
from towpath.web import BUILD_COMMAND, AssetsMissing, assets

HTML = "text/html"
THEME = "#0b6b5f"  # the design system's brand colour, for the phone's own bars
GROUND = "#f5f8f7"

# Always, on every answer of a page: what a browser must not do with it.
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the shells are rendered with."""

    title: str
    issuer: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Shell:
    """A page: ``entry`` is the script's logical name without its ending.

    ``inline_styles``: bpmn-js and form-js write style attributes; only their pages allow that.
    """

    entry: str
    name: str
    inline_styles: bool = True


APP = Shell("app", "App", inline_styles=False)
TASKS = Shell("tasks", "Tasks")
OPERATE = Shell("operate", "Operate")


def page_handlers(site: Site) -> list[ControllerRouterHandler]:
    """Handlers for everything that is served without a token."""
    templates = Environment(loader=PackageLoader("towpath.console"), autoescape=True)

    def page(request: Request[Any, Any, Any], shell: Shell) -> Response[bytes]:
        try:
            built = assets()
        except AssetsMissing as error:
            body = templates.get_template("missing.html").render(command=BUILD_COMMAND, reason=str(error))
            return Response(body.encode(), status_code=503, media_type=HTML, headers=COMMON_HEADERS)
        body = templates.get_template("shell.html").render(
            site=site, shell=shell, assets=built, theme=THEME, ground=GROUND
        )
        headers = COMMON_HEADERS | {"Content-Security-Policy": policy(site.issuer, shell)}
        return revalidated(request, body.encode(), HTML, headers)

    @get("/", include_in_schema=False, sync_to_thread=False)
    def root() -> Redirect:
        return Redirect("/app/", status_code=307, headers=COMMON_HEADERS)

    @get(["/console"], include_in_schema=False, sync_to_thread=False)
    def console() -> Redirect:
        return Redirect("/console/tasks", status_code=307, headers=COMMON_HEADERS)

    @get("/app", include_in_schema=False, sync_to_thread=False)
    def app(request: Request[Any, Any, Any]) -> Response[Any]:
        # Litestar takes /app and /app/ for one path; the app's scope, for its service worker, is /app/.
        if not request.scope["raw_path"].partition(b"?")[0].endswith(b"/"):
            return Redirect("/app/", status_code=307, headers=COMMON_HEADERS)
        return page(request, APP)

    @get("/console/tasks", include_in_schema=False, sync_to_thread=False)
    def tasks(request: Request[Any, Any, Any]) -> Response[bytes]:
        return page(request, TASKS)

    @get("/console/operate", include_in_schema=False, sync_to_thread=False)
    def operate(request: Request[Any, Any, Any]) -> Response[bytes]:
        return page(request, OPERATE)

    @get("/app/config.json", include_in_schema=False, sync_to_thread=False)
    def config(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = {
            "title": site.title,
            "issuer": site.issuer,
            "clientId": site.client_id,
            "scope": "openid profile email offline_access",
            "sync": "/sync/_my",
            "notify": "/notify",
            "catalog": "/catalog",
        }
        return revalidated(request, msgspec.json.encode(body), "application/json", COMMON_HEADERS)

    @get("/app/manifest.webmanifest", include_in_schema=False, sync_to_thread=False)
    def manifest(request: Request[Any, Any, Any]) -> Response[bytes]:
        body = msgspec.json.encode(web_manifest(site.title))
        return revalidated(request, body, "application/manifest+json", COMMON_HEADERS)

    @get("/app/sw.js", include_in_schema=False, sync_to_thread=False)
    def service_worker(request: Request[Any, Any, Any]) -> Response[bytes]:
        return served(request, "sw.js")

    @get("/assets/{path:path}", include_in_schema=False, sync_to_thread=False)
    def asset(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
        return served(request, path.lstrip("/"))

    return [root, console, app, tasks, operate, config, manifest, service_worker, asset]


def web_manifest(title: str) -> dict[str, Any]:
    """What a phone installs the app from (W3C Web Application Manifest)."""
    return {
        "id": "/app/",
        "name": title,
        "short_name": title if len(title) <= 12 else title.split()[0][:12],
        "start_url": "/app/",
        "scope": "/app/",
        "display": "standalone",
        "theme_color": THEME,
        "background_color": GROUND,
        "icons": [
            {"src": "/assets/icons/icon-192.png", "sizes": "192x192", "type": "image/png", "purpose": "any"},
            {"src": "/assets/icons/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any"},
            {
                "src": "/assets/icons/icon-maskable-512.png",
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            },
        ],
    }


def policy(issuer: str, shell: Shell) -> str:
    """The page's Content-Security-Policy: only our own scripts; the issuer may be asked for tokens."""
    parts = urlsplit(issuer)
    origin = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    styles = "'self' 'unsafe-inline'" if shell.inline_styles else "'self'"
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src {styles}",
            "img-src 'self' blob: data:",
            "font-src 'self' data:",
            f"connect-src 'self'{origin}",
            "manifest-src 'self'",
            "worker-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ]
    )


def served(request: Request[Any, Any, Any], path: str) -> Response[bytes]:
    """A built file. Raises :class:`Problem` 404, or 503 where nothing is built."""
    try:
        found = assets().get(path)
    except AssetsMissing as error:
        raise Problem(503, str(error)) from None
    if found is None:
        raise Problem(404, f"There is no file {path} among the assets.")
    headers = COMMON_HEADERS | {
        "ETag": found.etag,
        "Cache-Control": "public, max-age=31536000, immutable" if found.immutable else "no-cache",
    }
    if found.packed:
        headers["Vary"] = "Accept-Encoding"
    if request.headers.get("if-none-match") == found.etag:
        return Response(b"", status_code=304, headers=headers)
    if found.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, media_type=found.media_type, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


def revalidated(
    request: Request[Any, Any, Any], body: bytes, media_type: str, headers: dict[str, str]
) -> Response[bytes]:
    """An answer that browsers keep but ask about each time."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = headers | {"ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
