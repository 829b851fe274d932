"""The table of routes, and what it becomes in Envoy's configuration."""

from pathlib import Path
from typing import Any

import pytest

from towpath.faults import Faulty
from towpath.gateway import GatewayRoute, GatewaySettings, IssuerRef, blueprint_routes, check_routes, render

SERVICES = {
    name: f"http://127.0.0.1:{port}"
    for port, name in enumerate(("facade", "sync", "notify", "integration", "console"), 8083)
}
ISSUER = IssuerRef(issuer="https://id.example", jwks="https://id.example/jwks", audience="towpath")


def rendered(routes: list[GatewayRoute], upstreams: dict[str, str] = SERVICES) -> dict[str, Any]:
    return render(
        GatewaySettings(),
        state=Path("/var/lib/towpath"),
        host="127.0.0.1",
        port=8080,
        admin_port=8079,
        issuer=ISSUER,
        upstreams=upstreams,
        routes=routes,
    )


def table(routes: list[GatewayRoute]) -> list[dict[str, Any]]:
    listener = rendered(routes)["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    (host,) = manager["route_config"]["virtual_hosts"]
    found: list[dict[str, Any]] = host["routes"]
    return found


def needs_token(route: dict[str, Any]) -> bool:
    jwt = route["typed_per_filter_config"]["envoy.filters.http.jwt_authn"]
    assert jwt.get("disabled") or jwt["requirement_name"]
    return "disabled" not in jwt


def test_the_blueprints_paths_go_to_their_boxes() -> None:
    routes = {r["name"]: r for r in table(blueprint_routes(["claims"]))}
    to = {name: (r["route"]["cluster"], needs_token(r)) for name, r in routes.items() if "route" in r}
    assert to == {
        "/claims": ("facade", True),
        "/claims /claims/[^/]+/events GET": ("facade", True),
        "/tasks": ("facade", True),
        "/catalog": ("facade", False),
        "/docs": ("facade", False),
        "/openapi.json": ("facade", False),
        "/links": ("facade", False),
        "/sync": ("sync", True),
        "/notify": ("notify", True),
        "/data": ("integration", True),
        "/app": ("console", False),
        "/assets": ("console", False),
        "/console": ("console", False),
        "/console/api": ("console", True),
    }
    assert routes["/"]["redirect"]["path_redirect"] == "/app/"


def test_only_the_named_data_routes_are_exposed() -> None:
    names = [r["name"] for r in table(blueprint_routes(["claims"], data=["/policies", "shops"]))]
    assert "/data/policies" in names
    assert "/data/shops" in names
    assert "/data" not in names


def test_streams_and_long_polls_have_no_end() -> None:
    routes = {r["name"]: r["route"] for r in table(blueprint_routes(["claims"])) if "route" in r}
    for name in ("/sync", "/claims /claims/[^/]+/events GET"):
        assert routes[name]["timeout"] == "0s"
        assert routes[name]["idle_timeout"] == "0s"
    assert routes["/claims"]["timeout"] == "30s"
    assert routes["/claims"]["idle_timeout"] == "300s"


def test_the_more_specific_route_comes_first() -> None:
    names = [r["name"] for r in table(blueprint_routes(["claims"]))]
    assert names.index("/console/api") < names.index("/console")
    assert names[0] == "/claims /claims/[^/]+/events GET"


def test_uploads_have_their_own_limit() -> None:
    routes = {r["name"]: r for r in table(blueprint_routes(["claims"], max_upload=123))}
    for name in ("/claims", "/sync", "/tasks"):
        buffer = routes[name]["typed_per_filter_config"]["envoy.filters.http.buffer"]
        assert buffer["buffer"]["max_request_bytes"] == 123
    assert "envoy.filters.http.buffer" not in routes["/notify"]["typed_per_filter_config"]


def test_an_issuer_over_tls_is_known_by_its_name() -> None:
    issuer = rendered([])["static_resources"]["clusters"][0]
    tls = issuer["transport_socket"]["typed_config"]
    assert tls["sni"] == "id.example"
    (name,) = tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
    assert name["matcher"] == {"exact": "id.example"}
    assert issuer["type"] == "STRICT_DNS"


def test_the_admin_interface_is_on_loopback() -> None:
    admin = rendered([])["admin"]
    assert admin["address"]["socket_address"]["address"] == "127.0.0.1"
    assert {"prefix": "/quitquitquit"} not in admin["allow_paths"]


@pytest.mark.parametrize(
    ("route", "rule"),
    [
        (GatewayRoute("claims", "facade"), "gateway.route-prefix"),
        (GatewayRoute("/claims/", "facade"), "gateway.route-prefix"),
        (GatewayRoute("/claims?x", "facade"), "gateway.route-prefix"),
        (GatewayRoute("/claims", "elsewhere"), "gateway.route-upstream"),
        (GatewayRoute("/claims", "facade", public=True, roles=("operator",)), "gateway.route-public-roles"),
        (GatewayRoute("/claims", "facade", max_body=0), "gateway.route-max-body"),
    ],
)
def test_a_route_that_cannot_work_is_told(route: GatewayRoute, rule: str) -> None:
    with pytest.raises(Faulty) as refusal:
        check_routes(SERVICES, [route])
    assert [fault.rule for fault in refusal.value.faults] == [rule]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    upstreams = {"a b": "http://127.0.0.1:1", "c": "ftp://x", "d": "http://x:99999", "e": "http://x/path"}
    routes = [GatewayRoute("/x", "nowhere"), GatewayRoute("/x", "nowhere")]
    with pytest.raises(Faulty) as refusal:
        check_routes(upstreams, routes)
    assert [fault.rule for fault in refusal.value.faults] == [
        "gateway.upstream-name",
        "gateway.upstream-url",
        "gateway.upstream-url",
        "gateway.upstream-url",
        "gateway.route-upstream",
        "gateway.route-upstream",
        "gateway.route-twice",
    ]
