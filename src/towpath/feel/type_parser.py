"""Types in FEEL text: ``instance of`` and the parameters of functions (DMN 1.5, rules 51 to 56)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .name_parser import STOP, NameParser
from .names import NameTable, spelled
from .types import SIMPLE, Type, unknown_type

_SIMPLE_NAMES = NameTable(SIMPLE)


class TypeParser(NameParser):
    """The part of the parser that reads types."""

    def __init__(
        self, text: str, names: Iterable[str], builtins: NameTable, types: Mapping[str, Type]
    ) -> None:
        super().__init__(text, names, builtins)
        self.types = types
        self.type_names = NameTable(types)

    def type(self) -> Type:
        self.deeper()
        found = self._type()
        self.depth -= 1
        return found

    def _type(self) -> Type:
        """A simple, generic or named type. An unknown name is a type that nothing is of."""
        if self.tokens[self.position].kind != "name":
            raise self.error("a type")
        word = self.tokens[self.position].text
        generic = self.tokens[self.position + 1].text == "<"
        if generic and word in ("list", "range"):
            self.position += 2
            element = self.type()
            self.expect(">")
            return Type(word, of=element)
        if generic and word == "context":
            self.position += 2
            return self._context_type()
        if generic and word == "function":
            self.position += 2
            return self._function_type()
        best = self.known((_SIMPLE_NAMES, self.type_names))
        if best is not None:
            self.position += best[1]
            return self.types.get(best[0]) or SIMPLE[best[0]]
        first = self.position
        self.position += 1
        while True:
            token = self.tokens[self.position]
            dotted = token.text == "." and self.tokens[self.position + 1].kind == "name"
            if not dotted and (token.kind != "name" or token.text in STOP):
                break
            self.position += 2 if dotted else 1
        name = spelled(self.tokens[first : self.position])
        return unknown_type(name)

    def _context_type(self) -> Type:
        fields = []
        while True:
            name = self.binding(":")
            self.expect(":")
            fields.append((name, self.type()))
            if not self.accept(","):
                break
        self.expect(">")
        return Type("context", fields=tuple(fields))

    def _function_type(self) -> Type:
        parameters: list[Type] = []
        if not self.accept(">"):
            while True:
                parameters.append(self.type())
                if not self.accept(","):
                    break
            self.expect(">")
        self.expect("->")
        return Type("function", parameters=tuple(parameters), result=self.type())
