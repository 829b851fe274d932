"""The event feed."""

import asyncio

import pytest

from tests.process.conftest import Open
from tests.process.models import END, ONE_TASK, START, call, milestone, process, service
from towpath.process import ProcessServer
from towpath.wire import ActivateJobs, CreateProcessInstance, Event, EventQuery, ProcessError


async def run(server: ProcessServer, process_id: str, business_id: str | None = None) -> str:
    """One instance, its jobs done; gives its key."""
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id=process_id, business_id=business_id, variables={"n": 1.5})
    )
    for job in await server.activate_jobs(ActivateJobs(type="work", request_timeout=-1)):
        await server.complete_job(job.job_key)
    return created.process_instance_key


async def everything(server: ProcessServer, query: EventQuery) -> list[Event]:
    events: list[Event] = []
    while True:
        page = await server.events(query)
        if not page.events:
            return events
        events += page.events
        query.after = page.position


async def test_everything_that_happens_is_told_in_order(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    key = await run(server, "one-task", "B-1")
    events = await everything(server, EventQuery())
    kinds = [event.type.removeprefix("towpath.") for event in events]
    assert kinds[0] == "instance.created"
    assert kinds[-1] == "instance.completed"
    for kind in ("variable.created", "element.activated", "flow.taken", "job.created", "job.completed"):
        assert kind in kinds
    assert kinds.index("job.created") < kinds.index("job.completed")
    for event in events:
        assert event.data["processInstanceKey"] == key
        assert event.data["businessId"] == "B-1"
        assert event.data["rootProcessInstanceKey"] == key
    done = next(event for event in events if event.type == "towpath.job.completed")
    assert (done.data["type"], done.data["elementId"], done.data["state"]) == ("work", "work", "COMPLETED")
    variable = next(event for event in events if event.type == "towpath.variable.created")
    assert (variable.data["name"], variable.data["value"]) == ("n", "1.5")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
async def test_pages_of_any_size_tell_the_same_without_a_gap(server: ProcessServer, limit: int) -> None:
    await server.deploy([ONE_TASK])
    for _ in range(3):
        await run(server, "one-task")
    whole = [event.id for event in (await server.events(EventQuery())).events]
    assert len(whole) == len(set(whole))
    assert [event.id for event in await everything(server, EventQuery(limit=limit))] == whole
    for place in (0, 5, len(whole) - 1):
        rest = await everything(server, EventQuery(after=whole[place], limit=limit))
        assert [event.id for event in rest] == whole[place + 1 :]


async def test_the_feed_can_be_asked_for_kinds_milestones_processes_and_instances(
    server: ProcessServer,
) -> None:
    inner = process("inner", START, service("work", extra=milestone("Paid")), END)
    await server.deploy([process("outer", START, call("child", "inner"), END), inner, ONE_TASK])
    outer = await run(server, "outer", "C-1")
    await run(server, "one-task")

    [told] = await everything(server, EventQuery(milestones=True, limit=1))
    assert told.data["milestone"] == "Paid"
    assert told.data["processDefinitionId"] == "inner"
    assert told.data["rootBusinessId"] == "C-1"
    assert told.data["rootProcessDefinitionId"] == "outer"
    assert told.data["rootProcessInstanceKey"] == outer

    ended = await everything(server, EventQuery(types=["towpath.instance.completed"]))
    assert [event.data["processDefinitionId"] for event in ended] == ["inner", "outer", "one-task"]
    jobs = await everything(server, EventQuery(types=["towpath.job.*"], limit=1))
    assert {event.type for event in jobs} == {"towpath.job.created", "towpath.job.completed"}
    of_outer = await everything(server, EventQuery(process_instance_key=outer))
    assert {event.data["processDefinitionId"] for event in of_outer} == {"outer", "inner"}
    child = told.data["processInstanceKey"]
    of_inner = await everything(server, EventQuery(process_instance_key=child, limit=2))
    assert {event.data["processInstanceKey"] for event in of_inner} == {child}
    of_process = await everything(server, EventQuery(process_definition_id="one-task"))
    assert {event.data["processDefinitionId"] for event in of_process} == {"one-task"}


async def test_a_reader_at_the_end_is_told_as_soon_as_something_happens(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    await run(server, "one-task")
    query = EventQuery(after="latest", types=["towpath.instance.created"], wait=30_000)
    waiting = asyncio.create_task(server.events(query))
    await asyncio.sleep(0)
    key = await run(server, "one-task")
    async with asyncio.timeout(10):
        page = await waiting
    assert [event.data["processInstanceKey"] for event in page.events] == [key]


async def test_what_does_not_match_is_not_looked_at_again(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    await run(server, "one-task")
    latest = await server.events(EventQuery(after="latest"))
    nothing = await server.events(EventQuery(types=["towpath.message.published"]))
    assert nothing.events == []
    assert nothing.position == latest.position


async def test_a_position_is_good_after_a_restart(opening: Open) -> None:
    server = await opening()
    await server.deploy([ONE_TASK])
    await run(server, "one-task")
    page = await server.events(EventQuery(limit=4))
    whole = [event.id for event in (await server.events(EventQuery())).events]
    server = await opening()
    await run(server, "one-task")
    rest = await everything(server, EventQuery(after=page.position))
    assert [event.id for event in rest][: len(whole) - 4] == whole[4:]


@pytest.mark.parametrize(
    "query",
    [
        EventQuery(after="yesterday"),
        EventQuery(after="1.x"),
        EventQuery(types=["towpath.colour"]),
        EventQuery(limit=0),
    ],
)
async def test_a_query_that_cannot_be_understood_is_refused(server: ProcessServer, query: EventQuery) -> None:
    with pytest.raises(ProcessError) as refused:
        await server.events(query)
    assert refused.value.code == "INVALID_ARGUMENT"
