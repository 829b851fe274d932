"""Names of several words, matched against tokens: the longest one in scope wins.

FEEL's names may hold spaces and symbols (``Applicant's full-time salary``), so only the scope tells
where one ends (DMN 1.5, 10.3.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .errors import FeelSyntaxError
from .lexer import Token, tokens

_SPACE = re.compile(r"\s+")


def normalized(name: str) -> str:
    """A name with every run of white space as one space."""
    return _SPACE.sub(" ", name.strip())


class NameTable:
    """Names by their first token, the longest first."""

    __slots__ = ("_by_first",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        # first token -> [(following tokens as (space before it, text), the name)]
        self._by_first: dict[str, list[tuple[tuple[tuple[bool, str], ...], str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Put a name into scope; one that no tokens can spell is left out."""
        try:
            parts = tokens(name)[:-1]
        except FeelSyntaxError:
            return
        if not parts or parts[0].kind != "name":
            return
        rest = tuple((part.start > before.end, part.text) for before, part in pairwise(parts))
        entries = self._by_first.setdefault(parts[0].text, [])
        entry = (rest, name)
        if entry not in entries:
            entries.append(entry)
            entries.sort(key=lambda known: -len(known[0]))

    def match(self, stream: Sequence[Token], position: int) -> tuple[str, int] | None:
        """The longest known name that starts at ``position``, and how many tokens it takes."""
        entries = self._by_first.get(stream[position].text)
        if entries is None:
            return None
        for rest, name in entries:
            if _spelled(rest, stream, position):
                return name, len(rest) + 1
        return None


def _spelled(rest: tuple[tuple[bool, str], ...], stream: Sequence[Token], position: int) -> bool:
    """Whether the tokens after ``position`` are ``rest``, with space where it has space."""
    if len(rest) >= len(stream) - position:
        return False
    for spaced, part in rest:
        end = stream[position].end
        position += 1
        following = stream[position]
        if following.text != part or (following.start > end) != spaced:
            return False
    return True
