"""A person is told, on the channels they chose, once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from towpath.wire import Search

from .conftest import Device, Mailbox, Notifying, PushService


async def start(services: Notifying, **data: Any) -> str:
    status, made = await services.stack.call("facade", "POST", "/reports", json=data)
    assert status == 201
    return str(made["id"])


async def inbox(services: Notifying, user: str = "ada") -> list[dict[str, Any]]:
    status, found = await services.stack.call("notify", "GET", "/inbox", user)
    assert status == 200
    return list(found["items"])


async def deliveries(services: Notifying, id_: str) -> list[dict[str, Any]]:
    _, found = await services.stack.call("notify", "GET", f"/notifications/{id_}/deliveries", "olga")
    return list(found["items"])


async def settled(services: Notifying, id_: str, channel: str) -> dict[str, Any]:
    """The delivery on a channel once it is no longer pending."""
    while True:
        for delivery in await deliveries(services, id_):
            if delivery["channel"] == channel and delivery["state"] != "pending":
                return delivery
        await asyncio.sleep(0.02)


async def test_a_process_step_tells_on_every_channel_and_gets_its_receipt(
    services: Notifying, mailbox: tuple[Mailbox, str], push_service: PushService
) -> None:
    device = Device(push_service.url, "phone")
    async with services.serve():
        status, key = await services.stack.call("notify", "GET", "/push/key", None)
        assert status == 200
        status, _ = await services.stack.call(
            "notify", "PUT", "/push/subscriptions", json=device.subscription()
        )
        assert status == 204
        await services.stack.call("sync", "GET", "/_my")
        id_ = await start(services)
        read = [device.read(await push_service.arrived.get()) for _ in range(2)]
        assert {message["title"] for message in read} == {"Report received", f"Please confirm {id_}"}
        assert {(message["resource"], message["target"]) for message in read} == {("reports", id_)}
        _, headers, _ = push_service.requests[0]
        assert headers["Content-Encoding"] == "aes128gcm"
        assert int(headers["TTL"]) > 0
        assert headers["Authorization"].endswith(f"k={key['publicKey']}")

        await mailbox[0].arrived.wait()
        (mail,) = mailbox[0].messages
        assert mailbox[0].envelopes == [("reports@example.com", ["ada@example.com"])]
        assert mail["Subject"] == f"Please confirm {id_}"
        text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert html is not None
        assert (
            "Hello Ada Becker &lt;&amp;&gt;,<br" in html.get_content()
            or "&lt;&amp;&gt;" in html.get_content()
        )
        assert f"{services.stack.urls['facade']}/links/" in text.get_content()

        documents = await services.stack.documents("notification:", 2)
        assert {d["title"] for d in documents} == {"Report received", f"Please confirm {id_}"}
        state = await services.stack.document(
            f"reports:{id_}", actions=[{"message": "confirmed", "name": "Confirmation", "form": None}]
        )
        found = await services.stack.process.search_variables(Search(filter={"name": "receipt"}))
        (receipt,) = found.items
        assert f'"{(await asked(services))["id"]}"' in receipt.value
        assert state["state"] == "active"


async def asked(services: Notifying) -> dict[str, Any]:
    return next(item for item in await inbox(services) if item["title"].startswith("Please confirm"))


async def test_the_link_confirms_on_a_press_and_not_on_a_look(services: Notifying) -> None:
    async with services.serve():
        id_ = await start(services)
        action = {"message": "confirmed", "name": "Confirmation", "form": None}
        await services.stack.document(f"reports:{id_}", actions=[action])
        link = (await asked(services))["link"]
        async with services.stack.http.get(link) as page:
            assert page.status == 200
        assert (await services.stack.document(f"reports:{id_}"))["state"] == "active"
        async with services.stack.http.post(link) as page:
            assert page.status == 200
        await services.stack.document(f"reports:{id_}", state="completed")


async def test_each_milestone_is_told_once_over_restarts(services: Notifying) -> None:
    async with services.serve():
        await services.stack.call("sync", "GET", "/_my")
        id_ = await start(services)
        await services.stack.documents("notification:", 2)
    while_down = await start(services)
    for _ in range(2):
        async with services.serve():
            await services.stack.documents("notification:", 4)
            titles = sorted((item["title"], item["target"]) for item in await inbox(services))
            told = [(t, i) for i in (id_, while_down) for t in ("Report received", f"Please confirm {i}")]
            assert titles == sorted(told)


async def test_reading_on_one_device_is_known_on_the_others(services: Notifying) -> None:
    async with services.serve():
        await services.stack.call("sync", "GET", "/_my")
        await start(services)
        await services.stack.documents("notification:", 2)
        first = (await inbox(services))[0]
        status, _ = await services.stack.call("notify", "POST", f"/inbox/{first['id']}/read")
        assert status == 200
        await services.stack.document(f"notification:{first['id']}", read=True)
        _, found = await services.stack.call("notify", "GET", "/inbox?unread=true")
        assert found["unread"] == len(found["items"]) == 1
        status, _ = await services.stack.call("notify", "POST", f"/inbox/{first['id']}/read", "ben")
        assert status == 404
        assert await inbox(services, "ben") == []
        _, left = await services.stack.call("notify", "POST", "/inbox/read")
        assert left["read"] == len(await inbox(services)) - 1
        assert await services.stack.call("notify", "POST", "/inbox/read") == (200, {"read": 0})


async def test_the_inbox_is_read_a_page_at_a_time(services: Notifying) -> None:
    async with services.serve():
        for _ in range(2):
            await start(services)
        await services.stack.documents("notification:", 4)
        seen: list[str] = []
        path: str | None = "/inbox?limit=3"
        while path:
            _, page = await services.stack.call("notify", "GET", path)
            seen += [item["id"] for item in page["items"]]
            path = f"/inbox?limit=3&after={page['next']}" if page["next"] else None
        assert len(seen) == len(set(seen)) == 4


async def test_a_push_service_that_is_busy_is_asked_again_when_it_says(
    services: Notifying, push_service: PushService
) -> None:
    device = Device(push_service.url, "phone")
    push_service.script = [(429, {"Retry-After": "1"}), (500, {})]
    async with services.serve():
        await services.stack.call("notify", "PUT", "/push/subscriptions", json=device.subscription())
        begun = time.monotonic()
        await start(services)
        await push_service.arrived.get()
        await push_service.arrived.get()
        assert time.monotonic() - begun >= 1
        outcomes = []
        for item in await inbox(services):
            delivery = await settled(services, item["id"], "push")
            outcomes += [attempt["outcome"] for attempt in delivery["attempts"]]
        assert sorted(outcomes) == ["delivered", "delivered", "retried", "retried"]


async def test_a_device_that_is_gone_is_forgotten(services: Notifying, push_service: PushService) -> None:
    device = Device(push_service.url, "phone")
    push_service.script = [(410, {})] * 2
    async with services.serve():
        await services.stack.call("notify", "PUT", "/push/subscriptions", json=device.subscription())
        await start(services)
        told = await documents_told(services, 2)
        pushed = [i for i in told if any(d["channel"] == "push" for d in await deliveries(services, i))]
        assert pushed
        for item in pushed:
            assert (await settled(services, item, "push"))["state"] == "expired"
        asked = len(push_service.requests)
        await start(services)
        for item in set(await documents_told(services, 4)) - set(told):
            assert "push" not in {d["channel"] for d in await deliveries(services, item)}
        assert len(push_service.requests) == asked <= 2


async def documents_told(services: Notifying, count: int) -> list[str]:
    found = await services.stack.documents("notification:", count)
    return [document["id"] for document in found]


async def test_what_a_person_does_not_want_is_not_sent(
    services: Notifying, mailbox: tuple[Mailbox, str]
) -> None:
    async with services.serve():
        wanted = {"channels": {"email": False}, "categories": {"milestone": {"inbox": False}}}
        status, held = await services.stack.call("notify", "PUT", "/preferences", json=wanted)
        assert status == 200
        assert held["channels"] == {"inbox": True, "email": False, "push": True}
        await start(services)
        (told,) = await documents_told(services, 1)
        assert (await settled(services, told, "email"))["state"] == "suppressed"
        assert [item["category"] for item in await inbox(services)] == ["confirm"]
        assert mailbox[0].messages == []
        status, _ = await services.stack.call(
            "notify", "PUT", "/preferences", json={"channels": {"fax": True}}
        )
        assert status == 400


async def test_mail_waits_for_a_mail_server_that_is_away(
    services: Notifying, mailbox: tuple[Mailbox, str]
) -> None:
    async with services.serve(smtp="smtp://127.0.0.1:1"):
        await start(services)
        told = await documents_told(services, 2)
    assert mailbox[0].messages == []
    async with services.serve():
        await mailbox[0].arrived.wait()
        states = [d["state"] for t in told for d in await deliveries(services, t) if d["channel"] == "email"]
        assert len(states) == 1
    assert len(mailbox[0].messages) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest",
        "https://localhost/x",
        "https://user@push.example/x",
        "file:///etc/passwd",
    ],
)
async def test_a_subscription_leads_to_no_private_address(services: Notifying, endpoint: str) -> None:
    device = Device("", "phone").subscription() | {"endpoint": endpoint}
    async with services.serve(allow_private_push=False):
        status, problem = await services.stack.call("notify", "PUT", "/push/subscriptions", json=device)
        assert (status, problem["status"]) == (400, 400)


async def test_a_subscription_needs_real_keys(services: Notifying, push_service: PushService) -> None:
    device = Device(push_service.url, "phone").subscription()
    async with services.serve():
        for name, value in (("p256dh", "AAAA"), ("auth", "AAAA"), ("p256dh", "B" + "A" * 86)):
            wrong = device | {"keys": device["keys"] | {name: value}}
            status, _ = await services.stack.call("notify", "PUT", "/push/subscriptions", json=wrong)
            assert status == 400
