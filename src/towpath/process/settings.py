"""The process server's settings: the table ``[process]`` of ``towpath.toml``."""

from __future__ import annotations

from msgspec import Struct


class ProcessSettings(Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """See docs/process-server.md for what each does."""

    batch: int = 500  # commands that share a transaction, at most
    in_flight: int = 10_000  # commands accepted and not yet answered
    follow_ups: int = 200  # commands to other aggregates in the transaction of their cause
    cache: int = 20_000  # instance snapshots kept in memory
    long_poll: int = 10_000  # ms that a job activation with requestTimeout 0 waits
    document_limit: int = 25 * 1024 * 1024  # bytes
    event_retention: int = 30 * 24 * 3600 * 1000  # ms that the feed is kept; 0: for ever
