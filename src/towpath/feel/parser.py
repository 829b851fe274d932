"""The parser: text and the names in scope make a syntax tree (DMN 1.5, 10.3.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from . import syntax as ast
from .errors import FeelSyntaxError, place
from .lexer import Token, tokens, unescape
from .names import NameTable, normalized
from .temporal import parse_any
from .type_parser import TypeParser
from .types import ANY, Type
from .values import DECIMAL, whole

MAX_DEPTH = 80  # nested expressions; each takes about seven Python frames here

# Words that end a run of words which nothing in scope explains.
_STOP = frozenset({"and", "or", "between", "in", "instance", "then", "else", "return", "satisfies"})
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
# How tightly operators bind; all are left-associative.
_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER = range(1, 7)
_PRECEDENCE = {
    **dict.fromkeys(_COMPARISONS, _COMPARE),
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
    "/": _MULTIPLY,
    "**": _POWER,
}
_WORD_PRECEDENCE = {"or": _OR, "and": _AND, "between": _COMPARE, "in": _COMPARE}
_PROPERTIES = NameTable(("time offset", "start included", "end included"))
# After these, a `[` that could be a filter or the end of a range is the end of a range.
_AFTER_RANGE = frozenset(
    {")", "]", "}", ",", "=", "!=", "<", "<=", ">", ">=", "*", "/", "+", "**", "..", ":", "."}
)


class Parser(TypeParser):
    """One pass over the tokens of ``text``; ``names`` and ``builtins`` are what is in scope."""

    def __init__(
        self, text: str, names: Iterable[str], builtins: NameTable, types: Mapping[str, Type]
    ) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.position = 0
        self.builtins = builtins
        self.scopes: list[NameTable] = [NameTable(names)]
        self.types = types
        self.type_names = NameTable(types)
        self._depth = 0
        self._range_end = False  # whether a `[` may end the range we are in

    # -- tokens ---------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def at_symbol(self, *symbols: str) -> bool:
        token = self.tokens[self.position]
        return token.kind == "symbol" and token.text in symbols

    def at_word(self, word: str) -> bool:
        token = self.tokens[self.position]
        return token.kind == "name" and token.text == word

    def accept(self, symbol: str) -> bool:
        if self.at_symbol(symbol):
            self.position += 1
            return True
        return False

    def expect(self, *symbols: str) -> Token:
        if not self.at_symbol(*symbols):
            raise self.error(*symbols)
        return self.advance()

    def expect_word(self, word: str) -> None:
        if not self.at_word(word):
            raise self.error(word)
        self.position += 1

    def error(self, *expected: str) -> FeelSyntaxError:
        token = self.token
        line, column = place(self.text, token.start)
        found = "the end of the expression" if token.kind == "end" else repr(token.text)
        wanted = " or ".join(expected) or "an expression"
        return FeelSyntaxError(
            f"expected {wanted}, found {found}", line, column, expected or ("an expression",), self.text
        )

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

    def positive_tests(self) -> tuple[ast.Node, ...]:
        tests = [self.positive_test()]
        while self.accept(","):
            tests.append(self.positive_test())
        return tuple(tests)

    def positive_test(self) -> ast.Node:
        if self.at_symbol(*_COMPARISONS):
            token = self.advance()
            return ast.OperatorTest(token.start, token.text, self.additive())
        return self.expression()

    # -- expressions, from loose to tight ---------------------------------------------------------

    def expression(self) -> ast.Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            line, column = place(self.text, self.token.start)
            raise FeelSyntaxError(f"nested more than {MAX_DEPTH} deep", line, column, (), self.text)
        saved, self._range_end = self._range_end, False
        node = self.binary(_OR)
        self._range_end = saved
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
        if self.at_symbol(*_COMPARISONS):
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
        if not self._range_end:
            return False
        following = self.tokens[self.position + 1]
        if following.kind == "end":
            return True
        if following.kind == "symbol":
            return following.text in _AFTER_RANGE
        return following.kind == "name" and following.text in _STOP

    def invocation(self, function: ast.Node) -> ast.Node:
        start = self.expect("(").start
        positional: list[ast.Node] = []
        named: list[tuple[str, ast.Node]] = []
        if not self.at_symbol(")"):
            while True:
                name = self._argument_name()
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

    def _argument_name(self) -> str | None:
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
            return self._parenthesis(token)
        if token.text == "[":
            return self._bracket(token)
        if token.text == "]":
            self.position += 1
            return self.range_from(token.start, self.expression(), included=False)
        if token.text == "{":
            return self._context(token)
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
        known = self._known(self.scopes)
        if known is None or known[1] == 1:
            construct = {
                "if": self._if,
                "for": self._for,
                "some": self._quantified,
                "every": self._quantified,
            }.get(token.text)
            if construct is not None:
                return construct(token)
            if token.text == "function" and self.tokens[self.position + 1].text == "(":
                return self._function(token)
            if token.text in _STOP:
                raise self.error()
        self.position += length
        return ast.Name(token.start, name)

    def _known(self, tables: Iterable[NameTable]) -> tuple[str, int] | None:
        best: tuple[str, int] | None = None
        for table in tables:
            found = table.match(self.tokens, self.position)
            if found is not None and (best is None or found[1] >= best[1]):
                best = found
        return best

    def name_here(self, *extra: NameTable) -> tuple[str, int]:
        """The name that starts here and how many tokens it takes."""
        known = self._known((*extra, self.builtins, *self.scopes))
        end = self.position + 1
        while self.tokens[end].kind == "name" and self.tokens[end].text not in _STOP:
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

    def _parenthesis(self, token: Token) -> ast.Node:
        self.position += 1
        if self.at_symbol(*_COMPARISONS):
            operator = self.advance()
            node: ast.Node = ast.OperatorTest(operator.start, operator.text, self.additive())
            self.expect(")")
            return node
        node = self.expression()
        if self.at_symbol(".."):
            return self.range_from(token.start, node, included=False)
        self.expect(")")
        return node

    def _bracket(self, token: Token) -> ast.Node:
        self.position += 1
        if self.accept("]"):
            return ast.ListLiteral(token.start, ())
        items = [self.positive_test()]
        if self.at_symbol(".."):
            return self.range_from(token.start, items[0], included=True)
        while self.accept(","):
            items.append(self.positive_test())
        self.expect("]")
        return ast.ListLiteral(token.start, tuple(items))

    def range_from(self, start: int, low: ast.Node, *, included: bool) -> ast.Node:
        self.expect("..")
        saved, self._range_end = self._range_end, True
        high = self.additive()
        self._range_end = saved
        closing = self.expect("]", ")", "[")
        return ast.RangeLiteral(start, low, high, included, closing.text == "]")

    def _context(self, token: Token) -> ast.Node:
        self.position += 1
        table = NameTable()
        self.scopes.append(table)
        entries = []
        while not self.at_symbol("}"):
            quoted = self.token.kind == "string"
            key = unescape(self.advance().text[1:-1]) if quoted else self.binding(":")
            self.expect(":")
            if self.at_word("function"):
                table.add(key)  # a function may call itself
            entries.append((key, self.expression()))
            table.add(key)
            # What a literal names can be asked of it later, in a path or a filter.
            self.scopes[0].add(key)
            if not self.accept(","):
                break
        self.expect("}")
        self.scopes.pop()
        return ast.ContextLiteral(token.start, tuple(entries))

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

    # -- textual expressions ------------------------------------------------------------------------

    def _if(self, token: Token) -> ast.Node:
        self.position += 1
        condition = self.expression()
        self.expect_word("then")
        then = self.expression()
        self.expect_word("else")
        return ast.If(token.start, condition, then, self.expression())

    def _iterators(self) -> tuple[tuple[str, ast.Node, ast.Node | None], ...]:
        iterators = []
        while True:
            name = self.binding("in")
            self.expect_word("in")
            source = self.expression()
            end = self.additive() if self.accept("..") else None
            iterators.append((name, source, end))
            self.scopes.append(NameTable((name,)))
            if not self.accept(","):
                return tuple(iterators)

    def _for(self, token: Token) -> ast.Node:
        self.position += 1
        outer = len(self.scopes)
        iterators = self._iterators()
        self.expect_word("return")
        self.scopes.append(NameTable(("partial",)))
        body = self.expression()
        del self.scopes[outer:]
        return ast.For(token.start, iterators, body)

    def _quantified(self, token: Token) -> ast.Node:
        self.position += 1
        outer = len(self.scopes)
        iterators = self._iterators()
        self.expect_word("satisfies")
        condition = self.expression()
        del self.scopes[outer:]
        return ast.Quantified(token.start, token.text == "every", iterators, condition)

    def _function(self, token: Token) -> ast.Node:
        self.position += 1
        self.expect("(")
        parameters: list[tuple[str, Type]] = []
        while not self.at_symbol(")"):
            name = self.binding(":", ",", ")")
            parameters.append((name, self.type() if self.accept(":") else ANY))
            if not self.accept(","):
                break
        self.expect(")")
        external = self.at_word("external")
        if external:
            self.position += 1
        self.scopes.append(NameTable(name for name, _ in parameters))
        body = self.expression()
        self.scopes.pop()
        return ast.FunctionLiteral(token.start, tuple(parameters), body, external)
