"""When a failed attempt is made again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Exponential backoff: ``initial * factor ** n`` seconds, never more than ``maximum``.

    ``attempts`` counts the first one too, so 1 means no retry. With ``jitter`` each wait is drawn evenly
    between half of it and all of it, so that routes that failed together do not come back together.
    Only failures that are ``on`` are retried.
    """

    attempts: int = 4
    initial: float = 0.2  # seconds
    factor: float = 2.0
    maximum: float = 5.0  # seconds
    jitter: bool = True
    on: tuple[type[Exception], ...] = (ConnectionError, TimeoutError)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"Retry(attempts={self.attempts}): there is at least one attempt.")
        if self.initial < 0 or self.maximum < 0 or self.factor < 1:
            raise ValueError("Retry: initial and maximum are seconds >= 0, and factor is at least 1.")

    def waits(self) -> Iterator[float]:
        """Seconds before the second attempt, the third, and so on."""
        wait = self.initial
        for _ in range(self.attempts - 1):
            bounded = min(wait, self.maximum)
            yield bounded * random.uniform(0.5, 1.0) if self.jitter else bounded  # noqa: S311 (no secret)
            wait *= self.factor

    def longest(self) -> float:
        """The most seconds that all waits can take together."""
        return sum(min(self.initial * self.factor**n, self.maximum) for n in range(self.attempts - 1))


NEVER = Retry(attempts=1)
