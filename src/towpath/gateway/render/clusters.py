"""Clusters: where requests go, and how much of them at once."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from towpath.gateway.render.common import Json, address, extension, is_ip, seconds, typed
from towpath.gateway.settings import GatewaySettings

# uvicorn closes a connection that was idle for 5 seconds. Envoy must be the first to let go of it, or it
# may send a request into a connection that is just being closed.
UPSTREAM_IDLE = 3.0  # seconds
UNSENT = (
    "connect-failure,refused-stream,reset-before-request"  # failures before a request left: safe to retry
)


def cluster(name: str, url: str, settings: GatewaySettings) -> Json:
    """One upstream at ``url``; a host name is resolved anew as its DNS record says."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    threshold = {
        "max_connections": settings.max_connections,
        "max_pending_requests": settings.max_connections,
        "max_requests": settings.max_connections,
        "max_retries": 16,
    }
    found: Json = {
        "name": name,
        "type": "STATIC" if is_ip(host) else "STRICT_DNS",
        "connect_timeout": seconds(settings.connect_timeout),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(host, port)}}]}],
        },
        "circuit_breakers": {"thresholds": [threshold]},
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 60}},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                common_http_protocol_options={"idle_timeout": seconds(UPSTREAM_IDLE)},
                explicit_http_config={"http_protocol_options": {}},
            )
        },
    }
    if not is_ip(host):
        found["dns_lookup_family"] = "V4_PREFERRED"
    if secure:
        found["transport_socket"] = _tls(host)
    return found


def _tls(host: str) -> Json:
    kind = "IP_ADDRESS" if is_ip(host) else "DNS"
    return extension(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=None if is_ip(host) else host,
        common_tls_context={
            "validation_context": {
                "trusted_ca": {"filename": _authorities()},
                "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": host}}],
            }
        },
    )


def _authorities() -> str:
    """The machine's certificate authorities, where it has them in one file."""
    found = ssl.get_default_verify_paths().cafile
    debian = Path("/etc/ssl/certs/ca-certificates.crt")
    return found or (str(debian) if debian.exists() else certifi.where())
