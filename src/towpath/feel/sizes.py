"""How large a value is once everything shared in it is written out.

Values are never changed, so they share their parts: ``{a: [1, 1], b: [a, a], c: [b, b], ...}`` is small in
memory and doubles with every entry when it is printed or compared. What goes through a whole value asks
here first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .errors import FeelLimitError

MAX_SIZE = 10_000_000  # items, entries and (16 characters each) pieces of strings
MAX_DEPTH = 200  # lists and contexts within each other; Python's stack bears three calls for each
MAX_ITEMS = 1_000_000  # of a list that a function makes
MAX_STRING = 10_000_000  # characters

_PIECE = 16
_QUOTED = 80  # characters
_TOO_DEEP = f"a value is nested more than {MAX_DEPTH} deep"


def check_size(value: Any) -> int:
    """How many parts a value has; FeelLimitError where they are too many, or too deep, to go through."""
    if type(value) is list or type(value) is dict:
        return _size(value, {}, 1)[0]
    return 1


def _size(value: Any, known: dict[int, tuple[int, int]], level: int) -> tuple[int, int]:
    """How many parts a value at a level has, and how many levels; raises FeelLimitError."""
    found = known.get(id(value))
    if found is not None:
        if level + found[1] - 1 > MAX_DEPTH:
            raise FeelLimitError(_TOO_DEEP)
        return found
    if level > MAX_DEPTH:
        raise FeelLimitError(_TOO_DEEP)
    total, levels = 1, 1
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is list or kind is dict:
            parts, below = _size(item, known, level + 1)
            total += parts
            levels = max(levels, below + 1)
        elif kind is str:
            total += 1 + len(item) // _PIECE
        elif kind is Decimal:
            total += 1 + abs(item.adjusted()) // _PIECE  # written without an exponent
        else:
            total += 1
    if total > MAX_SIZE:
        raise FeelLimitError(f"a value of more than {MAX_SIZE} parts")
    known[id(value)] = total, levels
    return total, levels


def shortened(text: str) -> str:
    """A text as a message quotes it."""
    return repr(text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "...")


def check_items(count: int) -> None:
    """Raise FeelLimitError where a list would be longer than any may be."""
    if count > MAX_ITEMS:
        raise FeelLimitError(f"a list of more than {MAX_ITEMS} items")


def check_string(length: int) -> None:
    """Raise FeelLimitError where a string would be longer than any may be."""
    if length > MAX_STRING:
        raise FeelLimitError(f"a string of more than {MAX_STRING} characters")
