"""The route table: one virtual host, every route's own token, body, time and rate rules.

All of it travels by RDS, so that a change closes no connection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from towpath.gateway.render.clusters import UNSENT
from towpath.gateway.render.common import Json, seconds, typed
from towpath.gateway.render.limits import plan_buckets
from towpath.gateway.routes import GatewayRoute, IssuerRef
from towpath.gateway.settings import GatewaySettings

TABLE = "routes"  # name of the route configuration
TOKEN = "token"  # noqa: S105  (name of the requirement that a good token is there)
PRIVATE = "x-towpath-private"  # header of requests on routes whose path is not logged


def route_table(settings: GatewaySettings, issuer: IssuerRef, routes: Sequence[GatewayRoute]) -> Json:
    """The route configuration; what no route takes is 404."""
    return {
        "name": TABLE,
        # Without this a route to an unknown cluster would be accepted, and answer 503.
        "validate_clusters": True,
        "virtual_hosts": [
            {
                "name": "all",
                "domains": ["*"],
                "routes": [_route(settings, issuer, route) for route in sorted(routes, key=_specific)],
                "typed_per_filter_config": {
                    "envoy.filters.http.cors": _cors(settings),
                    "envoy.filters.http.local_ratelimit": plan_buckets(settings),
                },
            }
        ],
    }


def _specific(route: GatewayRoute) -> tuple[bool, int, bool, str]:
    return (route.pattern is None, -len(route.prefix), not route.methods, route.prefix)


def _route(settings: GatewaySettings, issuer: IssuerRef, route: GatewayRoute) -> Json:
    name = " ".join(filter(None, [route.prefix, route.pattern, *route.methods]))
    found: Json = {
        "name": name,
        "match": _match(route),
        "typed_per_filter_config": _filters(issuer, route),
    }
    if route.redirect is not None:
        found["redirect"] = {"path_redirect": route.redirect, "response_code": "FOUND"}
        return found
    action: Json = {
        "cluster": route.cluster,
        "timeout": "0s" if route.stream else seconds(settings.timeout),
        "idle_timeout": "0s" if route.stream else seconds(settings.idle_timeout),
        "retry_policy": {
            "retry_on": UNSENT,
            "num_retries": 2,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.250s"},
        },
    }
    if route.rewrite is not None:
        action["regex_rewrite"] = _rewrite(route.prefix, route.rewrite)
    found["route"] = action
    return found


def _match(route: GatewayRoute) -> Json:
    if route.pattern is not None:
        match: Json = {"safe_regex": {"regex": route.pattern}}
    elif route.prefix == "/":
        match = {"path": "/"}
    else:
        match = {"path_separated_prefix": route.prefix}
    if route.methods:
        either = "|".join(map(re.escape, route.methods))
        match["headers"] = [{"name": ":method", "string_match": {"safe_regex": {"regex": either}}}]
    return match


def _rewrite(prefix: str, rewrite: str) -> Json:
    """Envoy's own prefix rewrite would leave ``//x`` of ``/sync/x`` where the prefix is to go."""
    target = rewrite.rstrip("/").replace("\\", r"\\")
    if target:
        return {"pattern": {"regex": f"^{re.escape(prefix)}(/.*)?$"}, "substitution": target + r"\1"}
    return {"pattern": {"regex": f"^{re.escape(prefix)}/?(.*)$"}, "substitution": r"/\1"}


def _filters(issuer: IssuerRef, route: GatewayRoute) -> Json:
    """What the filters do on this route; whether a token is needed is said for every one."""
    jwt = {"disabled": True} if route.public else {"requirement_name": TOKEN}
    found: Json = {
        "envoy.filters.http.jwt_authn": typed(
            "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", **jwt
        )
    }
    if route.max_body is not None:
        found["envoy.filters.http.buffer"] = typed(
            "envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
            buffer={"max_request_bytes": route.max_body},
        )
    if route.roles:
        found["envoy.filters.http.rbac"] = typed(
            "envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
            rbac={
                "rules": {
                    "action": "ALLOW",
                    "policies": {"roles": _has_role(issuer.roles_claim, route.roles)},
                }
            },
        )
    if route.private:
        # By the first filter, so that what a later one refuses is not logged either.
        mark = {"append": {"header": {"key": PRIVATE, "value": "yes"}}}
        found["envoy.filters.http.header_mutation"] = typed(
            "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
            mutations={"request_mutations": [mark]},
        )
    if route.stream:
        # A compressor holds back what it has not enough of: events would come late.
        found["envoy.filters.http.compressor"] = typed(
            "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute", disabled=True
        )
    return found


def _has_role(claim: str, roles: Sequence[str]) -> Json:
    path = [{"key": "claims"}, *({"key": step} for step in claim.split("."))]
    return {
        "permissions": [{"any": True}],
        "principals": [
            {
                "metadata": {
                    "filter": "envoy.filters.http.jwt_authn",
                    "path": path,
                    "value": {"list_match": {"one_of": {"string_match": {"exact": role}}}},
                }
            }
            for role in roles
        ],
    }


def _cors(settings: GatewaySettings) -> Json:
    anyone = "*" in settings.cors_origins
    origins = [{"safe_regex": {"regex": ".*"}}] if anyone else [{"exact": o} for o in settings.cors_origins]
    return typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=origins,
        allow_methods="GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        allow_headers="authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id",
        expose_headers="location, etag, retry-after, x-request-id, x-ratelimit-limit, x-ratelimit-remaining, "
        "x-ratelimit-reset",
        max_age="600",
        # PouchDB asks with credentials. Nothing of ours goes by cookie, so named origins may have that.
        allow_credentials=not anyone,
    )
