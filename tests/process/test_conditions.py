"""Conditional events through the server: what variables set off, and what a condition starts."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.models import boundary, condition, definitions, end, flows, process, service, start
from tests.process.conftest import Open
from towpath.client import HttpProcessClient
from towpath.http import listen, serving
from towpath.process import ProcessServer, create_app
from towpath.wire import (
    ActivateJobs,
    CreateProcessInstance,
    EvaluateConditionals,
    ProcessError,
    Resource,
    Search,
)

WATCHED = process(
    start(),
    service("work"),
    end(),
    boundary("caught", "work", condition("=amount > 100")),
    service("review"),
    flows("start", "work", "end"),
    flows("caught", "review", "end"),
    id="watched",
)
ONLY = process(
    start("large", condition("=amount > 100")),
    start("named", condition("=name != null", variableNames="name")),
    service("react"),
    end(),
    flows("large", "react", "end"),
    flows("named", "react"),
    id="started",
)


def resource(*parts: str) -> Resource:
    return Resource(name="conditions.bpmn", content=definitions(*parts))


@pytest.fixture
async def client(server: ProcessServer) -> AsyncIterator[HttpProcessClient]:
    async with (
        serving(create_app(server, None), listen("127.0.0.1", 0), grace=1) as url,
        HttpProcessClient(url) as opened,
    ):
        yield opened


async def test_a_variable_that_is_set_after_a_restart_sets_off_a_condition(opening: Open) -> None:
    server = await opening()
    await server.deploy([resource(WATCHED)])
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id="watched", variables={"amount": 5})
    )
    server = await opening()
    await server.set_variables(created.process_instance_key, {"amount": 100.5})
    [job] = await server.activate_jobs(ActivateJobs(type="review", request_timeout=-1))
    await server.complete_job(job.job_key)
    assert (await server.process_instance(created.process_instance_key)).state == "COMPLETED"


async def test_variables_start_the_processes_whose_conditions_are_true_of_them(
    client: HttpProcessClient,
) -> None:
    deployed = await client.deploy([resource(ONLY)])
    nothing = await client.evaluate_conditionals(EvaluateConditionals(variables={"amount": 5}))
    assert nothing.process_instances == []
    done = await client.evaluate_conditionals(
        EvaluateConditionals(variables={"amount": 500, "name": "Ada"}), actor="ada"
    )
    assert [one.process_definition_key for one in done.process_instances] == [deployed.resources[0].key] * 2
    jobs = await client.activate_jobs(ActivateJobs(type="react", max_jobs_to_activate=5, request_timeout=-1))
    assert [job.variables for job in jobs] == [{"amount": 500, "name": "Ada"}] * 2
    assert {job.process_instance_key for job in jobs} == {
        one.process_instance_key for one in done.process_instances
    }


async def test_a_definition_may_be_named_also_an_older_one(client: HttpProcessClient) -> None:
    first = await client.deploy([resource(ONLY)])
    await client.deploy([resource(ONLY.replace("amount > 100", "amount > 1000"))])
    wanted = EvaluateConditionals(variables={"amount": 500})
    assert (await client.evaluate_conditionals(wanted)).process_instances == []
    wanted.process_definition_key = first.resources[0].key
    assert len((await client.evaluate_conditionals(wanted)).process_instances) == 1
    wanted.process_definition_key = "1"
    with pytest.raises(ProcessError) as refused:
        await client.evaluate_conditionals(wanted)
    assert refused.value.code == "NOT_FOUND"


async def test_a_condition_that_is_none_starts_nothing_at_all(client: HttpProcessClient) -> None:
    await client.deploy(
        [
            resource(
                ONLY,
                process(start("odd", condition("=amount + 1")), end(), flows("odd", "end"), id="doubtful"),
            )
        ]
    )
    with pytest.raises(ProcessError, match="must be true or false") as refused:
        await client.evaluate_conditionals(EvaluateConditionals(variables={"amount": 500}))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert (await client.search_process_instances(Search())).items == []
