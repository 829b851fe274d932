"""Chromium, people in it, and the solution that they use."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright, expect

from towpath.testing import Blueprint

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "test-artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 30_000  # ms; a claim passes through six programs
DESKTOP = {"viewport": {"width": 1280, "height": 850}}

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; a test machine without one fails, and says what to install."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    pytest.fail(f"No browser was found ({', '.join(BROWSERS)}). On Debian: apt-get install chromium")


@pytest.fixture(scope="session", autouse=True)
def built_pages() -> None:
    """The pages as they are now, and what checks their accessibility."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "build_web.py")], check=True)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, an engine that finds accessibility faults."""
    return (ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest.fixture
async def browser(playwright: Playwright, chromium: str) -> AsyncIterator[Browser]:
    started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    yield started
    await started.close()


class Person:
    """Somebody with a device. What the device's console complains of is kept in ``complaints``."""

    def __init__(self, context: BrowserContext, page: Page, blueprint: Blueprint) -> None:
        self.context = context
        self.page = page
        self.blueprint = blueprint
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )

    async def open(self, path: str) -> None:
        await self.page.goto(self.blueprint.gateway + path)

    async def sign_in(self, path: str, user: str) -> None:
        """Open a page and sign in at the issuer with the demo account's password."""
        await self.open(path)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.locator("#username").fill(user)
        await self.page.locator("#password").fill(user)
        await self.page.locator("button.submit").click()
        await self.page.wait_for_url(re.compile(re.escape(self.blueprint.gateway + path.split("#")[0])))

    async def synced(self) -> None:
        """Wait until the phone and the server are in step."""
        await expect(self.page.locator("[data-sync=up-to-date]")).to_be_visible()

    async def keep(self, name: str) -> None:
        """A screenshot among the test's artefacts."""
        ARTEFACTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"{name}.png")


NewPerson = Callable[..., Awaitable[Person]]


@pytest.fixture
async def person(playwright: Playwright, browser: Browser, blueprint: Blueprint) -> AsyncIterator[NewPerson]:
    """Gives a new person: with a phone, or with ``phone=False`` at a desk. ``user`` signs in at ``path``.

    Afterwards no page may have failed or broken its own security policy.
    """
    people: list[Person] = []

    async def make(
        user: str | None = None, path: str = "/app/", *, phone: bool = True, **options: Any
    ) -> Person:
        device = playwright.devices["Pixel 7"] if phone else DESKTOP
        context = await browser.new_context(**{**device, "locale": "en-GB", **options})
        one = Person(context, await context.new_page(), blueprint)
        people.append(one)
        if user:
            await one.sign_in(path, user)
        return one

    yield make
    for one in people:
        await one.context.close()
        assert one.complaints == []


def picture(width: int, height: int, shade: int = 90) -> bytes:
    """A PNG with a gradient, as large as a phone's camera makes them."""
    rows = b"".join(
        b"\0"
        + bytes((shade, (y * 255) // height, 140)) * (width // 2)
        + b"\xc8\xd2\xd7" * (width - width // 2)
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


def photo(name: str = "IMG 0417.png", width: int = 2400, height: int = 1600) -> dict[str, Any]:
    """A photo as a file input takes it."""
    return {"name": name, "mimeType": "image/png", "buffer": picture(width, height)}


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG, from its frame header (ITU T.81, B.2.2)."""
    assert data[:2] == b"\xff\xd8", "not a JPEG"
    at = 2
    while at < len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (0xC0, 0xC1, 0xC2):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise AssertionError("a JPEG without a frame header")


def query(blueprint: Blueprint, user: str, path: str) -> Any:
    """What the API answers this user."""
    answer = blueprint.request("GET", path, token=blueprint.token(user))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)
