"""What one evaluation carries: the clock, the bounds, and the warnings so far."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from .errors import FeelLimitError, Warning, place
from .temporal import DateTime

MAX_WARNINGS = 100  # kept of one evaluation


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one evaluation; reaching one raises FeelLimitError.

    ``steps`` counts iterations, filtered items, calls, and what operations on large values go through;
    ``depth`` nested calls of functions;
    ``items`` the length of a list.
    """

    steps: int = 5_000_000
    depth: int = 100
    items: int = 1_000_000


DEFAULT_LIMITS = Limits()


class Runtime:
    """State of one evaluation. ``now`` is what ``now()`` and ``today()`` answer, None without a clock."""

    # Most evaluations change none of these: a Runtime is made for each, and is half the time of a short one.
    now: DateTime | None = None
    limits: Limits = DEFAULT_LIMITS
    random: Random | None = None
    muted = 0
    known: Collection[str] | None = None  # the variables' names, where not all are passed on
    spent = 0  # steps
    _depth = 0

    def __init__(
        self,
        now: DateTime | None = None,
        limits: Limits = DEFAULT_LIMITS,
        source: Random | None = None,
    ) -> None:
        self.warnings: list[Warning] = []
        if now is not None:
            self.now = now
        if limits is not DEFAULT_LIMITS:
            self.limits = limits
        if source is not None:
            self.random = source

    def warn(self, text: str, at: int, message: str) -> None:
        """Keep a reason for a null, at an offset of the text that is being evaluated."""
        if not self.muted and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Warning(message, *place(text, at)))

    def note(self, message: str) -> None:
        """Keep a reason for a null that has no place in the text."""
        if not self.muted and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Warning(message, 1, 1))

    def spend(self, steps: int) -> None:
        self.spent += steps
        if self.spent > self.limits.steps:
            raise FeelLimitError(f"the evaluation took more than {self.limits.steps} steps")

    def check_items(self, count: int) -> None:
        if count > self.limits.items:
            raise FeelLimitError(f"a list of more than {self.limits.items} items")

    def enter(self) -> None:
        """A function is called; ``leave`` must follow."""
        self._depth += 1
        self.spend(1)
        if self._depth > self.limits.depth:
            raise FeelLimitError(f"functions are nested more than {self.limits.depth} deep")

    def leave(self) -> None:
        self._depth -= 1
