"""CouchDB's errors: what its clients understand."""

from __future__ import annotations

from typing import Any


class CouchError(Exception):
    """``error`` is CouchDB's name for it; ``reason`` is for people."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.error = error
        self.reason = reason

    def row(self, id_: str, rev: str | None = None) -> dict[str, Any]:
        """The error as one row of a bulk answer. PouchDB tells a refusal by ``name``."""
        row: dict[str, Any] = {
            "id": id_,
            "error": self.error,
            "name": self.error,
            "status": self.status,
            "reason": self.reason,
        }
        if rev is not None:
            row["rev"] = rev
        return row


def bad_request(reason: str) -> CouchError:
    return CouchError(400, "bad_request", reason)


def missing(reason: str = "missing") -> CouchError:
    return CouchError(404, "not_found", reason)


def conflict() -> CouchError:
    return CouchError(409, "conflict", "Document update conflict.")


def forbidden(reason: str) -> CouchError:
    return CouchError(403, "forbidden", reason)


def too_large(reason: str) -> CouchError:
    return CouchError(413, "document_too_large", reason)
