"""State documents, with the real process server and facade."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from towpath.wire import ActivateJobs

from .stack import Stack, base

START = {"type": "command", "command": "start", "resource": "reports", "data": {"text": "a dent"}}


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with base(tmp_path) as (found, _, _):
        yield found


async def complete_notify(stack: Stack) -> None:
    (job,) = await stack.process.activate_jobs(ActivateJobs(type="notify", request_timeout=10_000))
    await stack.process.complete_job(job.job_key)


async def test_a_command_starts_a_process_and_its_state_follows_to_the_end(stack: Stack) -> None:
    status, _ = await stack.call("sync", "PUT", "/_my/command:1", json=START)
    assert status == 201
    result = await stack.document("result:1")
    assert result["status"] == "done"
    target = result["target"]
    state = await stack.document(f"reports:{target}", state="active")
    assert state["data"] == {"text": "a dent"}
    assert [m["name"] for m in state["milestones"]] == ["Report received"]
    await complete_notify(stack)
    waiting = await stack.document(
        f"reports:{target}", actions=[{"message": "confirmed", "name": "Confirmation", "form": None}]
    )
    assert waiting["state"] == "active"
    message = {"type": "command", "command": "message", "resource": "reports", "name": "confirmed"}
    await stack.call("sync", "PUT", "/_my/command:2", json=message | {"target": target, "data": {}})
    assert (await stack.document("result:2"))["status"] == "done"
    ended = await stack.document(f"reports:{target}", state="completed")
    assert [m["name"] for m in ended["milestones"]] == ["Report received", "All done"]


async def test_what_was_started_elsewhere_comes_too_and_not_to_others(stack: Stack) -> None:
    await stack.call("sync", "GET", "/_my")
    await stack.call("sync", "GET", "/_my", "ben")
    status, made = await stack.call("facade", "POST", "/reports", json={"text": "by curl"})
    assert status == 201
    assert (await stack.document(f"reports:{made['id']}"))["data"] == {"text": "by curl"}
    status, other = await stack.call("facade", "POST", "/reports", "ben", json={"text": "ben's"})
    await stack.document(f"reports:{other['id']}", "ben")
    _, found = await stack.call("sync", "GET", "/_my/_all_docs")
    assert [row["id"] for row in found["rows"]] == [f"reports:{made['id']}"]


async def test_who_comes_later_gets_what_was_there_before(stack: Stack) -> None:
    ids = {(await stack.call("facade", "POST", "/reports", json={}))[1]["id"] for _ in range(3)}
    found = await stack.documents("reports:", 3)
    assert {document["id"] for document in found} == ids


async def test_a_final_refusal_of_the_facade_is_told_with_its_reason(stack: Stack) -> None:
    message = {"type": "command", "command": "message", "resource": "reports", "name": "confirmed"}
    await stack.call("sync", "PUT", "/_my/command:1", json=message | {"target": "R-NOBODYS"})
    result = await stack.document("result:1")
    assert (result["status"], result["problem"]["status"]) == ("failed", 404)


async def test_equal_content_makes_no_new_revision(stack: Stack) -> None:
    _, made = await stack.call("facade", "POST", "/reports", json={"text": "once"})
    await stack.call("sync", "GET", "/_my")
    await complete_notify(stack)
    action = {"message": "confirmed", "name": "Confirmation", "form": None}
    held = await stack.document(f"reports:{made['id']}", actions=[action])
    # A later change of another of the person's cases proves that the feed went past all events of this one.
    _, other = await stack.call("facade", "POST", "/reports", json={"text": "later"})
    await stack.document(f"reports:{other['id']}")
    assert (await stack.document(f"reports:{made['id']}"))["_rev"] == held["_rev"]


async def test_only_a_service_puts_states(stack: Stack) -> None:
    status, _ = await stack.call("sync", "PUT", "/_state/ada/notification:1", json={"type": "notification"})
    assert status == 403
    status, _ = await stack.call("sync", "PUT", "/_state/ada/notification:1", None, json={})
    assert status == 401
