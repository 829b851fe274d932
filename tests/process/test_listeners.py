"""Listeners through the server: their jobs are taken, told and searched like those of elements."""

from __future__ import annotations

from tests.process.models import END, START, process, service
from towpath.process import ProcessServer
from towpath.wire import ActivateJobs, CreateProcessInstance, Job, Search

LISTENERS = (
    '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="before"/>'
    '<zeebe:executionListener eventType="end" type="after"/></zeebe:executionListeners>'
)


async def take(server: ProcessServer, type_: str) -> Job:
    [job] = await server.activate_jobs(ActivateJobs(type=type_))
    return job


async def test_jobs_of_execution_listeners_say_what_they_are(server: ProcessServer) -> None:
    await server.deploy([process("p", START, service("work", extra=LISTENERS), END)])
    created = await server.create_process_instance(CreateProcessInstance(process_definition_id="p"))
    told = []
    for type_ in ("before", "work", "after"):
        job = await take(server, type_)
        told.append((job.kind, job.listener_event_type, job.variables))
        await server.complete_job(job.job_key, {type_: 1})
    assert told == [
        ("EXECUTION_LISTENER", "START", {}),
        ("BPMN_ELEMENT", "UNSPECIFIED", {"before": 1}),
        ("EXECUTION_LISTENER", "END", {"before": 1, "work": 1}),
    ]
    assert (await server.process_instance(created.process_instance_key)).state == "COMPLETED"
    found = await server.search_jobs(Search(filter={"kind": "EXECUTION_LISTENER"}))
    assert [(row.type, row.listener_event_type) for row in found.items] == [
        ("before", "START"),
        ("after", "END"),
    ]
    for event, types in (("END", ["after"]), ("UNSPECIFIED", ["work"])):
        found = await server.search_jobs(Search(filter={"listenerEventType": event}))
        assert [row.type for row in found.items] == types
