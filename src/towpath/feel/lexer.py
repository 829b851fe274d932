"""FEEL's tokens. Names of several words are put together later, by the parser, which knows the scope."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import FeelSyntaxError, place
from .hints import stray

# DMN 1.5, 10.3.1.2, rules 61 and 62: what counts as white space.
SPACE = r"\t-\r \x85\u00A0\u1680\u180E\u2000-\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF"
# Rules 28 and 29: what a name starts with, and what may follow (less what is white space).
_START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u167F\u1681-\u180D\u180F-\u1FFF"
    r"\u200C-\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFEFE\uFF00-\uFFFD"
    r"\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"

# Every repetition is possessive, so that no text makes the matcher go back. Only that over space and comments
# is not: Python 3.11.2 does not return from a possessive turn that fails half-way.
_GAP = rf"(?:[{SPACE}]++|//[^\n\r]*+|/\*[^*]*+\*++(?:[^*/][^*]*+\*++)*/)*"
_GAP_PATTERN = re.compile(_GAP)
_TOKEN = re.compile(
    rf"""{_GAP}
    (?: (?P<name>[{_START}][{_PART}]*+)
      | (?P<number>(?:[0-9]++(?:\.[0-9]++)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
      | (?P<symbol>\.\.|\*\*|<=|>=|!=|->|[-+*=<>()\[\]{{}},.:;']|/(?![/*]))
      | (?P<string>"(?:[^"\\]++|\\.)*+")
      | (?P<quoted>`[^`\n]+`)
      | (?P<at>@[{SPACE}]*+"(?:[^"\\]++|\\.)*+")
      | (?P<end>\Z)
    )""",
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
    position, kind = 0, ""
    match, token = _TOKEN.match, Token
    while kind != "end":
        matched = match(text, position)
        if matched is None:
            raise unreadable(text, position)
        kind = matched.lastgroup or ""
        start, position = matched.span(kind)
        found.append(token(kind, matched[kind], start, position))
    return found


def unreadable(text: str, position: int) -> FeelSyntaxError:
    """The error about what no token starts with, after the gap at ``position``."""
    gap = _GAP_PATTERN.match(text, position)
    assert gap is not None  # a gap may be empty
    start = gap.end()
    line, column = place(text, start)
    character = text[start]
    if character == '"' or (character == "@" and text[start + 1 :].lstrip().startswith('"')):
        return FeelSyntaxError("this string does not end", line, column, ('"',), text)
    if text.startswith("/*", start):
        return FeelSyntaxError("this comment does not end", line, column, ("*/",), text)
    hint = stray(text, start)
    shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
    return FeelSyntaxError(f"{shown} has no meaning here", line, column, (), text, hint)


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
