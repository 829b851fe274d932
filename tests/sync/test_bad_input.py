"""Bad input: a CouchDB error for its sender, and nothing stored by half."""

from __future__ import annotations

import base64

from towpath.frontend.sync import SyncSettings

from .conftest import ServeSync, Sync


async def test_each_fault_has_its_couchdb_error_and_stores_nothing(serve_sync: ServeSync) -> None:
    settings = SyncSettings(max_attachment_bytes=1000, max_document_bytes=100_000)
    photo = base64.b64encode(b"x" * 2000).decode()
    cases = [
        ("PUT", "/_my/draft:1", {"data": b"{"}, 400),
        ("PUT", "/_my/draft:1", {"json": {"_foo": 1}}, 400),
        ("PUT", "/_my/draft:1", {"json": {"_rev": "nonsense"}}, 400),
        ("PUT", "/_my/draft:1?new_edits=false", {"json": {"_rev": "1-" + "a" * 1_000_000}}, 400),
        ("PUT", "/_my/draft:1", {"json": {"_rev": "1-abc"}}, 409),
        ("PUT", "/_my/draft:1", {"json": {"_attachments": {"p": {"data": photo}}}}, 413),
        ("PUT", "/_my/draft:1", {"json": {"_attachments": {"p": {"stub": True}}}}, 412),
        ("PUT", "/_my/draft:1", {"json": {"text": "x" * 200_000}}, 413),
        ("PUT", "/_my/_unknown", {"json": {}}, 404),
        ("GET", "/_my/_changes?since=elsewhere", {}, 400),
        ("GET", "/_my/_changes?limit=-1", {}, 400),
        ("POST", "/_my/_bulk_docs", {"json": {"docs": [{}] * 10_001}}, 400),
        ("DELETE", "/_my", {}, 403),
    ]
    async with serve_sync(settings) as sync:
        for method, path, body, wanted in cases:
            status, answer = await sync.call(method, path, **body)
            assert (status, set(answer) >= {"error", "reason"}) == (wanted, True), (path, answer)
        _, info = await sync.call("GET", "/_my")
    assert (info["doc_count"], info["update_seq"]) == (0, 0)


async def test_without_a_good_token_nothing_is_told(sync: Sync) -> None:
    status, answer = await sync.call("GET", "/_my", None)
    assert (status, answer["error"]) == (401, "unauthorized")
    status, _ = await sync.call("GET", "/_my", None, headers={"Authorization": "Bearer forged"})
    assert status == 401
