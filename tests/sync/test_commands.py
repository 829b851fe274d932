"""Commands written offline: carried out once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from pathlib import Path
from typing import Any

from towpath.http import listen
from towpath.identity.issuer import service_secret
from towpath.storage.database import sqlite_url

from .conftest import HERE, Neighbour, ServeSync, StartPouch, Sync

START: dict[str, Any] = {"type": "command", "command": "start", "resource": "claims", "data": {"n": 1}}


async def document(sync: Sync, id_: str, user: str = "ada") -> dict[str, Any]:
    """The document once it is there: the changes feed tells when."""
    since = 0
    while True:
        status, found = await sync.call("GET", f"/_my/{id_}", user)
        if status == 200:
            return dict(found)
        _, changes = await sync.call("GET", f"/_my/_changes?feed=longpoll&since={since}", user)
        since = changes["last_seq"]


async def test_a_command_is_carried_out_for_its_person_and_its_result_written(
    sync: Sync, neighbour: Neighbour
) -> None:
    photo = {"content_type": "image/jpeg", "data": base64.b64encode(b"pixels").decode()}
    attachments = {"photos/dent.jpg": photo, "scratch.jpg": photo}
    status, _ = await sync.call("PUT", "/_my/command:1", json=START | {"_attachments": attachments})
    assert status == 201
    result = await document(sync, "result:1")
    assert (result["status"], result["target"], result["command"]) == ("done", "C-1", "command:1")
    assert (await document(sync, "claims:C-1"))["data"] == {"n": 1}
    (call,) = neighbour.calls
    assert call["key"] == "command:1"
    person = json.loads(base64.urlsafe_b64decode(call["person"]))
    assert (person["sub"], person["roles"]) == ("ada", ["customer"])
    assert call["files"] == [("photos", "dent.jpg", b"pixels"), ("photos", "scratch.jpg", b"pixels")]


async def test_a_call_whose_answer_was_lost_is_repeated_under_the_same_key(
    sync: Sync, neighbour: Neighbour
) -> None:
    neighbour.script = [503, "lost", 429, "ok"]
    await sync.call("PUT", "/_my/command:1", json=START)
    assert (await document(sync, "result:1"))["target"] == "C-1"
    assert [call["key"] for call in neighbour.calls] == ["command:1"] * 4
    assert len(neighbour.started) == 1


async def test_a_final_refusal_becomes_a_failed_result_with_the_problem(
    sync: Sync, neighbour: Neighbour
) -> None:
    neighbour.script = [400]
    await sync.call("PUT", "/_my/command:1", json=START)
    result = await document(sync, "result:1")
    assert result["status"] == "failed"
    assert result["problem"]["status"] == 400
    assert len(neighbour.calls) == 1


async def test_commands_for_one_case_keep_their_order_while_another_case_goes_on(
    sync: Sync, neighbour: Neighbour
) -> None:
    neighbour.script = [503, 503, 503]

    def message(id_: str, target: str, n: int) -> dict[str, Any]:
        body = {"type": "command", "command": "message", "resource": "claims", "name": "note"}
        return {"_id": id_, **body, "target": target, "data": {"n": n}}

    docs = [message("command:a", "C-1", 1), message("command:b", "C-1", 2), message("command:c", "C-2", 3)]
    await sync.call("POST", "/_my/_bulk_docs", json={"docs": docs})
    for name in "abc":
        assert (await document(sync, f"result:{name}"))["status"] == "done"
    keys = [call["key"] for call in neighbour.calls]
    assert max(i for i, k in enumerate(keys) if k == "command:a") < keys.index("command:b")
    assert {call["path"] for call in neighbour.calls} == {
        "/claims/C-1/messages/note",
        "/claims/C-2/messages/note",
    }


async def test_a_message_to_a_case_started_offline_finds_the_real_one(
    sync: Sync, neighbour: Neighbour
) -> None:
    message = {"type": "command", "command": "message", "resource": "claims", "name": "note"}
    docs = [{"_id": "command:1", **START}, {"_id": "command:2", **message, "target": "command:1"}]
    await sync.call("POST", "/_my/_bulk_docs", json={"docs": docs})
    assert (await document(sync, "result:2"))["target"] == "C-1"
    assert [call["path"] for call in neighbour.calls] == ["/claims", "/claims/C-1/messages/note"]


async def test_a_message_to_a_case_that_never_started_fails_with_the_reason(
    sync: Sync, neighbour: Neighbour
) -> None:
    neighbour.script = [400]
    message = {"type": "command", "command": "message", "resource": "claims", "name": "note"}
    docs = [{"_id": "command:1", **START}, {"_id": "command:2", **message, "target": "command:1"}]
    await sync.call("POST", "/_my/_bulk_docs", json={"docs": docs})
    assert "did not start" in (await document(sync, "result:2"))["problem"]["detail"]
    assert len(neighbour.calls) == 1


async def test_a_command_is_not_changed_deleted_or_malformed(sync: Sync) -> None:
    _, made = await sync.call("PUT", "/_my/command:1", json=START)
    refused = [
        ("PUT", f"/_my/command:1?rev={made['rev']}", START),
        ("DELETE", f"/_my/command:1?rev={made['rev']}", None),
        ("PUT", "/_my/command:2", START | {"resource": "../admin"}),
        ("PUT", "/_my/command:3", START | {"command": "message", "target": "C-1"}),
        ("PUT", "/_my/command:4", START | {"command": "cancel"}),
        ("PUT", "/_my/command:5", START | {"target": "C-1"}),
        ("PUT", "/_my/result:1", {"status": "done"}),
        ("PUT", "/_my/_design/x", {}),
    ]
    for method, path, body in refused:
        status, answer = await sync.call(method, path, json=body)
        assert (status, answer["error"]) == (403, "forbidden"), path


async def test_a_command_sent_again_by_a_replicator_is_carried_out_once(
    sync: Sync, neighbour: Neighbour
) -> None:
    again = {"docs": [{"_id": "command:1", "_rev": "1-abc", **START}], "new_edits": False}
    for _ in range(3):
        assert await sync.call("POST", "/_my/_bulk_docs", json=again) == (201, [])
    await document(sync, "result:1")
    assert len(neighbour.calls) == 1


async def test_a_person_who_comes_for_the_first_time_gets_their_cases_and_their_data(
    serve_sync: ServeSync, neighbour: Neighbour
) -> None:
    from towpath.frontend.sync import Source, SyncSettings

    neighbour.started["before"] = {"id": "C-9", "resource": "claims", "state": "active", "data": {}}
    neighbour.policies = [{"number": "P-1", "_rev": "not theirs"}, {"number": "P-2"}]
    settings = SyncSettings(sources=[Source(name="policies", path="/policies", id="number", refresh=0.05)])
    async with serve_sync(settings) as sync:
        assert (await document(sync, "claims:C-9"))["type"] == "state"
        policy = await document(sync, "policies:P-1")
        assert policy["number"] == "P-1"
        _, before = await sync.call("GET", "/_my")
        neighbour.policies = neighbour.policies[:1]
        _, changes = await sync.call("GET", f"/_my/_changes?feed=longpoll&since={before['update_seq']}")
        assert [(row["id"], row.get("deleted")) for row in changes["results"]] == [("policies:P-2", True)]
        assert (await document(sync, "policies:P-1"))["_rev"] == policy["_rev"]


async def test_a_killed_service_goes_on_where_it_was(
    issuer: str,
    neighbour: Neighbour,
    tmp_path: Path,
    start_pouch: StartPouch,
    serve_sync: ServeSync,
) -> None:
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    sock.close()
    told = {
        "port": str(port),
        "issuer": issuer,
        "secret": service_secret(tmp_path / "identity"),
        "neighbour": neighbour.url,
        "database": sqlite_url(tmp_path / "sync.db"),
    }

    async def start() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "serve.py"),
            json.dumps(told),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout
        assert await process.stdout.readline()
        return process

    neighbour.script = [503] * 3
    first = await start()
    async with serve_sync() as other:  # only for its token and client
        token = await other.token("ada")
    device = await start_pouch(
        """
        const db = local('phone');
        db.sync(remote(args.url, args.token), {live: true, retry: true, back_off_function: () => 50});
        await db.put({_id: 'command:1', ...args.start});
        const written = await until(() => remote(args.url, args.token).get('command:1').catch(() => null));
        say('sent');
        await db.put({_id: 'draft:offline', n: 1});
        const result = await until(() => db.get('result:1').catch(() => null));
        await until(() => remote(args.url, args.token).get('draft:offline').catch(() => null));
        return result;
        """,
        url=f"http://127.0.0.1:{port}",
        token=token,
        start=START,
    )
    assert await device.said() == "sent"
    first.send_signal(signal.SIGKILL)
    await first.wait()
    neighbour.script = ["ok"]
    second = await start()
    try:
        result = await device.result()
        assert (result["status"], result["target"]) == ("done", "C-1")
        assert len(neighbour.started) == 1
    finally:
        second.terminate()
        await second.wait()
