"""What time brings: timers, locks that run out, back-off, messages that expire."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.process.conftest import Open
from tests.process.models import (
    END,
    ONE_TASK,
    START,
    catch_message,
    definitions,
    message,
    process,
    service,
    timer,
)
from towpath.process import ManualClock, ProcessServer, ProcessSettings, open_server
from towpath.process.host import _fire
from towpath.process.jobs import Assigned, JobDesk, JobRequest
from towpath.storage.documents import DocumentStore
from towpath.wire import (
    LOCAL_WORKER,
    ActivateJobs,
    CorrelateMessage,
    CreateProcessInstance,
    JobFailure,
    ProcessError,
    PublishMessage,
    Resource,
    Search,
)

WAITING = process(
    "waiting",
    START,
    catch_message("wait", "m"),
    END,
    before=message("m", "arrived", "=id"),
)


async def until(check: Callable[[], Awaitable[Any]]) -> Any:
    """What ``check`` gives, as soon as it gives something; the clock of the server stands still."""
    async with asyncio.timeout(10):
        while not (found := await check()):
            await asyncio.sleep(0.005)
    return found


async def now(server: ProcessServer, type_: str = "work", **more: Any) -> list[Any]:
    return await server.activate_jobs(ActivateJobs(type=type_, request_timeout=-1, **more))


async def count(server: ProcessServer, state: str) -> int:
    return (await server.search_process_instances(Search(filter={"state": state}))).page.total_items


async def test_a_timer_fires_when_it_is_due_and_not_before(server: ProcessServer, clock: ManualClock) -> None:
    await server.deploy([process("later", START, timer("t", "PT10S"), service("work"), END)])
    await server.create_process_instance(CreateProcessInstance(process_definition_id="later"))
    clock.advance(9_999)
    assert await now(server) == []
    clock.advance(1)
    await until(lambda: now(server))


async def test_a_thousand_timers_that_are_due_at_once_all_fire_once(
    server: ProcessServer, clock: ManualClock
) -> None:
    await server.deploy([process("later", START, timer("t", "PT1S"), END)])
    await asyncio.gather(
        *(
            server.create_process_instance(CreateProcessInstance(process_definition_id="later"))
            for _ in range(1000)
        )
    )
    clock.advance(1000)

    async def all_done() -> bool:
        return await count(server, "COMPLETED") == 1000

    await until(all_done)
    fired = await server.search_element_instances(Search(filter={"elementId": "t", "state": "COMPLETED"}))
    assert fired.page.total_items == 1000


async def test_a_timer_that_fell_due_while_the_server_was_down_fires_when_it_is_back(
    opening: Open, clock: ManualClock
) -> None:
    server = await opening()
    await server.deploy([process("later", START, timer("t", "PT10S"), service("work"), END)])
    await server.create_process_instance(CreateProcessInstance(process_definition_id="later"))
    clock.advance(3_600_000)
    server = await opening()
    await until(lambda: now(server))


async def test_a_job_whose_worker_is_gone_is_offered_again_under_the_same_key(
    server: ProcessServer, clock: ManualClock
) -> None:
    await server.deploy([ONE_TASK])
    await server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    [first] = await now(server, timeout=5_000)
    assert first.deadline == clock.now() + 5_000
    assert await now(server) == []
    await server.update_job(first.job_key, timeout=8_000)
    clock.advance(5_000)
    assert await now(server) == []
    clock.advance(3_000)
    [again] = await until(lambda: now(server))
    assert again.job_key == first.job_key
    await server.complete_job(first.job_key)
    assert await count(server, "COMPLETED") == 1


async def test_a_failed_job_rests_for_its_back_off(server: ProcessServer, clock: ManualClock) -> None:
    await server.deploy([ONE_TASK])
    await server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    [job] = await now(server)
    await server.fail_job(job.job_key, JobFailure(retries=2, retry_back_off=1_000, error_message="later"))
    assert await now(server) == []
    clock.advance(1_000)
    [again] = await until(lambda: now(server))
    assert (again.job_key, again.retries) == (job.job_key, 2)
    await server.fail_job(job.job_key, JobFailure())
    [last] = await now(server)
    assert last.retries == 1


async def test_a_worker_that_waits_is_given_a_job_as_soon_as_there_is_one(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    waiting = asyncio.create_task(server.activate_jobs(ActivateJobs(type="work", request_timeout=10_000)))
    await asyncio.sleep(0)
    await server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    async with asyncio.timeout(5):
        [job] = await waiting
    assert job.type == "work"


async def test_a_worker_that_waits_in_vain_is_sent_away_and_takes_nothing(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    assert await server.activate_jobs(ActivateJobs(type="work", request_timeout=20)) == []
    await server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    assert len(await now(server)) == 1


async def test_a_job_for_a_worker_that_hung_up_is_offered_to_the_next(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    waiting = asyncio.create_task(server.activate_jobs(ActivateJobs(type="work", request_timeout=10_000)))
    await asyncio.sleep(0)
    created = asyncio.create_task(
        server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    )
    await asyncio.sleep(0)
    waiting.cancel()
    await created
    await until(lambda: now(server))


async def test_several_workers_share_the_jobs_and_no_job_is_given_twice(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    await asyncio.gather(
        *(
            server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
            for _ in range(60)
        )
    )
    got = await asyncio.gather(*(now(server, max_jobs_to_activate=10) for _ in range(10)))
    keys = [job.job_key for jobs in got for job in jobs]
    assert len(keys) == len(set(keys)) == 60
    assert sorted(map(len, got)) == [0, 0, 0, 0, 10, 10, 10, 10, 10, 10]


async def test_a_message_waits_for_its_instance_until_it_expires(
    server: ProcessServer, clock: ManualClock
) -> None:
    await server.deploy([WAITING])
    await server.publish_message(
        PublishMessage(
            name="arrived", correlation_key="a", time_to_live=1_000, message_id="1", variables={"x": 1}
        )
    )
    with pytest.raises(ProcessError) as twice:
        await server.publish_message(
            PublishMessage(name="arrived", correlation_key="a", time_to_live=1_000, message_id="1")
        )
    assert twice.value.code == "ALREADY_EXISTS"
    start = CreateProcessInstance(process_definition_id="waiting", variables={"id": "a"})
    await server.create_process_instance(start)
    assert await count(server, "COMPLETED") == 1

    await server.publish_message(PublishMessage(name="arrived", correlation_key="a", time_to_live=1_000))
    clock.advance(1_000)

    async def expired() -> bool:
        await server.create_process_instance(start)
        return await count(server, "ACTIVE") > 0

    await until(expired)
    found = await server.search_message_subscriptions(
        Search(filter={"messageSubscriptionState": "CREATED", "correlationKey": "a"})
    )
    assert found.items[0].message_name == "arrived"


async def test_a_message_is_correlated_at_once_or_refused(server: ProcessServer) -> None:
    await server.deploy([WAITING])
    wanted = CorrelateMessage(name="arrived", correlation_key="a", variables={"x": [1]})
    with pytest.raises(ProcessError) as refused:
        await server.correlate_message(wanted)
    assert refused.value.code == "NOT_FOUND"
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="waiting", variables={"id": "a"})
    )
    correlated = await server.correlate_message(wanted)
    assert correlated.process_instance_key == created.process_instance_key
    assert await count(server, "COMPLETED") == 1
    [subscription] = (await server.search_message_subscriptions(Search())).items
    assert subscription.message_subscription_state == "CORRELATED"


CYCLE = Resource(
    name="cycle.bpmn",
    content=definitions(
        '<bpmn:process id="cycle" isExecutable="true"><bpmn:startEvent id="start">'
        '<bpmn:outgoing>f</bpmn:outgoing><bpmn:timerEventDefinition id="t">'
        '<bpmn:timeCycle xsi:type="bpmn:tFormalExpression">R2/PT1M</bpmn:timeCycle>'
        "</bpmn:timerEventDefinition></bpmn:startEvent>"
        '<bpmn:endEvent id="end"><bpmn:incoming>f</bpmn:incoming></bpmn:endEvent>'
        '<bpmn:sequenceFlow id="f" sourceRef="start" targetRef="end"/></bpmn:process>'
    ),
)


async def test_a_process_that_starts_by_the_clock_starts_as_often_as_it_says(
    opening: Open, clock: ManualClock
) -> None:
    server = await opening()
    await server.deploy([CYCLE])

    async def made(number: int) -> bool:
        return await count(server, "COMPLETED") == number

    clock.advance(60_000)
    await until(lambda: made(1))
    server = await opening()
    clock.advance(60_000)
    await until(lambda: made(2))
    clock.advance(600_000)
    await server.publish_message(PublishMessage(name="nothing"))
    assert await made(2)


async def test_a_timer_that_was_due_when_a_newer_version_came_starts_nothing(server: ProcessServer) -> None:
    await server.deploy([CYCLE])
    late = await server.host.read(lambda session: session.due_timers(1, 2**60, 10))
    newer = CYCLE.content.replace(b"R2/PT1M", b"R2/PT2M")
    await server.deploy([Resource(name=CYCLE.name, content=newer)])
    for one in late:
        await server.host.run(partial(_fire, one))
    assert await count(server, "COMPLETED") == 0
    assert len(await server.host.read(lambda session: session.due_timers(1, 2**60, 10))) == 1


async def test_a_timer_that_is_set_while_the_next_is_looked_for_fires(tmp_path: Path) -> None:
    documents = DocumentStore.open(str(tmp_path / "documents"))
    async with open_server(ProcessSettings(), state=tmp_path, documents=documents) as server:
        await server.deploy(
            [
                process("day", START, timer("t", "P1D"), END),
                process("soon", START, timer("t", "PT0.1S"), service("work"), END),
            ]
        )
        look, looks = server.host.read, 0

        async def looking(query: Any) -> Any:
            """What the timers' first look finds is told only after something else was committed."""
            nonlocal looks
            found = await look(query)
            current = asyncio.current_task()
            if current is not None and current.get_name() == "towpath-timers":
                looks += 1
                if looks == 1:
                    await server.create_process_instance(CreateProcessInstance(process_definition_id="soon"))
            return found

        server.host.read = looking  # type: ignore[method-assign]
        await server.create_process_instance(CreateProcessInstance(process_definition_id="day"))
        await until(lambda: now(server))
        assert looks > 1


async def test_who_asks_for_jobs_without_waiting_is_answered_even_where_none_were_found_just_now() -> None:
    desk, loop = JobDesk(), asyncio.get_running_loop()
    waiting, once = (
        JobRequest("work", 1, 1000, "w", at_once, loop.create_future()) for at_once in (False, True)
    )
    desk.ask(waiting)
    desk.ask(once)  # while the batch that serves the first is being committed
    desk.deliver([Assigned(waiting)], set())
    assert desk.hopeful()


async def test_a_restart_offers_again_what_workers_of_the_same_process_had(opening: Open) -> None:
    server = await opening()
    await server.deploy([ONE_TASK])
    for _ in range(2):
        await server.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    [local] = await now(server, worker=f"mine{LOCAL_WORKER}", max_jobs_to_activate=1)
    [remote] = await now(server, worker="elsewhere", max_jobs_to_activate=1)
    server = await opening()
    async with asyncio.timeout(5):
        again = await server.activate_jobs(ActivateJobs(type="work", request_timeout=5_000))
    assert [job.job_key for job in again] == [local.job_key]
    assert remote.job_key != local.job_key
    assert await now(server) == []
