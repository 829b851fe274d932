"""An instance's milestones and changes as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from tests.facade.conftest import Caller, World


@asynccontextmanager
async def following(caller: Caller, ticket: str, last: str | None = None) -> AsyncIterator[Any]:
    """An open stream: an async iterator of (event, data, id), comments as ("", text, None)."""
    headers = caller.headers | ({"Last-Event-ID": last} if last else {})
    async with caller.session.get(f"{caller.base}/tickets/{ticket}/events", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield read(response)


async def read(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any, str | None]]:
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "data" in fields:
            yield fields.get("event", ""), msgspec.json.decode(fields["data"]), fields.get("id")
            fields = {}
        else:
            if "" in fields:
                yield "", fields[""], None
            fields = {}


async def until(stream: AsyncIterator[Any], kind: str, **wanted: Any) -> tuple[Any, str]:
    """The next event of this name whose data holds ``wanted``."""
    async with asyncio.timeout(10):
        async for event, data, id_ in stream:
            if event == kind and wanted.items() <= data.items():
                return data, id_
    raise AssertionError(f"the stream ended before {kind} {wanted}")


async def test_milestones_and_states_come_as_they_happen(world: World) -> None:
    ticket = (await world.ada.report())["id"]
    async with following(world.ada, ticket) as stream:
        data, _ = await until(stream, "milestone", name="We have your report")
        assert data["id"] == "Reported"
        await world.assess(ticket)
        await until(stream, "milestone", name="Looked at")
        await until(stream, "change", what="actions")
        await world.carl("DELETE", f"/tickets/{ticket}")
        await until(stream, "state", state="canceled")
        async with asyncio.timeout(10):
            assert [event async for event in stream] == []  # it ends with the instance


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(world: World) -> None:
    ticket = (await world.ada.report())["id"]
    async with following(world.ada, ticket) as stream:
        _, last = await until(stream, "milestone", name="We have your report")
    await world.assess(ticket)
    async with following(world.ada, ticket, last) as stream:
        async with asyncio.timeout(10):
            names = []
            async for event, data, _ in stream:
                if event == "milestone":
                    names.append(data["name"])
                    break
        assert names == ["Looked at"]


async def test_a_quiet_stream_is_kept_alive_by_comments(world: World) -> None:
    ticket = (await world.ada.report())["id"]
    async with following(world.ada, ticket) as stream, asyncio.timeout(10):
        async for event, data, _ in stream:
            if event == "":
                assert data == "still here"
                break


async def test_a_client_that_saw_the_end_is_told_not_to_come_back(world: World) -> None:
    ticket = (await world.ada.report())["id"]
    await world.carl("DELETE", f"/tickets/{ticket}")
    async with following(world.ada, ticket) as stream:
        _, last = await until(stream, "state", state="canceled")
    again = await world.ada("GET", f"/tickets/{ticket}/events", headers={"Last-Event-ID": last})
    assert again.status == 204


async def test_a_stream_holds_nothing_of_other_tickets(world: World) -> None:
    mine, other = (await world.ada.report())["id"], (await world.ben.report())["id"]
    async with following(world.ada, mine) as stream:
        await until(stream, "milestone", name="We have your report")
        await world.assess(other)
        await world.assess(mine)
        async with asyncio.timeout(10):
            seen = 0
            async for event, data, _ in stream:
                seen += event == "milestone"
                if event == "change" and data["what"] == "actions":
                    break
        assert seen == 1


async def test_a_position_that_is_none_is_a_bad_request(world: World) -> None:
    ticket = (await world.ada.report())["id"]
    answer = await world.ada("GET", f"/tickets/{ticket}/events", headers={"Last-Event-ID": "yesterday"})
    assert answer.status == 400
