"""How large a value is once everything shared in it is written out.

Values are never changed, so they share their parts: ``{a: [1, 1], b: [a, a], c: [b, b], ...}`` is small in
memory and doubles with every entry when it is printed or compared. What goes through a whole value asks
here first.
"""

from __future__ import annotations

from typing import Any

from .errors import FeelLimitError

MAX_SIZE = 10_000_000  # items, entries and (16 characters each) pieces of strings
MAX_ITEMS = 1_000_000  # of a list that a function makes
MAX_STRING = 10_000_000  # characters

_PIECE = 16


def check_size(value: Any) -> None:
    """Raise FeelLimitError where a list or context is too large, or too deep, to go through."""
    if type(value) is list or type(value) is dict:
        try:
            _size(value, {})
        except RecursionError:
            raise FeelLimitError("a value is nested too deeply") from None


def _size(value: Any, known: dict[int, int]) -> int:
    found = known.get(id(value))
    if found is not None:
        return found
    total = 1
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is list or kind is dict:
            total += _size(item, known)
        elif kind is str:
            total += 1 + len(item) // _PIECE
        else:
            total += 1
    if total > MAX_SIZE:
        raise FeelLimitError(f"a value of more than {MAX_SIZE} parts")
    known[id(value)] = total
    return total


def check_items(count: int) -> None:
    """Raise FeelLimitError where a list would be longer than any may be."""
    if count > MAX_ITEMS:
        raise FeelLimitError(f"a list of more than {MAX_ITEMS} items")


def check_string(length: int) -> None:
    """Raise FeelLimitError where a string would be longer than any may be."""
    if length > MAX_STRING:
        raise FeelLimitError(f"a string of more than {MAX_STRING} characters")
