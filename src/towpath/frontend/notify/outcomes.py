"""What can come of an attempt to deliver, other than success."""

from __future__ import annotations


class Later(Exception):
    """Not now; ``after``: seconds to wait at least, where the other side said so."""

    def __init__(self, detail: str, after: float | None = None) -> None:
        super().__init__(detail)
        self.after = after


class Failed(Exception):
    """It never will be."""


class Expired(Exception):
    """The address is no more."""
