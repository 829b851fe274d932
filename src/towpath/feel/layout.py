"""Laying text out over lines: groups that stand in one line where they fit, and are broken where not.

The algorithm is that of Oppen (1980) in Wadler's form ("A prettier printer", 2003).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

INDENT = 2  # columns that a broken group's parts are moved to the right


@dataclass(slots=True, frozen=True)
class Line:
    """A place for a line break; ``flat`` is what stands there in one line (None: there is always a break)."""

    flat: str | None


@dataclass(slots=True, frozen=True)
class Group:
    """Either every Line directly in ``content`` is a break or none is."""

    content: Doc


@dataclass(slots=True, frozen=True)
class Indent:
    content: Doc


@dataclass(slots=True, eq=False)
class Spot:
    """Text that must be found again in the result."""

    text: str


Doc: TypeAlias = "str | Line | Group | Indent | Spot | tuple[Doc, ...]"

LINE = Line(" ")
SOFT = Line("")
HARD = Line(None)

_Pending = tuple[int, bool, Doc]  # indentation, whether in one line, what


def rendered(doc: Doc, width: int) -> tuple[str, dict[int, Spot]]:
    """The text, in lines of ``width`` where that can be done, and its Spots by their offset."""
    pieces: list[str] = []
    spots: dict[int, Spot] = {}
    offset = column = 0
    stack: list[_Pending] = [(0, False, doc)]
    while stack:
        indent, flat, part = stack.pop()
        if isinstance(part, tuple):
            stack.extend((indent, flat, inner) for inner in reversed(part))
            continue
        if isinstance(part, Indent):
            stack.append((indent + INDENT, flat, part.content))
            continue
        if isinstance(part, Group):
            stack.append((indent, flat or _fits(width - column, part.content, stack), part.content))
            continue
        if isinstance(part, Spot):
            spots[offset] = part
            text = part.text
        elif isinstance(part, str):
            text = part
        elif flat and part.flat is not None:
            text = part.flat
        else:
            text = "\n" + " " * indent
        pieces.append(text)
        offset += len(text)
        column = len(text) - text.rfind("\n") - 1 if "\n" in text else column + len(text)
    return "".join(pieces), spots


def _fits(room: int, doc: Doc, rest: list[_Pending]) -> bool:
    """Whether ``doc`` in one line, and what follows up to the next break, takes no more than ``room``."""
    for text, flat in _ahead(doc, rest):
        if text is None:
            return not flat
        if "\n" in text:
            return False
        room -= len(text)
        if room < 0:
            return False
    return True


def _ahead(doc: Doc, rest: list[_Pending]) -> Iterator[tuple[str | None, bool]]:
    """The texts to come and whether they belong to the line in question; None for a break."""
    stack: list[tuple[bool, Doc]] = [(True, doc)]
    behind = len(rest)
    while stack or behind:
        if stack:
            flat, part = stack.pop()
        else:
            behind -= 1
            _, flat, part = rest[behind]
        if isinstance(part, str):
            yield part, flat
        elif isinstance(part, Spot):
            yield part.text, flat
        elif isinstance(part, Line):
            yield (part.flat if flat else None), flat
        elif isinstance(part, tuple):
            stack.extend((flat, inner) for inner in reversed(part))
        else:
            stack.append((flat, part.content))
