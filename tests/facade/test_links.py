"""Signed links: looked at without effect, used once."""

import hashlib
import hmac
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.facade.conftest import SECRET, World
from towpath.facade.links import Grant, Signer, facts
from towpath.http.problem import without_tokens

VISIT = {"visit": {"by": "Lifts & Sons <b>", "at": "2026-11-24T10:00:00+01:00"}}


async def link(world: World, ticket: str, **more: Any) -> str:
    """The path of a fresh link."""
    body = {
        "resource": "tickets",
        "id": ticket,
        "message": "ticket-confirmed",
        "subject": "ada",
        "expiresIn": 3600,
        "variables": VISIT,
    }
    answer = await world.notify("POST", "/links", body | more)
    assert answer.status == 201, answer.body
    assert answer.json["url"].startswith("https://tickets.example/links/")
    return str(answer.json["url"]).removeprefix("https://tickets.example")


async def waiting(world: World) -> str:
    ticket = str((await world.ada.report())["id"])
    await world.assess(ticket)
    return ticket


async def test_only_a_service_makes_links(world: World) -> None:
    for caller in (world.ada, world.carl, world.olga):
        assert (await caller("POST", "/links", {})).status == 403
    assert (await world.nobody("POST", "/links", {})).status == 401


async def test_looking_tells_what_will_be_confirmed_and_changes_nothing(world: World) -> None:
    ticket = await waiting(world)
    path = await link(world, ticket)
    for _ in range(3):  # as a mail scanner does
        answer = await world.nobody("GET", path)
        assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for text in (
        "Confirm the visit",
        "Ticket",
        ticket,
        "Lifts &amp; Sons &lt;b&gt;",
        "24 November 2026, 10:00",
    ):
        assert text in answer.text
    assert "<b>" not in answer.text
    actions = (await world.ada("GET", f"/tickets/{ticket}")).json["actions"]
    assert "ticket-confirmed" in {action["message"] for action in actions}


async def test_the_page_shows_what_the_model_says_as_it_is_now(world: World) -> None:
    ticket = str((await world.ada.report())["id"])
    path = await link(world, ticket, variables={})
    await world.assess(ticket, note="Bring the long ladder")
    answer = await world.nobody("GET", path)
    assert "<dt>Note</dt><dd>Bring the long ladder</dd>" in answer.text


async def test_the_page_gives_its_address_to_nobody_and_loads_nothing_from_elsewhere(world: World) -> None:
    answer = await world.nobody("GET", await link(world, await waiting(world)))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in answer.text
    assert "https://" not in answer.text


async def test_using_a_link_carries_the_message_once(world: World) -> None:
    ticket = await waiting(world)
    path = await link(world, ticket, send={"channel": "mail"})
    used = await world.nobody("POST", path)
    assert used.status == 200
    assert "Thank you" in used.text
    shown = (await world.ada("GET", f"/tickets/{ticket}")).json
    assert "Visit confirmed" in {milestone["name"] for milestone in shown["milestones"]}
    variables = (await world.olga("GET", f"/tickets/{ticket}/variables")).json["variables"]
    assert variables["channel"] == "mail"
    assert "visit" not in variables  # what the page shows is not written back
    for method in ("GET", "POST"):
        again = await world.nobody(method, path)
        assert again.status == 409
        assert "already done" in again.text


async def test_a_link_is_used_up_by_another_channel(world: World) -> None:
    ticket = await waiting(world)
    path = await link(world, ticket)
    await world.ada("POST", f"/tickets/{ticket}/messages/ticket-confirmed")
    assert (await world.nobody("POST", path)).status == 409


async def test_a_link_that_is_made_before_the_process_waits_works_once_it_does(world: World) -> None:
    ticket = str((await world.ada.report())["id"])
    path = await link(world, ticket)
    assert (await world.nobody("POST", path)).status == 409
    await world.assess(ticket)
    assert (await world.nobody("POST", path)).status == 200


async def test_a_forged_or_cut_link_is_not_valid(world: World) -> None:
    path = await link(world, await waiting(world))
    other = OctKey.import_key(b"another key of the right length!")
    claims = {"res": "tickets", "id": "T-1", "msg": "ticket-confirmed", "sub": "ada", "exp": 2**40}
    forged = jwt.encode({"alg": "HS256", "typ": "towpath-link+jwt"}, claims, other)
    for bad in (path[:-5], f"{path[:-6]}AAAAAA", f"/links/{forged}", "/links/x", "/links/a.b.c"):
        for method in ("GET", "POST"):
            answer = await world.nobody(method, bad)
            assert answer.status == 400, bad
            assert "not valid" in answer.text


async def test_an_expired_link_says_so(world: World) -> None:
    ticket = await waiting(world)
    key = hmac.new(SECRET.encode(), b"links", hashlib.sha256).digest()
    token, _ = Signer(key).sign(Grant("tickets", ticket, "ticket-confirmed", "ada"), -10)
    for method in ("GET", "POST"):
        answer = await world.nobody(method, f"/links/{token}")
        assert answer.status == 410
        assert "expired" in answer.text


async def test_a_token_for_the_api_is_no_link(world: World) -> None:
    key = OctKey.import_key(b"k" * 32)
    token = jwt.encode({"alg": "HS256"}, {"sub": "ada", "exp": int(time.time()) + 60}, key)
    assert (await world.nobody("GET", f"/links/{token}")).status == 400


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"expiresIn": 5}, "expiresIn"),
        ({"expiresIn": "soon"}, "expiresIn"),
        ({"message": "pay-me"}, "message"),
        ({"variables": {"text": "x" * 8_000}}, "variables"),
        ({"send": {"customer": {"id": "ben"}}}, "customer"),
    ],
)
async def test_a_link_that_cannot_be_made_names_the_field(
    world: World, more: dict[str, Any], field: str
) -> None:
    ticket = await waiting(world)
    body = {
        "resource": "tickets",
        "id": ticket,
        "message": "ticket-confirmed",
        "subject": "ada",
        "expiresIn": 3600,
    }
    answer = await world.notify("POST", "/links", body | more)
    assert field in answer.fields()


async def test_a_link_to_what_is_not_there_is_refused(world: World) -> None:
    body = {
        "resource": "tickets",
        "id": "T-0",
        "message": "ticket-confirmed",
        "subject": "a",
        "expiresIn": 60,
    }
    assert (await world.notify("POST", "/links", body)).status == 404
    assert (await world.notify("POST", "/links", body | {"resource": "invoices"})).status == 404


def test_variables_read_as_lines_for_a_person() -> None:
    assert facts({"pickUpAt": "2026-11-24T10:00", "tools": ["saw", "drill"], "paid": True, "none": None}) == [
        ("Pick up at", "Tuesday, 24 November 2026, 10:00"),
        ("Tools", "saw, drill"),
        ("Paid", "Yes"),
    ]


def test_what_the_log_shows_of_a_path_is_no_link_that_somebody_could_use() -> None:
    assert without_tokens("/links/" + "t" * 200) == "/links/tttttttt…"
    assert without_tokens("/tickets/T-8F3K2M9QWX/documents") == "/tickets/T-8F3K2M9QWX/documents"
