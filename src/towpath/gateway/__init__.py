"""The API gateway: Envoy, configured from the solution.

``render/`` turns settings, upstreams and routes into Envoy's configuration; ``gateway.py`` runs Envoy on
it and keeps it current: what may change travels by files that are renamed into place, so that no
connection is closed. Tokens, limits, bodies and errors are native filters of Envoy; no request passes
through Python.
"""

from towpath.gateway.binary import EnvoyMissingError, find_envoy
from towpath.gateway.envoy import EnvoyFailedError
from towpath.gateway.gateway import Gateway, render
from towpath.gateway.routes import GatewayRoute, IssuerRef, blueprint_routes, check_routes
from towpath.gateway.settings import AccessLogSettings, GatewaySettings, PlanSettings, TlsSettings

__all__ = [
    "AccessLogSettings",
    "EnvoyFailedError",
    "EnvoyMissingError",
    "Gateway",
    "GatewayRoute",
    "GatewaySettings",
    "IssuerRef",
    "PlanSettings",
    "TlsSettings",
    "blueprint_routes",
    "check_routes",
    "find_envoy",
    "render",
]
