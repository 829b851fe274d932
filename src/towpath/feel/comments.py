"""The comments of a text, which its syntax tree does not hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .layout import HARD, Doc
from .lexer import Token

_COMMENT = re.compile(r"//[^\n\r]*|/\*.*?\*/", re.DOTALL)


class _Comment(NamedTuple):
    start: int
    text: str
    trailing: bool  # behind something and the last in its line


class Comments:
    """The comments of a text in their order; each is handed out once."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._pending: list[_Comment] = []
        begin = Token("end", "", 0, 0)
        for before, following in pairwise((begin, *tokens)):
            gap = text[before.end : following.start]
            for found in _COMMENT.finditer(gap):
                behind = before is not begin and "\n" not in gap[: found.start()]
                last = found[0].startswith("//") or gap[found.end() :].lstrip(" \t\r").startswith("\n")
                self._pending.append(_Comment(before.end + found.start(), found[0].rstrip(), behind and last))
        self._pending.reverse()

    def before(self, offset: int) -> Doc:
        """The comments that stand before ``offset``, each followed by a space or a line break."""
        docs: list[Doc] = []
        while self._pending and self._pending[-1].start < offset:
            text = self._pending.pop().text
            docs.append((text, HARD if text.startswith("//") or "\n" in text else " "))
        return tuple(docs)

    def behind(self, offset: int) -> Doc:
        """The comments before ``offset`` that say something about what stands before them in their line."""
        docs: list[Doc] = []
        while self._pending and self._pending[-1].start < offset and self._pending[-1].trailing:
            docs.append((" ", self._pending.pop().text))
        return (*docs, HARD) if docs else ()

    def rest(self) -> Doc:
        """All that are left, for the end of the text."""
        docs: list[Doc] = []
        gap: Doc = " "
        while self._pending:
            text = self._pending.pop().text
            docs.append((gap, text))
            gap = HARD if text.startswith("//") else " "
        return tuple(docs)
