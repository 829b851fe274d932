"""E-mail over SMTP, as text and as HTML, through apprise."""

from __future__ import annotations

import asyncio
import html
import re
import warnings
from email.utils import parseaddr
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from towpath.frontend.notify.outcomes import Failed, Later

with warnings.catch_warnings():
    # On Python before 3.13 it imports imghdr, which says that it will go.
    warnings.simplefilter("ignore", DeprecationWarning)
    from apprise import NotifyFormat

    # The plugin itself: apprise.Apprise() would first import its 180 services, seconds of work.
    from apprise.plugins.email import NotifyEmail

ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,253}")
URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
MODES = {"smtp": "insecure", "smtps": "ssl", "smtp+starttls": "starttls"}


class EmailSender:
    """Sends one notification to one address."""

    def __init__(self, smtp: str, sender: str, timeout: float, public_url: str) -> None:
        self._app = f"{public_url.rstrip('/')}/app/#/"
        self._smtp = urlsplit(smtp)
        self._name, self._from = parseaddr(sender)
        self._timeout = timeout

    def _url(self, address: str) -> str:
        parts = self._smtp
        mode = MODES[parts.scheme]
        login = ""
        if parts.username is not None:
            login = f"{parts.username}:{parts.password or ''}@"
        options = {
            "from": self._from,
            "name": self._name,
            "to": address,
            "smtp": parts.hostname or "",
            "mode": mode,
            "format": "html",
            "cto": str(self._timeout),
            "rto": str(self._timeout),
        }
        port = parts.port or {"insecure": 25, "ssl": 465, "starttls": 587}[mode]
        scheme = "mailto" if mode == "insecure" else "mailtos"
        return f"{scheme}://{login}{parts.hostname}:{port}?{urlencode(options, quote_via=quote)}"

    async def send(self, address: str, note: dict[str, Any]) -> str:
        """Hand it to the mail server. Raises Later or Failed."""
        if not ADDRESS.fullmatch(address):
            raise Failed(f"{address!r} is no e-mail address.")
        if not await asyncio.to_thread(self._send, address, note):
            raise Later(f"The mail server {self._smtp.hostname} did not take it.")
        return f"{self._smtp.hostname} took it."

    def _where(self, note: dict[str, Any]) -> str:
        """The page of the application that shows what the message is about."""
        if note["resource"] and note["target"]:
            return f"{self._app}case/{quote(note['resource'] + ':' + note['target'], safe='')}"
        return f"{self._app}inbox"

    def _send(self, address: str, note: dict[str, Any]) -> bool:
        plugin: Any = NotifyEmail
        mail = plugin(**plugin.parse_url(self._url(address)))
        return bool(
            mail.notify(
                title=note["title"],
                body=as_html(f"{note['body']}\n\n{self._where(note)}"),
                body_format=NotifyFormat.HTML,
            )
        )


def as_html(text: str) -> str:
    """Plain text as HTML: paragraphs, line breaks, links; nothing in it is markup."""

    def linked(line: str) -> str:
        out: list[str] = []
        at = 0
        for match in URL.finditer(line):
            address = html.escape(match[0])
            out += [html.escape(line[at : match.start()]), f'<a href="{address}">{address}</a>']
            at = match.end()
        return "".join([*out, html.escape(line[at:])])

    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    return "\n".join(
        f"<p>{'<br>'.join(linked(line) for line in part.splitlines())}</p>" for part in paragraphs
    )
