"""Names of several words, matched against tokens: the longest one in scope wins.

FEEL's names may hold spaces and symbols (``Applicant's full-time salary``), so only the scope tells
where one ends (DMN 1.5, 10.3.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from .errors import FeelSyntaxError
from .lexer import SPACE, Token, tokens

MAX_NAME = 100  # tokens of one name; so many are looked ahead at most, at every name of a text

_SPACES = re.compile(f"[{SPACE}]+")


def normalized(name: str) -> str:
    """A name with every run of white space as one space."""
    return _SPACES.sub(" ", name).strip()


def spelled(parts: Sequence[Token]) -> str:
    """The name that tokens spell: one space wherever there is a gap between them."""
    if len(parts) == 1:
        return parts[0].text
    words = [parts[0].text]
    for before, part in pairwise(parts):
        if part.start > before.end:
            words.append(" ")
        words.append(part.text)
    return "".join(words)


@lru_cache(maxsize=16384)
def _spelling(name: str) -> tuple[str, tuple[tuple[bool, str], ...]] | None:
    """A name's first token and the others as (space before it, text); None where no tokens spell it."""
    try:
        parts = tokens(name)[:-1]
    except FeelSyntaxError:
        return None
    if not parts or parts[0].kind != "name" or len(parts) > MAX_NAME or spelled(parts) != normalized(name):
        return None
    return parts[0].text, tuple((part.start > before.end, part.text) for before, part in pairwise(parts))


class NameTable:
    """Names as a trie of their tokens."""

    __slots__ = ("_by_first",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        # The first token leads to a node: (space before, text) -> node, and None -> the name that ends there.
        self._by_first: dict[str, dict[Any, Any]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Put a name into scope; one that no tokens can spell is left out."""
        spelling = _spelling(name)
        if spelling is None:
            return
        first, rest = spelling
        node = self._by_first.setdefault(first, {})
        for part in rest:
            node = node.setdefault(part, {})
        node.setdefault(None, name)

    def match(self, stream: Sequence[Token], position: int) -> tuple[str, int] | None:
        """The longest known name that starts at ``position``, and how many tokens it takes."""
        node = self._by_first.get(stream[position].text)
        if node is None:
            return None
        name = node.get(None)
        found = None if name is None else (name, 1)
        if len(node) == 1 and found:
            return found
        length = 1
        end = stream[position].end
        # The stream ends with a token of no text, which no name has.
        for token in stream[position + 1 : position + MAX_NAME]:
            node = node.get((token.start > end, token.text))
            if node is None:
                break
            length += 1
            end = token.end
            name = node.get(None)
            if name is not None:
                found = name, length
        return found
