"""The demo's mailbox: an SMTP server that keeps every mail, and a page that shows them.

SMTP on ``--port``. HTTP on ``--http-port`` (default: the next port): ``/`` a list, ``/mails/{n}`` one mail,
``GET /messages`` and ``GET /messages/{n}`` the same as JSON. Each mail is a file in ``--state``.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import os
import re
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope
from litestar import Litestar, MediaType, Response, delete, get
from litestar.params import FromPath
from program import listen, parser, serving, told_to_end

MAX_MAIL = 10 * 1024 * 1024  # bytes
LINK = re.compile(r"https?://[^\s<>\"']+")
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
li { margin: .75rem 0 } small { opacity: .8 } pre { white-space: pre-wrap; font: inherit }
"""


class Mailbox:
    """Mails as numbered files; a mail is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last = max((int(f.stem) for f in folder.glob("*.eml") if f.stem.isdigit()), default=0)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's name for a received mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        to = ", ".join(address.replace("\n", "") for address in envelope.rcpt_tos)
        self._last += 1
        await asyncio.to_thread(self._write, self._last, f"X-Envelope-To: {to}\r\n".encode() + content)
        return "250 OK"

    def _write(self, number: int, content: bytes) -> None:
        part = self._folder / f"{number:06}.part"
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.rename(self._folder / f"{number:06}.eml")

    def all(self) -> list[dict[str, Any]]:
        """Newest first."""
        files = sorted(self._folder.glob("*.eml"), reverse=True)
        return [message for file in files if (message := self.one(int(file.stem)))]

    def one(self, number: int) -> dict[str, Any] | None:
        """The mail with its texts."""
        file = self._folder / f"{number:06}.eml"
        if not file.is_file():
            return None
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
        return {
            "id": number,
            "from": str(mail.get("From", "")),
            "to": str(mail.get("To") or mail.get("X-Envelope-To", "")),
            "subject": str(mail.get("Subject", "")),
            "date": str(mail.get("Date", "")),
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
        }

    def clear(self) -> None:
        """Throw every mail away; numbers go on."""
        for file in self._folder.glob("*.eml"):
            file.unlink()


def page(title: str, body: str) -> Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{escape(title)}</h1>{body}"
    )
    return Response(
        text,
        media_type=MediaType.HTML,
        # A mail's own text is shown as text; should some of it become markup, it still may do nothing.
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


def shown(mail: dict[str, Any]) -> str:
    """A mail's text, with its links to click. Without a plain text: the HTML's, stripped of its tags."""
    text = mail["text"] or re.sub(
        r"<[^>]+>", " ", re.sub(r"<a [^>]*href=[\"']([^\"']+)[^>]*>", r"\1 ", mail["html"])
    )
    parts, end = [], 0
    for link in LINK.finditer(text):
        parts.append(escape(text[end : link.start()]))
        parts.append(f'<a href="{escape(link[0])}" rel="noreferrer">{escape(link[0])}</a>')
        end = link.end()
    return f"<pre>{''.join(parts)}{escape(text[end:])}</pre>"


def create(mailbox: Mailbox) -> Litestar:
    @get("/messages")
    async def messages() -> list[dict[str, Any]]:
        return await asyncio.to_thread(mailbox.all)

    @get("/messages/{number:int}")
    async def message(number: FromPath[int]) -> Response:
        found = await asyncio.to_thread(mailbox.one, number)
        return Response(found) if found else Response({"detail": "There is no such mail."}, status_code=404)

    @delete("/messages")
    async def clear() -> None:
        await asyncio.to_thread(mailbox.clear)

    @get("/")
    async def index() -> Response:
        mails = await asyncio.to_thread(mailbox.all)
        rows = [
            f'<li><a href="/mails/{m["id"]}">{escape(m["subject"] or "(no subject)")}</a><br>'
            f"<small>to {escape(m['to'])} · {escape(m['date'])}</small>"
            for m in mails
        ]
        return page("Mailbox", f"<ol>{''.join(rows)}</ol>" if rows else "<p>No mail has come yet.</p>")

    @get("/mails/{number:int}")
    async def mail(number: FromPath[int]) -> Response:
        found = await asyncio.to_thread(mailbox.one, number)
        if found is None:
            return Response("There is no such mail.", status_code=404)
        head = f"<p><small>from {escape(found['from'])} to {escape(found['to'])}</small>"
        return page(found["subject"] or "(no subject)", f'<p><a href="/">All mails</a>{head}{shown(found)}')

    return Litestar([messages, message, clear, index, mail], openapi_config=None)


async def main(host: str, port: int, http_port: int | None, state: Path) -> None:
    over = told_to_end()
    mailbox = Mailbox(state)
    if http_port is None:
        http_port = port + 1 if port else 0
    smtp_socket, http_socket = listen(host, port), listen(host, http_port)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(mailbox, data_size_limit=MAX_MAIL, enable_SMTPUTF8=True, hostname="mailbox", loop=loop),
        sock=smtp_socket,
    )
    async with contextlib.AsyncExitStack() as opened:
        opened.callback(smtp.close)
        await opened.enter_async_context(serving(create(mailbox), http_socket))
        print(
            f"ready mailbox smtp://{host}:{smtp_socket.getsockname()[1]} http://{host}:{http_socket.getsockname()[1]}",
            flush=True,
        )
        await over.wait()


if __name__ == "__main__":
    options = parser("The demo's mailbox (SMTP and a page).", 8025)
    options.add_argument("--http-port", type=int, help="port of the page (default: the one after --port)")
    arguments = options.parse_args()
    asyncio.run(main(arguments.host, arguments.port, arguments.http_port, arguments.state))
