"""Names in FEEL text: those in scope, and those that the text introduces (DMN 1.5, 10.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterable

from .names import NameTable, spelled
from .token_stream import TokenStream

# Words that end a run of words which nothing in scope explains.
STOP = frozenset({"and", "or", "between", "in", "instance", "then", "else", "return", "satisfies"})
PROPERTIES = NameTable(("time offset", "start included", "end included"))
# Rule 30: the symbols that may stand in names (two of them may look like one token).
_IN_NAMES = frozenset({"-", "'", "/", "+", "*", "**", "."})


class NameParser(TokenStream):
    """The part of the parser that reads names; ``scopes`` are the names in scope, innermost last."""

    def __init__(self, text: str, names: Iterable[str], builtins: NameTable) -> None:
        super().__init__(text)
        self.builtins = builtins
        self.scopes: list[NameTable] = [NameTable(names)]

    def known(self, tables: Iterable[NameTable]) -> tuple[str, int] | None:
        """The longest name of these tables that starts here, and how many tokens it takes."""
        best: tuple[str, int] | None = None
        stream, position = self.tokens, self.position
        for table in tables:
            found = table.match(stream, position)
            if found is not None and (best is None or found[1] >= best[1]):
                best = found
        return best

    def name_here(self, *extra: NameTable) -> tuple[str, int]:
        """The name that starts here and how many tokens it takes: a known one, or a run of words."""
        known = self.known((*extra, self.builtins, *self.scopes))
        first = end = self.position
        tokens = self.tokens
        while True:
            end += 1
            token = tokens[end]
            if token.kind != "name" or token.text in STOP:
                break
        if known is not None and known[1] >= end - first:
            return known
        return spelled(tokens[first:end]), end - first

    def property_name(self) -> str:
        token = self.tokens[self.position]
        if token.kind == "quoted":
            self.position += 1
            return token.text[1:-1]
        if token.kind != "name":
            raise self.error("a name")
        name, length = self.name_here(PROPERTIES)
        self.position += length
        return name

    def binding(self, *ends: str) -> str:
        """A name that is being introduced: everything up to one of ``ends``."""
        first = self.position
        if self.token.kind == "quoted":
            return self.advance().text[1:-1]
        if self.token.kind != "name":
            raise self.error("a name")
        self.position += 1  # a name may begin with what ends others
        while (token := self.token).text not in ends:
            if token.kind not in ("name", "number") and token.text not in _IN_NAMES:
                raise self.error(*ends)
            self.position += 1
        return spelled(self.tokens[first : self.position])

    def argument_name(self) -> str | None:
        """``name:`` if that is what stands here, consumed."""
        first = end = self.position
        tokens = self.tokens
        if tokens[end].kind == "quoted":
            end += 1
        elif tokens[end].kind == "name":
            while tokens[end].kind in ("name", "number") or tokens[end].text in _IN_NAMES:
                end += 1
        if end == first or tokens[end].text != ":":
            return None
        self.position = end + 1
        name = spelled(tokens[first:end])
        return name[1:-1] if tokens[first].kind == "quoted" else name
