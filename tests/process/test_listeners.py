"""Listeners through the server: their jobs are taken, told and searched like those of elements."""

from __future__ import annotations

from tests.process.models import END, START, process, service, user_task
from towpath.process import ProcessServer
from towpath.wire import ActivateJobs, Corrections, CreateProcessInstance, Job, JobResult, Search, UserTask

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


async def test_a_task_listener_denies_and_corrects_what_happens_to_a_user_task(server: ProcessServer) -> None:
    rows = "".join(
        f'<zeebe:taskListener eventType="{event}" type="{event}"/>' for event in ("creating", "assigning")
    )
    extra = f"<zeebe:taskListeners>{rows}</zeebe:taskListeners>"
    await server.deploy([process("p", START, user_task("look", form=extra), END)])
    await server.create_process_instance(CreateProcessInstance(process_definition_id="p"))
    states = []

    async def state() -> UserTask:
        [found] = (await server.search_user_tasks(Search())).items
        states.append(found.state)
        return found

    task = await state()
    job = await take(server, "creating")
    assert (job.kind, job.listener_event_type) == ("TASK_LISTENER", "CREATING")
    await server.complete_job(job.job_key)
    await state()
    await server.assign_user_task(task.user_task_key, "ada")
    await state()
    job = await take(server, "assigning")
    await server.complete_job(job.job_key, result=JobResult(denied=True))
    assert (await state()).assignee is None
    await server.assign_user_task(task.user_task_key, "ada")
    job = await take(server, "assigning")
    corrections = Corrections(assignee="bob", candidate_groups=["boss"], priority=80)
    await server.complete_job(job.job_key, result=JobResult(corrections=corrections))
    found = await state()
    assert (found.assignee, found.candidate_groups, found.priority) == ("bob", ["boss"], 80)
    assert states == ["CREATING", "CREATED", "ASSIGNING", "CREATED", "CREATED"]
    by_group = await server.search_user_tasks(Search(filter={"candidateGroup": "boss"}))
    assert by_group.page.total_items == 1
