"""Names in FEEL text: those in scope, and those that the text introduces (DMN 1.5, 10.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterable

from .names import NameTable, normalized
from .token_stream import TokenStream

# Words that end a run of words which nothing in scope explains.
STOP = frozenset({"and", "or", "between", "in", "instance", "then", "else", "return", "satisfies"})
_PROPERTIES = NameTable(("time offset", "start included", "end included"))


class NameParser(TokenStream):
    """The part of the parser that reads names; ``scopes`` are the names in scope, innermost last."""

    def __init__(self, text: str, names: Iterable[str], builtins: NameTable) -> None:
        super().__init__(text)
        self.builtins = builtins
        self.scopes: list[NameTable] = [NameTable(names)]

    def known(self, tables: Iterable[NameTable]) -> tuple[str, int] | None:
        best: tuple[str, int] | None = None
        for table in tables:
            found = table.match(self.tokens, self.position)
            if found is not None and (best is None or found[1] >= best[1]):
                best = found
        return best

    def name_here(self, *extra: NameTable) -> tuple[str, int]:
        """The name that starts here and how many tokens it takes."""
        known = self.known((*extra, self.builtins, *self.scopes))
        end = self.position + 1
        while self.tokens[end].kind == "name" and self.tokens[end].text not in STOP:
            end += 1
        if known is not None and known[1] >= end - self.position:
            return known
        return self.source(self.position, end), end - self.position

    def property_name(self) -> str:
        token = self.token
        if token.kind == "quoted":
            self.position += 1
            return token.text[1:-1]
        if token.kind != "name":
            raise self.error("a name")
        name, length = self.name_here(_PROPERTIES)
        self.position += length
        return name

    def binding(self, *ends: str) -> str:
        """A name that is being introduced: everything up to one of ``ends``."""
        first = self.position
        if self.token.kind == "quoted":
            return self.advance().text[1:-1]
        if self.token.kind != "name":
            raise self.error("a name")
        while self.token.kind != "end" and self.token.text not in ends:
            if self.token.kind in ("string", "at", "quoted") or self.token.text in (
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
            ):
                break
            self.position += 1
        if self.token.text not in ends:
            raise self.error(*ends)
        return self.source(first, self.position)

    def argument_name(self) -> str | None:
        """``name:`` if that is what stands here, consumed."""
        end = self.position
        while self.tokens[end].kind in ("name", "number") or self.tokens[end].text in (
            "-",
            "'",
            "/",
            "+",
            "*",
        ):
            end += 1
        if end == self.position or self.tokens[end].text != ":" or self.token.kind != "name":
            return None
        name = self.source(self.position, end)
        self.position = end + 1
        return name

    def source(self, first: int, end: int) -> str:
        """The text of the tokens from ``first`` up to ``end``, as a name."""
        return normalized(self.text[self.tokens[first].start : self.tokens[end - 1].end])
