"""The demo's back ends as programs: how they start, keep their data, and end."""

from __future__ import annotations

import os
import signal
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from integration_servers import Backend, alive, wait_for

Start = Callable[..., Backend]


def policies_in(backend: Backend) -> list[Any]:
    with psycopg.connect(f"postgresql://policies:policies@127.0.0.1:{backend.port}/policies") as connection:
        return connection.execute("SELECT number, status FROM policies ORDER BY number").fetchall()


def postgres_of(backend: Backend) -> int:
    return int((backend.state / "postgres" / "postmaster.pid").read_text().split()[0])


async def fetch(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body, headers=sent) as answer,
    ):
        return answer.status, await answer.json(content_type=None) if answer.content_length else None


@pytest.mark.parametrize("name", ["policies", "payments", "repairs_soap", "repairs_rest", "mailbox"])
def test_a_back_end_says_that_it_is_ready_and_ends_with_0_on_sigterm(name: str, start_backend: Start) -> None:
    backend = start_backend(name)
    assert backend.ready.startswith(f"ready {name} ")
    assert "127.0.0.1" in backend.url
    assert backend.stop() == 0
    assert backend.process.stdout is not None
    assert backend.process.stdout.read() == ""


def test_a_port_in_use_is_told_in_one_line(start_backend: Start) -> None:
    taken = start_backend("payments")
    with pytest.raises(pytest.fail.Exception, match=f"127.0.0.1:{taken.port} cannot be used"):
        start_backend("repairs_rest", port=taken.port)


def test_policies_are_kept_over_a_restart_and_seeded_once(start_backend: Start) -> None:
    backend = start_backend("policies")
    assert policies_in(backend) == [
        ("P-1001", "active"),
        ("P-1002", "active"),
        ("P-2001", "active"),
        ("P-3001", "lapsed"),
    ]
    address = f"postgresql://policies:policies@127.0.0.1:{backend.port}/policies"
    with psycopg.connect(address) as connection:
        connection.execute("DELETE FROM policies WHERE number <> 'P-1001'")
        connection.execute("UPDATE policies SET status = 'lapsed'")
    backend.stop()
    assert policies_in(start_backend("policies", state=backend.state)) == [("P-1001", "lapsed")]


def test_the_policy_database_asks_for_its_password(start_backend: Start) -> None:
    backend = start_backend("policies")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://policies:wrong@127.0.0.1:{backend.port}/policies")


def test_a_killed_policy_back_end_leaves_no_server_behind_and_starts_again(start_backend: Start) -> None:
    backend = start_backend("policies")
    server = postgres_of(backend)
    backend.kill()
    again = start_backend("policies", state=backend.state, port=backend.port)
    assert not alive(server)
    assert len(policies_in(again)) == 4


def test_a_lock_left_by_a_server_that_was_killed_does_not_stop_the_next(start_backend: Start) -> None:
    backend = start_backend("policies")
    lock = backend.state / "postgres" / "postmaster.pid"
    content = lock.read_text()
    backend.stop()
    # Process 1 runs, and is not the server: the number was given to another after a restart.
    lock.write_text(content.replace(content.split()[0], "1", 1))
    assert len(policies_in(start_backend("policies", state=backend.state))) == 4


def test_the_back_end_ends_with_a_fault_when_its_server_does(start_backend: Start) -> None:
    backend = start_backend("policies")
    server = postgres_of(backend)
    os.kill(server, signal.SIGQUIT)
    assert backend.process.wait(30) == 1
    wait_for(lambda: not alive(server))


async def test_payments_are_kept_over_kill_9_and_a_key_stands_for_one_payment(start_backend: Start) -> None:
    backend = start_backend("payments")
    order = {"reference": "C-1", "amount": 10.5, "payee": "Ada"}
    url = f"{backend.url}/payments"
    status, paid = await fetch("POST", url, order, Idempotency_Key="k")
    assert status == 201
    assert (await fetch("POST", url, order | {"amount": 11}, Idempotency_Key="k"))[0] == 409
    assert (await fetch("POST", url, order))[0] == 400
    assert (await fetch("POST", url, order | {"amount": -1}, Idempotency_Key="n"))[0] == 400
    assert (await fetch("POST", url, order | {"amount": 20_001}, Idempotency_Key="m"))[0] == 422
    backend.kill()
    backend = start_backend("payments", state=backend.state)
    url = f"{backend.url}/payments"
    assert await fetch("POST", url, order, Idempotency_Key="k") == (200, paid)
    assert await fetch("GET", f"{url}/{paid['id']}") == (200, paid)
    assert (await fetch("GET", f"{url}/PAY-0"))[0] == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"no xml", "not XML"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "document type"),
        (b"<a/>", "envelope"),
    ],
)
async def test_the_soap_platform_answers_nonsense_with_a_client_fault(
    body: bytes, said: str, backends: dict[str, Backend]
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(backends["repairs_soap"].url, data=body, headers={"Content-Type": "text/xml"}) as answer,
    ):
        text = await answer.text()
    assert answer.status == 500
    assert "<faultcode>soap:Client</faultcode>" in text
    assert said in text
    assert "root:" not in text


async def test_the_mailbox_keeps_mails_and_shows_them_harmlessly(start_backend: Start) -> None:
    backend = start_backend("mailbox")
    mail = EmailMessage()
    mail["From"], mail["To"] = "claims@harbour.example", "ada@example.com"
    mail["Subject"] = "Your appointment <b>"
    mail.set_content("Please confirm: http://127.0.0.1/links/abc\n<script>alert(1)</script>")
    with smtplib.SMTP("127.0.0.1", backend.port) as smtp:
        smtp.send_message(mail)
    backend.stop()

    backend = start_backend("mailbox", state=backend.state)
    page = backend.urls[1]
    _, (received,) = await fetch("GET", f"{page}/messages")
    assert (received["id"], received["to"]) == (1, "ada@example.com")
    assert received["subject"] == "Your appointment <b>"
    assert "/links/abc" in received["text"]
    assert (await fetch("GET", f"{page}/messages/1"))[1] == received
    assert (await fetch("GET", f"{page}/messages/2"))[0] == 404
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{page}/") as answer:
            assert "Your appointment &lt;b&gt;" in await answer.text()
        async with session.get(f"{page}/mails/1") as answer:
            text = await answer.text()
    assert '<a href="http://127.0.0.1/links/abc"' in text
    assert "<script>" not in text


def test_the_state_may_lie_where_only_its_owner_passes(start_backend: Start, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    assert len(policies_in(start_backend("policies", state=private / "state"))) == 4
