"""Times as documents hold them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_iso() -> str:
    """Now, in ISO 8601 with milliseconds and Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)
