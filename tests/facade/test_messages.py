"""Messages: what an instance waits for, carried on any channel, once."""

from tests.facade.conftest import World


async def test_what_the_process_waits_for_is_an_action(world: World) -> None:
    ticket = await world.ada.report()
    assert (await world.ada("GET", f"/tickets/{ticket['id']}/messages")).json == {"items": []}
    await world.assess(ticket["id"])
    actions = (await world.ada("GET", f"/tickets/{ticket['id']}")).json["actions"]
    assert sorted((a["message"], a["name"], a["form"]) for a in actions) == [
        ("ticket-confirmed", "Confirm the visit", None),
        ("ticket-note", "A note arrives", None),
    ]


async def test_a_message_moves_the_process_on_and_answers_where_it_is(world: World) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    answer = await world.ada("POST", f"/tickets/{ticket['id']}/messages/ticket-confirmed", {"variables": {}})
    assert answer.status == 200, answer.body
    assert [milestone["name"] for milestone in answer.json["milestones"]] == [
        "We have your report",
        "Looked at",
        "Visit confirmed",
    ]
    assert answer.json["actions"] == []


async def test_the_body_of_a_message_may_be_empty(world: World) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    answer = await world.ada("POST", f"/tickets/{ticket['id']}/messages/ticket-confirmed")
    assert answer.status == 200


async def test_a_message_that_nothing_waits_for_is_a_conflict(world: World) -> None:
    ticket = await world.ada.report()
    path = f"/tickets/{ticket['id']}/messages/ticket-confirmed"
    assert (await world.ada("POST", path)).status == 409
    await world.assess(ticket["id"])
    assert (await world.ada("POST", path)).status == 200
    assert (await world.ada("POST", path)).status == 409


async def test_a_message_confirmed_on_one_channel_counts_as_done_on_another_that_repeats_it(
    world: World,
) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    path = f"/tickets/{ticket['id']}/messages/ticket-confirmed"
    body = {"variables": {"channel": "phone"}}
    key = {"Idempotency-Key": "command:7"}
    assert (await world.ada("POST", path, body, headers=key)).status == 200
    assert (await world.ada("POST", path, body, headers=key)).status == 200
    other = await world.ada("POST", path, {"variables": {"channel": "mail"}}, headers=key)
    assert other.status == 400  # it would write over what the process holds


async def test_a_message_for_one_ticket_does_not_reach_another(world: World) -> None:
    first, second = await world.ada.report(), await world.ada.report()
    for ticket in (first, second):
        await world.assess(ticket["id"])
    await world.ada("POST", f"/tickets/{first['id']}/messages/ticket-confirmed")
    actions = (await world.ada("GET", f"/tickets/{second['id']}")).json["actions"]
    assert {action["message"] for action in actions} == {"ticket-confirmed", "ticket-note"}


async def test_a_message_that_the_process_does_not_know_is_not_found(world: World) -> None:
    ticket = await world.ada.report()
    answer = await world.ada("POST", f"/tickets/{ticket['id']}/messages/pay-me")
    assert answer.status == 404
    assert "ticket-confirmed" in answer.json["detail"]


async def test_a_customer_cannot_write_over_variables_by_a_message(world: World) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"], note="fine")
    path = f"/tickets/{ticket['id']}/messages/ticket-note"
    assert list((await world.ada("POST", path, {"variables": {"note": "pay 1000"}})).fields()) == ["note"]
    assert list((await world.ada("POST", path, {"variables": {"customer": {}}})).fields()) == ["customer"]
    assert (await world.ada("POST", path, {"variables": {"remark": "thanks"}})).status == 200
    variables = (await world.olga("GET", f"/tickets/{ticket['id']}/variables")).json["variables"]
    assert (variables["note"], variables["remark"]) == ("fine", "thanks")


async def test_a_member_that_a_message_does_not_have_is_named(world: World) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    path = f"/tickets/{ticket['id']}/messages/ticket-confirmed"
    answer = await world.ada("POST", path, {"payload": {}})
    assert answer.status == 400
    assert "payload" in answer.json["detail"]
    assert (await world.ada("POST", path, {"variables": []})).fields().keys() == {"variables"}
