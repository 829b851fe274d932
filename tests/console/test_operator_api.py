"""The operator's API over HTTP, on a real process server with a real issuer's tokens."""

from __future__ import annotations

import asyncio

import pytest

from tests.console.conftest import Console

API = "/console/api"


@pytest.mark.parametrize(
    "path", ["/instances", "/instances/1", "/processes", "/changes", "/definitions/1/xml"]
)
async def test_only_operators_are_answered(console: Console, path: str) -> None:
    assert (await console(API + path)).status == 401
    refused = await console(API + path, user="carl")
    assert refused.status == 403
    assert "operator" in refused.json["detail"]


async def test_instances_are_listed_newest_first_and_filtered(console: Console) -> None:
    first = await console.start("P-1")
    second = await console.start("P-2")
    await console.start("X-1")
    await console.server.cancel_process_instance(second)

    async def keys(query: str) -> list[str]:
        answer = await console(f"{API}/instances{query}", user="olga")
        assert answer.status == 200, answer.body
        return [item["businessId"] for item in answer.json["items"]]

    assert await keys("") == ["X-1", "P-2", "P-1"]
    assert await keys("?businessId=P-") == ["P-2", "P-1"]
    assert await keys("?businessId=*") == []
    assert await keys("?state=TERMINATED") == ["P-2"]
    assert await keys("?process=parcel&limit=1") == ["X-1"]
    assert await keys("?process=other") == []
    assert await keys("?incident=true") == []
    await console.fail("The canal is frozen.")
    assert await keys("?incident=true") == ["P-1"]
    assert (await console(f"{API}/instances/{first}", user="olga")).json["instance"]["businessId"] == "P-1"


async def test_an_unknown_state_is_told_with_those_that_there_are(console: Console) -> None:
    answer = await console(f"{API}/instances?state=SLEEPING", user="olga")
    assert answer.status == 400
    assert "ACTIVE, COMPLETED, TERMINATED" in answer.json["detail"]


async def test_an_instance_comes_with_all_that_is_drawn_of_it(console: Console) -> None:
    key = await console.start("P-1", weight=3)
    view = (await console(f"{API}/instances/{key}", user="olga")).json
    states = {element["elementId"]: element["state"] for element in view["elements"]}
    assert states["booked"] == "COMPLETED"
    assert states["carry"] == "ACTIVE"
    assert view["flows"] == ["to-carry"]
    assert {v["name"]: v["value"] for v in view["variables"]}["weight"] == "3"
    assert [job["type"] for job in view["jobs"]] == ["carry"]
    diagram = await console(f"{API}/definitions/{view['instance']['processDefinitionKey']}/xml", user="olga")
    assert diagram.headers["Content-Type"].startswith("application/xml")
    assert b'id="carry"' in diagram.body


async def test_an_instance_that_is_not_there_is_not_found(console: Console) -> None:
    assert (await console(f"{API}/instances/4711", user="olga")).status == 404


async def test_a_waiting_page_is_told_when_something_happens(console: Console) -> None:
    key = await console.start("P-1")
    view = (await console(f"{API}/instances/{key}", user="olga")).json
    waiting = asyncio.create_task(
        console(f"{API}/instances/{key}/changes?after={view['position']}", user="olga")
    )
    await console.fail("The canal is frozen.")
    told = (await asyncio.wait_for(waiting, 4)).json
    assert told["changed"] is True
    assert told["position"] != view["position"]


async def test_the_list_is_told_of_new_instances(console: Console) -> None:
    position = (await console(f"{API}/changes?after=latest", user="olga")).json["position"]
    waiting = asyncio.create_task(console(f"{API}/changes?after={position}", user="olga"))
    await console.start("P-1")
    assert (await asyncio.wait_for(waiting, 4)).json["changed"] is True


async def test_a_retry_resolves_the_incident_and_offers_the_job_again(console: Console) -> None:
    key = await console.start("P-1")
    job = await console.fail("The canal is frozen.")
    view = (await console(f"{API}/instances/{key}", user="olga")).json
    [incident] = view["incidents"]
    assert incident["errorMessage"] == "The canal is frozen."
    path = f"{API}/incidents/{incident['incidentKey']}/resolution"
    assert (await console(path, method="POST", user="carl")).status == 403
    assert (await console(path, method="POST", user="olga")).status == 204
    assert await console.fail("Still frozen.") == job
    assert (await console(f"{API}/incidents/4711/resolution", method="POST", user="olga")).status == 404


async def test_operators_set_variables_and_cancel(console: Console) -> None:
    key = await console.start("P-1", weight=3)
    path = f"{API}/instances/{key}"
    assert (await console(f"{path}/variables", method="PATCH", user="olga", json={"weight": 4})).status == 204
    view = (await console(path, user="olga")).json
    assert {v["name"]: v["value"] for v in view["variables"]}["weight"] == "4"
    assert (await console(path, method="DELETE", user="olga")).status == 204
    assert (await console(path, user="olga")).json["instance"]["state"] == "TERMINATED"
