"""Events that travel through scopes and calls, with what people then see of them."""

from tests.engine.models import (
    CANCEL,
    boundary,
    call,
    compensation,
    definitions,
    end,
    escalation,
    escalation_definition,
    flows,
    mapping,
    process,
    service,
    start,
    sub,
    throw,
    transaction,
    undone,
)
from tests.process.conftest import Open
from towpath.process import ManualClock, ProcessServer
from towpath.wire import ActivateJobs, CreateProcessInstance, JobError, Resource, Search


def resource(*parts: str) -> Resource:
    return Resource(name="scopes.bpmn", content=definitions(*parts))


async def create(server: ProcessServer, process_id: str = "p", **variables: object) -> str:
    created = await server.create_process_instance(
        CreateProcessInstance(process_definition_id=process_id, variables=variables)
    )
    return created.process_instance_key


async def complete(server: ProcessServer, type_: str) -> None:
    [job] = await server.activate_jobs(ActivateJobs(type=type_, request_timeout=-1))
    await server.complete_job(job.job_key)


async def seen(server: ProcessServer, instance: str) -> set[tuple[str, str, str]]:
    """Element, type and state of all element instances."""
    found = await server.search_element_instances(Search(filter={"processInstanceKey": instance}))
    return {(one.element_id, one.type, one.state) for one in found.items}


async def test_an_escalation_of_a_called_instance_is_caught_by_the_one_that_called_it(
    server: ProcessServer,
) -> None:
    child = process(
        start("cs"),
        throw("escalate", escalation("LATE"), zeebe=mapping(outputs={"overdue": "=days"})),
        service("go-on"),
        end("ce"),
        flows("cs", "escalate", "go-on", "ce"),
        id="child",
    )
    main = process(
        start(),
        call("call", "child"),
        end(),
        boundary("caught", "call", escalation("LATE"), interrupting=False),
        service("remind"),
        end("reminded"),
        flows("start", "call", "end"),
        flows("caught", "remind", "reminded"),
    )
    await server.deploy([resource(main, child, escalation_definition("LATE"))])
    key = await create(server, days=3)
    [job] = await server.activate_jobs(ActivateJobs(type="remind", request_timeout=-1))
    assert job.variables == {"days": 3, "overdue": 3}
    assert {("caught", "BOUNDARY_EVENT", "COMPLETED"), ("call", "CALL_ACTIVITY", "ACTIVE")} <= await seen(
        server, key
    )
    await server.complete_job(job.job_key)
    await complete(server, "go-on")
    states = [one.state for one in (await server.search_process_instances(Search())).items]
    assert states == ["COMPLETED", "COMPLETED"]


async def test_a_completed_sub_process_is_seen_again_while_it_is_compensated(server: ProcessServer) -> None:
    model = process(
        start(),
        sub(
            "trip",
            start("s1"),
            service("hotel"),
            undone("hotel", service("leave-hotel")),
            end("e1"),
            flows("s1", "hotel", "e1"),
            zeebe=mapping(inputs={"nights": "=2"}),
        ),
        throw("undo", compensation()),
        end(),
        flows("start", "trip", "undo", "end"),
    )
    await server.deploy([resource(model)])
    key = await create(server)
    await complete(server, "hotel")
    assert {
        ("undo", "INTERMEDIATE_THROW_EVENT", "ACTIVE"),
        ("trip", "SUB_PROCESS", "COMPLETED"),
        ("trip", "SUB_PROCESS", "ACTIVE"),
        ("leave-hotel", "SERVICE_TASK", "ACTIVE"),
    } <= await seen(server, key)
    [job] = await server.activate_jobs(ActivateJobs(type="leave-hotel", request_timeout=-1))
    assert job.variables == {"nights": 2}
    await server.complete_job(job.job_key)
    assert "ACTIVE" not in {state for _, _, state in await seen(server, key)}
    assert (await server.process_instance(key)).state == "COMPLETED"


async def test_what_is_to_be_compensated_outlives_a_restart(opening: Open) -> None:
    model = process(
        start(),
        service("hotel"),
        undone("hotel", service("leave-hotel")),
        service("wait"),
        end("undo", compensation("hotel")),
        flows("start", "hotel", "wait", "undo"),
    )
    server = await opening()
    await server.deploy([resource(model)])
    key = await create(server)
    await complete(server, "hotel")
    server = await opening()
    await complete(server, "wait")
    server = await opening()
    await complete(server, "leave-hotel")
    assert (await server.process_instance(key)).state == "COMPLETED"


async def test_a_canceled_transaction_is_undone_and_left_by_its_cancel_event(server: ProcessServer) -> None:
    model = process(
        start(),
        transaction(
            "booking",
            start("s1"),
            service("hotel"),
            undone("hotel", service("leave-hotel")),
            service("pay"),
            end("stop", CANCEL),
            flows("s1", "hotel", "pay", "stop"),
        ),
        boundary("canceled", "booking", CANCEL),
        end(),
        flows("start", "booking"),
        flows("canceled", "end"),
    )
    await server.deploy([resource(model)])
    key = await create(server)
    for job in ("hotel", "pay", "leave-hotel"):
        await complete(server, job)
    assert {
        ("booking", "SUB_PROCESS", "TERMINATED"),
        ("stop", "END_EVENT", "COMPLETED"),
        ("canceled", "BOUNDARY_EVENT", "COMPLETED"),
        ("leave-hotel", "SERVICE_TASK", "COMPLETED"),
    } <= await seen(server, key)
    assert (await server.process_instance(key)).state == "COMPLETED"


async def test_a_job_whose_error_nothing_catches_is_with_nobody_until_its_incident_is_resolved(
    server: ProcessServer, clock: ManualClock
) -> None:
    await server.deploy([resource(process(start(), service("work"), end(), flows("start", "work", "end")))])
    key = await create(server)
    [job] = await server.activate_jobs(ActivateJobs(type="work", timeout=1000, request_timeout=-1))
    await server.throw_job_error(job.job_key, JobError(error_code="BAD"))
    [row] = (await server.search_jobs(Search())).items
    assert row.state == "ERROR_THROWN"
    clock.advance(2000)
    assert await server.activate_jobs(ActivateJobs(type="work", request_timeout=-1)) == []
    [incident] = (await server.search_incidents(Search(filter={"processInstanceKey": key}))).items
    assert incident.error_type == "UNHANDLED_ERROR_EVENT"
    await server.resolve_incident(incident.incident_key)
    await complete(server, "work")
    assert (await server.process_instance(key)).state == "COMPLETED"
