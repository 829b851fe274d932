"""The parser: text and the names in scope make a syntax tree (DMN 1.5, 10.3.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from . import syntax as ast
from .construct_parser import COMPARISONS, ConstructParser
from .errors import FeelSyntaxError, place
from .lexer import Token, unescape
from .name_parser import STOP
from .names import NameTable
from .temporal import parse_any
from .types import Type
from .values import DECIMAL, whole

MAX_DEPTH = 80  # nested expressions; each takes about seven Python frames here

# How tightly operators bind; all are left-associative.
_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER = range(1, 7)
_PRECEDENCE = {
    **dict.fromkeys(COMPARISONS, _COMPARE),
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
    "/": _MULTIPLY,
    "**": _POWER,
}
_WORD_PRECEDENCE = {"or": _OR, "and": _AND, "between": _COMPARE, "in": _COMPARE}
# After these, a `[` that could be a filter or the end of a range is the end of a range.
_AFTER_RANGE = frozenset(
    {")", "]", "}", ",", "=", "!=", "<", "<=", ">", ">=", "*", "/", "+", "**", "..", ":", "."}
)


class Parser(ConstructParser):
    """One pass over the tokens of ``text``; ``names`` and ``builtins`` are what is in scope."""

    def __init__(
        self, text: str, names: Iterable[str], builtins: NameTable, types: Mapping[str, Type]
    ) -> None:
        super().__init__(text, names, builtins, types)
        self._depth = 0

    # -- entry points ---------------------------------------------------------------------------

    def parse_expression(self) -> ast.Node:
        node = self.expression()
        if self.token.kind != "end":
            raise self.error("an operator", "the end of the expression")
        return node

    def parse_unary_tests(self) -> ast.UnaryTests:
        """``-``, ``not(tests)`` or tests separated by commas."""
        if self.at_symbol("-") and self.tokens[1].kind == "end":
            return ast.UnaryTests(0, ())
        if self.at_word("not") and self.tokens[1].text == "(":
            self.position = 2
            try:
                tests = self.positive_tests()
                self.expect(")")
            except FeelSyntaxError:
                tests = ()
            if tests and self.token.kind == "end":
                return ast.UnaryTests(0, tests, negated=True)
            self.position = 0
        tests = self.positive_tests()
        if self.token.kind != "end":
            raise self.error(",", "the end of the tests")
        return ast.UnaryTests(0, tests)

    # -- expressions, from loose to tight ---------------------------------------------------------

    def expression(self) -> ast.Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            line, column = place(self.text, self.token.start)
            raise FeelSyntaxError(f"nested more than {MAX_DEPTH} deep", line, column, (), self.text)
        saved, self.range_end = self.range_end, False
        node = self.binary(_OR)
        self.range_end = saved
        self._depth -= 1
        return node

    def binary(self, least: int) -> ast.Node:
        """Operands joined by operators that bind at least as tightly as ``least``."""
        left = self.unary()
        while True:
            token = self.token
            if token.kind == "symbol":
                binds = _PRECEDENCE.get(token.text, 0)
            elif token.kind == "name":
                binds = _WORD_PRECEDENCE.get(token.text, 0)
            else:
                return left
            if binds == 0 or binds < least:
                return left
            if binds == _COMPARE:
                left = self._comparison(left, token)
            elif binds < _COMPARE:
                operands = [left]
                while self.at_word(token.text):
                    self.position += 1
                    operands.append(self.binary(binds + 1))
                left = ast.Logic(token.start, token.text, tuple(operands))
            else:
                rest = []
                while self.token.kind == "symbol" and _PRECEDENCE.get(self.token.text) == binds:
                    operator = self.advance()
                    rest.append((operator.text, self.binary(binds + 1), operator.start))
                left = ast.Arithmetic(left.at, left, tuple(rest))

    def additive(self) -> ast.Node:
        return self.binary(_ADD)

    def _comparison(self, left: ast.Node, token: Token) -> ast.Node:
        self.position += 1
        if token.text == "between":
            low = self.additive()
            self.expect_word("and")
            return ast.Between(token.start, left, low, self.additive())
        if token.text == "in":
            return ast.In(token.start, left, self._in_tests())
        return ast.Comparison(token.start, token.text, left, self.additive())

    def _in_tests(self) -> ast.UnaryTests:
        start = self.token.start
        if self.at_symbol(*COMPARISONS):
            return ast.UnaryTests(start, (self.positive_test(),))
        if not self.at_symbol("("):
            return ast.UnaryTests(start, (self.additive(),))
        self.position += 1
        first = self.positive_test()
        if self.at_symbol(".."):
            return ast.UnaryTests(start, (self.range_from(start, first, included=False),))
        tests = [first]
        while self.accept(","):
            tests.append(self.positive_test())
        self.expect(")")
        return ast.UnaryTests(start, tuple(tests))

    def unary(self) -> ast.Node:
        """Negations of a postfix expression, and ``instance of`` (which asks about the negated value)."""
        minuses = []
        while self.at_symbol("-"):
            minuses.append(self.advance().start)
            if len(minuses) > MAX_DEPTH:
                raise self.error("fewer signs")
        node = self.postfix()
        for start in reversed(minuses):
            node = ast.Negation(start, node)
        while self.at_word("instance") and self.tokens[self.position + 1].text == "of":
            start = self.advance().start
            self.position += 1
            node = ast.InstanceOf(start, node, self.type())
        return node

    def postfix(self) -> ast.Node:
        node = self.primary()
        steps = 0
        while True:
            token = self.token
            if token.kind != "symbol":
                return node
            if token.text == ".":
                self.position += 1
                node = ast.Path(token.start, node, self.property_name())
            elif token.text == "[" and not self._ends_range():
                self.position += 1
                self.scopes.append(NameTable(("item",)))
                predicate = self.expression()
                self.scopes.pop()
                self.expect("]")
                node = ast.Filter(token.start, node, predicate)
            elif token.text == "(":
                node = self.invocation(node)
            else:
                return node
            steps += 1
            if steps > MAX_DEPTH:
                raise self.error("an expression with fewer steps")

    def _ends_range(self) -> bool:
        if not self.range_end:
            return False
        following = self.tokens[self.position + 1]
        if following.kind == "end":
            return True
        if following.kind == "symbol":
            return following.text in _AFTER_RANGE
        return following.kind == "name" and following.text in STOP

    def invocation(self, function: ast.Node) -> ast.Node:
        start = self.expect("(").start
        positional: list[ast.Node] = []
        named: list[tuple[str, ast.Node]] = []
        if not self.at_symbol(")"):
            while True:
                name = self.argument_name()
                if name is not None:
                    named.append((name, self.expression()))
                else:
                    positional.append(self.expression())
                if positional and named:
                    raise self.error("arguments that are either all named or all not")
                if not self.accept(","):
                    break
        self.expect(")")
        at = function.at if isinstance(function, ast.Name) else start
        return ast.Invocation(at, function, tuple(positional), tuple(named))

    # -- primaries --------------------------------------------------------------------------------

    def primary(self) -> ast.Node:
        token = self.token
        if token.kind == "number":
            self.position += 1
            return ast.Literal(token.start, self._number(token))
        if token.kind == "string":
            self.position += 1
            return ast.Literal(token.start, unescape(token.text[1:-1]))
        if token.kind == "at":
            self.position += 1
            body = unescape(token.text[token.text.index('"') + 1 : -1])
            return ast.Literal(token.start, parse_any(body))
        if token.kind == "quoted":
            self.position += 1
            return ast.Name(token.start, token.text[1:-1])
        if token.kind == "name":
            return self._word(token)
        if token.text == "(":
            return self.parenthesis(token)
        if token.text == "[":
            return self.bracket(token)
        if token.text == "]":
            self.position += 1
            return self.range_from(token.start, self.expression(), included=False)
        if token.text == "{":
            return self.context(token)
        raise self.error()

    def _number(self, token: Token) -> int | Decimal:
        value = DECIMAL.create_decimal(token.text)
        return whole(value)

    def _word(self, token: Token) -> ast.Node:
        name, length = self.name_here()
        if length == 1:
            if token.text in ("true", "false"):
                self.position += 1
                return ast.Literal(token.start, token.text == "true")
            if token.text == "null":
                self.position += 1
                return ast.Literal(token.start, None)
        # A keyword wins over a run of words, but not over a longer name in scope.
        known = self.known(self.scopes)
        if known is None or known[1] == 1:
            construct = {
                "if": self.if_,
                "for": self.for_,
                "some": self.quantified,
                "every": self.quantified,
            }.get(token.text)
            if construct is not None:
                return construct(token)
            if token.text == "function" and self.tokens[self.position + 1].text == "(":
                return self.function(token)
            if token.text in STOP:
                raise self.error()
        self.position += length
        return ast.Name(token.start, name)
