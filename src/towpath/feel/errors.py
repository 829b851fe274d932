"""What can go wrong with FEEL: text that is none, a bound that is reached, and reasons for a null."""

from __future__ import annotations

from typing import NamedTuple


class Warning(NamedTuple):
    """Why an evaluation answered null somewhere; ``line`` and ``column`` count from 1."""

    message: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class FeelError(ValueError):
    """Common to the errors that FEEL raises."""


class FeelSyntaxError(FeelError):
    """The text is no FEEL: where, and what was expected there.

    ``line`` and ``column`` count from 1; ``expected`` names what could have stood there.
    """

    def __init__(self, message: str, line: int, column: int, expected: tuple[str, ...], text: str) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected
        self.text = text
        super().__init__(f"{message} (line {line}, column {column})\n{self.excerpt()}")

    def excerpt(self) -> str:
        """The line in question with a caret below the place."""
        lines = self.text.split("\n")
        line = lines[self.line - 1] if 0 < self.line <= len(lines) else ""
        start = max(0, self.column - 60)
        return f"  {line[start : start + 110]}\n  {' ' * (self.column - 1 - start)}^"


class FeelLimitError(FeelError):
    """An evaluation reached a bound (steps, depth, sizes) and was given up."""


class Unanswerable(Exception):
    """Raised inside a built-in: the call answers null, and this is the reason."""


def place(text: str, offset: int) -> tuple[int, int]:
    """``(line, column)`` of an offset, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
