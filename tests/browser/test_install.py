"""Installing the app, and what arrives when it is closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Playwright

from towpath.testing import Blueprint

pytestmark = [pytest.mark.browser, pytest.mark.blueprint]


async def test_the_app_can_be_installed_and_shows_push_messages(
    playwright: Playwright, chromium: str, blueprint: Blueprint, tmp_path: Path
) -> None:
    # Chromium judges installability only where there is a profile to install into.
    device = dict(playwright.devices["Pixel 7"])
    device.pop("default_browser_type")
    context = await playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium,
        args=["--no-sandbox"],
        **device,
    )
    try:
        page = context.pages[0]
        devtools = await context.new_cdp_session(page)
        registered: list[dict[str, str]] = []
        devtools.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: registered.extend(event["registrations"]),
        )
        await devtools.send("ServiceWorker.enable")
        await page.goto(f"{blueprint.gateway}/app/")
        await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        found = await devtools.send("Page.getInstallabilityErrors")
        assert found["installabilityErrors"] == []

        await context.grant_permissions(["notifications"], origin=blueprint.gateway)
        message = {"id": "n1", "title": "Repair shop found", "body": "Please confirm.", "resource": "claims"}
        await devtools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": blueprint.gateway,
                "registrationId": registered[-1]["registrationId"],
                "data": json.dumps(message | {"target": "C-1"}),
            },
        )
        shown = await page.evaluate(
            """async () => {
                const registration = await navigator.serviceWorker.ready;
                for (let tries = 0; tries < 200; tries++) {
                    const [first] = await registration.getNotifications();
                    if (first) return {title: first.title, body: first.body, url: first.data.url};
                    await new Promise((done) => setTimeout(done, 50));
                }
                return 'nothing was shown';
            }"""
        )
        assert shown == {
            "title": "Repair shop found",
            "body": "Please confirm.",
            "url": "/app/#/case/claims%3AC-1",
        }
    finally:
        await context.close()
