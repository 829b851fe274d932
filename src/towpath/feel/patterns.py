"""Regular expressions of XPath 3.1 (which FEEL's ``matches``, ``replace`` and ``split`` use).

A search is given up after a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from .errors import FeelLimitError, Unanswerable
from .pattern_grammar import Translator, misunderstood
from .sizes import check_items, check_string

TIMEOUT = 1.0  # seconds of one search
MAX_PATTERN = 10_000  # characters; compiling takes some 10 us for each

_TOO_LONG = "a regular expression took more than a second"
_FLAGS = frozenset("smixq")


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise FeelLimitError(_TOO_LONG) from None


@lru_cache(maxsize=1024)
def compiled(pattern: str, flags: str) -> Any:
    """The pattern as a compiled ``regex``; raises Unanswerable where it is none."""
    import regex  # imported when needed: it would be a quarter of the time that importing FEEL takes

    for flag in flags:
        if flag not in _FLAGS:
            raise Unanswerable(f"{flag!r} is no flag of a regular expression")
    known = regex.V0 | (regex.IGNORECASE if "i" in flags else 0)
    if len(pattern) > MAX_PATTERN:
        raise Unanswerable(f"the pattern has more than {MAX_PATTERN} characters")
    try:
        if "q" in flags:
            return regex.compile(regex.escape(pattern, special_only=True), known)
        return regex.compile(Translator(pattern, flags).translate(), known)
    except (regex.error, OverflowError, RecursionError) as error:
        raise misunderstood(pattern, str(error)) from error


def matches(text: str, pattern: str, flags: str) -> bool:
    """Whether the pattern is found in the text; raises FeelLimitError after a second of trying."""
    try:
        return compiled(pattern, flags).search(text, timeout=TIMEOUT) is not None
    except TimeoutError:
        raise FeelLimitError(_TOO_LONG) from None


def _template(groups: int, replacement: str) -> list[str | int]:
    """A replacement in parts: text and group numbers (``$1``; ``\\$`` and ``\\\\`` are themselves)."""
    parts: list[str | int] = []
    position = 0
    while position < len(replacement):
        character = replacement[position]
        following = replacement[position + 1 : position + 2]
        if character == "\\":
            if following not in ("\\", "$") or not following:
                raise Unanswerable("a backslash of the replacement must precede \\ or $")
            parts.append(following)
            position += 2
        elif character == "$":
            number, position = _group_number(groups, replacement, position + 1)
            parts.append(number)
        else:
            parts.append(character)
            position += 1
    return parts


def _group_number(groups: int, replacement: str, position: int) -> tuple[int, int]:
    """The group that a ``$`` names, by as many digits as still name one, and where its digits end."""
    number = -1
    while (digit := replacement[position : position + 1]).isascii() and digit.isdigit():
        longer = int(digit) if number < 0 else number * 10 + int(digit)
        if number >= 0 and longer > groups:
            break
        number = longer
        position += 1
    if number < 0:
        raise Unanswerable("a $ of the replacement must precede a digit")
    return number, position


def replaced(text: str, pattern: str, replacement: str, flags: str) -> str:
    """``text`` with every match replaced; raises Unanswerable where a match may be empty."""
    expression = _consuming(pattern, flags)
    parts = [replacement] if "q" in flags else _template(expression.groups, replacement)
    length = len(text)

    def filled(matched: Any) -> str:
        nonlocal length
        made = "".join(
            part if isinstance(part, str) else (matched[part] or "") if part <= expression.groups else ""
            for part in parts
        )
        length += len(made)
        check_string(length)
        return made

    with _in_time():
        return str(expression.sub(filled, text, timeout=TIMEOUT))


def _consuming(pattern: str, flags: str) -> Any:
    """The compiled pattern; raises Unanswerable where it matches the empty string (XPath's FORX0003)."""
    if matches("", pattern, flags):
        raise misunderstood(pattern, "it matches the empty string")
    return compiled(pattern, flags)


def split_by(text: str, delimiter: str) -> list[str]:
    """The parts of a text between the matches of a pattern."""
    pieces: list[str] = []
    start = 0
    with _in_time():
        for matched in _consuming(delimiter, "").finditer(text, timeout=TIMEOUT):
            pieces.append(text[start : matched.start()])
            check_items(len(pieces))
            start = matched.end()
    return [*pieces, text[start:]]


def extracted(text: str, pattern: str) -> list[str]:
    """Every match of a pattern in a text."""
    found: list[str] = []
    with _in_time():
        for matched in compiled(pattern, "").finditer(text, timeout=TIMEOUT):
            found.append(matched.group())
            check_items(len(found))
    return found
