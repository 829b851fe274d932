"""Syntax trees as text: ``unparse`` writes any tree, ``format`` lays a text out anew.

What is written reads back as the same tree (places aside) where the same names are in scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from . import syntax as ast
from .builtins import STANDARD
from .comments import Comments
from .errors import FeelSyntaxError
from .layout import LINE, SOFT, Doc, Group, Indent, rendered
from .lexer import tokens
from .name_parser import PROPERTIES
from .names import NameTable
from .parser import Parser
from .spelling import Word, in_backticks, key_text, number_text, string_text
from .types import ANY, Type

WIDTH = 100  # columns

# How tightly a node holds together; an ``instance of`` as an operand reads better in parentheses.
_ANY, _OR, _AND, _INSTANCE, _COMPARE, _ADD, _MULTIPLY, _POWER, _NEGATION, _STEP, _WHOLE = range(11)
_LEVELS: Mapping[type[ast.Node], int] = {
    ast.If: _ANY,
    ast.For: _ANY,
    ast.Quantified: _ANY,
    ast.FunctionLiteral: _ANY,
    ast.InstanceOf: _INSTANCE,
    ast.Comparison: _COMPARE,
    ast.Between: _COMPARE,
    ast.In: _COMPARE,
    ast.Negation: _NEGATION,
    ast.Path: _STEP,
    ast.Filter: _STEP,
    ast.Invocation: _STEP,
}
_OPERATORS = {"or": _OR, "and": _AND, "+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "**": _POWER}
_BUILTIN_NAMES = NameTable(STANDARD)
_NO_TYPES: Mapping[str, Type] = {}

Dialect = Literal["expression", "unary-tests"]


def format(
    text: str, *, names: Iterable[str] = (), dialect: Dialect = "expression", width: int = WIDTH
) -> str:
    """The text laid out anew: one space around operators, no needless parentheses, long parts in lines.

    ``names`` are those in scope, as for ``compile``. Comments are kept: before the part that they precede,
    or at the end. Raises FeelSyntaxError.
    """
    known = tuple(names)
    try:
        parser = Parser(text, known, _BUILTIN_NAMES, _NO_TYPES)
        node = parser.parse_unary_tests() if dialect == "unary-tests" else parser.parse_expression()
        return _written(node, Printer(known, _NO_TYPES, Comments(text, parser.tokens)), width)
    except RecursionError:
        raise FeelSyntaxError("nested too deeply", 1, 1, (), text) from None


def unparse(
    node: ast.Node, *, names: Iterable[str] = (), types: Mapping[str, Type] = _NO_TYPES, width: int = WIDTH
) -> str:
    """A syntax tree as text; ``names`` and ``types`` are those in scope.

    Raises ValueError for a name that FEEL cannot write (one with a backtick or a line break in it).
    """
    return _written(node, Printer(names, types, Comments("", ())), width)


def _written(node: ast.Node, printer: Printer, width: int) -> str:
    doc = printer.cell(node) if isinstance(node, ast.UnaryTests) else printer.expression(node)
    doc = Group((doc, printer.comments.rest()))
    while True:
        text, spots = rendered(doc, width)
        stream = tokens(text)
        places = {token.start: position for position, token in enumerate(stream)}
        words = [(spot, places.get(offset)) for offset, spot in spots.items() if isinstance(spot, Word)]
        misread = [word for word, position in words if word.misread(stream, position)]
        if not misread:
            return text
        for word in misread:
            word.text = word.alternative


class Printer:
    """Makes the layout of a tree. It keeps the same scopes as the parser does, in the same order."""

    def __init__(self, names: Iterable[str], types: Mapping[str, Type], comments: Comments) -> None:
        self.types = types
        self.comments = comments
        self.scopes: list[NameTable] = [NameTable(names)]

    # -- by precedence ----------------------------------------------------------------------------

    def expression(self, node: ast.Node, least: int = _ANY) -> Doc:
        """The node, in parentheses where it holds together less tightly than ``least``."""
        method: Callable[[Any], Doc] = getattr(self, f"_{type(node).__name__.lower()}")
        if _level(node) < least:
            return Group(("(", Indent((SOFT, method(node))), SOFT, ")"))
        if isinstance(node, _LEADING):
            return (self.comments.before(node.at), method(node))
        return method(node)

    def cell(self, node: ast.UnaryTests) -> Doc:
        """Unary tests as a text of their own."""
        if not node.tests:
            return "-"
        if node.negated:
            return Group(("not(", Indent((SOFT, self._tests(node.tests))), SOFT, ")"))
        first = node.tests[0]
        if len(node.tests) == 1 and isinstance(first, ast.Invocation) and first.positional:
            name = first.function
            if isinstance(name, ast.Name) and name.name == "not":
                return ("(", self.expression(first), ")")  # else it would be a negation of tests
        return Group(self._tests(node.tests))

    def _tests(self, tests: tuple[ast.Node, ...]) -> Doc:
        return self._separated(
            [partial(self._test, test) for test in tests], [_start(test) for test in tests]
        )

    def _test(self, node: ast.Node) -> Doc:
        if isinstance(node, ast.OperatorTest):
            return (self.comments.before(node.at), self._comparing(node))
        return self.expression(node)

    def _comparing(self, node: ast.OperatorTest) -> Doc:
        return (node.operator, " ", self.expression(node.operand, _ADD))

    def _separated(self, parts: Sequence[Callable[[], Doc]], starts: Sequence[int]) -> Doc:
        docs: list[Doc] = []
        for part, start in zip(parts, starts, strict=True):
            if docs:
                docs.append((",", self.comments.behind(start) or LINE))
            docs.append(part())
        return tuple(docs)

    # -- literals and names -----------------------------------------------------------------------

    def _literal(self, node: ast.Literal) -> Doc:
        value = node.value
        if value is None or isinstance(value, bool):
            text = "null" if value is None else str(value).lower()
            return Word(text, f"({text})", tuple(self.scopes))
        if isinstance(value, int | Decimal):
            return number_text(value)
        return string_text(value) if isinstance(value, str) else f'@"{value}"'

    def _unreadableliteral(self, node: ast.UnreadableLiteral) -> Doc:
        return f"@{string_text(node.text)}"

    def _name(self, node: ast.Name) -> Doc:
        return self._word(node.name)

    def _word(self, name: str, *, component: bool = False) -> Doc:
        """A name, in backticks where it would not be read as what it is."""
        quoted = in_backticks(name)
        if not self._reads_back(name, component):
            return quoted
        tables = (PROPERTIES, *self.scopes) if component else tuple(self.scopes)
        return Word(name, quoted, (_BUILTIN_NAMES, *tables))

    def _reads_back(self, name: str, component: bool) -> bool:
        try:
            parser = self._parser(name)
            if component:
                return parser.property_name() == name and parser.token.kind == "end"
            node = parser.parse_expression()
        except FeelSyntaxError:
            return False
        # These mean something else before what may follow them.
        special = parser.tokens[0].text == "external" or name == "function"
        return isinstance(node, ast.Name) and node.name == name and not special

    def _parser(self, text: str) -> Parser:
        parser = Parser(text, (), _BUILTIN_NAMES, self.types)
        parser.scopes = [NameTable(), *self.scopes]  # what is read here brings nothing into scope
        return parser

    def _binding(self, name: str, end: str) -> str:
        """A name that is being introduced, before ``end``."""
        try:
            parser = self._parser(f"{name} {end}")
            if parser.binding(end) == name and parser.at(end):
                parser.advance()
                if parser.token.kind == "end":
                    return name
        except FeelSyntaxError:
            pass
        return in_backticks(name)

    # -- operators --------------------------------------------------------------------------------

    def _negation(self, node: ast.Negation) -> Doc:
        return ("-", self.expression(node.operand, _NEGATION))

    def _arithmetic(self, node: ast.Arithmetic) -> Doc:
        tighter = _level(node) + 1
        first = self.expression(node.first, tighter)
        rest = [
            (LINE, operator, " ", self.expression(operand, tighter)) for operator, operand, _ in node.rest
        ]
        return Group((first, Indent(tuple(rest))))

    def _logic(self, node: ast.Logic) -> Doc:
        tighter = _level(node) + 1
        docs: list[Doc] = [self.expression(node.operands[0], tighter)]
        docs.extend((LINE, node.operator, " ", self.expression(part, tighter)) for part in node.operands[1:])
        return Group(tuple(docs))

    def _comparison(self, node: ast.Comparison) -> Doc:
        left = self.expression(node.left, _COMPARE)
        return Group((left, " ", node.operator, Indent((LINE, self.expression(node.right, _ADD)))))

    def _between(self, node: ast.Between) -> Doc:
        value = self.expression(node.value, _COMPARE)
        low = self.expression(node.low, _ADD)
        high = self.expression(node.high, _ADD)
        return Group((value, Indent((LINE, "between ", low, LINE, "and ", high))))

    def _in(self, node: ast.In) -> Doc:
        value = self.expression(node.value, _COMPARE)
        tests = node.tests.tests
        if len(tests) == 1 and not isinstance(tests[0], ast.OperatorTest):
            return (value, " in ", self.expression(tests[0], _ADD))
        return Group((value, " in (", Indent((SOFT, self._tests(tests))), SOFT, ")"))

    def _instanceof(self, node: ast.InstanceOf) -> Doc:
        return (self.expression(node.value, _NEGATION), " instance of ", self._type(node.type))

    def _operatortest(self, node: ast.OperatorTest) -> Doc:
        return ("(", self._comparing(node), ")")

    # -- steps ------------------------------------------------------------------------------------

    def _path(self, node: ast.Path) -> Doc:
        names = []
        start: ast.Node = node
        while isinstance(start, ast.Path):
            names.append(start.name)
            start = start.source
        source = self.expression(start, _STEP)
        return (source, *((".", self._word(name, component=True)) for name in reversed(names)))

    def _filter(self, node: ast.Filter) -> Doc:
        source = self.expression(node.source, _STEP)
        self.scopes.append(NameTable(("item",)))
        predicate = self.expression(node.predicate)
        self.scopes.pop()
        return Group((source, "[", Indent((SOFT, predicate)), SOFT, "]"))

    def _invocation(self, node: ast.Invocation) -> Doc:
        function = self.expression(node.function, _STEP)
        arguments = [partial(self.expression, argument) for argument in node.positional]
        arguments += [partial(self._entry, self._binding(name, ":"), value) for name, value in node.named]
        if not arguments:
            return (function, "()")
        starts = [_start(argument) for argument in (*node.positional, *(value for _, value in node.named))]
        return Group((function, "(", Indent((SOFT, self._separated(arguments, starts))), SOFT, ")"))

    # -- structures -------------------------------------------------------------------------------

    def _listliteral(self, node: ast.ListLiteral) -> Doc:
        if not node.items:
            return "[]"
        return Group(("[", Indent((SOFT, self._tests(node.items))), SOFT, "]"))

    def _rangeliteral(self, node: ast.RangeLiteral) -> Doc:
        low, high = self.expression(node.low, _ADD), self.expression(node.high, _ADD)
        return ("[" if node.low_included else "(", low, "..", high, "]" if node.high_included else ")")

    def _contextliteral(self, node: ast.ContextLiteral) -> Doc:
        if not node.entries:
            return "{}"
        table = NameTable()
        self.scopes.append(table)
        entries = [partial(self._named, table, key, value) for key, value in node.entries]
        starts = [_start(value) for _, value in node.entries]
        doc = Group(("{", Indent((SOFT, self._separated(entries, starts))), SOFT, "}"))
        self.scopes.pop()
        return doc

    def _named(self, table: NameTable, key: str, value: ast.Node) -> Doc:
        """An entry of a context, whose key is in scope for those after it."""
        if isinstance(value, ast.FunctionLiteral):
            table.add(key)
        doc = self._entry(key_text(key), value)
        table.add(key)
        self.scopes[0].add(key)
        return doc

    def _entry(self, key: str, value: ast.Node) -> Doc:
        return (self.comments.before(_start(value)), key, ": ", self.expression(value))

    # -- words ------------------------------------------------------------------------------------

    def _if(self, node: ast.If) -> Doc:
        docs: list[Doc] = []
        last: ast.Node = node
        word = "if "
        while isinstance(last, ast.If):
            condition, then = self.expression(last.condition), self.expression(last.then)
            docs.append((word, Indent(condition), " then", Indent((LINE, then)), LINE))
            last, word = last.otherwise, "else if "
        return Group((*docs, "else", Indent((LINE, self.expression(last)))))

    def _iterating(self, word: str, node: ast.For | ast.Quantified, table: NameTable) -> Doc:
        docs: list[Doc] = []
        for name, source, end in node.iterators:
            over = self.expression(source) if end is None else self.expression(source, _ADD)
            to: Doc = () if end is None else ("..", self.expression(end, _ADD))
            docs.append((self._binding(name, "in"), " in ", over, to))
            table.add(name)
        rest = tuple((",", LINE, doc) for doc in docs[1:])
        return (word, " ", Indent((docs[0], rest)), LINE)

    def _for(self, node: ast.For) -> Doc:
        table = NameTable()
        self.scopes.append(table)
        head = self._iterating("for", node, table)
        table.add("partial")
        body = self.expression(node.body)
        self.scopes.pop()
        return Group((head, "return ", Indent(body)))

    def _quantified(self, node: ast.Quantified) -> Doc:
        table = NameTable()
        self.scopes.append(table)
        head = self._iterating("every" if node.every else "some", node, table)
        condition = self.expression(node.condition)
        self.scopes.pop()
        return Group((head, "satisfies ", Indent(condition)))

    def _functionliteral(self, node: ast.FunctionLiteral) -> Doc:
        parameters = [
            self._binding(name, ")") if of is ANY else f"{self._binding(name, ':')}: {self._type(of)}"
            for name, of in node.parameters
        ]
        self.scopes.append(NameTable(name for name, _ in node.parameters))
        body = self.expression(node.body)
        self.scopes.pop()
        external = "external " if node.external else ""
        return (f"function({', '.join(parameters)}) {external}", body)

    def _type(self, of: Type) -> str:
        for name, known in self.types.items():
            if known is of:
                return name
        if of.label:
            return of.label
        if of.of is not None:
            return f"{of.name}<{self._type(of.of)}>"
        if of.fields:
            fields = [f"{self._binding(name, ':')}: {self._type(part)}" for name, part in of.fields]
            return f"context<{', '.join(fields)}>"
        if of.parameters is not None:
            return f"function<{', '.join(map(self._type, of.parameters))}> -> {self._type(of.result or ANY)}"
        return of.name


# Nodes whose place is their first token: comments go before these.
_LEADING = (
    *(ast.Literal, ast.Name, ast.Negation, ast.ListLiteral, ast.ContextLiteral, ast.RangeLiteral),
    *(ast.If, ast.For, ast.Quantified, ast.FunctionLiteral),
)


def _level(node: ast.Node) -> int:
    if isinstance(node, ast.Logic):
        return _OPERATORS[node.operator]
    if isinstance(node, ast.Arithmetic):
        return _OPERATORS[node.rest[0][0]]
    if isinstance(node, ast.Literal) and isinstance(node.value, int | Decimal) and node.value < 0:
        return _NEGATION
    return _LEVELS.get(type(node), _WHOLE)


def _start(node: ast.Node) -> int:
    """Where the node's first token stands, or the place of the first part of it that tells its own."""
    while not isinstance(node, _LEADING):
        if isinstance(node, ast.Logic):
            node = node.operands[0]
        elif isinstance(node, ast.Arithmetic):
            node = node.first
        elif isinstance(node, ast.Comparison):
            node = node.left
        elif isinstance(node, ast.Path | ast.Filter):
            node = node.source
        elif isinstance(node, ast.Invocation):
            node = node.function
        elif isinstance(node, ast.Between | ast.In | ast.InstanceOf):
            node = node.value
        else:
            break
    return node.at
