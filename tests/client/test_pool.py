"""Workers at work on a real process server, in-process and over HTTP."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import happens, open_process, resources, start, working
from towpath.client import BpmnError, HttpProcessClient, JobFailed, ProcessClient, Worker, WorkerPool
from towpath.http import listen, serving
from towpath.process import ProcessServer
from towpath.process.rest import create_app
from towpath.wire import Job, Search

COMPLETED = "towpath.instance.completed"


async def incident(client: ProcessClient, key: str) -> Any:
    await happens(client, key, "towpath.incident.created")
    return (await client.search_incidents(Search(filter={"processInstanceKey": key}))).items[0]


async def variable(client: ProcessClient, key: str, name: str) -> str:
    found = await client.search_variables(Search(filter={"scopeKey": key, "name": name}))
    return found.items[0].value


async def test_a_job_is_done_and_its_result_becomes_variables(client: ProcessClient) -> None:
    async def charge(amount: float, current: Job) -> dict[str, Any]:
        return {"receipt": {"amount": amount, "currency": current.custom_headers["currency"]}}

    async with working(client, Worker("charge", charge)):
        key = await start(client, amount=12.5)
        await happens(client, key, COMPLETED)
    assert await variable(client, key, "receipt") == '{"amount":12.5,"currency":"EUR"}'


async def test_a_function_that_is_not_async_runs_in_a_thread(client: ProcessClient) -> None:
    def charge() -> dict[str, Any]:
        return {"thread": threading.current_thread() is threading.main_thread()}

    async with working(client, Worker("charge", charge)):
        key = await start(client)
        await happens(client, key, COMPLETED)
    assert await variable(client, key, "thread") == "false"


async def test_a_bpmn_error_goes_where_the_model_catches_it(client: ProcessClient) -> None:
    def charge() -> None:
        raise BpmnError("DECLINED", "no money", {"reason": "no money"})

    async with working(client, Worker("charge", charge)):
        key = await start(client)
        await happens(client, key, "towpath.user-task.created")


async def test_an_exception_is_tried_again_and_then_told_as_an_incident(client: ProcessClient) -> None:
    attempts: list[int] = []

    def charge(current: Job) -> None:
        attempts.append(current.retries)
        raise ZeroDivisionError("no divisor")

    async with working(client, Worker("charge", charge, retries=2, backoff=0.01)):
        found = await incident(client, await start(client))
    assert attempts == [2, 1]
    assert "ZeroDivisionError: no divisor" in found.error_message
    assert "test_pool.py:" in found.error_message


async def test_a_worker_decides_that_there_is_no_other_attempt(client: ProcessClient) -> None:
    attempts: list[int] = []

    def charge(current: Job) -> None:
        attempts.append(current.retries)
        raise JobFailed("the card does not exist", retries=0)

    async with working(client, Worker("charge", charge)):
        found = await incident(client, await start(client))
    assert attempts == [2]
    assert found.error_message == "the card does not exist"


async def test_a_missing_variable_is_an_incident_that_names_it(client: ProcessClient) -> None:
    async with working(client, Worker("charge", lambda amount: None)):
        found = await incident(client, await start(client))
    assert "needs the variable 'amount'" in found.error_message


async def test_a_result_that_is_not_json_is_an_incident(client: ProcessClient) -> None:
    async with working(client, Worker("charge", lambda: {"x": object()}, retries=2, backoff=0.01)):
        found = await incident(client, await start(client))
    assert "object" in found.error_message


async def test_no_more_jobs_run_at_once_than_allowed(client: ProcessClient) -> None:
    running = most = 0

    async def charge() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    keys = [await start(client) for _ in range(12)]
    async with working(client, Worker("charge", charge, max_jobs=3)):
        for key in keys:
            await happens(client, key, COMPLETED)
    assert most == 3


async def test_work_in_flight_is_finished_when_the_pool_ends(client: ProcessClient) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def charge() -> dict[str, Any]:
        begun.set()
        await go_on.wait()
        return {"done": True}

    pool = WorkerPool(client, [Worker("charge", charge)])
    task = asyncio.create_task(pool.run())
    key = await start(client)
    await begun.wait()
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await client.process_instance(key)).state == "COMPLETED"


async def test_a_job_whose_worker_died_goes_to_another(client: ProcessClient) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with working(client, Worker("charge", hang, timeout=0.3), grace=0):
        key = await start(client)
        await begun.wait()
    assert (await client.process_instance(key)).state == "ACTIVE"
    async with working(client, Worker("charge", lambda: None)):
        await happens(client, key, COMPLETED)


async def test_a_job_that_comes_again_while_it_runs_is_not_run_twice(client: ProcessClient) -> None:
    runs = 0
    go_on = asyncio.Event()

    async def charge() -> None:
        nonlocal runs
        runs += 1
        await go_on.wait()

    async with working(client, Worker("charge", charge, timeout=0.2)):
        key = await start(client)
        deadlines: set[str | None] = set()
        async with asyncio.timeout(10):
            while len(deadlines) < 4:  # each new deadline is the server giving the job out once more
                (row,) = (await client.search_jobs(Search(filter={"processInstanceKey": key}))).items
                deadlines |= {row.deadline} - {None}
                await asyncio.sleep(0.02)
        go_on.set()
        await happens(client, key, COMPLETED)
    assert runs == 1


async def test_a_result_for_a_job_that_was_canceled_is_dropped(client: ProcessClient) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def charge() -> None:
        begun.set()
        await go_on.wait()

    async with working(client, Worker("charge", charge)):
        key = await start(client)
        await begun.wait()
        await client.cancel_process_instance(key)
        go_on.set()
        begun.clear()
        other = await start(client)  # the pool goes on
        await happens(client, other, COMPLETED)
    assert (await client.process_instance(key)).state == "TERMINATED"


async def test_a_pool_outlives_a_restart_of_the_server(tmp_path: Path) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def charge(order: int) -> dict[str, Any]:
        if order == 2:
            began.set()
            await go_on.wait()
        return {"done": order}

    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with (
        HttpProcessClient(f"http://127.0.0.1:{port}") as client,
        working(client, Worker("charge", charge)) as pool,
    ):
        async with open_process(tmp_path) as server, serving(create_app(server, None), sock, grace=1):
            await client.deploy(resources())
            await happens(client, await start(client, order=1), COMPLETED)
            interrupted = await start(client, order=2)
            await began.wait()
        go_on.set()  # it finishes while nobody is there to be told
        async with asyncio.timeout(10):
            while pool.waiting is None:
                await asyncio.sleep(0.01)
        assert "charge" in pool.waiting
        again = listen("127.0.0.1", port)
        async with open_process(tmp_path) as server, serving(create_app(server, None), again, grace=1):
            await happens(client, interrupted, COMPLETED)
            await happens(client, await start(client, order=3), COMPLETED)
            assert pool.waiting is None


async def test_a_pool_that_starts_before_the_server_waits_and_says_so() -> None:
    async with (
        HttpProcessClient("http://127.0.0.1:9") as client,
        working(client, Worker("charge", lambda: None)) as pool,
        asyncio.timeout(10),
    ):
        while pool.waiting is None:
            await asyncio.sleep(0.01)
    assert "cannot be reached" in pool.waiting


async def test_blocking_work_does_not_hold_up_the_pool(server: ProcessServer) -> None:
    release = threading.Event()

    def charge(order: int) -> None:
        if order == 1:
            release.wait(10)

    async with working(server, Worker("charge", charge)):
        slow = await start(server, order=1)
        begun = time.monotonic()
        await happens(server, await start(server, order=2), COMPLETED)
        assert time.monotonic() - begun < 5
        release.set()
        await happens(server, slow, COMPLETED)


def test_two_workers_of_one_type_are_refused_with_their_places() -> None:
    workers = [Worker("charge", lambda: None), Worker("charge", lambda: None)]
    with pytest.raises(ValueError, match=r"'charge': .*test_pool\.py:\d+, .*test_pool\.py:\d+"):
        WorkerPool(None, workers)  # type: ignore[arg-type]
