"""Starting, listing, reading and canceling, and who may."""

import asyncio
import re
from typing import Any

import aiohttp
import pytest

from tests.facade.conftest import World, deploy
from towpath.http import on_behalf_of
from towpath.identity import Identity
from towpath.wire import CreateProcessInstance, ProcessError, Search

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100


def photos(
    *contents: bytes, data: str = '{"subject": "Lift stuck"}', kind: str = "image/png"
) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("data", data, content_type="application/json")
    for number, content in enumerate(contents):
        form.add_field("photos", content, filename=f"photo {number}.png", content_type=kind)
    return form


async def test_the_catalog_is_public_and_holds_the_start_forms(world: World) -> None:
    answer = await world.nobody("GET", "/catalog")
    assert answer.status == 200
    (resource,) = answer.json["resources"]
    assert (resource["name"], resource["title"], resource["singular"]) == ("tickets", "Tickets", "Ticket")
    assert resource["startForm"]["id"] == "report-ticket"


async def test_a_start_answers_the_new_representation_and_where_it_is(world: World) -> None:
    answer = await world.ada("POST", "/tickets", {"subject": "Lift stuck", "urgency": "high", "floor": 3})
    assert answer.status == 201
    ticket = answer.json
    assert re.fullmatch(r"T-[0-9A-HJKMNP-TV-Z]{10}", ticket["id"])
    assert answer.headers["Location"] == f"/tickets/{ticket['id']}"
    assert ticket["resource"] == "tickets"
    assert ticket["state"] == "active"
    assert ticket["title"] == "Ticket"
    assert ticket["endedAt"] is None
    assert ticket["data"] == {"subject": "Lift stuck", "urgency": "high"}
    assert [milestone["name"] for milestone in ticket["milestones"]] == ["We have your report"]
    assert ticket["actions"] == []
    assert ticket["documents"] == []
    assert (await world.ada("GET", f"/tickets/{ticket['id']}")).json == ticket


async def test_no_key_of_the_engine_leaks(world: World) -> None:
    ticket = await world.ada.report()
    found = await world.server.search_process_instances(Search(filter={"businessId": ticket["id"]}))
    key = found.items[0].process_instance_key
    await world.assess(ticket["id"])
    for path in (f"/tickets/{ticket['id']}", "/tickets", f"/tickets/{ticket['id']}/messages"):
        answer = await world.ada("GET", path)
        assert answer.status == 200
        assert key not in answer.text


async def test_the_customer_and_the_id_come_from_the_token_and_the_facade(world: World) -> None:
    ticket = await world.ada.report()
    variables = (await world.olga("GET", f"/tickets/{ticket['id']}/variables")).json["variables"]
    assert variables["customer"] == {"id": "ada", "name": "Ada", "email": "ada@example.com"}
    assert variables["id"] == ticket["id"]


@pytest.mark.parametrize("name", ["customer", "id", "_owner"])
async def test_a_caller_cannot_set_what_the_facade_sets(world: World, name: str) -> None:
    answer = await world.ada("POST", "/tickets", {"subject": "Lift stuck", name: {"id": "ben"}})
    assert list(answer.fields()) == [name]


async def test_a_start_that_the_form_would_not_take_names_each_field(world: World) -> None:
    answer = await world.ada("POST", "/tickets", {"urgency": "soon", "floor": 41, "decision": "pay"})
    assert answer.fields() == {
        "decision": "decision is not a field of the form.",
        "floor": "Floor must be at most 40.",
        "subject": "Subject is required.",
        "urgency": 'Urgency must be one of "low", "high".',
    }


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b'{"subject": }'])
async def test_a_body_that_is_no_json_object_is_a_bad_request(world: World, body: bytes) -> None:
    answer = await world.ada("POST", "/tickets", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_body_of_another_media_type_is_refused(world: World) -> None:
    answer = await world.ada("POST", "/tickets", data=b"<a/>", headers={"Content-Type": "text/xml"})
    assert answer.status == 415


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    answer = await world.ada("POST", "/tickets", {"subject": "x" * 20_001})
    assert answer.status == 413


async def test_photos_come_with_the_start_and_become_documents(world: World) -> None:
    answer = await world.ada("POST", "/tickets", data=photos(PNG, PNG + b"2"))
    assert answer.status == 201, answer.body
    ticket = answer.json
    assert [(d["fileName"], d["contentType"], d["size"]) for d in ticket["documents"]] == [
        ("photo 0.png", "image/png", len(PNG)),
        ("photo 1.png", "image/png", len(PNG) + 1),
    ]
    assert ticket["data"]["photos"] == ticket["documents"]
    content = await world.ada("GET", ticket["documents"][1]["href"])
    assert content.body == PNG + b"2"
    variables = (await world.olga("GET", f"/tickets/{ticket['id']}/variables")).json["variables"]
    assert [reference["fileName"] for reference in variables["photos"]] == ["photo 0.png", "photo 1.png"]


async def test_a_photo_that_is_too_large_is_refused_and_nothing_starts(world: World) -> None:
    answer = await world.ada("POST", "/tickets", data=photos(b"x" * 50_001))
    assert answer.status == 413
    assert answer.json["errors"][0]["field"] == "photos"
    assert (await world.ada("GET", "/tickets")).json["items"] == []


async def test_too_many_files_are_refused(world: World) -> None:
    assert (await world.ada("POST", "/tickets", data=photos(*[PNG] * 4))).status == 400


async def test_a_file_of_a_kind_that_the_form_does_not_accept_is_refused(world: World) -> None:
    answer = await world.ada("POST", "/tickets", data=photos(b"<script>", kind="text/html"))
    assert list(answer.fields()) == ["photos"]


async def test_a_file_under_a_name_that_the_form_does_not_know_is_refused(world: World) -> None:
    form = photos()
    form.add_field("contract", PNG, filename="c.png", content_type="image/png")
    assert list((await world.ada("POST", "/tickets", data=form)).fields()) == ["contract"]


async def test_a_reference_to_a_document_cannot_be_smuggled_in_as_data(world: World) -> None:
    stolen = {"documentId": "T-0000000000.feed", "contentHash": "0" * 64}
    answer = await world.ada("POST", "/tickets", {"subject": "Lift stuck", "photos": [stolen]})
    assert list(answer.fields()) == ["photos"]


async def test_a_multipart_body_that_is_cut_off_is_a_bad_request(world: World) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"subject'
    answer = await world.ada(
        "POST", "/tickets", data=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status == 400


async def test_the_same_idempotency_key_starts_once(world: World) -> None:
    key = {"Idempotency-Key": "command:1"}
    first = await world.ada("POST", "/tickets", {"subject": "Lift stuck"}, headers=key)
    again = await world.ada("POST", "/tickets", {"subject": "Lift stuck"}, headers=key)
    assert (first.status, again.status) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await world.ada("GET", "/tickets")).json["items"]) == 1


async def test_the_same_start_sent_many_times_at_once_starts_once(world: World) -> None:
    key = {"Idempotency-Key": "command:1"}
    answers = await asyncio.gather(
        *(world.ada("POST", "/tickets", data=photos(PNG), headers=key) for _ in range(8))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert {len(answer.json["documents"]) for answer in answers} == {1}
    assert len((await world.ada("GET", "/tickets")).json["items"]) == 1


async def test_the_same_key_of_another_caller_is_another_start(world: World) -> None:
    key = {"Idempotency-Key": "command:1"}
    first = await world.ada("POST", "/tickets", {"subject": "Lift stuck"}, headers=key)
    other = await world.ben("POST", "/tickets", {"subject": "Lift stuck"}, headers=key)
    assert first.json["id"] != other.json["id"]


async def test_an_idempotency_key_that_is_too_long_is_refused(world: World) -> None:
    answer = await world.ada(
        "POST", "/tickets", {"subject": "Lift stuck"}, headers={"Idempotency-Key": "k" * 256}
    )
    assert list(answer.fields()) == ["Idempotency-Key"]


async def test_without_a_token_nothing_is_told(world: World) -> None:
    ticket = await world.ada.report()
    for method, path in (
        ("GET", "/tickets"),
        ("POST", "/tickets"),
        ("GET", f"/tickets/{ticket['id']}"),
        ("GET", "/tasks"),
        ("GET", f"/tickets/{ticket['id']}/events"),
    ):
        answer = await world.nobody(method, path)
        assert answer.status == 401, path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_expired_or_forged_token_is_not_believed(world: World) -> None:
    expired = world.tokens.mint("ada", "customer", lifetime=-60)
    for token in (expired, world.ada.token[:-4] + "AAAA", "x.y.z"):
        caller = world.nobody
        caller.token = token
        assert (await caller("GET", "/tickets")).status == 401


async def test_who_has_none_of_the_roles_cannot_start(world: World) -> None:
    answer = await world.vera("POST", "/tickets", {"subject": "Lift stuck"})
    assert answer.status == 403


async def test_another_customers_ticket_is_not_there(world: World) -> None:
    ticket = await world.ada.report()
    absent = await world.ben("GET", "/tickets/T-0000000000")
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/events", None),
        ("GET", "/documents", None),
        ("GET", "/messages", None),
        ("POST", "/messages/ticket-confirmed", {}),
        ("GET", "/tasks", None),
        ("GET", "/variables", None),
        ("PATCH", "/variables", {"subject": "mine now"}),
        ("GET", "/incidents", None),
        ("GET", "/history", None),
    ):
        answer = await world.ben(method, f"/tickets/{ticket['id']}{path}", body)
        assert answer.status == 404, (method, path)
        assert answer.json["detail"] == absent.json["detail"].replace("T-0000000000", ticket["id"])


async def test_a_customer_lists_their_own_and_staff_list_everybodys(world: World) -> None:
    mine = await world.ada.report()
    other = await world.ben.report()
    assert [t["id"] for t in (await world.ada("GET", "/tickets")).json["items"]] == [mine["id"]]
    for staff in (world.carl, world.olga):
        listed = (await staff("GET", "/tickets")).json["items"]
        assert [t["id"] for t in listed] == [other["id"], mine["id"]]  # the newest first
    assert (await world.carl("GET", "/tickets?mine=true")).json["items"] == []


async def test_a_list_goes_on_after_its_page(world: World) -> None:
    ids = [(await world.ada.report())["id"] for _ in range(5)]
    await world.ben.report()
    seen: list[str] = []
    path = "/tickets?limit=2"
    pages = 0
    while path:
        page = (await world.ada("GET", path)).json
        seen += [ticket["id"] for ticket in page["items"]]
        pages += 1
        path = f"/tickets?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == ids[::-1]
    assert pages == 3


async def test_a_list_is_of_one_state_where_it_is_asked_for(world: World) -> None:
    gone = await world.ada.report()
    kept = await world.ada.report()
    assert (await world.carl("DELETE", f"/tickets/{gone['id']}")).status == 204
    for state, expected in (("active", [kept["id"]]), ("canceled", [gone["id"]]), ("completed", [])):
        listed = (await world.ada("GET", f"/tickets?state={state}")).json["items"]
        assert [ticket["id"] for ticket in listed] == expected


async def test_parameters_that_are_unknown_or_wrong_are_named(world: World) -> None:
    answer = await world.ada("GET", "/tickets?state=open&limit=many&colour=red&mine=perhaps")
    assert set(answer.fields()) == {"state", "limit", "colour", "mine"}
    assert list((await world.ada("GET", "/tickets?limit=0")).fields()) == ["limit"]
    assert list((await world.ada("GET", "/tickets?limit=1&limit=2")).fields()) == ["limit"]
    assert (await world.ada("GET", "/tickets?after=nonsense")).status == 400


async def test_canceling_takes_a_role_and_is_repeatable(world: World) -> None:
    ticket = await world.ada.report()
    path = f"/tickets/{ticket['id']}"
    assert (await world.ada("DELETE", path)).status == 403
    assert (await world.carl("DELETE", path)).status == 204
    assert (await world.carl("DELETE", path)).status == 204
    shown = (await world.ada("GET", path)).json
    assert shown["state"] == "canceled"
    assert shown["endedAt"] is not None
    assert shown["tasks"] == []


async def test_a_resource_that_is_not_there_is_not_found(world: World) -> None:
    for caller in (world.ada, world.olga):
        assert (await caller("GET", "/invoices")).status == 404
        assert (await caller("GET", "/invoices/I-1")).status == 404


async def test_a_process_that_no_table_names_is_for_operators_only(world: World) -> None:
    assert (await world.ada("GET", "/ticket-visit")).status == 404
    assert (await world.carl("GET", "/ticket-visit")).status == 404
    started = await world.olga("POST", "/ticket-visit", {"room": "A3"})
    assert started.status == 201, started.body
    assert started.json["data"]["room"] == "A3"
    assert len((await world.olga("GET", "/ticket-visit")).json["items"]) == 1


async def test_an_instance_without_a_business_id_is_not_listed(world: World) -> None:
    await world.server.create_process_instance(CreateProcessInstance(process_definition_id="ticket"))
    assert (await world.olga("GET", "/tickets")).json["items"] == []


async def test_a_deployment_shows_at_once(world: World) -> None:
    assert (await world.olga("GET", "/nightly-report")).status == 404
    await deploy(world.server, "nightly-report.bpmn")
    assert (await world.olga("GET", "/nightly-report")).status == 200


async def test_a_service_sees_what_the_person_it_acts_for_sees(world: World) -> None:
    mine = await world.ada.report()
    await world.ben.report()
    ada = on_behalf_of(Identity(subject="ada", roles=frozenset({"customer"}), name="Ada"))
    listed = (await world.notify("GET", "/tickets", headers=ada)).json["items"]
    assert [ticket["id"] for ticket in listed] == [mine["id"]]
    refused = await world.ben("GET", "/tickets", headers=ada)
    assert refused.status == 403


async def test_photos_stay_where_the_answer_to_the_start_was_lost_on_its_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, lost = world.server.create_process_instance, 0

    async def create_and_lose(request: CreateProcessInstance, *, actor: str | None = None) -> Any:
        nonlocal lost
        await create(request, actor=actor)
        lost += 1
        raise ProcessError("UNAVAILABLE", "The connection broke.")

    monkeypatch.setattr(world.server, "create_process_instance", create_and_lose)
    key = {"Idempotency-Key": "command:1"}
    assert (await world.ada("POST", "/tickets", data=photos(PNG), headers=key)).status == 503
    again = await world.ada("POST", "/tickets", data=photos(PNG), headers=key)
    assert (again.status, lost) == (201, 1)
    (photo,) = again.json["documents"]
    assert (await world.ada("GET", photo["href"])).body == PNG


async def test_a_body_nested_too_deeply_is_the_senders_error(world: World) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await world.ada("POST", "/tickets", data=b'{"subject": ' + b"[" * 5000, headers=headers)
    assert answer.status == 400
