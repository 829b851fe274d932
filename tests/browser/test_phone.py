"""The phone app, on a phone, with and without a signal."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.blueprint import journeys
from tests.browser.conftest import NewPerson, Person, jpeg_size, photo, query
from towpath.testing import Blueprint

pytestmark = [pytest.mark.browser, pytest.mark.blueprint]


async def fill_report(someone: Person, description: str, *, damage: str = "glass") -> None:
    page = someone.page
    await page.get_by_role("link", name="Report").click()
    await page.get_by_label("Policy number").fill("P-2001")
    await page.get_by_label("What happened?").fill(description)
    await page.get_by_label("What is damaged?").select_option(damage)


async def test_an_accident_reported_without_a_signal_arrives_when_the_phone_has_one(
    person: NewPerson, blueprint: Blueprint
) -> None:
    ben = await person("ben")
    page = ben.page
    await ben.synced()
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await ben.context.set_offline(True)
    await page.reload()  # the app opens from the phone
    await expect(page.get_by_text("You are offline.")).to_be_visible()

    story = "Offline in the garage: a stone hit the windscreen"
    await fill_report(ben, story)
    await page.locator("input[type=file][multiple]").set_input_files([photo(), photo("IMG 0418.png")])
    await expect(page.locator(".thumbs img")).to_have_count(2)
    await ben.keep("phone-report-offline")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Waits for a signal")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text(story)).to_be_visible()  # it outlives a restart of the app
    await ben.keep("phone-sent-offline")
    mine = query(blueprint, "ben", "/claims")["items"]
    assert all(claim["data"]["description"] != story for claim in mine)

    await ben.context.set_offline(False)
    await page.get_by_role("link", name="Overview").click()
    card = page.locator(".card", has_text=story)
    await expect(card).to_contain_text(re.compile("C-[0-9A-Z]{10}"))
    claim = next(c for c in query(blueprint, "ben", "/claims")["items"] if c["data"]["description"] == story)
    documents = query(blueprint, "ben", f"/claims/{claim['id']}")["documents"]
    assert len(documents) == 2
    for document in documents:
        answer = blueprint.request("GET", document["href"], token=blueprint.token("ben"))
        assert jpeg_size(answer.body) == (1600, 1067)
    await card.click()
    await expect(page.locator(".thumbs img")).to_have_count(2)
    assert await page.locator(".thumbs img").first.evaluate("image => image.naturalWidth") == 1600


async def test_what_is_typed_is_kept_as_a_draft_also_on_the_persons_other_devices(person: NewPerson) -> None:
    phone = await person("ben")
    await phone.synced()
    story = "A draft about hail on the bonnet"
    await fill_report(phone, story)
    await phone.page.reload()
    await expect(phone.page.get_by_label("What happened?")).to_have_value(story)
    await phone.page.get_by_role("link", name="Overview").click()
    await phone.synced()

    tablet = await person("ben", phone=False)
    await tablet.page.locator(".card", has_text=story).click()
    await expect(tablet.page.get_by_label("What happened?")).to_have_value(story)
    await tablet.page.get_by_role("button", name="Delete draft").click()
    await tablet.page.get_by_role("dialog").get_by_role("button", name="Delete draft").click()
    await expect(phone.page.locator(".card", has_text=story)).to_have_count(0)


async def test_the_form_says_what_is_missing_and_leads_there(person: NewPerson) -> None:
    ben = await person("ben")
    page = ben.page
    await page.get_by_role("link", name="Report").click()
    await page.get_by_label("Policy number").fill("1234")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("2 things need a look")
    await expect(page.get_by_label("Policy number")).to_be_focused()
    await expect(page.get_by_label("Policy number")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("This does not look as expected.")).to_be_visible()
    await expect(page.get_by_text("Please fill this in.")).to_be_visible()


async def test_a_refused_report_is_explained_and_can_be_corrected(person: NewPerson) -> None:
    ben = await person("ben")
    page = ben.page
    await ben.synced()
    story = "With a file that is no photo"
    await fill_report(ben, story)
    await page.locator("input[type=file][multiple]").set_input_files(
        [{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a photo"}]
    )
    await expect(page.locator(".thumbs li")).to_have_count(1)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("This could not be accepted")).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("notes.txt")
    await ben.keep("phone-refused")
    await page.get_by_role("button", name="Correct and send again").click()
    await page.get_by_role("button", name="Remove photo 1").click()
    await expect(page.locator(".thumbs li")).to_have_count(0)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("We have your report").first).to_be_visible()
    await page.get_by_role("link", name="Overview").click()
    await expect(page.locator(".card", has_text=story)).to_have_count(1)


async def test_a_confirmation_by_the_link_in_the_mail_shows_on_the_phone(
    person: NewPerson, blueprint: Blueprint
) -> None:
    token = blueprint.token("ben")
    claim = journeys.start(blueprint, token, policyNumber="P-2001", damage="glass")
    ben = await person("ben")
    page = ben.page
    await page.locator(".card", has_text=claim).click()
    await expect(page.get_by_role("button", name="Confirm the appointment")).to_be_visible()
    await ben.keep("phone-detail")

    at_desk = await person(phone=False)
    await at_desk.open(journeys.link(blueprint, claim))
    await at_desk.keep("link-page")
    await at_desk.page.get_by_role("button").click()

    await expect(page.locator(".timeline")).to_contain_text("Appointment confirmed")
    await expect(page.get_by_role("button", name="Confirm the appointment")).to_have_count(0)
    await expect(page.locator(".timeline")).to_contain_text("Claim settled")
    await page.get_by_role("link", name="Messages").click()
    await expect(page.locator(".message").first).to_be_visible()
    await ben.keep("phone-messages")


async def test_an_appointment_confirmed_without_a_signal_is_told_when_there_is_one(
    person: NewPerson, blueprint: Blueprint
) -> None:
    token = blueprint.token("ben")
    claim = journeys.start(blueprint, token, policyNumber="P-2001", damage="glass")
    ben = await person("ben")
    page = ben.page
    await page.locator(".card", has_text=claim).click()
    button = page.get_by_role("button", name="Confirm the appointment")
    await expect(button).to_be_visible()
    await ben.context.set_offline(True)
    await button.click()
    await ben.keep("phone-confirm")
    await page.get_by_role("dialog").get_by_role("button", name="Yes, go on").click()
    await expect(page.get_by_text("Your answer waits for a signal.")).to_be_visible()
    await ben.context.set_offline(False)
    await expect(page.locator(".timeline")).to_contain_text("Claim settled")
    await expect(page.locator(".chip", has_text="Completed")).to_be_visible()


async def test_signing_out_warns_of_what_is_not_sent_and_keeps_it_from_others(person: NewPerson) -> None:
    ben = await person("ben")
    page = ben.page
    await ben.synced()
    await ben.context.set_offline(True)
    story = "Not sent before signing out"
    await fill_report(ben, story)
    await page.get_by_role("button", name="Send").click()
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("dialog")).to_contain_text("One thing has not been sent yet")
    await page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await ben.context.set_offline(False)

    await ben.sign_in("/app/", "ada")
    await ben.synced()
    await expect(page.get_by_text(story)).to_have_count(0)


async def test_settings_are_kept_by_the_service(person: NewPerson, blueprint: Blueprint) -> None:
    ben = await person("ben")
    page = ben.page
    await page.get_by_role("link", name="Settings").click()
    mail = page.get_by_role("switch", name="E-mail")
    await expect(mail).to_be_enabled()
    await expect(mail).to_be_checked()
    await mail.click()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert query(blueprint, "ben", "/notify/preferences")["channels"]["email"] is False
    await mail.click()
    await expect(mail).to_be_checked()
    await page.wait_for_function("document.querySelector('.banner.tone-ok')")
    assert query(blueprint, "ben", "/notify/preferences")["channels"]["email"] is True
