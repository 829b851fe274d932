"""The ``[notify]`` table of ``towpath.toml``."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

CHANNELS = ("inbox", "email", "push")


class NotifySettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Times in seconds. Without ``smtp`` no e-mail is sent."""

    smtp: str = ""  # smtp://[user:password@]host:port; smtps:// for TLS, smtp+starttls:// for STARTTLS
    sender: str = "Towpath <no-reply@localhost>"
    milestone_channels: list[str] = msgspec.field(default_factory=lambda: ["inbox", "push"])
    push_contact: str = "mailto:webmaster@localhost"  # whom a push company tells of trouble (RFC 8292)
    push_ttl: int = 24 * 3600  # how long a push service keeps a message for a device that is off
    allow_private_push: bool = False  # push services on private addresses and over http, for tests
    link_lifetime: int = 14 * 24 * 3600
    max_attempts: int = 10
    retry_initial: float = 2.0
    retry_max: float = 3600.0
    request_timeout: float = 30.0
    concurrency: int = 8
    max_subscriptions: int = 20  # devices a person

    def __post_init__(self) -> None:
        unknown = set(self.milestone_channels) - set(CHANNELS)
        if unknown:
            raise ValueError(f"notify.milestone_channels: {', '.join(sorted(unknown))} is no channel")
        if self.smtp:
            parts = urlsplit(self.smtp)
            if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
                raise ValueError("notify.smtp: a URL like smtp://user:password@host:25")
