"""The ``[sync]`` table of ``towpath.toml``."""

from __future__ import annotations

import msgspec

MIB = 1024 * 1024


class Source(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Data of the back ends that each person gets: a list read from an integration route on their behalf.

    Each item becomes the document ``{name}:{item[id]}``; an item that is no longer there is removed.
    """

    name: str
    path: str
    id: str = "id"
    refresh: float = 300.0  # seconds


class SyncSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Limits in bytes, times in seconds."""

    max_body_bytes: int = 48 * MIB
    max_document_bytes: int = 1 * MIB  # a document's JSON without its attachments
    max_attachment_bytes: int = 10 * MIB
    max_batch: int = 10_000  # rows of one _bulk_docs, _bulk_get or _revs_diff
    revs_limit: int = 1000  # CouchDB's default
    longpoll_timeout: float = 60.0
    heartbeat: float = 30.0  # where a reader asks for none, so that proxies keep the connection
    command_concurrency: int = 8
    retry_initial: float = 0.5
    retry_max: float = 60.0
    request_timeout: float = 60.0
    sources: list[Source] = msgspec.field(default_factory=list)
