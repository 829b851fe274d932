"""Revision ids as CouchDB makes them: MD5 of the edit in Erlang's external term format.

The same edit on two replicas then is the same revision instead of a conflict. The term is
``[Deleted, OldGeneration, OldHash, Body, Attachments]`` (``couch_db:new_revid``), written with
``term_to_binary(..., [{minor_version, 1}])``. CouchDB's own ids differ only for attachments that it
compresses.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

ATOM, SMALL_INTEGER, INTEGER, FLOAT = b"\x64", b"\x61", b"\x62", b"\x46"
SMALL_TUPLE, NIL, STRING, LIST, BINARY, SMALL_BIG, LARGE_BIG = (
    b"\x68",
    b"\x6a",
    b"\x6b",
    b"\x6c",
    b"\x6d",
    b"\x6e",
    b"\x6f",
)
VERSION = b"\x83"


def revision_id(
    *,
    parent: str | None,
    deleted: bool,
    body: Mapping[str, Any],
    attachments: Sequence[tuple[str, str, bytes]] = (),
) -> str:
    """The id of the edit that made ``body`` of ``parent``; ``attachments``: (name, type, MD5 digest)."""
    generation, _, digest = parent.partition("-") if parent else ("0", "", "")
    out = [VERSION, LIST, struct.pack(">I", 5)]
    _atom(out, "true" if deleted else "false")
    _integer(out, int(generation))
    if parent is None:
        _integer(out, 0)
    else:
        _binary(out, _raw(digest))
    _term(out, body)
    if attachments:
        out.append(LIST + struct.pack(">I", len(attachments)))
        for name, kind, md5 in attachments:
            out.append(SMALL_TUPLE + b"\x03")
            _binary(out, name.encode())
            _binary(out, kind.encode())
            _binary(out, md5)
    out.append(NIL + NIL)  # the end of the attachments' list, and of the whole
    return f"{int(generation) + 1}-{hashlib.md5(b''.join(out), usedforsecurity=False).hexdigest()}"


def _raw(digest: str) -> bytes:
    # CouchDB holds its own ids as 16 bytes and foreign ones as they are written.
    if len(digest) == 32:
        try:
            return bytes.fromhex(digest)
        except ValueError:
            pass
    return digest.encode()


def _atom(out: list[bytes], name: str) -> None:
    out.append(ATOM + struct.pack(">H", len(name)) + name.encode())


def _binary(out: list[bytes], value: bytes) -> None:
    out.append(BINARY + struct.pack(">I", len(value)) + value)


def _integer(out: list[bytes], value: int) -> None:
    if 0 <= value <= 255:
        out.append(SMALL_INTEGER + bytes([value]))
    elif -(2**31) <= value < 2**31:
        out.append(INTEGER + struct.pack(">i", value))
    else:
        size = (abs(value).bit_length() + 7) // 8
        head = SMALL_BIG + bytes([size]) if size < 256 else LARGE_BIG + struct.pack(">I", size)
        out.append(head + (b"\x01" if value < 0 else b"\x00") + abs(value).to_bytes(size, "little"))


def _term(out: list[bytes], value: Any) -> None:
    match value:
        case None:
            _atom(out, "null")
        case bool():
            _atom(out, "true" if value else "false")
        case int():
            _integer(out, value)
        case float():
            out.append(FLOAT + struct.pack(">d", value))
        case str():
            _binary(out, value.encode("utf-8", "surrogatepass"))
        case Mapping():
            out.append(SMALL_TUPLE + b"\x01")  # an object is {[{Key, Value}, ...]}
            if value:
                out.append(LIST + struct.pack(">I", len(value)))
                for key, member in value.items():
                    out.append(SMALL_TUPLE + b"\x02")
                    _binary(out, key.encode("utf-8", "surrogatepass"))
                    _term(out, member)
            out.append(NIL)
        case _:
            _list(out, value)


def _list(out: list[bytes], value: Sequence[Any]) -> None:
    if value and len(value) <= 0xFFFF and all(type(v) is int and 0 <= v <= 255 for v in value):
        out.append(STRING + struct.pack(">H", len(value)) + bytes(value))
        return
    if value:
        out.append(LIST + struct.pack(">I", len(value)))
        for member in value:
            _term(out, member)
    out.append(NIL)
