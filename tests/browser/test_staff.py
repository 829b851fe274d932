"""The adjuster's task list and the operator's page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.blueprint import journeys
from tests.browser.conftest import NewPerson, picture, query
from towpath.testing import Blueprint

pytestmark = [pytest.mark.browser, pytest.mark.blueprint]

BOUNDARY = "towpath-test-boundary"


def claim_with_photo(blueprint: Blueprint, user: str) -> str:
    """A claim for the adjuster, with a photo."""
    data = '{"policyNumber": "P-1001", "description": "A collision at the crossing.", "damage": "collision"}'
    parts = [
        b'Content-Disposition: form-data; name="data"\r\nContent-Type: application/json\r\n\r\n'
        + data.encode(),
        b'Content-Disposition: form-data; name="photos"; filename="door.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + picture(320, 240),
    ]
    body = b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts)
    answer = blueprint.request(
        "POST",
        "/claims",
        token=blueprint.token(user),
        body=body + f"--{BOUNDARY}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    assert answer.status == 201, answer.body
    claim: str = answer.json()["id"]
    return claim


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_an_adjuster_takes_a_task_sees_the_photo_and_decides(
    person: NewPerson, blueprint: Blueprint, phone: bool
) -> None:
    claim = claim_with_photo(blueprint, "ada")
    journeys.eventually(
        "task",
        lambda: any(t["businessId"] == claim for t in query(blueprint, "carl", "/tasks")["items"]),
    )
    carl = await person("carl", "/console/tasks", phone=phone)
    page = carl.page
    await page.locator(".card", has_text=claim).click()
    photo = page.locator(".thumbs img")
    await expect(photo).to_be_visible()
    assert await photo.evaluate("image => image.naturalWidth") == 320
    await expect(page.get_by_role("button", name="Complete")).to_be_disabled()
    await page.get_by_role("button", name="Take this task").click()
    await expect(page.get_by_role("button", name="Give back")).to_be_visible()

    await page.get_by_role("button", name="Complete").click()
    await expect(page.get_by_role("alert").first).to_contain_text("Please look at the marked fields.")
    await page.get_by_label("Yes, we pay").check()
    await page.get_by_label(re.compile("Amount to pay")).fill("1234.5")
    await page.get_by_label("Note for the file").fill("Seen on the photo.")
    await carl.keep(f"task-{'phone' if phone else 'desk'}")
    await page.get_by_role("button", name="Complete").click()
    await expect(page.get_by_text("Assess the claim is completed.")).to_be_visible()
    await expect(page.locator(".card", has_text=claim)).to_have_count(0)

    journeys.reach(blueprint, blueprint.token("ada"), claim, "Looked at by our adjuster")
    assert journeys.claim(blueprint, blueprint.token("ada"), claim)["data"]["assessment"]["amount"] == 1234.5


async def test_a_customer_is_told_that_the_staffs_pages_are_not_for_them(person: NewPerson) -> None:
    ada = await person("ada", "/console/tasks", phone=False)
    await expect(ada.page.get_by_text("does not have the role adjuster")).to_be_visible()
    await ada.open("/console/operate")
    await expect(ada.page.get_by_text("does not have the role operator")).to_be_visible()


async def test_an_operator_finds_an_instance_and_watches_it_on_its_diagram(
    person: NewPerson, blueprint: Blueprint
) -> None:
    ada = blueprint.token("ada")
    claim = journeys.start(blueprint, ada, damage="glass")
    link = journeys.link(blueprint, claim)
    journeys.eventually("action", lambda: journeys.claim(blueprint, ada, claim)["actions"])

    olga = await person("olga", "/console/operate", phone=False)
    page = olga.page
    await page.get_by_label("Business id").fill(claim)
    await expect(page.locator(".grid tbody tr")).to_have_count(1)
    await page.get_by_label("State").select_option("Completed")
    await expect(page.get_by_text("Nothing matches")).to_be_visible()
    await page.get_by_label("State").select_option("Running")
    await page.get_by_role("link", name=claim).click()

    await expect(page.locator(".djs-shape.is-active")).to_have_count(1)
    await expect(page.locator(".djs-shape.is-done").first).to_be_visible()
    assert await page.locator(".djs-connection.is-done").count() >= 3
    await expect(page.locator(".count-active")).to_have_text("1")
    await expect(page.get_by_text("policyNumber", exact=True)).to_be_visible()
    await olga.keep("operate-desk")

    # Confirmed elsewhere: the page follows without being asked.
    assert blueprint.request("POST", link, form={}).status in (200, 303)
    await expect(page.locator(".head-actions .chip")).to_have_text("Completed")
    await expect(page.locator(".djs-shape.is-active")).to_have_count(0)
    await expect(page.get_by_role("link", name=re.compile("Calls "))).to_be_visible()


async def test_the_mark_of_bpmn_io_stays_wholly_visible(person: NewPerson, blueprint: Blueprint) -> None:
    claim = journeys.start(blueprint, blueprint.token("ada"), damage="glass")
    for phone in (False, True):
        olga = await person("olga", "/console/operate", phone=phone)
        await olga.page.get_by_label("Business id").fill(claim)
        await olga.page.get_by_role("link", name=claim).click()
        mark = olga.page.locator(".bjs-powered-by")
        await expect(mark).to_be_visible()
        await mark.scroll_into_view_if_needed()
        covered = await mark.evaluate(
            """element => {
                const box = element.getBoundingClientRect();
                const [right, bottom] = [box.width - 1, box.height - 1];
                const points = [[1, 1], [right, 1], [1, bottom], [right, bottom], [right / 2, bottom / 2]];
                return points.filter(([x, y]) =>
                    !element.contains(document.elementFromPoint(box.left + x, box.top + y))).length;
            }"""
        )
        assert covered == 0
