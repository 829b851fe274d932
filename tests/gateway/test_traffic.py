"""How requests and answers pass the gateway."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from towpath.gateway import Gateway, GatewaySettings

from .conftest import Bench, bench_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = "https://pages.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Bench, Gateway]]:
    async with (
        bench_in(tmp_path_factory.mktemp("traffic")) as bench,
        bench.gateway(GatewaySettings(cors_origins=[ORIGIN])) as gateway,
    ):
        await bench.keys_are_there(gateway)
        yield bench, gateway


async def seen(bench: Bench, url: str, **options: Any) -> dict[str, Any]:
    """What reached the service."""
    async with bench.http.get(url, **options) as answer:
        assert answer.status == 200
        document: dict[str, Any] = await answer.json()
        return document


async def test_the_service_is_told_who_calls(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    headers = await bench.bearer("carl")
    told = (await seen(bench, f"{gateway.url}/claims/1?x=1", headers=headers))["headers"]
    assert told["x-towpath-subject"] == "carl"
    assert told["x-towpath-plan"] == "standard"
    assert told["x-towpath-client"] == "towpath-web"
    assert json.loads(base64.urlsafe_b64decode(told["x-towpath-roles"] + "==")) == ["adjuster"]
    assert told["authorization"] == headers["Authorization"]
    assert told["x-request-id"]


@pytest.mark.parametrize("path", ["/open", "/claims"])
async def test_what_clients_say_of_their_identity_is_taken_off(
    served: tuple[Bench, Gateway], path: str
) -> None:
    bench, gateway = served
    made_up = {
        "X-On-Behalf-Of": "made-up",
        "X-Towpath-Subject": "made-up",
        "x-towpath-roles": "made-up",
        "X-TOWPATH-ANYTHING": "made-up",
        "x_towpath_subject": "made-up",
    }
    told = await seen(bench, gateway.url + path, headers=await bench.bearer() | made_up)
    assert "made-up" not in json.dumps(told)


async def test_a_prefix_is_stripped_or_replaced_and_the_query_stays(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    headers = await bench.bearer()
    for asked, reached in (
        ("/stripped", "/"),
        ("/stripped/", "/"),
        ("/stripped/a/b?q=1", "/a/b?q=1"),
        ("/moved", "/elsewhere"),
        ("/moved/a?q=1", "/elsewhere/a?q=1"),
        ("/claims/stripped", "/claims/stripped"),
    ):
        assert (await seen(bench, gateway.url + asked, headers=headers))["path"] == reached


async def test_the_root_sends_people_to_the_application(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    async with bench.http.get(f"{gateway.url}/", allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == f"{gateway.url}/app/"


@pytest.mark.parametrize("path", ["/open", "/claims", "/nowhere"])
async def test_every_answer_has_security_headers_and_names_no_software(
    served: tuple[Bench, Gateway], path: str
) -> None:
    bench, gateway = served
    async with bench.http.get(gateway.url + path) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.headers["X-Request-ID"]
        names = {name.lower() for name in answer.headers}
        assert not names & {"server", "x-powered-by"}
        assert not [name for name in names if name.startswith("x-envoy-")]


async def test_a_preflight_of_a_known_origin_is_answered_without_a_token(
    served: tuple[Bench, Gateway],
) -> None:
    bench, gateway = served
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with bench.http.options(f"{gateway.url}/claims", headers=asked | {"Origin": ORIGIN}) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


async def test_another_origin_is_allowed_nothing(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    async with bench.http.options(f"{gateway.url}/claims", headers=asked) as answer:
        assert answer.status == 401
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_of_a_known_origin_can_read_a_refusal(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    async with bench.http.get(f"{gateway.url}/claims", headers={"Origin": ORIGIN}) as answer:
        assert answer.status == 401
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_text_is_compressed_for_those_who_take_it(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    url = f"{gateway.url}/open/text"
    async with bench.http.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.text() == "word " * 1000
    async with bench.http.get(url, headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/stream/events", "/claims/7/events"])
async def test_server_sent_events_come_one_by_one(served: tuple[Bench, Gateway], path: str) -> None:
    bench, gateway = served
    bench.upstream.gate.clear()
    headers = await bench.bearer() | {"Accept-Encoding": "gzip"}
    async with bench.http.get(gateway.url + path, headers=headers) as answer:
        assert "Content-Encoding" not in answer.headers
        # The second event is not there yet: the first must come without it.
        async with asyncio.timeout(10):
            assert await answer.content.readline() == b"data: first\n"
            assert await answer.content.readline() == b"\n"
            bench.upstream.gate.set()
            assert await answer.content.readline() == b"data: second\n"


async def test_a_websocket_passes(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    async with bench.http.ws_connect(f"{gateway.url}/stream/socket") as socket:
        await socket.send_str("hello")
        assert (await socket.receive(timeout=10)).data == "echo hello"


async def test_http2_is_taken_without_tls(served: tuple[Bench, Gateway]) -> None:
    """The preface and an empty SETTINGS frame (RFC 9113, 3.4) are answered by a SETTINGS frame."""
    _, gateway = served
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    frame = await asyncio.wait_for(reader.readexactly(9), 10)
    assert frame[3] == 4
    writer.close()
    await writer.wait_closed()


async def test_the_access_log_tells_who_asked_what(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    async with bench.http.get(
        f"{gateway.url}/stripped/logged?secret=1", headers=await bench.bearer()
    ) as answer:
        asked = answer.headers["X-Request-ID"]
    entry = await logged(bench, gateway, asked)
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/stripped/logged", 200)
    assert (entry["subject"], entry["plan"], entry["upstream"]) == ("ada", "standard", "echo")
    assert "secret" not in json.dumps(entry)


async def test_a_path_that_is_a_credential_is_not_logged(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    async with bench.http.get(f"{gateway.url}/links/credential") as answer:
        asked = answer.headers["X-Request-ID"]
    entry = await logged(bench, gateway, asked)
    assert entry["path"] == "-"
    assert "credential" not in gateway.access_log.read_text()


async def logged(bench: Bench, gateway: Gateway, request: str) -> dict[str, Any]:
    """The entry of a request; Envoy writes its log every few moments."""
    found: list[dict[str, Any]] = []

    def written() -> bool:
        if gateway.access_log.exists():
            lines = gateway.access_log.read_text().splitlines()
            found.extend(entry for entry in map(json.loads, lines) if entry["id"] == request)
        return bool(found)

    await bench.until(written)
    return found[0]


async def test_a_request_id_from_outside_is_not_believed(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    told = await seen(bench, f"{gateway.url}/open", headers={"X-Request-ID": "made-up"})
    assert told["headers"]["x-request-id"] != "made-up"


async def test_where_a_caller_is_from_is_not_for_the_caller_to_say(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    made_up = {"X-Forwarded-Proto": "https", "X-Envoy-Original-Path": "/made-up", "X-Envoy-Retry-On": "5xx"}
    told = (await seen(bench, f"{gateway.url}/open", headers=made_up))["headers"]
    assert told["x-forwarded-proto"] == "http"
    assert not {"x-envoy-original-path", "x-envoy-retry-on"} & set(told)
