"""FEEL's tokens. Names of several words are put together later, by the parser, which knows the scope."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import FeelSyntaxError, place

# DMN 1.5, 10.3.1.2, rules 28 and 29: what a name starts with, and what may follow.
_START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"

_TOKEN = re.compile(
    rf"""
    (?P<space>[\s\u00A0\u1680\u180E\u2000-\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF]+
        |//[^\n]*|/\*.*?\*/)
  | (?P<number>(?:\d+(?:\.(?=\d)\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[{_START}][{_PART}]*)
  | (?P<at>@\s*"(?:[^"\\]|\\.)*")
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<quoted>`[^`\n]+`)
  | (?P<symbol>\.\.|\*\*|<=|>=|!=|->|[-+*/=<>()\[\]{{}},.:;'])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}

MAX_TEXT = 1_000_000  # characters of one expression


class Token(NamedTuple):
    """``kind``: number, name, at, string, quoted, symbol or end; ``start`` and ``end`` are offsets."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Every token of ``text`` and an ``end``. Raises FeelSyntaxError at a character that starts none."""
    if len(text) > MAX_TEXT:
        raise FeelSyntaxError(f"the expression is longer than {MAX_TEXT} characters", 1, 1, (), text[:200])
    found = []
    position = 0
    while position < len(text):
        matched = _TOKEN.match(text, position)
        if matched is None:
            raise _unreadable(text, position)
        kind = matched.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, matched.group(), position, matched.end()))
        position = matched.end()
    found.append(Token("end", "", len(text), len(text)))
    return found


def _unreadable(text: str, position: int) -> FeelSyntaxError:
    line, column = place(text, position)
    character = text[position]
    if character == '"':
        return FeelSyntaxError("this string does not end", line, column, ('"',), text)
    if text.startswith("/*", position):
        return FeelSyntaxError("this comment does not end", line, column, ("*/",), text)
    return FeelSyntaxError(f"{character!r} has no meaning here", line, column, (), text)


def unescape(body: str) -> str:
    """The value of a string literal's inside; an escape that FEEL does not know stays as written."""
    if "\\" not in body:
        return body

    def replaced(matched: re.Match[str]) -> str:
        code = matched[1]
        if len(code) > 1:
            number = int(code[1:], 16)
            return chr(number) if number <= 0x10FFFF else matched[0]
        return _PLAIN.get(code, matched[0])

    value = _ESCAPE.sub(replaced, body)
    return _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), value)
