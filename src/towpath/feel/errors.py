"""What can go wrong with FEEL: text that is none, a bound that is reached, and reasons for a null."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

# Characters of a long line that an error shows before and after the place.
_BEFORE, _AFTER = 60, 40


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

    ``line`` and ``column`` count from 1; ``expected`` names what could have stood there; ``hint`` says
    what to write instead, where the mistake is a common one.
    """

    def __init__(
        self,
        message: str,
        line: int,
        column: int,
        expected: tuple[str, ...],
        text: str,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected
        self.text = text
        self.hint = hint
        advice = f"; {hint}" if hint else ""
        super().__init__(f"{message}{advice} (line {line}, column {column})\n{self.excerpt()}")

    def excerpt(self) -> str:
        """The line in question, or the part of it around the place, with a caret below the place."""
        return excerpt(self.text, self.line, self.column)


class FeelLimitError(FeelError):
    """An evaluation reached a bound (steps, depth, sizes) and was given up."""


class Unanswerable(Exception):
    """Raised inside a built-in: the call answers null, and this is the reason."""


def place(text: str, offset: int) -> tuple[int, int]:
    """``(line, column)`` of an offset, both from 1; columns count code points."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def excerpt(text: str, line: int, column: int) -> str:
    """The line of a text, or the part of it around the column, with a caret below the place."""
    lines = text.split("\n", line)
    found = lines[line - 1] if 0 < line <= len(lines) else ""
    start = max(0, column - 1 - _BEFORE)
    before, after = found[start : column - 1], found[column - 1 : column - 1 + _AFTER]
    cut = "..." if start else ""
    rest = "..." if len(found) > column - 1 + _AFTER else ""
    indent = "".join("\t" if character == "\t" else " " * _cells(character) for character in before)
    return f"  {cut}{_shown(before + after)}{rest}\n  {' ' * len(cut)}{indent}^"


def _shown(line: str) -> str:
    """A line without what a terminal would take for a command."""
    return "".join(
        character if character == "\t" or character.isprintable() else " " * _cells(character)
        for character in line.rstrip("\r")
    )


def _cells(character: str) -> int:
    """The width of a character on a terminal."""
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
