"""What to write instead: the mistakes that people make who know other languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lexer import Token

# What no token of FEEL starts with, the longest first.
_STRAY = (
    ("&&", "write 'and'"),
    ("||", "write 'or'"),
    ("&", "write 'and'; strings are joined by '+'"),
    ("|", "write 'or'"),
    ("!", "write 'not(...)'"),
    ("%", "write 'modulo(a, b)' for the remainder; 5% is 0.05"),
    ("^", "write '**' for a power"),
    ("~", "write 'not(...)', or 'matches(text, pattern)'"),
    ("$", "write a variable by its name alone"),
    ("#", "write a variable by its name alone; comments start with '//'"),
    ("\\", "a backslash has a meaning inside of a string only"),
    ("`", "a name in backticks ends with a backtick in the same line"),
    ("@", 'write a date or duration as @"2026-11-22" or @"P1D"'),
)
_CURLY_DOUBLE = "“”„‟«»″"
_CURLY_SINGLE = "‘’‚‛‹›′"
_DASHES = "‐‑‒–—―−"
_OTHER = {
    **dict.fromkeys(_CURLY_DOUBLE, 'write strings in straight quotes: "..."'),
    **dict.fromkeys(
        _CURLY_SINGLE, 'write strings in straight quotes, "...", and names that have this sign in `backticks`'
    ),
    **dict.fromkeys(_DASHES, "write the minus sign of the keyboard: -"),
    "≤": "write '<='",
    "≥": "write '>='",
    "≠": "write '!='",
    "×": "write '*'",
    "÷": "write '/'",
    "…": "write '..' for a range",
}
OPENING = {"(": ")", "[": "]", "{": "}"}
# A symbol and the one right after it that make an operator elsewhere.
_DOUBLED = {
    ("=", "="): "write a single '=' to compare",
    ("!=", "="): "write '!=' to compare",
    ("=", ">"): "write '>='; to name an argument or a key, write 'name: value'",
    ("=", "<"): "write '<='",
    ("<", ">"): "write '!='",
    ("+", "+"): "write 'x + 1'; a variable cannot be changed",
    ("+", "="): "write 'x + 1'; a variable cannot be changed",
    ("-", "="): "write 'x - 1'; a variable cannot be changed",
    (":", "="): "write '=' to compare; a variable cannot be set",
}
_LIKE_ELSE_IF = frozenset({"elseif", "elsif", "elif"})


def stray(text: str, position: int) -> str | None:
    """The hint for a character that no token starts with."""
    for written, hint in _STRAY:
        if text.startswith(written, position):
            return hint
    return _OTHER.get(text[position])


def unclosed(read: Sequence[Token]) -> Token | None:
    """The innermost bracket that these tokens open and do not close.

    ``]`` and ``[`` also open and close ranges the other way round: those are not counted.
    """
    stack: list[Token] = []
    for token in read:
        if token.kind != "symbol":
            continue
        if token.text in OPENING:
            stack.append(token)
        elif stack and token.text in (")", "]", "}"):
            ranged = {stack[-1].text, token.text} in ({"(", "]"}, {"[", ")"})
            if OPENING[stack[-1].text] == token.text or ranged:
                stack.pop()
    return stack[-1] if stack else None


def advice(
    tokens: Sequence[Token], position: int, expected: tuple[str, ...], opened: Token | None
) -> str | None:
    """The hint for something else than ``expected`` at ``position``, within the bracket ``opened``."""
    token = tokens[position]
    before = tokens[position - 1] if position else None
    if token.text == "'":
        return 'write strings in double quotes: "..."'
    if before is not None:
        doubled = _DOUBLED.get((before.text, token.text))
        if doubled is not None and before.end == token.start:
            return doubled
    words = {word.text for word in tokens[max(0, position - 40) : position + 1] if word.kind == "name"}
    if not words.isdisjoint(_LIKE_ELSE_IF):
        return "write 'else if'"
    if "else" in expected:
        return "every 'if' has an 'else', at least 'else null'"
    asked = (
        before is not None and before.text == "?" and position > 1 and tokens[position - 2].kind != "symbol"
    )
    if "?" in words and (asked or (token.text == ":" and (opened is None or opened.text != "{"))):
        return "write 'if x then a else b'"
    if token.text == "=" and ":" in expected:
        return "write 'key: value'"
    if token.text == ";":
        return "write ',' between the parts; an expression has no ';' at its end"
    if token.text in (")", "]", "}") and opened is None and token.kind == "symbol":
        return f"nothing is open that this {token.text!r} could close"
    if token.text == "," and opened is None:
        return "a list is written in brackets: [a, b]"
    if token.text in (")", "]", "}") and before is not None and before.text == ",":
        return "there is nothing after the last comma"
    return None
