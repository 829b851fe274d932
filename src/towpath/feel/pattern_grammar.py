"""The grammar of XPath 3.1's regular expressions, read and written anew for the ``regex`` module.

It is that of XML Schema, part 2, appendix F, with the additions of XPath Functions and Operators 3.1,
5.6.1: reluctant quantifiers, anchors, groups that do not capture, references back to groups, and the
flags s, m, i and x. What the grammar does not know is refused, even where Python would take it.
"""

from __future__ import annotations

import re

from .errors import Unanswerable
from .sizes import shortened

MAX_REPEAT = 1_000_000
MAX_LENGTH = 100_000  # of a pattern with a{3} written as aaa, which is how it is compiled

_QUANTITY = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_CATEGORY = re.compile(r"L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?")
_BLOCK = re.compile(r"Is([A-Za-z0-9-]+)")
_SPACE = " \t\n\r"

_NAME_START = (
    r":A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
# Escapes that stand for several characters, as the inside of a class, and their opposites. A word
# character is everything but punctuation, separators and others (XML Schema, F.1.1).
_INSIDE = {
    "s": r" \t\n\r",
    "d": r"\p{Nd}",
    "i": _NAME_START,
    "c": _NAME_START + r"\-.0-9\u00B7\u0300-\u036F\u203F-\u2040",
    "W": r"\p{P}\p{Z}\p{C}",
}
_SINGLE = frozenset("nrt\\|.?*+(){}-[]^$")
_PRIVATE_USE = r"\uE000-\uF8FF\U000F0000-\U000FFFFD\U00100000-\U0010FFFD"


def misunderstood(pattern: str, why: str) -> Unanswerable:
    return Unanswerable(f"the pattern {shortened(pattern)} is not understood: {why}")


def _without_space(pattern: str) -> str:
    """The flag x: white space is taken out before anything else, save within classes."""
    kept: list[str] = []
    depth = 0
    escaped = False
    for character in pattern:
        if not depth and character in _SPACE:
            continue
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            depth = max(0, depth + (character == "[") - (character == "]"))
        kept.append(character)
    return "".join(kept)


class _Class:
    """A bracket expression while it is read: plain members, and parts that need a pattern of their own."""

    def __init__(self, negated: bool) -> None:
        self.negated = negated
        self.members: list[str] = []
        self.parts: list[str] = []
        self.removed: str | None = None

    def written(self) -> str:
        if not self.parts:
            found = f"[{'^' if self.negated else ''}{''.join(self.members)}]"
        else:
            members = [f"[{''.join(self.members)}]"] if self.members else []
            found = f"(?:{'|'.join([*members, *self.parts])})"
            if self.negated:
                found = f"(?:(?!{found})(?s:.))"
        return found if self.removed is None else f"(?:(?!{self.removed}){found})"


class Translator:
    """Writes a pattern for the ``regex`` module, version 0 (whose folding of case is by character)."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.text = _without_space(pattern) if "x" in flags else pattern
        self.flags = flags
        self.position = 0
        self.groups = 0
        self.closed: set[int] = set()

    def bad(self, why: str) -> Unanswerable:
        return misunderstood(self.text, why)

    def next(self) -> str:
        """The character at the position ("" at the end), which is left behind."""
        self.position += 1
        return self.text[self.position - 1 : self.position]

    def translate(self) -> str:
        out: list[str] = []
        open_groups: list[int] = []
        atom = 0  # the length of what stands before, once written out, and may be repeated
        lengths = [0]  # of each open group, written out
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in "?*+{":
                if not atom:
                    raise self.bad(f"{character} has nothing to repeat")
                written, times = self._quantifier()
                lengths[-1] += atom * (times - 1)
                if lengths[-1] > MAX_LENGTH:
                    raise self.bad(f"its repetitions make more than {MAX_LENGTH} characters")
                out.append(written)
                atom = 0
                continue
            if character == "(":
                out.append(self._group(open_groups))
                lengths.append(1)
                atom = 0
                continue
            if character == ")":
                if not open_groups:
                    raise self.bad(") closes nothing")
                self.closed.add(open_groups.pop())
                out.append(self.next())
                atom = lengths.pop()
                lengths[-1] += atom
                continue
            atom = 1
            lengths[-1] += 1
            if character == "\\":
                out.append(self._escape())
            elif character == "[":
                out.append(self._class())
            else:
                out.append(self._character(self.next()))
                atom = int(character != "|")
        if open_groups:
            raise self.bad("a ( is not closed")
        return "".join(out)

    def _group(self, open_groups: list[int]) -> str:
        self.next()
        if self.text.startswith("?", self.position):
            if not self.text.startswith("?:", self.position):
                raise self.bad("(? must be (?:")
            self.position += 2
            open_groups.append(0)
            return "(?:"
        self.groups += 1
        open_groups.append(self.groups)
        return "("

    def _quantifier(self) -> tuple[str, int]:
        """A quantifier, and how often what it repeats will be written out when it is compiled."""
        times = 1
        if self.text[self.position] != "{":
            written = self.next()
        else:
            quantity = _QUANTITY.match(self.text, self.position)
            if quantity is None:
                raise self.bad("{ must be followed by numbers as in {2}, {2,} or {2,3}")
            least, ranged, most = quantity.groups()
            if max(len(least), len(most or "")) > 7 or int(most or least) > MAX_REPEAT:
                raise self.bad(f"more than {MAX_REPEAT} repetitions")
            if most and int(least) > int(most):
                raise self.bad(f"{quantity[0]} ends before it begins")
            self.position = quantity.end()
            times = max(1, int(least))
            written = f"{{{int(least)}{',' if ranged else ''}{int(most) if most else ''}}}"
        return written + (self.next() if self.text.startswith("?", self.position) else ""), times

    def _character(self, character: str) -> str:
        if character == ".":
            return "(?s:.)" if "s" in self.flags else r"[^\n\r]"
        if character == "^":
            # A newline that ends the text begins no line.
            return r"(?:\A|(?<=\n)(?!\Z))" if "m" in self.flags else r"(?:\A)"
        if character == "$":
            return r"(?:\Z|(?=\n))" if "m" in self.flags else r"(?:\Z)"
        if character in "]}":
            raise self.bad(f"{character} must be escaped")
        return character

    def _escape(self) -> str:
        """An escape outside of classes."""
        self.next()
        following = self.next()
        if following.isascii() and following.isdigit() and following != "0":
            return self._reference(int(following))
        if following and following in _SINGLE:
            return "\\" + following
        made = _Class(False)
        self._member(made, following)
        return made.written()

    def _reference(self, number: int) -> str:
        """A reference to a group; as many digits count as still name one."""
        while (digit := self.text[self.position : self.position + 1]).isdigit() and digit.isascii():
            if number * 10 + int(digit) > self.groups:
                break
            number = number * 10 + int(digit)
            self.position += 1
        if number not in self.closed:
            raise self.bad(f"there is no group {number} before its reference")
        return rf"(?:(?({number})\{number}|))"  # a group that took no part is empty

    def _member(self, made: _Class, following: str) -> None:
        """An escape that stands for a set of characters becomes part of a class."""
        if following and following in "pP":
            body = self._property(following)
            if "i" in self.flags:  # which has no bearing on properties
                made.parts.append(f"(?-i:[{body}])")
            else:
                made.members.append(body)
        elif following == "D":
            made.members.append(r"\P{Nd}")
        elif following in _INSIDE:
            made.members.append(_INSIDE[following])
        elif following and following in "SICw":
            opposite = "W" if following == "w" else following.lower()
            made.parts.append(f"[^{_INSIDE[opposite]}]")
        else:
            raise self.bad(f"\\{following} is no escape")

    def _property(self, escape: str) -> str:
        end = self.text.find("}", self.position)
        if not self.text.startswith("{", self.position) or end < 0:
            raise self.bad(f"\\{escape} needs {{...}}")
        name = self.text[self.position + 1 : end]
        self.position = end + 1
        if _CATEGORY.fullmatch(name):
            return f"\\{escape}{{{name}}}"
        block = _BLOCK.fullmatch(name)
        if block is None:
            raise self.bad(f"{name!r} is neither a category of characters nor a block")
        if name == "IsPrivateUse":  # the regex module has but its first part
            if escape == "P":
                raise self.bad(r"\P{IsPrivateUse} is written [^\p{IsPrivateUse}]")
            return _PRIVATE_USE
        return f"\\{escape}{{In{block[1]}}}"

    def _class(self) -> str:
        """A bracket expression, with ``-[...]`` as the difference it stands for."""
        self.next()
        made = _Class(self.text.startswith("^", self.position))
        self.position += made.negated
        while True:
            character = self.next()
            if not character:
                raise self.bad("a class does not end")
            empty = not made.members and not made.parts
            if character == "]":
                if empty:
                    raise self.bad("an empty class")
                return made.written()
            if character == "[":
                raise self.bad("[ within a class must be escaped")
            if character == "-" and self.text.startswith("[", self.position) and not empty:
                made.removed = self._class()
                if self.next() != "]":
                    raise self.bad("a subtraction must end its class")
                return made.written()
            if character == "\\":
                following = self.next()
                if not following or following not in _SINGLE:
                    self._member(made, following)
                    continue
                character = "\\" + following
            made.members.append(self._range(character))

    def _range(self, first: str) -> str:
        """A single character of a class, or the range that it begins."""
        following = self.text[self.position + 1 : self.position + 2]
        if not self.text.startswith("-", self.position) or following in ("", "]", "["):
            return _literal(first)
        self.next()
        last = self.next()
        if last == "\\":
            last += self.next()
            if len(last) < 2 or last[1] not in _SINGLE:
                raise self.bad(f"{last} is no end of a range")
        if _meant(first) > _meant(last):
            raise self.bad(f"the range {first}-{last} is backwards")
        return f"{_literal(first)}-{_literal(last)}"


_CONTROL = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}


def _meant(written: str) -> str:
    """The character that a character or an escape of one is."""
    return _CONTROL.get(written, written[-1])


def _literal(written: str) -> str:
    """A character for the inside of a class; what could be an operator there is escaped."""
    character = _meant(written)
    return character if character.isalnum() or not character.isascii() else f"\\x{ord(character):02x}"
