"""Every call of the client, over HTTP and in-process alike; and how refusals travel."""

from collections.abc import AsyncIterator

import pytest

from tests.client.conftest import happens, resources, start
from towpath.client import HttpProcessClient, ProcessClient
from towpath.http import listen, serving
from towpath.identity import Identity, TokenError
from towpath.process import ProcessServer
from towpath.process.rest import create_app
from towpath.wire import (
    ActivateJobs,
    CorrelateMessage,
    CreateProcessInstance,
    EvaluateDecision,
    EventQuery,
    JobError,
    JobFailure,
    Page,
    ProcessError,
    PublishMessage,
    Resource,
    Search,
    UserTaskChange,
)


async def one_job(client: ProcessClient) -> str:
    (job,) = await client.activate_jobs(ActivateJobs(type="charge", request_timeout=5_000))
    return job.job_key


async def test_models_are_deployed_and_read_back(client: ProcessClient) -> None:
    again = await client.deploy(resources())
    assert all(resource.is_duplicate for resource in again.resources)
    (definition,) = (
        await client.search_process_definitions(Search(filter={"processDefinitionId": "order"}))
    ).items
    assert "Charge the card" in await client.process_definition_xml(definition.process_definition_key)
    assert await client.start_form(definition.process_definition_key) is None
    form = await client.form("review-order")
    assert form is not None
    assert '"good"' in form.schema
    assert await client.form("no-such-form") is None


async def test_a_resource_keeps_its_name(client: ProcessClient) -> None:
    xml = (resources()[0].content).replace(b'id="order"', b'id="order-2"')
    found = await client.deploy([Resource(name="Bestellung für zwei.bpmn", content=xml)])
    assert [resource.resource_name for resource in found.resources] == ["Bestellung für zwei.bpmn"]


async def test_a_model_that_is_wrong_is_refused_with_its_faults(client: ProcessClient) -> None:
    with pytest.raises(ProcessError) as refused:
        await client.deploy([Resource(name="broken.bpmn", content=b"<nothing/>")])
    assert refused.value.code == "INVALID_ARGUMENT"
    assert any("broken.bpmn" in fault for fault in refused.value.faults)


async def test_an_instance_from_start_to_end(client: ProcessClient) -> None:
    created = await client.create_process_instance(
        CreateProcessInstance(
            process_definition_id="order", variables={"order": "O-1", "amount": 1.5}, business_id="O-1"
        ),
        actor="ada",
    )
    key = created.process_instance_key
    (job,) = await client.activate_jobs(
        ActivateJobs(type="charge", fetch_variable=["amount"], request_timeout=5_000)
    )
    assert job.variables == {"amount": 1.5}
    assert job.custom_headers == {"currency": "EUR"}
    await client.update_job(job.job_key, retries=5, timeout=60_000)
    (row,) = (await client.search_jobs(Search(filter={"processInstanceKey": key}))).items
    assert row.retries == 5
    await client.throw_job_error(job.job_key, JobError(error_code="DECLINED", variables={"why": "no money"}))

    (task,) = (await client.search_user_tasks(Search(filter={"processInstanceKey": key}))).items
    assert (await client.user_task(task.user_task_key)).candidate_groups == ["clerk"]
    form = await client.user_task_form(task.user_task_key)
    assert form is not None
    assert form.form_id == "review-order"
    await client.assign_user_task(task.user_task_key, "ada", actor="ada")
    with pytest.raises(ProcessError) as taken:
        await client.assign_user_task(task.user_task_key, "ben", allow_override=False)
    assert taken.value.code == "INVALID_STATE"
    await client.unassign_user_task(task.user_task_key, actor="ada")
    await client.update_user_task(task.user_task_key, UserTaskChange(priority=80, candidate_users=["ada"]))
    changed = await client.user_task(task.user_task_key)
    assert (changed.priority, changed.candidate_users, changed.candidate_groups, changed.assignee) == (
        80,
        ["ada"],
        ["clerk"],
        None,
    )
    assert (await client.user_task_variables(task.user_task_key))["amount"] == 1.5
    await client.complete_user_task(task.user_task_key, {"good": True}, actor="ada")

    (waiting,) = (
        await client.search_message_subscriptions(
            Search(filter={"processInstanceKey": key, "messageSubscriptionState": "CREATED"})
        )
    ).items
    assert (waiting.message_name, waiting.correlation_key) == ("paid", "O-1")
    await client.set_variables(key, {"note": "paid in cash"}, actor="ada")
    correlated = await client.correlate_message(CorrelateMessage(name="paid", correlation_key="O-1"))
    assert correlated.process_instance_key == key

    instance = await client.process_instance(key)
    assert (instance.state, instance.business_id) == ("COMPLETED", "O-1")
    assert "Flow_1" in await client.sequence_flows(key)
    found = await client.search_process_instances(
        Search(filter={"variables": [{"name": "note", "value": '"paid in cash"'}]}, page=Page(limit=1))
    )
    assert [one.process_instance_key for one in found.items] == [key]
    variables = (await client.search_variables(Search(filter={"processInstanceKey": key}))).items
    assert {one.name: one.value for one in variables}["good"] == "true"
    elements = (await client.search_element_instances(Search(filter={"processInstanceKey": key}))).items
    assert {one.element_id: one.milestone for one in elements}["Settled"] == "Settled"
    settled = await happens(client, key, "towpath.element.completed", elementId="Settled")
    assert settled["milestone"] == "Settled"


async def test_a_business_id_is_given_once(client: ProcessClient) -> None:
    request = CreateProcessInstance(process_definition_id="order", business_id="O-7")
    await client.create_process_instance(request)
    with pytest.raises(ProcessError) as refused:
        await client.create_process_instance(request)
    assert refused.value.code == "ALREADY_EXISTS"


async def test_an_incident_is_found_and_resolved(client: ProcessClient) -> None:
    key = await start(client)
    job = await one_job(client)
    await client.fail_job(job, JobFailure(retries=0, error_message="broken"))
    (found,) = (await client.search_incidents(Search(filter={"processInstanceKey": key}))).items
    await client.update_job(job, retries=1)
    await client.resolve_incident(found.incident_key, actor="olga")
    await client.complete_job(await one_job(client), {"done": True})
    assert (await client.process_instance(key)).state == "COMPLETED"


async def test_an_instance_is_canceled(client: ProcessClient) -> None:
    key = await start(client)
    await client.cancel_process_instance(key, actor="olga")
    assert (await client.process_instance(key)).state == "TERMINATED"


async def test_a_message_waits_for_whoever_wants_it(client: ProcessClient) -> None:
    published = await client.publish_message(
        PublishMessage(name="paid", correlation_key="O-9", time_to_live=60_000, message_id="m-1"), actor="ada"
    )
    assert published.message_key.isdigit()
    with pytest.raises(ProcessError) as refused:
        await client.publish_message(
            PublishMessage(name="paid", correlation_key="O-9", time_to_live=60_000, message_id="m-1")
        )
    assert refused.value.code == "ALREADY_EXISTS"


async def test_a_poll_without_jobs_answers_none(client: ProcessClient) -> None:
    assert await client.activate_jobs(ActivateJobs(type="charge", request_timeout=-1)) == []


async def test_documents_are_kept_and_read_as_they_were(client: ProcessClient) -> None:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"photo" * 50_000

    key = await start(client)
    stored = await client.create_document(
        content(),
        file_name="Blechschaden vorn.jpg",
        content_type="image/jpeg",
        process_instance_key=key,
        document_id="O-1.photo",
        properties={"by": "ada"},
    )
    assert (stored.size, stored.document_id) == (750_000, "O-1.photo")
    described, parts = await client.document("O-1.photo")
    assert described.file_name == "Blechschaden vorn.jpg"
    assert described.custom_properties == {"by": "ada"}
    assert b"".join([part async for part in parts]) == b"photo" * 150_000
    assert [one.document_id for one in await client.search_documents(key)] == ["O-1.photo"]
    await client.delete_document("O-1.photo")
    with pytest.raises(ProcessError) as refused:
        await client.document("O-1.photo")
    assert refused.value.code == "NOT_FOUND"


async def test_the_feed_goes_on_from_a_position(client: ProcessClient) -> None:
    await start(client)
    first = await client.events(EventQuery(limit=1))
    second = await client.events(EventQuery(after=first.position, limit=500))
    assert len(first.events) == 1
    assert first.events[0].id not in {event.id for event in second.events}
    assert (await client.events(EventQuery(after="latest", wait=50))).events == []


@pytest.mark.parametrize("search", ["search_decision_instances", "search_incidents", "search_jobs"])
async def test_a_filter_that_is_not_known_is_refused(client: ProcessClient, search: str) -> None:
    with pytest.raises(ProcessError) as refused:
        await getattr(client, search)(Search(filter={"colour": "red"}))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert "colour" in refused.value.detail


async def test_what_is_not_there_is_not_found(client: ProcessClient) -> None:
    for call in (
        client.process_instance("1"),
        client.user_task("1"),
        client.complete_job("1"),
        client.process_definition_xml("1"),
        client.evaluate_decision(EvaluateDecision(decision_definition_id="none")),
        client.correlate_message(CorrelateMessage(name="paid", correlation_key="nobody")),
        client.create_process_instance(CreateProcessInstance(process_definition_id="none")),
    ):
        with pytest.raises(ProcessError) as refused:
            await call
        assert refused.value.code == "NOT_FOUND"


class Fixed:
    """A token, or the reason why there is none."""

    def __init__(self, token: str = "", error: TokenError | None = None) -> None:
        self._token, self._error = token, error

    async def token(self) -> str:
        if self._error:
            raise self._error
        return self._token


class Roles:
    """Believes a token to be the list of its roles."""

    async def verify(self, token: str) -> Identity:
        if token == "forged":
            raise TokenError("forged")
        return Identity(subject="somebody", roles=frozenset(token.split("+")))


async def test_the_servers_own_checks_of_the_token_travel(server: ProcessServer) -> None:
    app = create_app(server, Roles())
    async with serving(app, listen("127.0.0.1", 0), grace=1) as base:
        for tokens, code in (
            (None, "UNAUTHENTICATED"),
            (Fixed("forged"), "UNAUTHENTICATED"),
            (Fixed("customer"), "FORBIDDEN"),
            (Fixed(error=TokenError("refused")), "UNAUTHENTICATED"),
            (Fixed(error=TokenError("the issuer is away", 503)), "UNAVAILABLE"),
        ):
            async with HttpProcessClient(base, tokens) as client:
                with pytest.raises(ProcessError) as refused:
                    await client.search_jobs(Search())
                assert refused.value.code == code
        async with HttpProcessClient(base, Fixed("service")) as client:
            created = await client.create_process_instance(
                CreateProcessInstance(process_definition_id="order"), actor="ada"
            )
            assert created.process_instance_key.isdigit()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with HttpProcessClient("http://127.0.0.1:9") as client:
        for call in (client.search_jobs(Search()), client.document("x")):
            with pytest.raises(ProcessError) as refused:
                await call
            assert refused.value.code == "UNAVAILABLE"


async def test_a_value_that_is_not_json_is_the_callers_mistake(server: ProcessServer) -> None:
    async with (
        serving(create_app(server, None), listen("127.0.0.1", 0), grace=1) as base,
        HttpProcessClient(base) as client,
    ):
        with pytest.raises(ProcessError) as refused:
            await client.complete_job("1", {"x": object()})
        assert refused.value.code == "INVALID_ARGUMENT"
