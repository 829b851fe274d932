"""What the gateway is to serve, as data: upstreams, routes, and whose tokens count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from towpath.faults import Fault, Faulty


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRef:
    """Whose tokens are believed: ``issuer`` and ``audience`` as tokens say them, and the URL of the keys.

    Its tokens have the caller's roles, plan and client in these claims; dots lead into nested ones.
    """

    issuer: str
    jwks: str
    audience: str
    roles_claim: str = "roles"
    plan_claim: str = "plan"
    client_claim: str = "azp"


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """Requests at ``prefix`` and below it go to ``cluster`` (an upstream's name), or to ``redirect``.

    ``prefix`` matches whole segments: ``/claims`` is not ``/claimsx``. ``/`` alone is the root path only.
    ``pattern`` (RE2, of the whole path) narrows the route. ``rewrite`` takes the prefix's place;
    "/" strips it. A route is for callers with a token unless it is ``public``, and for those with one
    of ``roles`` where any are named. ``max_body`` is in bytes (None: the settings'). A ``stream`` may
    stay open and silent, and is never compressed: server-sent events, long polls. The path of a
    ``private`` route is itself a credential and is not logged. The more specific route wins: patterns
    before prefixes, longer before shorter.
    """

    prefix: str
    cluster: str = ""
    rewrite: str | None = None
    public: bool = False
    roles: tuple[str, ...] = ()
    max_body: int | None = None
    stream: bool = False
    redirect: str | None = None
    pattern: str | None = None
    methods: tuple[str, ...] = ()
    private: bool = False


def blueprint_routes(
    resources: Iterable[str], *, data: Iterable[str] | None = None, max_upload: int | None = None
) -> list[GatewayRoute]:
    """The blueprint's routes: facade, front-end services, data and pages of one origin.

    ``resources`` are the facade's (``claims``). ``data`` are the paths of those integration routes that
    are for users; None leaves that to the integration service. ``max_upload`` (bytes) bounds routes that
    take documents.
    """
    routes = [
        GatewayRoute("/", redirect="/app/", public=True),
        *(GatewayRoute(p, "console", public=True) for p in ("/app", "/assets", "/console")),
        GatewayRoute("/console/api", "console"),
        GatewayRoute("/tasks", "facade", max_body=max_upload),
        *(GatewayRoute(p, "facade", public=True) for p in ("/catalog", "/docs", "/openapi.json")),
        GatewayRoute("/links", "facade", public=True, private=True),
        GatewayRoute("/sync", "sync", rewrite="/", stream=True, max_body=max_upload),
        GatewayRoute("/notify", "notify", rewrite="/"),
        *(
            GatewayRoute(f"/data{path}", "integration", rewrite=path or "/")
            for path in ([""] if data is None else ["/" + p.strip("/") for p in data])
        ),
    ]
    for resource in resources:
        path = f"/{resource}"
        routes.append(GatewayRoute(path, "facade", max_body=max_upload))
        routes.append(
            GatewayRoute(
                path, "facade", stream=True, pattern=rf"{re.escape(path)}/[^/]+/events", methods=("GET",)
            )
        )
    return routes


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_routes(upstreams: Mapping[str, str], routes: Iterable[GatewayRoute]) -> None:
    """Raises :class:`~towpath.faults.Faulty` with everything that is wrong with a table of routes."""
    faults = [*_upstream_faults(upstreams)]
    seen: set[tuple[str, str | None, tuple[str, ...]]] = set()
    for route in routes:
        faults += _route_faults(route, upstreams)
        if (key := (route.prefix, route.pattern, route.methods)) in seen:
            faults.append(
                Fault(message=f"The route {route.prefix} is there twice.", rule="gateway.route-twice")
            )
        seen.add(key)
    if faults:
        raise Faulty(faults)


def _upstream_faults(upstreams: Mapping[str, str]) -> Iterable[Fault]:
    for name, url in upstreams.items():
        if not _NAME.fullmatch(name):
            yield Fault(
                message=f"The upstream name {name!r} is not letters, digits, - and _.",
                rule="gateway.upstream-name",
            )
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            good = good and not parts.query and parts.path in ("", "/")
        except ValueError:
            good = False
        if not good:
            yield Fault(
                message=f"The upstream {name} has no usable URL: {url!r}.",
                rule="gateway.upstream-url",
                remedy="Write it as http://host:port.",
            )


def _route_faults(route: GatewayRoute, upstreams: Mapping[str, str]) -> Iterable[Fault]:
    path = route.prefix
    if not path.startswith("/") or (path != "/" and path.endswith("/")) or set(path) & set("?# "):
        yield Fault(
            message=f"The route {path!r} is not a path.",
            rule="gateway.route-prefix",
            remedy="Write it as /segment, without a slash at its end.",
        )
    if route.redirect is None and route.cluster not in upstreams:
        yield Fault(
            message=f"The route {path} goes to {route.cluster!r}, which is not an upstream.",
            rule="gateway.route-upstream",
            remedy=f"Upstreams are: {', '.join(sorted(upstreams)) or 'none'}.",
        )
    if route.public and route.roles:
        yield Fault(
            message=f"The route {path} is public and asks for roles.", rule="gateway.route-public-roles"
        )
    if route.max_body is not None and route.max_body <= 0:
        yield Fault(
            message=f"The route {path} has a max_body of {route.max_body}.", rule="gateway.route-max-body"
        )
