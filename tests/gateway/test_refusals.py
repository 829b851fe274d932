"""What the gateway refuses, and in which words."""

import asyncio
import base64
import hmac
import io
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey

from towpath.gateway import Gateway, GatewaySettings, IssuerRef, PlanSettings

from .conftest import Bench, bench_in, free_port, issuer_served

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLANS = {"standard": PlanSettings(requests=600), "tiny": PlanSettings(requests=3)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Bench, Gateway]]:
    async with (
        bench_in(tmp_path_factory.mktemp("refusals")) as bench,
        bench.gateway(GatewaySettings(plans=PLANS)) as gateway,
    ):
        await bench.keys_are_there(gateway)
        yield bench, gateway


async def problem(bench: Bench, url: str, method: str = "GET", **options: Any) -> tuple[int, str, Any]:
    """Status, detail and headers of a refusal, which must be problem details."""
    async with bench.http.request(method, url, **options) as answer:
        document = await answer.json(content_type="application/problem+json")
        assert document["status"] == answer.status
        assert document["title"]
        return answer.status, document["detail"], answer.headers


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def read(token_part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token_part + "=="))
    return found


async def test_a_missing_token_is_401_and_says_what_is_needed(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    status, detail, headers = await problem(bench, f"{gateway.url}/claims")
    assert status == 401
    assert "bearer token" in detail
    assert headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_expired_token_is_401_and_says_so(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    status, detail, _ = await problem(
        bench, f"{gateway.url}/claims", headers=await bench.bearer(client="late")
    )
    assert (status, detail) == (401, "The token has expired.")


async def test_changed_claims_are_401(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    head, body, signature = (await bench.token()).split(".")
    forged = f"{head}.{part(read(body) | {'roles': ['operator']})}.{signature}"
    status, detail, _ = await problem(bench, f"{gateway.url}/claims", headers=bearer(forged))
    assert (status, detail) == (401, "The token's signature does not fit its content.")


async def test_another_key_under_the_issuers_key_id_is_401(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    head, body, _ = (await bench.token()).split(".")
    key = ECKey.generate_key("P-256")
    forged = jwt.encode(read(head), read(body), key, algorithms=["ES256"])
    status, _, _ = await problem(bench, f"{gateway.url}/claims", headers=bearer(forged))
    assert status == 401


async def test_an_unknown_key_id_is_401(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    _, body, _ = (await bench.token()).split(".")
    key = ECKey.generate_key("P-256")
    forged = jwt.encode({"alg": "ES256", "kid": "made-up"}, read(body), key, algorithms=["ES256"])
    status, _, _ = await problem(bench, f"{gateway.url}/claims", headers=bearer(forged))
    assert status == 401


async def test_an_unsigned_token_is_401(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    head, body, _ = (await bench.token()).split(".")
    for algorithm in ("none", "None", "NONE"):
        unsigned = f"{part(read(head) | {'alg': algorithm})}.{body}."
        status, _, _ = await problem(bench, f"{gateway.url}/claims", headers=bearer(unsigned))
        assert status == 401


async def test_the_public_key_as_a_shared_secret_is_401(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    head, body, _ = (await bench.token()).split(".")
    async with bench.http.get(f"{bench.issuer}/jwks") as answer:
        public = ECKey.import_key((await answer.json())["keys"][0])
    signed = f"{part(read(head) | {'alg': 'HS256'})}.{body}"
    mac = hmac.digest(public.as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    status, _, _ = await problem(bench, f"{gateway.url}/claims", headers=bearer(forged))
    assert status == 401


@pytest.mark.parametrize("text", ["x", "a.b.c", "." * 3, "x" * 10_000])
async def test_text_that_is_no_token_is_401(served: tuple[Bench, Gateway], text: str) -> None:
    bench, gateway = served
    assert (await problem(bench, f"{gateway.url}/claims", headers=bearer(text)))[0] == 401


async def test_a_token_in_the_query_is_no_token(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    token = await bench.token()
    assert (await problem(bench, f"{gateway.url}/claims?access_token={token}"))[0] == 401


async def test_a_token_for_another_audience_is_403(
    served: tuple[Bench, Gateway], tmp_path_factory: pytest.TempPathFactory
) -> None:
    bench, _ = served
    token = await bench.token()
    issuer = IssuerRef(issuer=bench.issuer, jwks=f"{bench.issuer}/jwks", audience="another")
    state = tmp_path_factory.mktemp("another")
    async with bench.gateway(issuer=issuer, state=state) as other:

        async def refused() -> bool:
            return await bench.status(f"{other.url}/claims", headers=bearer(token)) == 403

        await bench.until(refused)
        status, detail, _ = await problem(bench, f"{other.url}/claims", headers=bearer(token))
    assert status == 403
    assert "audience" in detail


async def test_a_role_that_is_missing_is_403(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    status, detail, _ = await problem(bench, f"{gateway.url}/operators", headers=await bench.bearer("ada"))
    assert status == 403
    assert "role" in detail
    for user in ("olga", "carl"):
        assert await bench.status(f"{gateway.url}/operators", headers=await bench.bearer(user)) == 200


@pytest.mark.parametrize("path", ["/nowhere", "/claimsx", "/Claims", "/openx/y", "/favicon.ico"])
async def test_what_no_route_takes_is_404(served: tuple[Bench, Gateway], path: str) -> None:
    bench, gateway = served
    status, detail, _ = await problem(bench, gateway.url + path)
    assert (status, detail) == (404, "There is nothing at this path.")


@pytest.mark.parametrize("path", ["//claims", "/open/../claims", "/open/./../claims"])
async def test_tricks_with_paths_do_not_get_around_the_token(
    served: tuple[Bench, Gateway], path: str
) -> None:
    _, gateway = served
    assert await raw_status(gateway, path) == 401


@pytest.mark.parametrize("path", ["/open/%2e%2e/claims", "/open%2f..%2fclaims", "/open%5c..%5cclaims"])
async def test_escaped_tricks_reach_no_protected_route(served: tuple[Bench, Gateway], path: str) -> None:
    _, gateway = served
    assert await raw_status(gateway, path) in (400, 401)


async def raw_status(gateway: Gateway, path: str) -> int:
    """A request whose path no client library has tidied up."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(line.split()[1])


async def test_a_body_above_the_routes_limit_is_413(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    headers = await bench.bearer()
    status, detail, _ = await problem(
        bench, f"{gateway.url}/claims", "POST", headers=headers, data=b"x" * 200_001
    )
    assert status == 413
    assert "larger" in detail
    async with bench.http.post(f"{gateway.url}/claims", headers=headers, data=b"x" * 200_000) as answer:
        assert answer.status == 200
        assert (await answer.json())["size"] == 200_000


async def test_other_routes_have_the_limit_of_the_settings(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    url = f"{gateway.url}/open"
    async with bench.http.post(url, data=b"x" * 1_000_000) as answer:
        assert answer.status == 200
    limit = GatewaySettings().max_body
    assert (await problem(bench, url, "POST", data=io.BytesIO(b"x" * (limit + 1))))[0] == 413
    assert max(bench.upstream.bodies) <= limit


async def test_a_plans_limit_is_429_with_when_to_come_back(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    headers, url = await bench.bearer("tiny"), f"{gateway.url}/claims"
    begun = time.monotonic()
    for left in ("2", "1", "0"):
        async with bench.http.get(url, headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["X-RateLimit-Limit"] == "3"
            assert answer.headers["X-RateLimit-Remaining"] == left
    assert time.monotonic() - begun < 20  # in that time one request comes back
    status, detail, told = await problem(bench, url, headers=headers)
    assert status == 429
    assert "limit" in detail
    assert 1 <= int(told["Retry-After"]) <= 20
    # Somebody else's requests are their own.
    assert await bench.status(url, headers=await bench.bearer("ada")) == 200


async def test_a_plan_nobody_knows_counts_as_the_default_plan(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    async with bench.http.get(f"{gateway.url}/claims", headers=await bench.bearer("odd")) as answer:
        assert answer.headers["X-RateLimit-Limit"] == "600"


async def test_a_service_that_is_down_is_503_and_tells_nothing_of_it(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    status, detail, _ = await problem(bench, f"{gateway.url}/gone")
    assert (status, detail) == (503, "The service behind the gateway is not available.")


async def test_headers_beyond_measure_are_431(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    assert await bench.status(f"{gateway.url}/open", headers={"X-Long": "x" * 70_000}) == 431


async def test_anonymous_callers_are_limited_by_address(bench_alone: Bench) -> None:
    settings = GatewaySettings(anonymous=PlanSettings(requests=2, per="hour"))
    async with bench_alone.gateway(settings) as gateway:
        url = f"{gateway.url}/open"
        assert [await bench_alone.status(url) for _ in range(3)] == [200, 200, 429]
        status, _, told = await problem(bench_alone, url)
        assert status == 429
        assert 1700 < int(told["Retry-After"]) <= 1800
        assert await bench_alone.status(f"{gateway.url}/links/credential") == 429
        await bench_alone.until(
            lambda: gateway.access_log.exists() and '"route":"/links"' in gateway.access_log.read_text()
        )
        assert "credential" not in gateway.access_log.read_text()


async def test_while_the_issuer_is_down_open_routes_serve_and_tokens_wait(
    bench_alone: Bench, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with issuer_served(tmp_path / "later", port=port):
        form = {"grant_type": "password", "client_id": "towpath-web", "username": "ada", "password": "ada"}
        async with bench_alone.http.post(f"{url}/token", data=form) as answer:
            headers = bearer((await answer.json())["access_token"])
    issuer = IssuerRef(issuer=url, jwks=f"{url}/jwks", audience="towpath")
    async with bench_alone.gateway(issuer=issuer) as gateway:
        assert await bench_alone.status(f"{gateway.url}/open") == 200
        status, detail, _ = await problem(bench_alone, f"{gateway.url}/claims", headers=headers)
        assert status == 503
        assert "issuer" in detail
        async with issuer_served(tmp_path / "later", port=port):

            async def good() -> bool:
                return await bench_alone.status(f"{gateway.url}/claims", headers=headers) == 200

            await bench_alone.until(good)


@pytest_asyncio.fixture(loop_scope="module")
async def bench_alone(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as made:
        yield made


async def test_admin_is_not_for_callers(served: tuple[Bench, Gateway]) -> None:
    bench, gateway = served
    assert await bench.status(f"{gateway.url}/stats/prometheus") == 404
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{gateway.admin_url}/quitquitquit") as answer:
            assert answer.status == 403
        async with http.get(f"{gateway.admin_url}/stats/prometheus") as answer:
            assert "envoy_http_downstream_rq_total" in await answer.text()
