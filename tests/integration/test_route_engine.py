"""Attempts, timeouts, retries, dead letters: what the engine does with any route."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from integration_servers import Service, serve
from msgspec import Struct

from towpath.integration import (
    BackendUnavailable,
    BpmnError,
    Exchange,
    IntegrationSettings,
    Retry,
    collecting,
    route,
    settings,
)

Serve = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def served(tmp_path: Path) -> Serve:
    """Serve routes that are declared by the given function."""

    @asynccontextmanager
    async def start(declare: Callable[[], object], **values: str) -> AsyncIterator[Service]:
        with collecting() as registry:
            declare()
        configured = IntegrationSettings(values=values, max_body=1000)
        async with serve(registry.routes(), configured, tmp_path / "engine.sqlite") as service:
            yield service

    return start


async def counts_of(service: Service, name: str) -> dict[str, Any]:
    _, routes = await service.call("GET", "/routes", who="olga")
    found: dict[str, Any] = next(r for r in routes if r["id"] == name)
    return found


async def test_an_attempt_that_takes_too_long_is_ended_and_made_again(served: Serve) -> None:
    attempts: list[int] = []

    def declare() -> None:
        @route("http:POST /slow", timeout=0.05, retry=Retry(attempts=3, initial=0.01))
        async def slow(exchange: Exchange) -> dict[str, int]:
            attempts.append(exchange.attempt)
            if exchange.attempt < 3:
                await asyncio.sleep(30)
            return {"attempt": exchange.attempt}

    async with served(declare) as service:
        assert await service.call("POST", "/slow", {}) == (200, {"attempt": 3})
    assert attempts == [1, 2, 3]


async def test_a_route_that_is_never_in_time_answers_504(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /slow", timeout=0.02, retry=Retry(attempts=2, initial=0.01))
        async def slow() -> None:
            await asyncio.sleep(30)

    async with served(declare) as service:
        status, problem = await service.call("POST", "/slow", {})
    assert (status, problem["attempts"]) == (504, 2)
    assert "0.02 s" in problem["detail"]


async def test_the_time_for_all_attempts_ends_the_retries(served: Serve) -> None:
    def declare() -> None:
        @route(
            "http:POST /x", timeout=5, total_timeout=0.2, retry=Retry(attempts=100, initial=0.05, factor=1)
        )
        async def x() -> None:
            raise ConnectionError("no")

    async with served(declare) as service:
        begun = time.monotonic()
        status, problem = await service.call("POST", "/x", {})
    assert status == 504
    assert 1 < problem["attempts"] < 10
    assert time.monotonic() - begun < 3


async def test_a_failure_that_is_not_worth_a_retry_is_not_retried_and_tells_nothing(served: Serve) -> None:
    calls: list[int] = []

    def declare() -> None:
        @route("http:POST /x", retry=Retry(attempts=5, initial=0.01), dead_letter=True)
        async def x() -> None:
            calls.append(1)
            raise KeyError("secret")

    async with served(declare) as service:
        status, problem = await service.call("POST", "/x", {"a": 1})
        assert status == 500
        assert "secret" not in str(problem)
        _, page = await service.call("GET", "/dead-letters", who="olga")
        assert [letter["error"] for letter in page["items"]] == ["KeyError: 'secret'"]
    assert calls == [1]


async def test_a_business_fault_is_neither_retried_nor_a_dead_letter(served: Serve) -> None:
    calls: list[int] = []

    def declare() -> None:
        @route("http:POST /x", retry=Retry(attempts=5, on=(Exception,)), dead_letter=True)
        async def x() -> None:
            calls.append(1)
            raise BpmnError("NO", "Not today.")

    async with served(declare) as service:
        status, problem = await service.call("POST", "/x", {})
        assert (status, problem["code"], problem["detail"]) == (422, "NO", "Not today.")
        assert (await service.call("GET", "/dead-letters", who="olga"))[1]["items"] == []
        counts = await counts_of(service, "x")
        assert (counts["businessErrors"], counts["failed"]) == (1, 0)
    assert calls == [1]


async def test_each_attempt_begins_with_the_message_as_it_was_received(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /x", retry=Retry(attempts=2, initial=0.01))
        async def x(exchange: Exchange) -> Any:
            received = exchange.message.body
            if exchange.attempt == 1:
                exchange.message.body = None
                raise ConnectionError
            return received

    async with served(declare) as service:
        assert await service.call("POST", "/x", {"a": 1}) == (200, {"a": 1})


async def test_a_back_end_that_asks_for_patience_gets_it_within_the_routes_bounds(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /x", retry=Retry(attempts=2, initial=0.001, maximum=0.2))
        async def x(exchange: Exchange) -> None:
            if exchange.attempt == 1:
                raise BackendUnavailable("crm", "later", status=503, retry_after=3600)

    async with served(declare) as service:
        begun = time.monotonic()
        assert (await service.call("POST", "/x", {}))[0] == 204
        assert 0.2 <= time.monotonic() - begun < 5


async def test_more_exchanges_than_a_route_allows_are_refused(served: Serve) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    def declare() -> None:
        @route("http:POST /x", concurrency=1)
        async def x() -> None:
            entered.set()
            await leave.wait()

    async with served(declare) as service:
        first = asyncio.create_task(service.call("POST", "/x", {}))
        await entered.wait()
        assert (await counts_of(service, "x"))["inFlight"] == 1
        assert (await service.call("POST", "/x", {}))[0] == 429
        leave.set()
        assert (await first)[0] == 204


async def test_headers_from_outside_are_let_in_by_name_only(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /x", headers=("X-Shop",))
        async def x(exchange: Exchange) -> dict[str, str]:
            return exchange.message.headers

    async with served(declare) as service:
        sent = {"X_Shop": "7", "CamelHttpUri": "http://evil", "X_Request_Id": "r"}
        _, headers = await service.call("POST", "/x", {}, **sent)
    assert headers == {"x-shop": "7", "x-request-id": "r"}


async def test_a_route_reads_the_solutions_values(served: Serve) -> None:
    def declare() -> None:
        @route("http:GET /x")
        async def x() -> list[str]:
            return [settings.value("platform"), settings.value("none", "default")]

    async with served(declare, platform="soap") as service:
        assert await service.call("GET", "/x") == (200, ["soap", "default"])


class Line(Struct):
    article: str
    pieces: int


async def test_parameters_come_from_path_query_and_body_by_name_and_type(served: Serve) -> None:
    def declare() -> None:
        @route("http:PUT /orders/{order_id}")
        async def put(order_id: int, lines: list[Line], dry_run: bool = False) -> dict[str, Any]:
            return {"order": order_id, "pieces": sum(line.pieces for line in lines), "dry": dry_run}

        @route("http:GET /orders/{order_id}")
        async def get(order_id: int, page: int = 1) -> list[int]:
            return [order_id, page]

    async with served(declare) as service:
        lines = {"lines": [{"article": "a", "pieces": 2}]}
        expected = {"order": 7, "pieces": 2, "dry": True}
        assert await service.call("PUT", "/orders/7", lines | {"dryRun": True}) == (200, expected)
        assert await service.call("GET", "/orders/7?page=3") == (200, [7, 3])
        status, problem = await service.call("GET", "/orders/seven")
        assert status == 400
        assert "orderId" in problem["detail"]


async def test_a_bad_request_costs_only_its_sender(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /x")
        async def x(a: int = 0) -> int:
            return a

    async with served(declare) as service:
        assert (await service.call("POST", "/x", ["no", "object"]))[0] == 400
        assert (await service.call("POST", "/x", {"a": "text"}))[0] == 400
        assert (await service.call("POST", "/x", {"a": "x" * 2000}))[0] == 413
        assert (await service.call("GET", "/x"))[0] == 405
        assert (await service.call("POST", "/nowhere", {}))[0] == 404
        sender = {"Authorization": "Bearer service"}
        async with service.session.post(service.url + "/x", data=b"{no json", headers=sender) as answer:
            assert answer.status == 415
        sender["Content-Type"] = "application/json"
        for content in (b"{no json", b"\xff", b"[" * 900):
            async with service.session.post(service.url + "/x", data=content, headers=sender) as answer:
                assert answer.status == 400
                assert answer.content_type == "application/problem+json"
        assert await service.call("POST", "/x", {"a": 1}) == (200, 1)


async def test_dead_letters_survive_a_restart_and_one_exchange_has_one(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /x", dead_letter=True)
        async def x() -> None:
            raise ConnectionError("down")

    async with served(declare) as service:
        for _ in range(2):
            assert (await service.call("POST", "/x", {}, Idempotency_Key="same"))[0] == 502
        assert (await service.call("POST", "/x", {}, Idempotency_Key="other"))[0] == 502
    async with served(declare) as service:
        _, first = await service.call("GET", "/dead-letters?limit=1", who="olga")
        _, second = await service.call("GET", f"/dead-letters?limit=1&after={first['next']}", who="olga")
        letters = first["items"] + second["items"]
        assert [(letter["key"], letter["attempts"]) for letter in letters] == [("other", 1), ("same", 2)]
        assert second["next"] is None
        path = f"/dead-letters/{letters[0]['id']}"
        assert (await service.call("POST", f"{path}/redelivery", who="olga"))[0] == 502
        assert (await service.call("GET", path, who="olga"))[1]["attempts"] == 2
        assert (await service.call("DELETE", path, who="olga"))[0] == 204
        assert (await service.call("GET", path, who="olga"))[0] == 404
        assert (await service.call("GET", "/dead-letters?after=junk", who="olga"))[0] == 400


async def test_two_people_with_the_same_idempotency_key_share_nothing(served: Serve) -> None:
    def declare() -> None:
        @route("http:POST /x", users=True)
        async def x(exchange: Exchange) -> str:
            return exchange.key

    async with served(declare) as service:
        keys = [
            (await service.call("POST", "/x", {}, who=who, Idempotency_Key="k"))[1]
            for who in ("ada", "ada", "ben", "service")
        ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert keys[3] == "k"


async def test_routes_are_measured(served: Serve) -> None:
    def declare() -> None:
        @route("http:GET /measured")
        async def measured() -> None: ...

    async with served(declare) as service:
        await service.call("GET", "/measured")
        async with service.session.get(service.url + "/metrics") as answer:
            text = await answer.text()
    assert 'towpath_route_seconds_count{outcome="completed",route="measured"} 1.0' in text


def test_waits_grow_to_the_maximum_and_jitter_only_shortens_them() -> None:
    plain = Retry(attempts=5, initial=1, factor=3, maximum=10, jitter=False)
    assert list(plain.waits()) == [1, 3, 9, 10]
    assert plain.longest() == 23
    spread = [list(Retry(attempts=5, initial=1, factor=3, maximum=10).waits()) for _ in range(50)]
    assert all(w / 2 <= drawn <= w for waits in spread for drawn, w in zip(waits, [1, 3, 9, 10], strict=True))
    assert len({waits[0] for waits in spread}) > 1
