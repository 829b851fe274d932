"""The shells, their assets and what the phone app is installed from, over HTTP."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.console.conftest import Console
from towpath.web import STATIC, AssetsMissing, assets

SHELLS = ["/app/", "/console/tasks", "/console/operate"]


class Shell(HTMLParser):
    """The scripts and files that a page names, and any code that stands in the page itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.files: list[str] = []
        self.inline: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_script = tag == "script"
        for name in ("src", "href"):
            if tag in ("script", "link", "img") and given.get(name):
                self.files.append(given[name] or "")
        self.inline += [name for name in given if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


@pytest.mark.parametrize(("path", "to"), [("/", "/app/"), ("/app", "/app/"), ("/console", "/console/tasks")])
async def test_short_addresses_lead_to_the_pages(console: Console, path: str, to: str) -> None:
    answer = await console(path)
    assert answer.status == 307
    assert answer.headers["Location"] == to


@pytest.mark.parametrize("path", SHELLS)
async def test_a_page_is_revalidated_and_every_file_that_it_names_is_there(
    console: Console, path: str
) -> None:
    page = await console(path)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    again = await console(path, headers={"If-None-Match": page.headers["ETag"]})
    assert again.status == 304
    assert again.body == b""
    files = Shell(page.body.decode()).files
    assert len(files) >= 3
    for file in files:
        assert (await console(file)).status == 200, file


@pytest.mark.parametrize("path", SHELLS)
async def test_a_page_forbids_every_script_but_our_own(console: Console, path: str) -> None:
    page = await console(path)
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == f"'self' {console.issuer}"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert Shell(page.body.decode()).inline == []


async def test_the_title_is_text_not_markup(console: Console) -> None:
    page = await console("/app/")
    assert b"<title>Parcels &amp; more</title>" in page.body


async def test_files_with_a_hash_in_their_name_are_kept_for_ever_and_others_are_asked_about(
    console: Console,
) -> None:
    page = await console("/app/")
    script = next(file for file in Shell(page.body.decode()).files if file.endswith(".js"))
    assert re.search(r"-[A-Z0-9]{8}\.js$", script)
    assert "immutable" in (await console(script)).headers["Cache-Control"]
    style = await console("/assets/towpath.css")
    assert style.headers["Cache-Control"] == "no-cache"
    again = await console("/assets/towpath.css", headers={"If-None-Match": style.headers["ETag"]})
    assert again.status == 304


async def test_scripts_travel_compressed_to_those_who_take_it(console: Console) -> None:
    packed = await console("/assets/swagger-ui/swagger-ui-bundle.js")
    assert packed.headers["Content-Encoding"] == "gzip"  # aiohttp unpacks
    plain = await console("/assets/swagger-ui/swagger-ui-bundle.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.body == packed.body
    assert gzip.decompress((STATIC / "swagger-ui/swagger-ui-bundle.js.gz").read_bytes()) == plain.body


@pytest.mark.parametrize(
    "path", ["/assets/nothing.js", "/assets/%2e%2e/__init__.py", "/assets/manifest.json", "/app/nothing"]
)
async def test_what_is_no_asset_is_not_found(console: Console, path: str) -> None:
    answer = await console(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_the_app_can_be_installed_under_the_solutions_name(console: Console) -> None:
    answer = await console("/app/manifest.webmanifest")
    assert answer.headers["Content-Type"] == "application/manifest+json"
    manifest = answer.json
    assert manifest["name"] == "Parcels & more"
    assert manifest["start_url"] == manifest["scope"] == "/app/"
    sizes = {}
    for icon in manifest["icons"]:
        picture = await console(icon["src"])
        assert picture.headers["Content-Type"] == "image/png"
        assert picture.body.startswith(b"\x89PNG")
        sizes[icon["purpose"], icon["sizes"]] = True
    assert ("any", "192x192") in sizes
    assert ("maskable", "512x512") in sizes


async def test_the_service_worker_keeps_exactly_what_the_apps_page_needs(console: Console) -> None:
    worker = (await console("/app/sw.js")).body.decode()
    page = await console("/app/")
    scripts_and_styles = [f for f in Shell(page.body.decode()).files if f.endswith((".js", ".css"))]
    assert scripts_and_styles
    for file in scripts_and_styles:
        assert f'"{file}"' in worker
    kept = re.findall(r'"(/assets/[^"]+)"', worker)
    assert kept
    for file in kept:
        assert (await console(file)).status == 200, file


async def test_the_configuration_says_how_to_sign_in(console: Console) -> None:
    config = (await console("/app/config.json")).json
    assert config["issuer"] == console.issuer
    assert config["clientId"] == "towpath-web"
    assert config["title"] == "Parcels & more"


async def test_the_licences_of_all_bundled_packages_are_served(console: Console) -> None:
    text = (await console("/assets/licences.txt")).body.decode()
    for package in ("bpmn-js", "@bpmn-io/form-js-viewer", "pouchdb-browser", "preact", "swagger-ui-dist"):
        assert re.search(rf"^{re.escape(package)} [\d.]+ \(", text, re.MULTILINE), package
    assert "The source code responsible for displaying the bpmn.io project watermark" in text


async def test_a_checkout_whose_pages_were_never_built_says_how_to_build_them(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssetsMissing, match=r"python scripts/build_web\.py"):
        assets(tmp_path)
    away = tmp_path / "away"
    (STATIC / "manifest.json").rename(away)
    try:
        page = await console("/app/")
        assert page.status == 503
        assert b"python scripts/build_web.py" in page.body
        ready = await console("/health/ready")
        assert ready.status == 503
        assert "python scripts/build_web.py" in ready.json["reason"]
        assert (await console("/assets/towpath.css")).status == 503
    finally:
        away.rename(STATIC / "manifest.json")
    assert (await console("/health/ready")).status == 200
