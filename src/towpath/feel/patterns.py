"""Regular expressions of XPath 3.1 (which FEEL's ``matches``, ``replace`` and ``split`` use).

They are translated to the ``regex`` module: class subtraction, ``\\i`` and ``\\c``, the flags s, m,
i, x and q, and anchors that mean the whole text's ends. A search is given up after a second.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

from .errors import FeelLimitError, Unanswerable
from .sizes import check_string

TIMEOUT = 1.0  # seconds of one search

_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": 0, "q": 0}
_NAME_START = (
    r":A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD"
)
_NAME_PART = _NAME_START + r"\-.0-9\u00B7\u0300-\u036F\u203F-\u2040"
_ESCAPES = frozenset("nrt\\|.?*+(){}-[]^$sSdDwWiIcCpP")


def _bad(pattern: str, why: str) -> Unanswerable:
    return Unanswerable(f"the pattern {pattern!r} is not understood: {why}")


def _without_space(pattern: str) -> str:
    """The flag x: white space is taken out before anything else, save within classes."""
    kept: list[str] = []
    depth = 0
    for character in pattern:
        if not depth and character in " \t\n\r":
            continue
        if not kept or kept[-1] != "\\" or kept[-2:] == ["\\", "\\"]:
            depth = max(0, depth + (character == "[") - (character == "]"))
        kept.append(character)
    return "".join(kept)


class _Translator:
    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = _without_space(pattern) if "x" in flags else pattern
        self.multiline = "m" in flags
        self.dotall = "s" in flags
        self.position = 0
        self.groups = 0
        self.closed: set[int] = set()

    def translate(self) -> str:
        out: list[str] = []
        open_groups: list[int] = []
        text = self.pattern
        while self.position < len(text):
            character = text[self.position]
            if character == "\\":
                out.append(self._escape(inside=False))
            elif character == "[":
                out.append(self._class())
            elif character == "(":
                self.position += 1
                capturing = not text.startswith("?", self.position)
                if not capturing and not text.startswith("?:", self.position):
                    raise _bad(text, "(? must be (?:")
                self.groups += capturing
                open_groups.append(self.groups if capturing else 0)
                out.append("(" if capturing else "(?:")
                self.position += 0 if capturing else 2
            else:
                if character == ")" and open_groups:
                    self.closed.add(open_groups.pop())
                out.append(self._plain(character))
                self.position += 1
        return "".join(out)

    def _plain(self, character: str) -> str:
        if character == ".":
            return "." if self.dotall else r"[^\n\r]"
        if character == "^":
            return "^" if self.multiline else r"\A"
        if character == "$":
            return "$" if self.multiline else r"\Z"
        before = self.pattern[max(0, self.position - 2) : self.position]
        # Python's possessive quantifiers; XPath has none.
        if character == "+" and before[-1:] in ("+", "*", "?") and before[:1] != "\\":
            raise _bad(self.pattern, "a quantifier on a quantifier")
        return character

    def _escape(self, *, inside: bool) -> str:
        text = self.pattern
        following = text[self.position + 1 : self.position + 2]
        if following.isdigit() and following != "0" and not inside:
            end = self.position + 2
            while text[end : end + 1].isdigit() and int(text[self.position + 1 : end + 1]) <= self.groups:
                end += 1
            number = int(text[self.position + 1 : end])
            if number not in self.closed:
                raise _bad(text, f"there is no group {number} before its reference")
            self.position = end
            return f"(?:\\{number})"
        if following not in _ESCAPES or not following:
            raise _bad(text, f"\\{following} is no escape")
        self.position += 2
        if following in "pP":
            end = text.find("}", self.position)
            if not text.startswith("{", self.position) or end < 0:
                raise _bad(text, f"\\{following} needs {{...}}")
            name = text[self.position + 1 : end]
            self.position = end + 1
            # A block is \p{IsName} here and \p{InName} there.
            name = "In" + name[2:] if name.startswith("Is") else name
            return f"\\{following}{{{name}}}"
        if following in "iIcC":
            body = _NAME_START if following in "iI" else _NAME_PART
            negated = "^" if following in "IC" else ""
            return f"[{negated}{body}]"
        if following == "d":
            return r"\p{Nd}"
        if following == "D":
            return r"\P{Nd}"
        if following in "wW":
            # Everything but punctuation, separators and others (XML Schema, F.1.1).
            return r"[^\p{P}\p{Z}\p{C}]" if following == "w" else r"[\p{P}\p{Z}\p{C}]"
        if following == "s":
            return r"[ \t\n\r]"
        if following == "S":
            return r"[^ \t\n\r]"
        return "\\" + following

    def _class(self) -> str:
        """A bracket expression, with ``-[...]`` as the difference it stands for."""
        text = self.pattern
        self.position += 1
        negated = text.startswith("^", self.position)
        self.position += negated
        parts: list[str] = []
        while True:
            if self.position >= len(text):
                raise _bad(text, "a class does not end")
            character = text[self.position]
            if character == "]":
                self.position += 1
                if not parts:
                    raise _bad(text, "an empty class")
                return f"[{'^' if negated else ''}{''.join(parts)}]"
            if text.startswith("-[", self.position) and parts:
                self.position += 1
                removed = self._class()
                if not text.startswith("]", self.position):
                    raise _bad(text, "a subtraction must end its class")
                self.position += 1
                return f"[[{'^' if negated else ''}{''.join(parts)}]--{removed}]"
            if character == "[":
                raise _bad(text, "[ within a class must be escaped")
            if character == "\\":
                parts.append(self._escape(inside=True))
            else:
                # && || ~~ -- are operators to the regex module.
                parts.append("\\" + character if character in "&|~" else character)
                self.position += 1


@lru_cache(maxsize=1024)
def compiled(pattern: str, flags: str) -> Any:
    """The pattern as a compiled ``regex``; raises Unanswerable where it is none."""
    known = 0
    for flag in flags:
        if flag not in _FLAGS:
            raise Unanswerable(f"{flag!r} is no flag of a regular expression")
        known |= _FLAGS[flag]
    try:
        if "q" in flags:
            return regex.compile(regex.escape(pattern, special_only=True), known & regex.IGNORECASE)
        return regex.compile(_Translator(pattern, flags).translate(), known | regex.V1)
    except (regex.error, OverflowError, RecursionError) as error:
        raise _bad(pattern, str(error)) from error


def search(pattern: Any, text: str) -> Any:
    """The first match; raises FeelLimitError after a second of trying."""
    try:
        return pattern.search(text, timeout=TIMEOUT)
    except TimeoutError:
        raise FeelLimitError("a regular expression took more than a second") from None


def _template(pattern: str, groups: int, replacement: str) -> list[str | int]:
    """A replacement in parts: text and group numbers (``$1``; ``\\$`` and ``\\\\`` are themselves)."""
    parts: list[str | int] = []
    position = 0
    while position < len(replacement):
        character = replacement[position]
        following = replacement[position + 1 : position + 2]
        if character == "\\":
            if following not in ("\\", "$") or not following:
                raise _bad(pattern, "a backslash of the replacement must precede \\ or $")
            parts.append(following)
            position += 2
        elif character == "$":
            if not following.isdigit():
                raise _bad(pattern, "a $ of the replacement must precede a digit")
            end = position + 2
            while replacement[end : end + 1].isdigit() and int(replacement[position + 1 : end + 1]) <= groups:
                end += 1
            parts.append(int(replacement[position + 1 : end]))
            position = end
        else:
            parts.append(character)
            position += 1
    return parts


def replaced(text: str, pattern: str, replacement: str, flags: str) -> str:
    """``text`` with every match replaced; raises Unanswerable where a match may be empty."""
    expression = compiled(pattern, flags)
    if search(expression, "") is not None:
        raise _bad(pattern, "it matches the empty string")
    parts = [replacement] if "q" in flags else _template(pattern, expression.groups, replacement)

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

    try:
        return str(expression.sub(filled, text, timeout=TIMEOUT))
    except TimeoutError:
        raise FeelLimitError("a regular expression took more than a second") from None


def split_by(text: str, delimiter: str) -> list[str]:
    """The parts of a text between the matches of a pattern."""
    expression = compiled(delimiter, "")
    pieces = []
    start = 0
    try:
        for matched in expression.finditer(text, timeout=TIMEOUT):
            if matched.end() > matched.start():
                pieces.append(text[start : matched.start()])
                start = matched.end()
    except TimeoutError:
        raise FeelLimitError("a regular expression took more than a second") from None
    return [*pieces, text[start:]]
