"""Documents as they come in and go out: members that begin with ``_``, attachments, what is malformed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from towpath.frontend.sync.errors import CouchError, bad_request, too_large
from towpath.frontend.sync.revisions import check_revision, parse_revisions
from towpath.frontend.sync.settings import SyncSettings

MAX_ID = 512  # characters
# What CouchDB puts out and therefore ignores coming in.
IGNORED = frozenset({"_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq"})


class Attachment(msgspec.Struct, kw_only=True):
    """An attachment as a revision holds it. ``revpos``: the generation that it came with."""

    content_type: str
    digest: str  # md5-{base64}
    length: int  # bytes
    revpos: int = 0


@dataclass(slots=True)
class Upload:
    """An attachment coming in: its content, or a stub that means one the database has (by ``digest``)."""

    content_type: str
    content: bytes | None
    digest: str | None = None


@dataclass(slots=True)
class Edit:
    """One document to write. ``history``: the revision and its ancestors, where the writer made them."""

    id: str
    body: dict[str, Any]
    rev: str | None = None
    deleted: bool = False
    history: list[str] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)


def digest_of(content: bytes) -> str:
    """An attachment's digest as CouchDB writes it."""
    return "md5-" + base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def check_id(id_: object) -> str:
    """A usable document id. Raises CouchError 400."""
    if not isinstance(id_, str) or not id_:
        raise CouchError(400, "illegal_docid", "Document ids are strings with at least one character.")
    if len(id_) > MAX_ID:
        raise CouchError(400, "illegal_docid", f"A document id has at most {MAX_ID} characters.")
    if id_.startswith("_") and not id_.startswith("_design/"):
        raise CouchError(400, "illegal_docid", "Only reserved document ids may start with underscore.")
    if any(ord(c) < 0x20 or 0xD800 <= ord(c) <= 0xDFFF for c in id_):
        raise CouchError(400, "illegal_docid", "A document id holds no control characters.")
    return id_


def parse(document: object, settings: SyncSettings, *, new_edits: bool, id_: str | None = None) -> Edit:
    """The edit that a document in JSON asks for. Raises CouchError."""
    if not isinstance(document, dict):
        raise bad_request("Document must be a JSON object")
    edit = Edit(check_id(id_ if id_ is not None else document.get("_id")), {})
    for name, value in document.items():
        if not name.startswith("_"):
            edit.body[name] = value
        elif name == "_rev":
            edit.rev = check_revision(value)
        elif name == "_deleted":
            edit.deleted = value is True
        elif name == "_attachments":
            edit.uploads = _uploads(value, settings)
        elif name == "_revisions":
            edit.history = parse_revisions(value)
        elif name != "_id" and name not in IGNORED:
            raise CouchError(400, "doc_validation", f"Bad special document member: {name}")
    if new_edits:
        edit.history = []
    elif not edit.history:
        if edit.rev is None:
            raise bad_request("With new_edits false a document needs its _rev.")
        edit.history = [edit.rev]
    elif edit.rev is not None and edit.rev != edit.history[0]:
        raise bad_request("_rev and _revisions do not agree.")
    return edit


def _uploads(member: object, settings: SyncSettings) -> dict[str, Upload]:
    if not isinstance(member, Mapping):
        raise bad_request("_attachments must be an object.")
    return {check_name(name): _upload(name, value, settings) for name, value in member.items()}


def check_name(name: str) -> str:
    """A usable attachment name. Raises CouchError 400."""
    if not name or name.startswith("_") or len(name) > MAX_ID:
        raise bad_request(
            f"An attachment's name has 1 to {MAX_ID} characters and does not start with an underscore."
        )
    return name


def _upload(name: str, value: object, settings: SyncSettings) -> Upload:
    if not isinstance(value, Mapping):
        raise bad_request(f"The attachment {name!r} must be an object.")
    kind = value.get("content_type", "application/octet-stream")
    if not isinstance(kind, str) or "\n" in kind or "\r" in kind or len(kind) > 255:
        raise bad_request(f"The attachment {name!r} has no usable content_type.")
    if value.get("stub") is True:
        digest = value.get("digest")
        return Upload(kind, None, digest if isinstance(digest, str) else None)
    data = value.get("data")
    if not isinstance(data, str):
        raise bad_request(f"The attachment {name!r} needs data in base64, or stub: true.")
    if len(data) * 3 // 4 > settings.max_attachment_bytes + 2:
        raise oversized(name, settings)
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise bad_request(f"The attachment {name!r} is not base64.") from None
    return Upload(kind, check_size(name, content, settings))


def check_size(name: str, content: bytes, settings: SyncSettings) -> bytes:
    """``content`` where it is not too large. Raises CouchError 413."""
    if len(content) > settings.max_attachment_bytes:
        raise oversized(name, settings)
    return content


def oversized(name: str, settings: SyncSettings) -> CouchError:
    return too_large(f"The attachment {name!r} is larger than {settings.max_attachment_bytes} bytes.")


def encode_body(edit: Edit, settings: SyncSettings) -> bytes:
    """The body as it is stored. Raises CouchError 413."""
    body = msgspec.json.encode(edit.body)
    if len(body) > settings.max_document_bytes:
        raise too_large(f"The document is larger than {settings.max_document_bytes} bytes.")
    return body


def splice(members: dict[str, Any], body: bytes) -> msgspec.Raw:
    """``members`` and a stored body as one JSON object, without decoding the body."""
    head = msgspec.json.encode(members)
    return msgspec.Raw(head if body == b"{}" else head[:-1] + b"," + body[1:])
