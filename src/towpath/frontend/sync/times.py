"""Times as documents hold them."""

from __future__ import annotations

from datetime import UTC, datetime


def now_iso() -> str:
    """Now, in ISO 8601 with milliseconds and Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
