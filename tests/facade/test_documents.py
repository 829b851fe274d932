"""Documents of an instance: added, listed, read by those who may."""

import aiohttp

from tests.facade.conftest import World

PDF = b"%PDF-1.7 a letter"


def files(*names: str, content: bytes = PDF, kind: str = "application/pdf") -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name in names:
        form.add_field("file", content, filename=name, content_type=kind)
    return form


async def test_documents_are_added_listed_and_read(world: World) -> None:
    ticket = await world.ada.report()
    path = f"/tickets/{ticket['id']}/documents"
    added = await world.ada("POST", path, data=files("letter.pdf", "plan.pdf"))
    assert added.status == 201, added.body
    assert [d["fileName"] for d in added.json["items"]] == ["letter.pdf", "plan.pdf"]
    assert added.headers["Location"] == added.json["items"][0]["href"]
    listed = (await world.carl("GET", path)).json["items"]
    assert listed == added.json["items"]
    assert (await world.ada("GET", f"/tickets/{ticket['id']}")).json["documents"] == listed
    content = await world.ada("GET", listed[0]["href"])
    assert content.body == PDF
    assert content.headers["Content-Type"] == "application/pdf"
    assert content.headers["Content-Disposition"] == "inline; filename*=UTF-8''letter.pdf"


async def test_a_document_is_not_anothers(world: World) -> None:
    ticket, own = await world.ada.report(), await world.ben.report()
    path = f"/tickets/{ticket['id']}/documents"
    (document,) = (await world.ada("POST", path, data=files("letter.pdf"))).json["items"]
    assert (await world.ben("GET", document["href"])).status == 404
    smuggled = f"/tickets/{own['id']}/documents/{document['id']}"
    assert (await world.ben("GET", smuggled)).status == 404
    assert (await world.ben("POST", path, data=files("x.pdf"))).status == 404
    assert (await world.nobody("GET", document["href"])).status == 401


async def test_what_could_run_in_a_browser_is_for_download_only(world: World) -> None:
    ticket = await world.ada.report()
    form = files("page.html", content=b"<script>alert(1)</script>", kind="text/html")
    (document,) = (await world.ada("POST", f"/tickets/{ticket['id']}/documents", data=form)).json["items"]
    answer = await world.carl("GET", document["href"])
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_file_name_is_only_a_name(world: World) -> None:
    ticket = await world.ada.report()
    form = files("../../etc/pass word.pdf")
    (document,) = (await world.ada("POST", f"/tickets/{ticket['id']}/documents", data=form)).json["items"]
    assert document["fileName"] == "pass word.pdf"


async def test_the_same_document_sent_twice_with_one_key_is_one(world: World) -> None:
    ticket = await world.ada.report()
    path = f"/tickets/{ticket['id']}/documents"
    for _ in range(2):
        answer = await world.ada(
            "POST", path, data=files("letter.pdf"), headers={"Idempotency-Key": "command:1/0"}
        )
        assert answer.status == 201
    assert len((await world.ada("GET", path)).json["items"]) == 1


async def test_a_document_that_is_too_large_or_missing_is_refused(world: World) -> None:
    ticket = await world.ada.report()
    path = f"/tickets/{ticket['id']}/documents"
    assert (await world.ada("POST", path, data=files("big.pdf", content=b"x" * 50_001))).status == 413
    empty = aiohttp.FormData()
    empty.add_field("data", "{}", content_type="application/json")
    assert (await world.ada("POST", path, data=empty)).status in (400, 415)
    assert (await world.ada("POST", path, {"file": "x"})).status == 415
    assert (await world.ada("GET", path)).json["items"] == []


async def test_a_document_that_is_not_there_is_not_found(world: World) -> None:
    ticket = await world.ada.report()
    for id_ in ("nothing", f"{ticket['id']}.0000"):
        assert (await world.ada("GET", f"/tickets/{ticket['id']}/documents/{id_}")).status == 404
