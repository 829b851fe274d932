"""Reading boxed expressions (DMN 1.5, 10.2) from a DMN document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree

from towpath.feel.errors import FeelError
from towpath.feel.expression import Expression
from towpath.feel.names import normalized
from towpath.feel.types import ANY, Type

from . import boxed
from .graph import Knowledge
from .item_types import ItemTypes, child, children, local
from .table_reader import TableReader
from .unbound import unbound

Names = frozenset[str]
Report = Callable[..., None]

_EXPRESSIONS = (
    "literalExpression",
    "decisionTable",
    "context",
    "list",
    "relation",
    "functionDefinition",
    "invocation",
    "conditional",
    "for",
    "some",
    "every",
    "filter",
)
# A table's own type is left to its variable: editors write a rule's or all rules' type.
_UNTYPED = ("literalExpression", "functionDefinition", "decisionTable")
_WORD = re.compile(r"\w+")
_KINDS = {"F": "FEEL", "J": "Java", "P": "PMML"}  # as DMN 1.1's editors wrote them


@dataclass(slots=True)
class Called:
    """An invocation of something by its name, to be checked once all is read."""

    node: etree._Element
    name: str
    bindings: tuple[str, ...]


class BoxedReader:
    """Reads the expressions of one document.

    ``report`` takes faults, ``syntax`` those of FEEL text, ``missing`` the names that a text reads in
    vain. ``vocabulary`` are the names that values of the model have inside. ``calls`` and ``unread``
    (texts that are no FEEL) gather what was met since they were last set.
    """

    def __init__(
        self,
        report: Report,
        syntax: Callable[[etree._Element, FeelError], None],
        missing: Callable[[etree._Element, Names, Names], None],
        types: ItemTypes,
        vocabulary: Names,
        language: str | None,
    ) -> None:
        self.report = report
        self.syntax = syntax
        self.missing = missing
        self.types = types
        self.vocabulary = vocabulary
        self.language = language
        self.calls: list[Called] = []
        self.unread = 0
        self._in_filters = 0
        self._starts: dict[Names, list[tuple[str, str]]] = {}
        # Cells of tables repeat themselves, and what is compiled may be shared.
        self._compiled: dict[tuple[str, Names, str], Expression] = {}

    def type_of(self, node: etree._Element | None) -> Type:
        return ANY if node is None else self.types.required(node.get("typeRef"), node)

    # -- texts ----------------------------------------------------------------------------------------

    def feel(
        self,
        node: etree._Element,
        names: Names,
        dialect: Literal["expression", "unary-tests"] = "expression",
    ) -> Expression | None:
        """The compiled ``text`` of a node; None where there is none, and null where it is no FEEL."""
        text = child(node, "text")
        written = "" if text is None else (text.text or "")
        if text is None or not written.strip():
            return None
        if not self._is_feel(node):
            return Expression("null", (), dialect)
        key = (written, names, dialect)
        expression = self._compiled.get(key)
        if expression is None:
            try:
                expression = Expression(
                    written,
                    self._told_in(written, names),
                    dialect,
                    types=self.types.named if "instance" in written or "function" in written else {},
                    vocabulary=self._told_in(written, self.vocabulary),
                )
            except FeelError as error:
                self.unread += 1
                self.syntax(text, error)
                return Expression("null", (), dialect)
            self._compiled[key] = expression
        if not self._in_filters:
            unknown = unbound(expression) - names - self.vocabulary
            if unknown:
                self.missing(text, unknown, names)
        return expression

    def _told_in(self, text: str, names: Names) -> list[str]:
        """The names that may occur in a text.

        The parser looks at all it is given; a table of a thousand rules may have a thousand names in scope.
        """
        starts = self._starts.get(names)
        if starts is None:
            starts = self._starts[names] = [(_start(name), name) for name in names]
        return [name for start, name in starts if start in text]

    def _is_feel(self, node: etree._Element) -> bool:
        language = node.get("expressionLanguage") or self.language
        if not language or "feel" in language.lower():
            return True
        self.unread += 1
        self.report("language", f"the expression language {language} is not FEEL", node, "Write it in FEEL.")
        return False

    # -- expressions ----------------------------------------------------------------------------------

    def expression_in(self, node: etree._Element, names: Names) -> boxed.Boxed | None:
        """The expression that a node holds, or None."""
        found = children(node, *_EXPRESSIONS)
        return self.expression(found[0], names) if found else None

    def required(self, node: etree._Element | None, names: Names, owner: etree._Element) -> boxed.Boxed:
        found = None if node is None else self.expression_in(node, names)
        if found is None:
            self.report(
                "expression",
                f"a part of {local(owner)} has no expression",
                owner,
                "Fill it in, or remove it.",
            )
            return boxed.Unreadable("there is no expression")
        return found

    def expression(self, node: etree._Element, names: Names) -> boxed.Boxed:
        method: Any = getattr(self, f"_{local(node).lower()}")
        read: boxed.Boxed = method(node, names)
        read.element = _id_of(node)
        wanted = ANY if local(node) in _UNTYPED else self.type_of(node)
        if wanted is ANY:
            return read
        typed = boxed.Typed(read, wanted, read.kind)
        typed.element = read.element
        return typed

    def _literalexpression(self, node: etree._Element, names: Names) -> boxed.Boxed:
        if child(node, "importedValues") is not None:
            self.report("language", "imported values are not read", node, "Write the expression in FEEL.")
            return boxed.Unreadable("imported values are not read")
        unread = self.unread
        expression = self.feel(node, names)
        if self.unread > unread:
            return boxed.Unreadable("the expression is no FEEL")
        if expression is None:
            return boxed.Nothing()
        return boxed.LiteralExpression(expression, self.type_of(node))

    def _context(self, node: etree._Element, names: Names) -> boxed.Boxed:
        entries: list[tuple[str | None, boxed.Boxed, Type]] = []
        nodes = children(node, "contextEntry")
        seen: set[str] = set()
        for entry in nodes:
            variable = child(entry, "variable")
            name = _name(variable) or None
            function = children(entry, "functionDefinition")
            # A function may call itself.
            inner = names | {name} if name is not None and function else names
            found = self.required(entry, inner, entry)
            if name is None and entry is not nodes[-1]:
                self.report(
                    "context", "an entry without a name is not the last of its context", entry, "Name it."
                )
            elif name in seen:
                self.report("context", f"the entry {name!r} occurs twice", entry, "Rename one of them.")
            entries.append((name, found, self.type_of(variable)))
            if name is not None:
                names = names | {name}
                seen.add(name)
                if isinstance(found, boxed.FunctionDefinition):
                    found.name, found.recursive = name, True
                    if found.result is ANY and entries[-1][2].name == "function":
                        found.result = _result(entries[-1][2])
        return boxed.Context(entries)

    def _list(self, node: etree._Element, names: Names) -> boxed.Boxed:
        return boxed.ListOf([self.expression(item, names) for item in children(node, *_EXPRESSIONS)])

    def _relation(self, node: etree._Element, names: Names) -> boxed.Boxed:
        columns = [(_name(column), self.type_of(column)) for column in children(node, "column")]
        if len({name for name, _ in columns}) < len(columns):
            self.report("relation", "two columns of the relation have one name", node, "Rename one of them.")
        rows = []
        for number, row in enumerate(children(node, "row"), 1):
            cells = [self.expression(cell, names) for cell in children(row, *_EXPRESSIONS)]
            if len(cells) != len(columns):
                self.report(
                    "relation",
                    f"row {number} has {len(cells)} cells; the relation has {len(columns)} columns",
                    row,
                    "Give the row a cell for every column.",
                )
                cells = [*cells, *(boxed.Nothing() for _ in columns)][: len(columns)]
            rows.append(cells)
        return boxed.Relation(columns, rows)

    def _functiondefinition(self, node: etree._Element, names: Names) -> boxed.FunctionDefinition:
        parameters = tuple(
            (_name(parameter), self.type_of(parameter)) for parameter in children(node, "formalParameter")
        )
        if len({name for name, _ in parameters}) < len(parameters):
            self.report("function", "two parameters have one name", node, "Rename one of them.")
        kinds = [str(value) for key, value in node.attrib.items() if str(key).endswith("kind")]
        language = _KINDS.get(kinds[0], kinds[0]) if kinds else "FEEL"
        if language == "PMML":
            self.report(
                "function", "functions of kind PMML are not evaluated: null", node, severity="warning"
            )
        elif language not in _KINDS.values():
            self.report("function", f"there is no kind of function {language!r}", node, "Use FEEL or Java.")
        inner = names | {name for name, _ in parameters}
        body = self.required(node, inner, node)
        wanted = self.type_of(node)
        definition = boxed.FunctionDefinition(parameters, body, language, _result(wanted))
        definition.element = _id_of(node)
        return definition

    def knowledge(
        self, node: etree._Element, element: Knowledge, names: Names
    ) -> boxed.FunctionDefinition | None:
        """The function of a business knowledge model."""
        logic = child(node, "encapsulatedLogic")
        if logic is None:
            return None
        definition = self._functiondefinition(logic, names)
        definition.name = element.name
        # The variable's type is the function's (DMN 1.5) or its result's (before).
        result = _result(element.type)
        if result is not ANY:
            definition.result = result
        return definition

    def _invocation(self, node: etree._Element, names: Names) -> boxed.Boxed:
        bindings = []
        for binding in children(node, "binding"):
            parameter = child(binding, "parameter")
            found = self.expression_in(binding, names) or boxed.Nothing()
            bindings.append((_name(parameter), found, self.type_of(parameter)))
        literal = child(node, "literalExpression")
        text = None if literal is None else child(literal, "text")
        written = normalized("" if text is None else (text.text or ""))
        self.calls.append(Called(node, written, tuple(name for name, _, _ in bindings)))
        return boxed.Invocation(self.required(node, names, node), bindings)

    def _conditional(self, node: etree._Element, names: Names) -> boxed.Boxed:
        return boxed.Conditional(
            *(self.required(child(node, part), names, node) for part in ("if", "then", "else"))
        )

    def _for(self, node: etree._Element, names: Names) -> boxed.Boxed:
        variable = str(node.get("iteratorVariable") or "")
        if not variable:
            self.report("iterator", "the iterator has no variable", node, "Name it (iteratorVariable).")
        source = self.required(child(node, "in"), names, node)
        maps = local(node) == "for"
        returned = child(node, "return" if maps else "satisfies")
        inner = names | {variable} | ({"partial"} if maps else set())
        body = self.required(returned, inner, node)
        partial = maps and returned is not None and "partial" in "".join(map(str, returned.itertext()))
        return boxed.Iterator(local(node), variable, source, body, partial)

    _some = _every = _for

    def _filter(self, node: etree._Element, names: Names) -> boxed.Boxed:
        source = self.required(child(node, "in"), names, node)
        self._in_filters += 1
        match = self.required(child(node, "match"), names | {"item"}, node)
        self._in_filters -= 1
        return boxed.Filter(source, match)

    def _decisiontable(self, node: etree._Element, names: Names) -> boxed.Boxed:
        return TableReader(self).table(node, names)


def _start(name: str) -> str:
    """What a text must hold in order to hold a name."""
    found = _WORD.match(name)
    return name[:1] if found is None else found[0]


def _name(node: etree._Element | None) -> str:
    return "" if node is None else normalized(str(node.get("name") or ""))


def _id_of(node: etree._Element) -> str:
    """The id of an element, or of the next one outside that has one."""
    owner: etree._Element | None = node
    while owner is not None and not owner.get("id"):
        owner = owner.getparent()
    return "" if owner is None else str(owner.get("id"))


def _result(wanted: Type) -> Type:
    """What a function answers, whose type, or whose result's type, is given."""
    return (wanted.result or ANY) if wanted.name == "function" else wanted


__all__ = ["BoxedReader", "Called", "Names"]
