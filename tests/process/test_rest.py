"""The REST API, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.process.models import END, FORM, NO_TASK, ONE_TASK, START, milestone, process, service, user_task
from towpath.client import HttpProcessClient
from towpath.http import listen, on_behalf_of, serving
from towpath.identity import Identity, TokenError
from towpath.process import ProcessServer, create_app
from towpath.wire import (
    ActivateJobs,
    CreateProcessInstance,
    EventQuery,
    JobError,
    JobFailure,
    Page,
    ProcessError,
    Resource,
    Search,
    Sort,
    UserTaskChange,
)


class Tokens:
    """Tokens that say who they are: ``subject:role``."""

    async def verify(self, token: str) -> Identity:
        subject, colon, role = token.partition(":")
        if not colon:
            raise TokenError("Not a token.")
        return Identity(subject=subject, roles=frozenset({role}))


@pytest.fixture
async def url(server: ProcessServer) -> AsyncIterator[str]:
    async with serving(create_app(server, None), listen("127.0.0.1", 0), grace=1) as base:
        yield base + "/v2"


@pytest.fixture
async def client(url: str) -> AsyncIterator[HttpProcessClient]:
    async with HttpProcessClient(url.removesuffix("/v2")) as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_client_drives_an_instance_from_deployment_to_its_end(client: HttpProcessClient) -> None:
    deployed = await client.deploy([ONE_TASK])
    [resource] = deployed.resources
    assert (resource.kind, resource.id, resource.version) == ("process", "one-task", 1)
    assert "one-task" in await client.process_definition_xml(resource.key)
    created = await client.create_process_instance(
        CreateProcessInstance(process_definition_id="one-task", variables={"n": 1.25}, business_id="B1")
    )
    [job] = await client.activate_jobs(ActivateJobs(type="work", worker="w"))
    assert (job.variables, job.business_id) == ({"n": 1.25}, "B1")
    await client.complete_job(job.job_key, {"ok": True})
    found = await client.process_instance(created.process_instance_key)
    assert found.state == "COMPLETED"
    assert await client.sequence_flows(created.process_instance_key) == ["start-work", "work-end"]
    [variable] = (await client.search_variables(Search(filter={"name": "ok"}))).items
    assert variable.value == "true"


async def test_a_user_task_is_found_by_its_group_assigned_changed_and_completed(
    client: HttpProcessClient,
) -> None:
    form = '<zeebe:formDefinition formId="look"/>'
    await client.deploy([FORM, process("task", START, user_task("look", form=form), END)])
    await client.create_process_instance(
        CreateProcessInstance(process_definition_id="task", variables={"x": 1}, business_id="B1")
    )
    wanted = Search(filter={"candidateGroup": {"$in": ["adjuster", "nobody"]}, "state": "CREATED"})
    [task] = (await client.search_user_tasks(wanted)).items
    assert (task.name, task.candidate_groups, task.business_id) == ("Look at look", ["adjuster"], "B1")
    found = await client.user_task_form(task.user_task_key)
    assert found is not None
    assert found.form_id == "look"
    assert await client.user_task_variables(task.user_task_key) == {"x": 1}

    await client.assign_user_task(task.user_task_key, "carl", actor="carl")
    with pytest.raises(ProcessError) as refused:
        await client.assign_user_task(task.user_task_key, "ada", allow_override=False)
    assert refused.value.code == "INVALID_STATE"
    await client.update_user_task(
        task.user_task_key,
        UserTaskChange(priority=80, candidate_groups=["senior"], due_date="2026-12-01T00:00:00Z"),
    )
    changed = await client.user_task(task.user_task_key)
    assert (changed.assignee, changed.priority, changed.candidate_groups) == ("carl", 80, ["senior"])
    assert changed.due_date == "2026-12-01T00:00:00.000Z"
    assert (await client.search_user_tasks(wanted)).items == []

    await client.unassign_user_task(task.user_task_key)
    await client.complete_user_task(task.user_task_key, {"note": "seen"}, actor="carl")
    assert (await client.user_task(task.user_task_key)).state == "COMPLETED"
    with pytest.raises(ProcessError) as again:
        await client.complete_user_task(task.user_task_key)
    assert again.value.code in ("NOT_FOUND", "INVALID_STATE")


async def test_a_job_that_fails_for_good_raises_an_incident_that_can_be_resolved(
    client: HttpProcessClient,
) -> None:
    await client.deploy([ONE_TASK])
    created = await client.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    [job] = await client.activate_jobs(ActivateJobs(type="work"))
    await client.fail_job(job.job_key, JobFailure(retries=0, error_message="no luck"))
    [incident] = (await client.search_incidents(Search(filter={"state": "ACTIVE"}))).items
    assert (incident.error_type, incident.error_message) == ("JOB_NO_RETRIES", "no luck")
    found = await client.process_instance(created.process_instance_key)
    assert found.has_incident
    assert (await client.search_process_instances(Search(filter={"hasIncident": True}))).page.total_items == 1

    await client.update_job(job.job_key, retries=2)
    await client.resolve_incident(incident.incident_key)
    [again] = await client.activate_jobs(ActivateJobs(type="work"))
    assert (again.job_key, again.retries) == (job.job_key, 2)
    await client.throw_job_error(again.job_key, JobError(error_code="NOBODY_CATCHES"))
    [uncaught] = (await client.search_incidents(Search(filter={"state": "ACTIVE"}))).items
    assert "NOBODY_CATCHES" in uncaught.error_message


async def test_documents_are_stored_once_for_an_id_and_come_back_as_they_were(
    client: HttpProcessClient, url: str, http: aiohttp.ClientSession
) -> None:
    await client.deploy([ONE_TASK])
    created = await client.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    key = created.process_instance_key
    stored = await client.create_document(
        b"\x89PNG",
        file_name="Schaden ü.png",
        content_type="image/png",
        process_instance_key=key,
        document_id="doc-1",
        properties={"by": "ada"},
    )
    again = await client.create_document(
        b"\x89PNG", file_name="Schaden ü.png", content_type="image/png", document_id="doc-1"
    )
    assert again == stored
    with pytest.raises(ProcessError) as refused:
        await client.create_document(b"other", file_name="x", content_type="image/png", document_id="doc-1")
    assert refused.value.code == "ALREADY_EXISTS"
    described, content = await client.document("doc-1")
    assert b"".join([part async for part in content]) == b"\x89PNG"
    assert (described.size, described.custom_properties, described.process_instance_key) == (
        4,
        {"by": "ada"},
        key,
    )
    assert [one.document_id for one in await client.search_documents(key)] == ["doc-1"]
    async with http.get(f"{url}/documents/doc-1") as response:
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    await client.delete_document("doc-1")
    with pytest.raises(ProcessError) as gone:
        await client.document("doc-1")
    assert gone.value.code == "NOT_FOUND"


async def test_a_faulty_deployment_deploys_nothing_and_tells_every_fault(client: HttpProcessClient) -> None:
    broken = Resource(name="broken.bpmn", content=b"<not-bpmn/>")
    form = Resource(name="bad.form", content=b"{}")
    odd = Resource(name="odd.txt", content=b"")
    with pytest.raises(ProcessError) as refused:
        await client.deploy([ONE_TASK, broken, form, odd])
    assert refused.value.code == "INVALID_ARGUMENT"
    assert len(refused.value.faults) >= 3
    for name in ("broken.bpmn", "bad.form", "odd.txt"):
        assert any(name in fault for fault in refused.value.faults)
    assert (await client.search_process_definitions(Search())).items == []


async def test_pages_follow_each_other_without_a_gap_in_either_direction(client: HttpProcessClient) -> None:
    await client.deploy([NO_TASK])
    for i in range(7):
        await client.create_process_instance(
            CreateProcessInstance(process_definition_id="no-task", business_id=f"B{i}")
        )
    sort = [Sort(field="businessId", order="DESC")]
    seen: list[str | None] = []
    after = None
    while True:
        page = await client.search_process_instances(Search(sort=sort, page=Page(limit=3, after=after)))
        if not page.items:
            break
        assert page.page.total_items == 7
        seen += [one.business_id for one in page.items]
        after = page.page.end_cursor
        last = page
    assert seen == [f"B{i}" for i in reversed(range(7))]
    before = await client.search_process_instances(
        Search(sort=sort, page=Page(limit=2, before=last.page.start_cursor))
    )
    assert [one.business_id for one in before.items] == ["B2", "B1"]
    offset = await client.search_process_instances(Search(sort=sort, page=Page(from_=5)))
    assert [one.business_id for one in offset.items] == ["B1", "B0"]


async def test_empty_bodies_and_unknown_members_are_tolerated(
    client: HttpProcessClient, url: str, http: aiohttp.ClientSession
) -> None:
    await client.deploy([ONE_TASK])
    headers = {"Content-Type": "application/json"}
    body: dict[str, Any] = {
        "processDefinitionId": "one-task",
        "tenantId": "<default>",
        "variables": None,
        "operationReference": 7,
    }
    async with http.post(f"{url}/process-instances", json=body) as response:
        assert response.status == 200
    async with http.post(f"{url}/process-instances/search", headers=headers) as response:
        assert (await response.json())["page"]["totalItems"] == 1
    [job] = await client.activate_jobs(ActivateJobs(type="work"))
    async with http.post(f"{url}/jobs/{job.job_key}/completion", headers=headers) as response:
        assert response.status == 204


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("process-instances/search", b'{"filter": {"colour": "red"}}', "filter.colour"),
        ("process-instances/search", b'{"filter": {"state": {"$near": "x"}}}', "$near"),
        ("process-instances/search", b'{"sort": [{"field": "colour"}]}', "colour"),
        ("process-instances/search", b'{"page": {"limit": -1}}', "page.limit"),
        ("process-instances/search", b'{"page": {"after": "bm9uc2Vuc2U"}}', "cursor"),
        ("process-instances/search", b'{"filter": {"startDate": {"$gt": "yesterday"}}}', "startDate"),
        ("process-instances/search", b'{"filter": {"processInstanceKey": "x"}}', "processInstanceKey"),
        ("process-instances", b'{"processDefinitionId": 7}', "processDefinitionId"),
        ("process-instances", b"{", "JSON"),
        ("process-instances", b"[" * 100_000, "JSON"),
        ("process-instances", b'{"variables": {"a": "\xff"}}', "JSON"),
        ("process-instances", b'{"processDefinitionId": "x", "tenantId": "acme"}', "acme"),
        ("jobs/activation", b'{"type": ""}', "type"),
        ("jobs/activation", b'{"type": "x", "timeout": 0}', "timeout"),
        ("messages/publication", b'{"name": ""}', "name"),
    ],
)
async def test_a_request_that_cannot_be_carried_out_is_told_why(
    url: str, http: aiohttp.ClientSession, path: str, body: bytes, said: str
) -> None:
    async with http.post(f"{url}/{path}", data=body) as response:
        assert response.status == 400
        problem = await response.json()
        assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["title"] == "INVALID_ARGUMENT"
    assert said in problem["detail"]


async def test_a_taken_business_id_names_the_instance_that_has_it(
    client: HttpProcessClient, url: str, http: aiohttp.ClientSession
) -> None:
    await client.deploy([ONE_TASK])
    body = {"processDefinitionId": "one-task", "businessId": "B"}
    async with http.post(f"{url}/process-instances", json=body) as response:
        first = await response.json()
    async with http.post(f"{url}/process-instances", json=body) as response:
        assert response.status == 409
        problem = await response.json()
    assert problem["title"] == "ALREADY_EXISTS"
    assert problem["existingKey"] == first["processInstanceKey"]


async def test_the_feed_is_streamed_and_goes_on_after_the_last_event_seen(
    client: HttpProcessClient, url: str, http: aiohttp.ClientSession
) -> None:
    await client.deploy([process("told", START, service("work", extra=milestone("Work done")), END)])
    headers = {"Accept": "text/event-stream"}
    seen: list[str] = []
    async with http.get(f"{url}/events?milestones=true", headers=headers) as response:
        assert response.content_type == "text/event-stream"
        await client.create_process_instance(CreateProcessInstance(process_definition_id="told"))
        [job] = await client.activate_jobs(ActivateJobs(type="work"))
        await client.complete_job(job.job_key)
        async with asyncio.timeout(5):
            async for line in response.content:
                if line.startswith(b"id: "):
                    seen.append(line[4:].strip().decode())
                if line.startswith(b"data: "):
                    assert b'"milestone":"Work done"' in line
                    break
    page = await client.events(EventQuery(after=seen[0]))
    assert [event.type for event in page.events][-1] == "towpath.instance.completed"
    assert "towpath.element.activated" in {event.type for event in page.events}


async def test_only_services_and_operators_are_let_in_and_workers_to_their_jobs(
    server: ProcessServer, http: aiohttp.ClientSession
) -> None:
    await server.deploy([ONE_TASK])
    async with serving(create_app(server, Tokens()), listen("127.0.0.1", 0), grace=1) as base:

        async def ask(token: str | None, path: str, more: dict[str, str] | None = None) -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with http.post(
                f"{base}/v2/{path}",
                json={"type": "work", "requestTimeout": -1} if "activation" in path else {},
                headers=headers | (more or {}),
            ) as response:
                return response.status

        search, activate = "process-instances/search", "jobs/activation"
        assert await ask(None, search) == 401
        assert await ask("nonsense", search) == 401
        assert await ask("ada:customer", search) == 403
        assert await ask("ada:customer", activate) == 403
        assert await ask("w:worker", search) == 403
        assert await ask("w:worker", activate) == 200
        assert await ask("olga:operator", search) == 200
        assert await ask("us:service", activate) == 200
        ada = on_behalf_of(Identity(subject="ada", roles=frozenset({"customer"})))
        assert await ask("us:service", search, ada) == 200
        assert await ask("ben:customer", search, ada) == 403


async def test_the_server_tells_of_itself(url: str, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{url}/topology") as response:
        assert (await response.json())["brokers"][0]["partitions"][0]["health"] == "healthy"
    async with http.get(f"{url}/status") as response:
        assert response.status == 204
    async with http.get(f"{url}/nothing-here") as response:
        assert response.status == 404


async def test_a_worker_that_hung_up_is_given_no_job(
    client: HttpProcessClient, url: str, http: aiohttp.ClientSession
) -> None:
    await client.deploy([ONE_TASK])
    async with aiohttp.ClientSession() as leaving:
        waiting = asyncio.create_task(
            leaving.post(f"{url}/jobs/activation", json={"type": "work", "requestTimeout": 20_000})
        )
        async with http.get(f"{url}/topology") as answer:
            assert answer.status == 200
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with http.get(f"{url}/topology") as answer:
        assert answer.status == 200
    await client.create_process_instance(CreateProcessInstance(process_definition_id="one-task"))
    jobs = await client.activate_jobs(ActivateJobs(type="work", request_timeout=5_000))
    assert len(jobs) == 1
