"""How literals and names are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from .errors import FeelSyntaxError
from .layout import Spot
from .lexer import Token, tokens
from .names import NameTable

_PLAIN_DIGITS = 40  # a number with more is written with an exponent
_ESCAPED = re.compile('[\\\\"\x00-\x1f\x7f\ud800-\udfff]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Word(Spot):
    """A name or a constant, with the names that are in scope where it stands.

    A word and what happens to follow it may spell a longer name that is in scope; then the
    ``alternative`` is written.
    """

    __slots__ = ("_tokens", "alternative", "tables")

    def __init__(self, text: str, alternative: str, tables: tuple[NameTable, ...]) -> None:
        super().__init__(text)
        self.alternative = alternative
        self.tables = tables
        self._tokens = [token.text for token in tokens(text)[:-1]]

    def misread(self, stream: Sequence[Token], position: int | None) -> bool:
        """Whether the tokens of the whole text, from ``position`` on, spell something else than this word."""
        if self.text == self.alternative:
            return False
        length = len(self._tokens)
        if position is None or [part.text for part in stream[position : position + length]] != self._tokens:
            return True
        found = (table.match(stream, position) for table in self.tables)
        return any(match is not None and match[1] > length for match in found)


def number_text(value: int | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    plain = f"{value:f}"
    return plain if len(plain) <= _PLAIN_DIGITS else str(value)


def string_text(value: str) -> str:
    """A string literal; what does not show is written by its number."""
    return '"' + _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}", value) + '"'


def in_backticks(name: str) -> str:
    if not name or "`" in name or "\n" in name:
        raise ValueError(f"{name!r} cannot be written as a name in FEEL")
    return f"`{name}`"


def key_text(key: str) -> str:
    """The key of a context: words as they are, anything else as a string."""
    try:
        parts = tokens(key)[:-1]
    except FeelSyntaxError:
        return string_text(key)
    words = [part.text for part in parts if part.kind in ("name", "number")]
    return key if parts and parts[0].kind == "name" and " ".join(words) == key else string_text(key)
