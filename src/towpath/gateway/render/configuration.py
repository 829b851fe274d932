"""The whole configuration: what is fixed for a run of Envoy, and what travels by files while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from towpath.faults import Fault, Faulty
from towpath.gateway.render.clusters import cluster
from towpath.gateway.render.common import Json, address, extension, typed
from towpath.gateway.render.listener import CERTIFICATE, ISSUER_CLUSTER, issuer_origin, listener
from towpath.gateway.render.routing import TABLE, route_table
from towpath.gateway.routes import GatewayRoute, IssuerRef, check_routes
from towpath.gateway.settings import GatewaySettings, TlsSettings

ADMIN_PATHS = ("/ready", "/stats", "/server_info", "/clusters", "/config_dump", "/reopen_logs", "/listeners")


@dataclass(frozen=True, slots=True)
class Places:
    """Where Envoy reads what may change: a folder for each kind of file, since it watches folders."""

    state: Path

    @property
    def bootstrap(self) -> Path:
        return self.state / "bootstrap.json"

    @property
    def merged(self) -> Path:
        return self.state / "merged.json"

    @property
    def log(self) -> Path:
        return self.state / "access.log"

    def resources(self, kind: str) -> Path:
        """The file of ``rds``, ``cds`` or ``sds``."""
        return self.state / kind / f"{kind}.json"


class Configuration:
    """Renders for one listener and one issuer. Raises :class:`~towpath.faults.Faulty`."""

    def __init__(
        self,
        settings: GatewaySettings,
        places: Places,
        *,
        host: str,
        port: int,
        admin_port: int,
        issuer: IssuerRef,
        upstreams: Mapping[str, str],
        routes: Sequence[GatewayRoute],
    ) -> None:
        check_settings(settings)
        check_routes(upstreams, routes)
        self._settings = settings
        self._places = places
        self._host = host
        self._port = port
        self._admin_port = admin_port
        self._issuer = issuer
        self.clusters = [cluster(name, url, settings) for name, url in upstreams.items()]
        self.routes = route_table(settings, issuer, routes)
        self.secrets = [_certificate(settings.tls)] if settings.tls else []

    def bootstrap(self) -> Json:
        """What Envoy starts with; routes, clusters and secrets come from the files of ``places``."""
        rds = {"config_source": self._source("rds"), "route_config_name": TABLE}
        sds = {
            "tls_certificate_sds_secret_configs": [{"name": CERTIFICATE, "sds_config": self._source("sds")}]
        }
        found = self._bootstrap({"rds": rds}, sds if self.secrets else None, [])
        found["dynamic_resources"] = {"cds_config": self._source("cds")}
        return found

    def merged(self) -> Json:
        """All of it in one file: Envoy's check does not read the files that it watches when it runs."""
        tls = {"tls_certificates": [s["tls_certificate"] for s in self.secrets]} if self.secrets else None
        return self._bootstrap({"route_config": self.routes}, tls, self.clusters)

    def resources(self) -> dict[str, list[Json]]:
        """What travels by files, by kind."""
        found = {
            "cds": [typed("envoy.config.cluster.v3.Cluster", **c) for c in self.clusters],
            "rds": [typed("envoy.config.route.v3.RouteConfiguration", **self.routes)],
        }
        if self.secrets:
            found["sds"] = [
                typed("envoy.extensions.transport_sockets.tls.v3.Secret", **s) for s in self.secrets
            ]
        return found

    def _source(self, kind: str) -> Json:
        path = self._places.resources(kind)
        return {
            "resource_api_version": "V3",
            "path_config_source": {"path": str(path), "watched_directory": {"path": str(path.parent)}},
        }

    def _bootstrap(self, routes: Json, tls: Json | None, clusters: list[Json]) -> Json:
        return {
            "node": {"id": "towpath", "cluster": "towpath"},
            "admin": {
                "address": address("127.0.0.1", self._admin_port),
                "allow_paths": [{"prefix": path} for path in ADMIN_PATHS],
            },
            "overload_manager": {
                "resource_monitors": [
                    extension(
                        "envoy.resource_monitors.global_downstream_max_connections",
                        "envoy.extensions.resource_monitors.downstream_connections.v3"
                        ".DownstreamConnectionsConfig",
                        max_active_downstream_connections=self._settings.max_clients,
                    )
                ]
            },
            "static_resources": {
                "listeners": [
                    listener(
                        self._settings,
                        host=self._host,
                        port=self._port,
                        issuer=self._issuer,
                        log_file=self._places.log,
                        routes=routes,
                        tls=tls,
                    )
                ],
                "clusters": [cluster(ISSUER_CLUSTER, issuer_origin(self._issuer), self._settings), *clusters],
            },
        }


def check_settings(settings: GatewaySettings) -> None:
    """Raises :class:`~towpath.faults.Faulty` with what is wrong with the settings beyond their types."""
    faults = []
    if settings.default_plan not in settings.plans:
        faults.append(
            Fault(
                message=f"[gateway] default_plan is {settings.default_plan!r}, which is not a plan.",
                rule="gateway.default-plan",
                remedy=f"Plans are: {', '.join(sorted(settings.plans)) or 'none'}.",
            )
        )
    for name, plan in [*settings.plans.items(), ("anonymous", settings.anonymous)]:
        if not 0 < plan.requests < 2**32:
            faults.append(
                Fault(
                    message=f"The plan {name} allows {plan.requests} requests.", rule="gateway.plan-requests"
                )
            )
    limits = ("max_body", "max_upload", "max_headers", "max_connections", "max_clients", "workers", "callers")
    faults += [
        Fault(message=f"[gateway] {field} must be above 0.", rule="gateway.limit")
        for field in limits
        if getattr(settings, field) <= 0
    ]
    if faults:
        raise Faulty(faults)


def _certificate(tls: TlsSettings) -> Json:
    """The listener's certificate and key, by their content: the files may change while Envoy runs."""
    return {
        "name": CERTIFICATE,
        "tls_certificate": {
            "certificate_chain": {"inline_string": _pem("certificate", tls.certificate)},
            "private_key": {"inline_string": _pem("key", tls.key)},
        },
    }


def _pem(what: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        fault = Fault(
            message=f"[gateway.tls] {what}: the file cannot be read: {reason}.", rule="gateway.tls", file=path
        )
        raise Faulty([fault]) from None
