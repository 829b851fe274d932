"""Instances from start to end, through the server."""

import asyncio

import pytest

from tests.process.models import END, NO_TASK, ONE_TASK, START, call, process, service
from towpath.process import AlreadyExists, ProcessServer
from towpath.wire import (
    ActivateJobs,
    CreateProcessInstance,
    ProcessError,
    Search,
)


async def test_an_instance_runs_from_its_start_through_a_job_to_its_end(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="one-task", variables={"amount": 12.5, "who": "ada"})
    )
    assert int(created.process_instance_key) >> 51 == 1
    found = await server.process_instance(created.process_instance_key)
    assert (found.state, found.process_definition_name) == ("ACTIVE", "One-Task")

    [job] = await server.activate_jobs(ActivateJobs(type="work", worker="w"))
    assert job.variables == {"amount": 12.5, "who": "ada"}
    assert job.process_instance_key == created.process_instance_key
    await server.complete_job(job.job_key, {"done": True})

    found = await server.process_instance(created.process_instance_key)
    assert found.state == "COMPLETED"
    assert found.end_date is not None
    names = {one.name: one.value for one in (await server.search_variables(Search())).items}
    assert names == {"amount": "12.5", "who": '"ada"', "done": "true"}
    elements = await server.search_element_instances(Search(filter={"type": "SERVICE_TASK"}))
    assert [(one.element_id, one.state) for one in elements.items] == [("work", "COMPLETED")]
    assert await server.sequence_flows(created.process_instance_key) == ["start-work", "work-end"]
    [row] = (await server.search_jobs(Search())).items
    assert (row.state, row.worker) == ("COMPLETED", "w")


async def test_a_start_can_wait_for_the_result(server: ProcessServer) -> None:
    await server.deploy([NO_TASK, ONE_TASK])
    at_once = await server.create_process_instance(
        CreateProcessInstance(
            process_definition_id="no-task", variables={"a": 1, "b": 2}, await_completion=True
        )
    )
    assert at_once.variables == {"a": 1, "b": 2}

    waiting = asyncio.create_task(
        server.create_process_instance(
            CreateProcessInstance(
                process_definition_id="one-task",
                variables={"a": 1},
                await_completion=True,
                fetch_variables=["result"],
            )
        )
    )
    [job] = await server.activate_jobs(ActivateJobs(type="work"))
    await server.complete_job(job.job_key, {"result": [1, {"x": None}]})
    assert (await waiting).variables == {"result": [1, {"x": None}]}


async def test_a_start_that_waits_longer_than_it_may_is_told_so_and_goes_on(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    with pytest.raises(ProcessError) as refused:
        await server.create_process_instance(
            CreateProcessInstance(process_definition_id="one-task", await_completion=True, request_timeout=30)
        )
    assert refused.value.code == "DEADLINE_EXCEEDED"
    assert (await server.search_process_instances(Search(filter={"state": "ACTIVE"}))).page.total_items == 1


async def test_a_business_id_is_given_once_for_each_process(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK, NO_TASK])
    request = CreateProcessInstance(process_definition_id="one-task", business_id="C-1")
    first = await server.create_process_instance(request)
    with pytest.raises(AlreadyExists) as refused:
        await server.create_process_instance(request)
    assert refused.value.code == "ALREADY_EXISTS"
    assert refused.value.existing_key == first.process_instance_key
    assert first.process_instance_key in refused.value.detail

    other = CreateProcessInstance(process_definition_id="no-task", business_id="C-1")
    await server.create_process_instance(other)
    found = await server.search_process_instances(Search(filter={"businessId": "C-1"}))
    assert {one.process_definition_id for one in found.items} == {"one-task", "no-task"}


async def test_starts_at_the_same_time_with_one_business_id_make_one_instance(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    request = CreateProcessInstance(process_definition_id="one-task", business_id="C-1")
    answers = await asyncio.gather(
        *(server.create_process_instance(request) for _ in range(20)), return_exceptions=True
    )
    made = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(made) == 1
    assert (await server.search_process_instances(Search())).page.total_items == 1


async def test_a_called_process_gets_variables_and_gives_them_back(server: ProcessServer) -> None:
    await server.deploy([process("outer", START, call("inner", "one-task"), END), ONE_TASK])
    outer = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="outer", variables={"x": 1}, business_id="B")
    )
    [job] = await server.activate_jobs(ActivateJobs(type="work"))
    assert job.variables == {"x": 1}
    called = await server.process_instance(job.process_instance_key)
    assert called.parent_process_instance_key == outer.process_instance_key
    assert called.root_process_instance_key == outer.process_instance_key
    await server.complete_job(job.job_key, {"y": 2})
    states = [one.state for one in (await server.search_process_instances(Search())).items]
    assert states == ["COMPLETED", "COMPLETED"]
    found = await server.search_variables(
        Search(filter={"processInstanceKey": outer.process_instance_key, "name": "y"})
    )
    assert [one.value for one in found.items] == ["2"]


async def test_a_canceled_instance_takes_its_jobs_and_called_instances_with_it(server: ProcessServer) -> None:
    await server.deploy([process("outer", START, call("inner", "one-task"), END), ONE_TASK])
    outer = await server.create_process_instance(CreateProcessInstance(process_definition_id="outer"))
    [job] = await server.activate_jobs(ActivateJobs(type="work"))
    with pytest.raises(ProcessError) as refused:
        await server.cancel_process_instance(job.process_instance_key)
    assert refused.value.code == "INVALID_STATE"
    await server.cancel_process_instance(outer.process_instance_key)
    states = {one.state for one in (await server.search_process_instances(Search())).items}
    assert states == {"TERMINATED"}
    with pytest.raises(ProcessError) as late:
        await server.complete_job(job.job_key)
    assert late.value.code == "NOT_FOUND"


async def test_what_does_not_exist_is_not_found(server: ProcessServer) -> None:
    for call_ in (
        server.process_instance("2251799813685249"),
        server.process_instance("no-key"),
        server.complete_job("99"),
        server.cancel_process_instance("2251799813685249"),
        server.create_process_instance(CreateProcessInstance(process_definition_id="nothing")),
        server.set_variables("77", {"a": 1}),
        server.user_task("5"),
        server.resolve_incident("5"),
        server.process_definition_xml("5"),
    ):
        with pytest.raises(ProcessError) as refused:
            await call_
        assert refused.value.code == "NOT_FOUND"


async def test_variables_are_set_where_they_are_or_locally(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="one-task", variables={"x": 1})
    )
    [task] = (await server.search_element_instances(Search(filter={"elementId": "work"}))).items
    await server.set_variables(task.element_instance_key, {"x": 2})
    await server.set_variables(task.element_instance_key, {"x": 3}, local=True)
    found = await server.search_variables(Search(filter={"name": "x"}))
    assert {one.scope_key: one.value for one in found.items} == {
        created.process_instance_key: "2",
        task.element_instance_key: "3",
    }
    [job] = await server.activate_jobs(ActivateJobs(type="work", fetch_variable=["x"]))
    assert job.variables == {"x": 3}


async def test_a_command_that_the_model_cannot_carry_out_fails_alone(server: ProcessServer) -> None:
    await server.deploy([ONE_TASK])
    good = CreateProcessInstance(process_definition_id="one-task", variables={"a": 1})
    bad = [
        CreateProcessInstance(process_definition_id="one-task", variables={"a": "\ud800"}),
        CreateProcessInstance(process_definition_id="one-task", variables={"a": object()}),
        CreateProcessInstance(process_definition_id="one-task", business_id="x" * 300),
    ]
    answers = await asyncio.gather(
        *(server.create_process_instance(one) for one in [good, *bad, good]), return_exceptions=True
    )
    assert [isinstance(answer, ProcessError) for answer in answers] == [False, True, True, True, False]
    assert (await server.search_process_instances(Search())).page.total_items == 2


async def test_a_process_of_many_tasks_goes_through_all_of_them(server: ProcessServer) -> None:
    await server.deploy([process("ten", START, *(service(f"t{i}", "t") for i in range(10)), END)])
    await asyncio.gather(
        *(
            server.create_process_instance(CreateProcessInstance(process_definition_id="ten"))
            for _ in range(20)
        )
    )
    for _ in range(200):
        jobs = await server.activate_jobs(ActivateJobs(type="t", max_jobs_to_activate=50, request_timeout=-1))
        if not jobs:
            break
        await asyncio.gather(*(server.complete_job(job.job_key) for job in jobs))
    found = await server.search_process_instances(Search(filter={"state": "COMPLETED"}))
    assert found.page.total_items == 20
