"""Signals through the server: who hears of them, and that nobody is left out."""

import asyncio
from pathlib import Path

import pytest

from tests.engine.models import (
    catch,
    definitions,
    element,
    end,
    flows,
    mapping,
    message,
    message_definition,
    process,
    service,
    signal,
    signal_definition,
    start,
    throw,
)
from tests.process.conftest import Open
from tests.process.test_durability import running
from towpath.client import HttpProcessClient
from towpath.http import listen, serving
from towpath.process import ProcessServer, create_app, signals
from towpath.wire import (
    ActivateJobs,
    BroadcastSignal,
    CreateProcessInstance,
    EventQuery,
    ProcessError,
    PublishMessage,
    Resource,
    Search,
)

ALARM = signal_definition("alarm")
WAITING = process(
    start(),
    catch("wait", signal("alarm")),
    catch("again", signal("alarm")),
    end(),
    flows("start", "wait", "again", "end"),
    id="waiting",
)
STARTING = process(
    start("begin", signal("alarm")), service("react"), end(), flows("begin", "react", "end"), id="starting"
)
THROWING = process(
    start(),
    throw("shout", signal("alarm"), zeebe=mapping(inputs={"floor": "=level"})),
    end(),
    flows("start", "shout", "end"),
    id="throwing",
)


def resource(*parts: str) -> Resource:
    return Resource(name="signals.bpmn", content=definitions(*parts, ALARM))


async def create(server: ProcessServer | HttpProcessClient, process_id: str, **variables: object) -> str:
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id=process_id, variables=variables)
    )
    return created.process_instance_key


async def active(server: ProcessServer | HttpProcessClient) -> dict[str, int]:
    """How many catch events of the waiting process are active."""
    found: dict[str, int] = {}
    for id_ in ("wait", "again"):
        one = await server.search_element_instances(Search(filter={"elementId": id_, "state": "ACTIVE"}))
        found[id_] = one.page.total_items
    return found


async def test_a_signal_from_a_client_reaches_who_waits_and_starts_what_it_starts(
    server: ProcessServer,
) -> None:
    async with (
        serving(create_app(server, None), listen("127.0.0.1", 0), grace=1) as url,
        HttpProcessClient(url) as client,
    ):
        await client.deploy([resource(WAITING, STARTING)])
        await create(client, "waiting")
        await create(client, "waiting")
        told = await client.broadcast_signal(
            BroadcastSignal(signal_name="alarm", variables={"floor": 3}), actor="ada"
        )
        assert int(told.signal_key) > 0
        assert told.tenant_id == "<default>"
        assert await active(client) == {"wait": 0, "again": 2}
        [job] = await client.activate_jobs(ActivateJobs(type="react", request_timeout=-1))
        assert job.variables == {"floor": 3}
        [event] = (await client.events(EventQuery(types=["towpath.signal.broadcast"]))).events
        assert event.data["signalName"] == "alarm"
        with pytest.raises(ProcessError, match="signalName"):
            await client.broadcast_signal(BroadcastSignal(signal_name=""))


async def test_a_thrown_signal_reaches_other_instances_in_its_own_transaction(server: ProcessServer) -> None:
    await server.deploy([resource(WAITING, STARTING, THROWING)])
    await create(server, "waiting")
    await create(server, "throwing", level=2)
    assert await active(server) == {"wait": 0, "again": 1}
    [job] = await server.activate_jobs(ActivateJobs(type="react", request_timeout=-1))
    assert job.variables == {"floor": 2}


async def test_an_instantiating_gateway_begins_an_instance_by_the_message_or_signal_that_comes(
    server: ProcessServer,
) -> None:
    model = process(
        element("eventBasedGateway", "first", instantiate="true"),
        catch("ordered", message("order")),
        catch("alarmed", signal("alarm")),
        service("react"),
        flows("first", "ordered", "react"),
        flows("first", "alarmed", "react"),
    )
    await server.deploy([resource(model, message_definition("order"))])
    await server.publish_message(PublishMessage(name="order", correlation_key="a", variables={"n": 1}))
    await server.broadcast_signal(BroadcastSignal(signal_name="alarm", variables={"n": 2}))
    jobs = await server.activate_jobs(ActivateJobs(type="react", max_jobs_to_activate=5, request_timeout=-1))
    assert [job.variables for job in jobs] == [{"n": 1}, {"n": 2}]


async def test_only_the_latest_version_is_started_also_after_a_restart(opening: Open) -> None:
    server = await opening()
    await server.deploy([resource(STARTING)])
    await server.deploy([resource(STARTING.replace('"react"', '"answer"').replace("-react", "-answer"))])
    server = await opening()
    await server.broadcast_signal(BroadcastSignal(signal_name="alarm"))
    [found] = (await server.search_process_instances(Search())).items
    assert found.process_definition_version == 2


@pytest.mark.parametrize("follow_ups", [0, 1, 200])
async def test_a_signal_for_many_is_told_in_several_transactions_and_everybody_hears_of_it_once(
    opening: Open, monkeypatch: pytest.MonkeyPatch, follow_ups: int
) -> None:
    monkeypatch.setattr(signals, "AT_ONCE", 3)
    server = await opening(follow_ups=follow_ups)
    await server.deploy([resource(WAITING)])
    for _ in range(10):
        await create(server, "waiting")
    await server.broadcast_signal(BroadcastSignal(signal_name="alarm"))
    # What did not fit into the first transaction goes on while the server stops, or after it opens again.
    for _ in range(8):
        server = await opening(follow_ups=follow_ups)
    assert await active(server) == {"wait": 0, "again": 10}


async def test_a_signal_reaches_those_that_began_to_wait_in_the_same_batch(server: ProcessServer) -> None:
    await server.deploy([resource(WAITING)])

    waiting = [asyncio.create_task(create(server, "waiting")) for _ in range(5)]
    told = asyncio.create_task(server.broadcast_signal(BroadcastSignal(signal_name="alarm")))
    await asyncio.gather(*waiting, told)
    assert await active(server) == {"wait": 0, "again": 5}


async def test_a_kill_in_the_middle_of_a_broadcast_leaves_nobody_out(tmp_path: Path) -> None:
    async with running(tmp_path) as (child, client):
        await client.deploy([resource(WAITING)])
        for _ in range(3):
            await asyncio.gather(*(create(client, "waiting") for _ in range(100)))
        await client.broadcast_signal(BroadcastSignal(signal_name="alarm"))
        child.kill()
    async with running(tmp_path) as (_, client):
        async with asyncio.timeout(30):
            while (await active(client))["wait"]:
                await asyncio.sleep(0.02)
        assert await active(client) == {"wait": 0, "again": 300}
