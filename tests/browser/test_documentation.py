"""The API's page to try it: one signs in there, and asks."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from towpath.testing import Blueprint

pytestmark = pytest.mark.browser


async def test_the_api_can_be_tried_as_a_signed_in_person(browser: Browser, blueprint: Blueprint) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.goto(f"{blueprint.gateway}/docs")
    await page.get_by_role("button", name="Authorize").click()
    code = page.locator(".auth-container", has_text="authorization_code with PKCE")
    async with page.expect_popup() as opened:
        await code.locator("button.authorize").click()
    issuer = await opened.value
    await issuer.get_by_role("button", name="Ada Jensen").click()
    await expect(page.locator("button", has_text="Logout").first).to_be_visible()
    await page.locator(".close-modal").click()

    listing = page.locator(".opblock-get", has_text="List: Motor claims")
    await listing.locator(".opblock-summary-control").click()
    await page.get_by_role("button", name="Try it out").click()
    await page.get_by_role("button", name="Execute").click()
    await expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert complaints == []
    await context.close()
