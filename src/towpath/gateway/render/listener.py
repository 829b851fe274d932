"""The listener: HTTP as the gateway takes it, and the filters that each request passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from towpath.gateway.render.common import Json, address, extension, seconds, typed
from towpath.gateway.render.limits import PLAN, SUBJECT
from towpath.gateway.render.problems import local_replies
from towpath.gateway.render.routing import PRIVATE, TOKEN
from towpath.gateway.routes import IssuerRef
from towpath.gateway.settings import MIB, GatewaySettings

STAT_PREFIX = "gateway"
ISSUER_CLUSTER = "issuer"
CERTIFICATE = "certificate"  # name of the secret
_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

# What only the gateway may state, of identity and of itself. ``x-on-behalf-of`` is between services.
_NOT_FROM_CLIENTS = ("x-on-behalf-of",)
_PREFIXES_NOT_FROM_CLIENTS = ("x-towpath-", "x-envoy-")
_COMPRESSED = [
    "application/javascript",
    "application/json",
    "application/problem+json",
    "application/manifest+json",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
    "text/xml",
]


def listener(
    settings: GatewaySettings,
    *,
    host: str,
    port: int,
    issuer: IssuerRef,
    log_file: Path,
    routes: Json,
    tls: Json | None,
) -> Json:
    """The listener; ``routes`` and ``tls`` say where its route table and certificate come from."""
    manager = typed(
        _HCM,
        stat_prefix=STAT_PREFIX,
        codec_type="AUTO",
        **routes,
        http_filters=http_filters(settings, issuer, body_limit=True),
        upgrade_configs=[
            # The body limit waits for the end of a request, which a WebSocket does not have.
            {"upgrade_type": "websocket", "filters": http_filters(settings, issuer, body_limit=False)}
        ],
        access_log=_access_logs(settings, log_file),
        local_reply_config=local_replies(),
        early_header_mutation_extensions=[_early_mutation()],
        use_remote_address=True,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        strip_any_host_port=False,
        server_header_transformation="PASS_THROUGH",
        always_set_request_id_in_response=True,
        max_request_headers_kb=max(1, settings.max_headers // 1024),
        request_headers_timeout="10s",
        stream_idle_timeout=seconds(settings.idle_timeout),
        common_http_protocol_options={
            "idle_timeout": seconds(settings.idle_timeout),
            # A service may read a_b as a-b; so a client could send x_towpath_subject.
            "headers_with_underscores_action": "DROP_HEADER",
            "max_headers_count": 100,
        },
        http2_protocol_options={
            "max_concurrent_streams": 128,
            "connection_keepalive": {"interval": "60s", "timeout": "20s"},
        },
    )
    chain: Json = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    }
    if tls is not None:
        chain["transport_socket"] = extension(
            "envoy.transport_sockets.tls",
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"alpn_protocols": ["h2", "http/1.1"], **tls},
        )
    return {
        "name": "http",
        "address": address(host, port),
        # With it, a second gateway on the same port would share its requests instead of failing.
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": MIB,
        "filter_chains": [chain],
    }


def http_filters(settings: GatewaySettings, issuer: IssuerRef, *, body_limit: bool) -> list[Json]:
    """The filters in the order of a request; a response passes them backwards."""
    filters = [
        _security_headers(secure=settings.tls is not None),
        extension("envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3.Cors"),
        _compressor(),
        _jwt(settings, issuer),
        extension("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC"),
        extension(
            "envoy.filters.http.local_ratelimit",
            "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="plans",
        ),
    ]
    if body_limit:
        filters.append(
            extension(
                "envoy.filters.http.buffer",
                "envoy.extensions.filters.http.buffer.v3.Buffer",
                max_request_bytes=settings.max_body,
            )
        )
    filters.append(extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router"))
    return filters


def _jwt(settings: GatewaySettings, issuer: IssuerRef) -> Json:
    provider = {
        "issuer": issuer.issuer,
        "audiences": [issuer.audience],
        "remote_jwks": {
            "http_uri": {"uri": issuer.jwks, "cluster": ISSUER_CLUSTER, "timeout": "5s"},
            "cache_duration": seconds(settings.jwks_lifetime),
            # Fetched before they are needed; a listener does not wait for an issuer that is down.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
        },
        # Named, because the default also takes a token from the query, and queries are logged on the way.
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "require_expiration": True,
        "clock_skew_seconds": settings.clock_skew,
        "payload_in_metadata": "claims",
        "claim_to_headers": [
            {"header_name": SUBJECT, "claim_name": "sub"},
            {"header_name": PLAN, "claim_name": issuer.plan_claim},
            {"header_name": "x-towpath-client", "claim_name": issuer.client_claim},
            {"header_name": "x-towpath-roles", "claim_name": issuer.roles_claim},
        ],
        "jwt_cache_config": {"jwt_cache_size": 1000},
    }
    return extension(
        "envoy.filters.http.jwt_authn",
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={"issuer": provider},
        # No rules beside it: each route names this requirement or is public, and what is no route is 404.
        requirement_map={TOKEN: {"provider_name": "issuer"}},
    )


def _early_mutation() -> Json:
    mutations: list[Json] = [{"remove": name} for name in _NOT_FROM_CLIENTS]
    mutations += [
        {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}}
        for prefix in _PREFIXES_NOT_FROM_CLIENTS
    ]
    return extension(
        "envoy.http.early_header_mutation.header_mutation",
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        mutations=mutations,
    )


def _security_headers(*, secure: bool) -> Json:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "geolocation=(self), microphone=()",
    }
    # The rate limit filter counts the seconds until the next request is allowed, but sends no Retry-After.
    # It adds its header on the way back, after local replies are mapped, so this is the place to copy it.
    # A header whose value comes out empty is not added.
    headers["Retry-After"] = (
        "%CEL(response.headers[':status'] == '429' && response.headers['x-ratelimit-remaining'] == '0' "
        "? response.headers['x-ratelimit-reset'] : '')%"
    )
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    mutations: list[Json] = [
        {"append": {"header": {"key": key, "value": value}, "append_action": "ADD_IF_ABSENT"}}
        for key, value in headers.items()
    ]
    mutations += [{"remove": name} for name in ("server", "x-powered-by")]
    mutations.append({"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}})
    return extension(
        "envoy.filters.http.header_mutation",
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        mutations={"response_mutations": mutations},
    )


def _compressor() -> Json:
    return extension(
        "envoy.filters.http.compressor",
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        response_direction_config={
            "common_config": {"min_content_length": 512, "content_type": _COMPRESSED},
            "disable_on_etag_header": False,
        },
        compressor_library=extension("gzip", "envoy.extensions.compression.gzip.compressor.v3.Gzip"),
    )


def _access_logs(settings: GatewaySettings, log_file: Path) -> list[Json]:
    """Two logs into one place: the paths of private routes are credentials and are not written."""
    if settings.access_log.to == "off":
        return []
    return [
        _access_log(settings, log_file, path="%PATH(NQ:ORIG_OR_PATH)%", private=False),
        _access_log(settings, log_file, path="-", private=True),
    ]


def _access_log(settings: GatewaySettings, log_file: Path, *, path: str, private: bool) -> Json:
    form: dict[str, Any] = {
        "time": "%START_TIME%",
        "id": "%REQ(X-REQUEST-ID)%",
        "method": "%REQ(:METHOD)%",
        "path": path,
        "route": "%ROUTE_NAME%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "received": "%BYTES_RECEIVED%",
        "sent": "%BYTES_SENT%",
        "milliseconds": "%DURATION%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "remote": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "subject": f"%REQ({SUBJECT})%",
        "client": "%REQ(X-TOWPATH-CLIENT)%",
        "plan": f"%REQ({PLAN})%",
        "agent": "%REQ(USER-AGENT)%",
    }
    log_format = {"json_format": form, "omit_empty_values": False}
    if settings.access_log.to == "stdout":
        log = extension(
            "envoy.access_loggers.stdout",
            "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            log_format=log_format,
        )
    else:
        log = extension(
            "envoy.access_loggers.file",
            "envoy.extensions.access_loggers.file.v3.FileAccessLog",
            path=str(log_file),
            log_format=log_format,
        )
    header = {"name": PRIVATE, "present_match": True, "invert_match": not private}
    log["filter"] = {"header_filter": {"header": header}}
    return log


def issuer_origin(issuer: IssuerRef) -> str:
    """Scheme, host and port of the issuer's keys."""
    parts = urlsplit(issuer.jwks)
    return f"{parts.scheme}://{parts.netloc}"
