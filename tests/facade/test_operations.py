"""What operators see and mend, and nobody else."""

from typing import Any

import pytest

from tests.facade.conftest import World


async def failed(world: World) -> Any:
    """A ticket whose one job failed for good."""
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    await world.ada("POST", f"/tickets/{ticket['id']}/messages/ticket-confirmed")
    await world.fix(retries=0, error_message="no spare part")
    return ticket


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "variables"),
        ("PATCH", "variables"),
        ("GET", "incidents"),
        ("POST", "incidents/1/resolution"),
        ("GET", "history"),
    ],
)
async def test_only_operators_may(world: World, method: str, path: str) -> None:
    ticket = await world.ada.report()
    for caller in (world.ada, world.carl):
        assert (await caller(method, f"/tickets/{ticket['id']}/{path}", {})).status == 403


async def test_variables_are_read_and_set(world: World) -> None:
    ticket = await world.ada.report()
    path = f"/tickets/{ticket['id']}/variables"
    changed = await world.olga("PATCH", path, {"urgency": "high", "extra": [1, 2.5]})
    assert changed.status == 200, changed.body
    variables = (await world.olga("GET", path)).json["variables"]
    assert (variables["urgency"], variables["extra"]) == ("high", [1, 2.5])
    assert list((await world.olga("PATCH", path, {"customer": {"id": "ben"}})).fields()) == ["customer"]
    assert (await world.olga("PATCH", path, [1])).status == 400


async def test_variables_of_what_is_over_stay(world: World) -> None:
    ticket = await world.ada.report()
    await world.olga("DELETE", f"/tickets/{ticket['id']}")
    assert (await world.olga("PATCH", f"/tickets/{ticket['id']}/variables", {"a": 1})).status == 409


async def test_an_incident_is_seen_and_resolved_and_the_work_goes_on(world: World) -> None:
    ticket = await failed(world)
    path = f"/tickets/{ticket['id']}/incidents"
    (incident,) = (await world.olga("GET", f"{path}?state=active")).json["items"]
    assert (incident["type"], incident["element"], incident["state"]) == ("JOB_NO_RETRIES", "Fix", "active")
    assert "no spare part" in incident["message"]
    resolution = f"{path}/{incident['id']}/resolution"
    refused = await world.olga("POST", resolution, {"retries": 0})
    assert list(refused.fields()) == ["retries"]
    done = await world.olga("POST", resolution, {"retries": 2, "variables": {"spare": "found"}})
    assert done.status == 204, done.body
    assert (await world.olga("GET", f"{path}?state=active")).json["items"] == []
    assert (await world.olga("POST", resolution)).status == 409
    await world.fix()
    shown = (await world.ada("GET", f"/tickets/{ticket['id']}")).json
    assert [task["name"] for task in shown["tasks"]] == ["Rate the visit"]


async def test_an_incident_of_another_ticket_is_not_there(world: World) -> None:
    ticket = await failed(world)
    (incident,) = (await world.olga("GET", f"/tickets/{ticket['id']}/incidents")).json["items"]
    other = await world.ada.report()
    answer = await world.olga("POST", f"/tickets/{other['id']}/incidents/{incident['id']}/resolution")
    assert answer.status == 404


async def test_the_history_tells_each_element_in_order(world: World) -> None:
    ticket = await world.ada.report()
    await world.assess(ticket["id"])
    history = (await world.olga("GET", f"/tickets/{ticket['id']}/history")).json
    told = [(e["element"], e["state"]) for e in history["elements"]]
    assert told.index(("Reported", "completed")) < told.index(("Assess", "completed"))
    assert ("Confirm", "active") in told
    assert history["decisions"] == []
