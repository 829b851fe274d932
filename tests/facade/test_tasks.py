"""Tasks: who sees one, takes it, gives it back and completes it."""

from typing import Any

from tests.facade.conftest import World


async def task_of(world: World, ticket: Any) -> str:
    (task,) = (await world.olga("GET", f"/tickets/{ticket['id']}/tasks")).json["items"]
    return str(task["id"])


async def test_a_task_is_seen_by_its_candidates_and_operators(world: World) -> None:
    ticket = await world.ada.report()
    for staff in (world.carl, world.dora, world.olga):
        (task,) = (await staff("GET", "/tasks")).json["items"]
        assert (task["name"], task["state"]) == ("Assess the ticket", "created")
        assert (task["resource"], task["businessId"], task["title"]) == ("tickets", ticket["id"], "Ticket")
        assert task["candidateGroups"] == ["agent"]
    for other in (world.ada, world.ben, world.vera):
        assert (await other("GET", "/tasks")).json["items"] == []
        assert (await other("GET", f"/tasks/{task['id']}")).status == 404
        assert (await other("POST", f"/tasks/{task['id']}/claim")).status == 404
        assert (await other("POST", f"/tasks/{task['id']}/complete", {})).status == 404
    assert (await world.nobody("GET", f"/tasks/{task['id']}")).status == 401


async def test_a_customer_does_not_see_the_staffs_tasks_in_their_ticket(world: World) -> None:
    ticket = await world.ada.report()
    assert (await world.ada("GET", f"/tickets/{ticket['id']}")).json["tasks"] == []
    assert (await world.ada("GET", f"/tickets/{ticket['id']}/tasks")).json["items"] == []
    (shown,) = (await world.carl("GET", f"/tickets/{ticket['id']}")).json["tasks"]
    assert shown["name"] == "Assess the ticket"


async def test_a_task_comes_with_its_variables_documents_and_form(world: World) -> None:
    ticket = await world.ada.report(urgency="low")
    task = await task_of(world, ticket)
    detail = (await world.carl("GET", f"/tasks/{task}")).json
    assert detail["variables"]["subject"] == "Lift stuck"
    assert detail["documents"] == []
    form = (await world.carl("GET", f"/tasks/{task}/form")).json
    assert form["schema"]["id"] == "assess-ticket"
    assert form["data"]["urgency"] == "low"


async def test_a_task_is_taken_by_one(world: World) -> None:
    ticket = await world.ada.report()
    task = await task_of(world, ticket)
    taken = await world.carl("POST", f"/tasks/{task}/claim")
    assert (taken.status, taken.json["assignee"]) == (200, "carl")
    assert (await world.carl("POST", f"/tasks/{task}/claim")).status == 200
    assert (await world.dora("POST", f"/tasks/{task}/claim")).status == 409
    assert (await world.dora("POST", f"/tasks/{task}/release")).status == 409
    done = await world.dora("POST", f"/tasks/{task}/complete", {"variables": {"accepted": True}})
    assert done.status == 409
    assert [t["id"] for t in (await world.carl("GET", "/tasks?mine=true")).json["items"]] == [task]
    assert (await world.dora("GET", "/tasks?mine=true")).json["items"] == []


async def test_a_task_that_is_given_back_can_be_taken_by_another(world: World) -> None:
    task = await task_of(world, await world.ada.report())
    await world.carl("POST", f"/tasks/{task}/claim")
    assert (await world.carl("POST", f"/tasks/{task}/release")).json["assignee"] is None
    assert (await world.dora("POST", f"/tasks/{task}/claim")).json["assignee"] == "dora"
    assert (await world.olga("POST", f"/tasks/{task}/release")).json["assignee"] is None


async def test_completing_checks_the_form(world: World) -> None:
    task = await task_of(world, await world.ada.report())
    path = f"/tasks/{task}/complete"
    answer = await world.carl("POST", path, {"variables": {"note": "n" * 101, "amount": 1}})
    assert answer.fields() == {
        "accepted": "Accept? is required.",
        "amount": "amount is not a field of the form.",
        "note": "Note must have at most 100 characters.",
    }
    assert list((await world.carl("POST", path, {"variables": {"customer": {}}})).fields()) == ["customer"]
    assert (await world.carl("POST", path, {"vars": {}})).status == 400


async def test_completing_sets_what_the_form_asks_and_nothing_that_it_only_shows(world: World) -> None:
    ticket = await world.ada.report()
    task = await task_of(world, ticket)
    variables = {"accepted": True, "note": "fine", "subject": "something else"}
    done = await world.carl("POST", f"/tasks/{task}/complete", {"variables": variables})
    assert (done.status, done.json["state"], done.json["assignee"]) == (200, "completed", "carl")
    shown = (await world.ada("GET", f"/tickets/{ticket['id']}")).json
    assert shown["data"] == {"subject": "Lift stuck", "note": "fine"}


async def test_a_completed_task_is_completed_once(world: World) -> None:
    task = await task_of(world, await world.ada.report())
    body = {"variables": {"accepted": True}}
    key = {"Idempotency-Key": "command:9"}
    path = f"/tasks/{task}/complete"
    assert (await world.carl("POST", path, body, headers=key)).status == 200
    assert (await world.carl("POST", path, body, headers=key)).status == 200
    assert (await world.carl("POST", path, body)).status == 409
    assert (await world.dora("POST", path, body, headers=key)).status == 409
    assert (await world.carl("POST", f"/tasks/{task}/claim")).status == 409
    assert (await world.carl("GET", "/tasks")).json["items"] == []
    assert [t["id"] for t in (await world.carl("GET", "/tasks?state=completed")).json["items"]] == [task]


async def test_a_task_of_a_called_process_belongs_to_the_ticket_and_its_customer(world: World) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    await world.ada("POST", f"/tickets/{ticket['id']}/messages/ticket-confirmed")
    await world.fix()
    (task,) = (await world.ada("GET", "/tasks")).json["items"]
    assert (task["name"], task["resource"], task["businessId"]) == ("Rate the visit", "tickets", ticket["id"])
    shown = (await world.ada("GET", f"/tickets/{ticket['id']}")).json
    assert [t["name"] for t in shown["tasks"]] == ["Rate the visit"]
    assert (await world.ben("GET", f"/tasks/{task['id']}")).status == 404
    done = await world.ada("POST", f"/tasks/{task['id']}/complete", {"variables": {"stars": 5}})
    assert done.status == 200, done.body
    closed = (await world.ada("GET", f"/tickets/{ticket['id']}")).json
    assert closed["state"] == "completed"
    assert [m["name"] for m in closed["milestones"]][-2:] == ["Visit rated", "Ticket closed"]


async def test_tasks_go_on_after_their_page(world: World) -> None:
    for _ in range(3):
        await world.ada.report()
    first = (await world.carl("GET", "/tasks?limit=2")).json
    second = (await world.carl("GET", f"/tasks?limit=2&after={first['next']}")).json
    assert len({task["id"] for task in first["items"] + second["items"]}) == 3
    assert second["next"] is None


async def test_a_task_that_is_not_there_is_not_found(world: World) -> None:
    for id_ in ("1", "abc", "9" * 30):
        assert (await world.carl("GET", f"/tasks/{id_}")).status == 404


async def test_parameters_of_a_task_list_are_checked(world: World) -> None:
    answer = await world.carl("GET", "/tasks?state=open&assignee=carl")
    assert set(answer.fields()) == {"state", "assignee"}
