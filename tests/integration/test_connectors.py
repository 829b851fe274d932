"""SQL, HTTP and SOAP connectors against real servers, above all when those misbehave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from integration_servers import Backend

from towpath.integration import (
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    ConfigurationError,
    SoapFault,
    http,
    soap,
    sql,
)
from towpath.integration.connectors import Connector

CAR = {"make": "VW", "model": "Golf", "plate": "HH-A 1"}


@asynccontextmanager
async def opened(connector: Connector[Any], **options: Any) -> AsyncIterator[Any]:
    await connector.open({connector.name: options})
    try:
        yield connector
    finally:
        await connector.close()


@asynccontextmanager
async def http_server(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


async def test_a_connection_that_is_not_open_says_so() -> None:
    with pytest.raises(ConfigurationError, match="crm"):
        await http("crm").get("/")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_sql_takes_values_as_parameters_and_transactions_whole_or_not_at_all(
    kind: str, backends: dict[str, Backend], tmp_path: Path
) -> None:
    postgresql = f"postgresql+psycopg://policies:policies@127.0.0.1:{backends['policies'].port}/policies"
    url = f"sqlite:///{tmp_path}/data.sqlite" if kind == "sqlite" else postgresql
    async with opened(sql("db"), url=url) as db:
        await db.execute("DROP TABLE IF EXISTS things")
        await db.execute("CREATE TABLE things (name text PRIMARY KEY, size integer)")
        nasty = "x'; DROP TABLE things; --"
        assert await db.execute("INSERT INTO things VALUES (:name, :size)", name=nasty, size=1) == 1
        assert await db.one("SELECT size FROM things WHERE name = :name", name=nasty) == {"size": 1}
        assert await db.one("SELECT size FROM things WHERE name = 'none'") is None

        async def half() -> None:
            async with db.transaction() as both:
                await both.execute("UPDATE things SET size = 2")
                raise KeyError("stop")

        with pytest.raises(KeyError):
            await half()
        assert await db.all("SELECT size FROM things") == [{"size": 1}]
        with pytest.raises(BackendError, match="refused"):
            await db.execute("INSERT INTO things VALUES (:name, 1)", name=nasty)


async def test_a_database_that_is_down_is_unavailable_and_no_password_gets_out(nowhere: str) -> None:
    async with opened(sql("db"), url=f"postgresql://u:secret@{nowhere}/d", timeout=2) as db:
        with pytest.raises(BackendUnavailable) as caught:
            await db.one("SELECT 1")
    assert "secret" not in str(caught.value)
    assert nowhere not in str(caught.value)


async def test_a_statement_that_takes_too_long_is_ended(backends: dict[str, Backend]) -> None:
    url = f"postgresql://policies:policies@127.0.0.1:{backends['policies'].port}/policies"
    async with opened(sql("db"), url=url, timeout=0.3) as db:
        with pytest.raises(BackendTimeout):
            await db.one("SELECT pg_sleep(20)")
        assert await db.one("SELECT 1 AS one") == {"one": 1}
        left = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
        async with asyncio.timeout(10):
            while (await db.one(left + " AND state = 'active'"))["n"]:
                await asyncio.sleep(0.05)


async def test_http_quotes_what_it_puts_into_a_path() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.json_response({})

    async with http_server(answer) as url, opened(http("crm"), url=url + "/api") as crm:
        await crm.get("/customers/{id}", id="../../admin?x=1#y", query={"q": "a&b"})
        assert seen == ["/api/customers/..%2F..%2Fadmin%3Fx%3D1%23y?q=a%26b"]
        for steering in ("", ".", ".."):
            with pytest.raises(ValueError, match="'id'"):
                await crm.get("/customers/{id}", id=steering)
        with pytest.raises(ValueError, match="begin"):
            await crm.get("http://evil.example/")
    assert len(seen) == 1


async def test_http_tells_what_may_be_tried_again_from_what_may_not() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/busy":
                return web.Response(status=503, headers={"Retry-After": "7"})
            case "/wrong":
                return web.json_response({"detail": "No such customer."}, status=404)
            case "/moved":
                return web.Response(status=302, headers={"Location": "http://evil.example/"})
            case "/slow":
                await asyncio.sleep(1)
            case "/cut":
                assert request.transport is not None
                request.transport.close()
            case "/text":
                return web.Response(text="hello")
        return web.Response(body=b"x" * 5000)

    limits = {"timeout": 0.3, "max_body": 1000}
    async with http_server(answer) as url, opened(http("crm"), url=url, **limits) as crm:
        with pytest.raises(BackendUnavailable) as busy:
            await crm.get("/busy")
        assert (busy.value.status, busy.value.retry_after) == (503, 7)
        with pytest.raises(BackendError, match=r"404: No such customer\.") as wrong:
            await crm.get("/wrong")
        assert not isinstance(wrong.value, BackendUnavailable)
        assert (await crm.get("/wrong", expect=[404])).status == 404
        with pytest.raises(BackendError, match="302"):
            await crm.get("/moved")
        with pytest.raises(BackendTimeout):
            await crm.get("/slow")
        with pytest.raises(BackendUnavailable):
            await crm.get("/cut")
        with pytest.raises(BackendError, match="more than 1000 bytes"):
            await crm.get("/large")
        with pytest.raises(BackendError, match="not what was agreed"):
            (await crm.get("/text")).json()


async def test_a_server_that_is_down_is_unavailable(nowhere: str) -> None:
    async with opened(http("crm"), url=f"http://{nowhere}") as crm:
        with pytest.raises(BackendUnavailable):
            await crm.get("/")
    async with opened(soap("crm"), url=f"http://{nowhere}") as crm:
        with pytest.raises(BackendUnavailable):
            await crm.call("BookRepair")


async def test_soap_calls_operations_and_tells_faults_by_name(backends: dict[str, Backend]) -> None:
    async with opened(soap("repairs"), url=backends["repairs_soap"].url) as repairs:
        booked = await repairs.call("BookRepair", claimId="C-1", vehicle=CAR, postcode="20095")
        assert booked["appointmentTime"][10] == "T"
        calls = (repairs.call("BookRepair", claimId="C-1", vehicle=CAR) for _ in range(20))
        assert await asyncio.gather(*calls) == [booked] * 20
        with pytest.raises(SoapFault) as fault:
            await repairs.call("BookRepair", claimId="C-2", vehicle=CAR | {"plate": "NOSHOP"})
        assert (fault.value.name, fault.value.message) == (
            "NoShopAvailable",
            "No repair shop near you has time.",
        )
        with pytest.raises(BackendError, match="no operation 'Nonsense'"):
            await repairs.call("Nonsense")
        with pytest.raises(BackendError, match="claimId"):
            await repairs.call("BookRepair", vehicle=CAR)
        assert await repairs.call("CancelRepair", reference=booked["reference"]) is True


async def test_a_soap_service_that_comes_up_later_is_found_then(
    start_backend: Callable[..., Backend], nowhere: str
) -> None:
    async with opened(soap("repairs"), url=f"http://{nowhere}/?wsdl") as repairs:
        with pytest.raises(BackendUnavailable):
            await repairs.call("CancelRepair", reference="x")
        start_backend("repairs_soap", port=int(nowhere.rpartition(":")[2]))
        assert await repairs.call("CancelRepair", reference="x") is False


WSDL = Path(__file__).parents[2] / "examples" / "claims" / "backends" / "repairs.wsdl"


@pytest.mark.parametrize(
    ("wsdl", "said"),
    [
        (WSDL.read_text().replace("{address}", "http://evil.example/"), "evil.example; set 'endpoint'"),
        ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "Forbidden"),
        (
            WSDL.read_text().replace(
                "<wsdl:types>", '<wsdl:import namespace="urn:x" location="file:///etc/passwd"/><wsdl:types>'
            ),
            "ExternalReferenceForbidden",
        ),
    ],
)
async def test_a_wsdl_from_outside_does_not_decide_where_we_read_or_send(wsdl: str, said: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=wsdl, content_type="text/xml")

    async with http_server(answer) as url, opened(soap("repairs"), url=url + "/?wsdl") as repairs:
        with pytest.raises(BackendError, match=said):
            await repairs.call("CancelRepair", reference="x")


async def test_a_slow_soap_service_is_left_in_time(backends: dict[str, Backend], faults: Any) -> None:
    async with opened(soap("repairs"), url=backends["repairs_soap"].url, timeout=0.5) as repairs:
        assert await repairs.call("CancelRepair", reference="x") is False
        await faults("repairs_soap", delay=1.0, count=1)
        with pytest.raises(BackendTimeout):
            await repairs.call("CancelRepair", reference="x")
