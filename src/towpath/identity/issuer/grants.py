"""What the local issuer has given out and may see again: codes, refresh tokens, login sessions.

Only hashes are kept, in SQLite, so that a restart signs nobody out and the file lets nobody in.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

_SCHEMA = """
CREATE TABLE IF NOT EXISTS grants (
  hash BLOB PRIMARY KEY, kind TEXT NOT NULL, family TEXT NOT NULL,
  expires REAL NOT NULL, used REAL, data BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS grants_family ON grants (family);
CREATE INDEX IF NOT EXISTS grants_expires ON grants (expires);
"""


class Grant(msgspec.Struct, kw_only=True):
    """What a person has allowed a client, or a login session (without a client)."""

    subject: str
    client_id: str = ""
    scope: str = ""
    redirect_uri: str = ""
    challenge: str = ""  # code_challenge of PKCE
    nonce: str = ""
    auth_time: int = 0  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Found:
    """A grant that a code or token stands for; ``used`` is when it was used up, or None."""

    grant: Grant
    family: str
    used: float | None


class Grants:
    """The table. Called from one thread; each call is one short transaction."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def give(self, kind: str, grant: Grant, lifetime: float, family: str | None = None) -> tuple[str, str]:
        """A new secret that stands for ``grant`` for ``lifetime`` seconds, and its family."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        family = family or new_family()
        self._db.execute("DELETE FROM grants WHERE expires < ?", (now,))
        self._db.execute(
            "INSERT INTO grants VALUES (?, ?, ?, ?, NULL, ?)",
            (_hash(secret), kind, family, now + lifetime, msgspec.json.encode(grant)),
        )
        return secret, family

    def find(self, kind: str, secret: str) -> Found | None:
        """What ``secret`` stands for, used up or not; None where it is unknown, expired or revoked."""
        row = self._db.execute(
            "SELECT data, family, used FROM grants WHERE hash = ? AND kind = ? AND expires >= ?",
            (_hash(secret), kind, self._clock()),
        ).fetchone()
        return Found(msgspec.json.decode(row[0], type=Grant), row[1], row[2]) if row else None

    def use(self, secret: str) -> bool:
        """Mark ``secret`` as used; False where another was first."""
        cursor = self._db.execute(
            "UPDATE grants SET used = ? WHERE hash = ? AND used IS NULL", (self._clock(), _hash(secret))
        )
        return cursor.rowcount == 1

    def revoke(self, family: str) -> None:
        """Forget everything that came of one sign-in."""
        self._db.execute("DELETE FROM grants WHERE family = ?", (family,))

    def close(self) -> None:
        self._db.close()


def new_family() -> str:
    """An id for all that will come of one sign-in; it is also ``sid`` of its ID tokens."""
    return secrets.token_urlsafe(12)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
