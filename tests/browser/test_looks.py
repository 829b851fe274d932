"""Every page at a phone's and a desk's size, in light and in dark: nothing overflows, all can use it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.blueprint import journeys
from tests.browser.conftest import NewPerson, Person
from towpath.testing import Blueprint

pytestmark = [pytest.mark.browser, pytest.mark.blueprint]

SIZES = [pytest.param(True, id="phone"), pytest.param(False, id="desk")]
SCHEMES = ["light", "dark"]


async def faults(page: Page, axe: str) -> list[str]:
    """What axe-core finds that is serious or worse (WCAG 2.2 A and AA)."""
    await page.evaluate(axe)
    found = await page.evaluate(
        """() => axe.run(document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        })"""
    )
    return [
        f"{fault['id']}: {fault['help']}: {node['target']} {node.get('failureSummary', '')}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


async def too_wide(page: Page) -> list[str]:
    """Elements that stick out of the page to the right, unless what holds them scrolls or clips."""
    return await page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            const out = document.documentElement.scrollWidth > wide ? ['the page scrolls sideways'] : [];
            const held = (element) => {
                for (let above = element; above && above !== document.body; above = above.parentElement) {
                    if (getComputedStyle(above).overflowX !== 'visible') return true;
                }
                return false;
            };
            for (const element of document.body.querySelectorAll('*')) {
                const box = element.getBoundingClientRect();
                if (box.width > 1 && box.right > wide + 1 && !held(element)) {
                    out.push(`${element.tagName}.${element.className}`);
                }
            }
            return out;
        }"""
    )


async def small_targets(page: Page) -> list[str]:
    """Buttons and fields lower than a thumb needs (WCAG 2.2, 2.5.8 asks for 24 px; we want more)."""
    return await page.evaluate(
        """() => [...document.querySelectorAll('button, select, textarea, .button, .tabs a, .pages a')]
            .filter((element) => element.offsetParent && !element.closest('.form-island, .djs-container'))
            .filter((element) => element.getBoundingClientRect().height < 32)
            .map((element) => `${element.tagName}.${element.className} ${element.textContent}`)"""
    )


async def examine(someone: Person, axe: str, name: str) -> None:
    await someone.keep(name)
    assert await too_wide(someone.page) == [], name
    assert await small_targets(someone.page) == [], name
    assert await faults(someone.page, axe) == [], name


@pytest.fixture
def claim(blueprint: Blueprint) -> str:
    """A claim of Ada's that waits for her word."""
    ada = blueprint.token("ada")
    made = journeys.start(blueprint, ada, damage="glass", description="A stone hit the windscreen.")
    journeys.eventually("action", lambda: journeys.claim(blueprint, ada, made)["actions"])
    return made


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("phone", SIZES)
async def test_the_phone_app_is_clear_to_see_and_to_use(
    person: NewPerson, axe: str, claim: str, phone: bool, scheme: str
) -> None:
    tag = f"{'phone' if phone else 'desk'}-{scheme}"
    ada = await person(phone=phone, color_scheme=scheme)
    page = ada.page
    await ada.open("/app/")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await examine(ada, axe, f"app-welcome-{tag}")
    await ada.sign_in("/app/", "ada")
    await expect(page.locator(".card", has_text=claim)).to_be_visible()
    await ada.synced()
    await examine(ada, axe, f"app-list-{tag}")
    await page.locator(".card", has_text=claim).click()
    await expect(page.get_by_role("button", name="Confirm the appointment")).to_be_visible()
    await examine(ada, axe, f"app-detail-{tag}")
    await page.get_by_role("button", name="Confirm the appointment").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await examine(ada, axe, f"app-confirm-{tag}")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Report", exact=True).click()
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await examine(ada, axe, f"app-report-{tag}")
    await page.get_by_role("link", name="Messages").click()
    await expect(page.locator(".message").first).to_be_visible()
    await examine(ada, axe, f"app-messages-{tag}")
    await page.get_by_role("link", name="Settings").click()
    await expect(page.get_by_role("switch", name="E-mail")).to_be_enabled()
    await examine(ada, axe, f"app-settings-{tag}")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("phone", SIZES)
async def test_the_staffs_pages_are_clear_to_see_and_to_use(
    person: NewPerson, blueprint: Blueprint, axe: str, claim: str, phone: bool, scheme: str
) -> None:
    tag = f"{'phone' if phone else 'desk'}-{scheme}"
    options: dict[str, Any] = {"phone": phone, "color_scheme": scheme}
    assessed = journeys.start(blueprint, blueprint.token("ada"), damage="collision")
    carl = await person("carl", "/console/tasks", **options)
    await expect(carl.page.locator(".card", has_text=assessed)).to_be_visible()
    await examine(carl, axe, f"tasks-{tag}")
    await carl.page.locator(".card", has_text=assessed).click()
    await carl.page.get_by_role("button", name="Take this task").click()
    await expect(carl.page.get_by_role("button", name="Give back")).to_be_visible()
    await examine(carl, axe, f"task-{tag}")
    await carl.page.get_by_role("button", name="Give back").click()
    await expect(carl.page.get_by_role("button", name="Take this task")).to_be_visible()

    olga = await person("olga", "/console/operate", **options)
    await expect(olga.page.get_by_role("link", name=claim)).to_be_visible()
    await examine(olga, axe, f"operate-list-{tag}")
    await olga.page.get_by_role("link", name=claim).click()
    await expect(olga.page.locator(".djs-shape.is-active")).to_have_count(1)
    await examine(olga, axe, f"operate-instance-{tag}")


async def test_a_report_can_be_made_with_the_keyboard_alone(person: NewPerson) -> None:
    ada = await person("ada", phone=False)
    page = ada.page
    await ada.synced()

    async def tab_to(name: str) -> None:
        for _ in range(60):
            await page.keyboard.press("Tab")
            focused = await page.evaluate(
                """() => {
                    const element = document.activeElement;
                    const label = element.labels?.[0]?.textContent ?? element.textContent;
                    const style = getComputedStyle(element);
                    return [label.trim(), style.outlineStyle !== 'none' || element.type === 'file'];
                }"""
            )
            if focused[0].startswith(name):
                assert focused[1], f"the focus on {name} cannot be seen"
                return
        raise AssertionError(f"{name} cannot be reached with the Tab key")

    await tab_to("Skip to content")
    await tab_to("Report")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Policy number")).to_be_visible()
    await tab_to("Policy number")
    await page.keyboard.type("P-1001")
    await tab_to("What happened?")
    await page.keyboard.type("Typed without a mouse")
    await tab_to("What is damaged?")
    await page.keyboard.press("g")
    await tab_to("Take a photo")
    await tab_to("Send")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("We have your report").first).to_be_visible()
