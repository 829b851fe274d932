"""Batches: what fails in them fails alone, and what is too much is refused."""

import asyncio
from decimal import Decimal

import pytest

from tests.process.conftest import Open
from tests.process.models import END, NO_TASK, ONE_TASK, START, call, process
from towpath.process import ProcessServer
from towpath.process.batch import Work
from towpath.storage.tables import INSTANCE
from towpath.wire import CreateProcessInstance, ProcessError, Search

START_ONE = CreateProcessInstance(process_definition_id="no-task")


async def total(server: ProcessServer) -> int:
    return (await server.search_process_instances(Search())).page.total_items


async def test_an_operation_that_raises_takes_back_only_its_own(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])

    def breaks(work: Work) -> None:
        work.claim_business_id("one-task", "mine", 1)
        raise RuntimeError("a fault of ours")

    start = CreateProcessInstance(process_definition_id="one-task", business_id="mine")
    broken, created = await asyncio.gather(
        server.host.run(breaks), server.create_process_instance(start), return_exceptions=True
    )
    assert isinstance(broken, ProcessError)
    assert broken.code == "INTERNAL"
    assert not isinstance(created, BaseException)
    assert await total(server) == 1


async def test_what_the_database_refuses_is_found_by_halving_and_fails_alone(server: ProcessServer) -> None:
    await server.deploy([NO_TASK])

    def unwritable(work: Work) -> None:
        work.changes.row(INSTANCE, -1, [work.b, 2**70, 1, b"", b""])

    asked = [
        server.host.run(unwritable) if i in (3, 17) else server.create_process_instance(START_ONE)
        for i in range(30)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [i for i, answer in enumerate(answers) if isinstance(answer, ProcessError)] == [3, 17]
    keys = {answer.process_instance_key for i, answer in enumerate(answers) if i not in (3, 17)}  # type: ignore[union-attr]
    assert len(keys) == 28
    assert await total(server) == 28
    await server.create_process_instance(START_ONE)
    assert await total(server) == 29


async def test_more_commands_than_may_be_under_way_are_refused_at_once(opening: Open) -> None:
    server = await opening(in_flight=5)
    await server.deploy([NO_TASK])
    answers = await asyncio.gather(
        *(server.create_process_instance(START_ONE) for _ in range(12)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, ProcessError)]
    assert len(refused) == 7
    assert {error.code for error in refused} == {"RESOURCE_EXHAUSTED"}
    assert await total(server) == 5


async def test_follow_ups_beyond_the_budget_are_carried_out_in_later_transactions(opening: Open) -> None:
    server = await opening(follow_ups=1)
    calls = [call(f"c{i}", "no-task") for i in range(5)]
    await server.deploy([process("outer", START, *calls, END), NO_TASK])
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="outer", await_completion=True)
    )
    assert await total(server) == 6
    assert (await server.process_instance(created.process_instance_key)).state == "COMPLETED"


async def test_numbers_keep_their_digits(server: ProcessServer) -> None:
    await server.deploy([NO_TASK])
    await server.create_process_instance(
        CreateProcessInstance(
            process_definition_id="no-task",
            variables={"a": Decimal("0.10000000000000000001"), "b": 12345678901234567890},
        )
    )
    found = {one.name: one.value for one in (await server.search_variables(Search())).items}
    assert found == {"a": "0.10000000000000000001", "b": "12345678901234567890"}


async def test_a_server_that_stops_finishes_what_it_accepted(opening: Open) -> None:
    server = await opening()
    await server.deploy([NO_TASK])
    asked = [asyncio.create_task(server.create_process_instance(START_ONE)) for _ in range(100)]
    await asyncio.sleep(0)
    again = await opening()
    assert all(not isinstance(answer, BaseException) for answer in await asyncio.gather(*asked))
    assert await total(again) == 100
    with pytest.raises(ProcessError) as late:
        await server.create_process_instance(START_ONE)
    assert late.value.code == "UNAVAILABLE"


async def test_unchanged_resources_keep_their_version_and_changed_ones_get_the_next(opening: Open) -> None:
    server = await opening()
    first = await server.deploy([ONE_TASK, NO_TASK])
    same = await server.deploy([ONE_TASK])
    assert same.resources[0].is_duplicate
    assert same.resources[0].key == first.resources[0].key
    changed = process("one-task", START, END)
    server = await opening()
    second = await server.deploy([changed, NO_TASK])
    assert [(one.version, one.is_duplicate) for one in second.resources] == [(2, False), (1, True)]
    found = await server.search_process_definitions(Search(filter={"isLatestVersion": True}))
    assert {(one.process_definition_id, one.version) for one in found.items} == {
        ("one-task", 2),
        ("no-task", 1),
    }
    old = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="one-task", process_definition_version=1)
    )
    assert (await server.process_instance(old.process_instance_key)).state == "ACTIVE"


async def test_a_server_that_remembers_next_to_nothing_still_finds_its_instances(opening: Open) -> None:
    server = await opening(cache=0)
    await server.deploy([ONE_TASK])
    start = CreateProcessInstance(process_definition_id="one-task")
    created = await asyncio.gather(*(server.create_process_instance(start) for _ in range(3)))
    await asyncio.gather(*(server.cancel_process_instance(one.process_instance_key) for one in created))
