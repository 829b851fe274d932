"""The parser: text and the names in scope make a syntax tree (DMN 1.5, 10.3.1.2)."""

from __future__ import annotations

from decimal import DecimalException

from . import syntax as ast
from .construct_parser import COMPARISONS, ConstructParser
from .errors import FeelSyntaxError
from .lexer import Token, unescape
from .name_parser import STOP
from .names import NameTable
from .temporal import parse_any
from .token_stream import MAX_DEPTH
from .values import DECIMAL, whole

# How tightly operators bind; all are left-associative.
_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER = range(1, 7)
_PRECEDENCE = {
    "or": _OR,
    "and": _AND,
    "between": _COMPARE,
    "in": _COMPARE,
    **dict.fromkeys(COMPARISONS, _COMPARE),
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
    "/": _MULTIPLY,
    "**": _POWER,
}
_STEPS = frozenset({".", "[", "("})
_CONSTANTS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset({*_CONSTANTS, *STOP, "if", "for", "some", "every", "function", "not"})
# After these, a `[` that could be a filter or the end of a range is the end of a range.
_AFTER_RANGE = frozenset(
    {")", "]", "}", ",", "=", "!=", "<", "<=", ">", ">=", "*", "/", "+", "**", "..", ":", "."}
)


class Parser(ConstructParser):
    """One pass over the tokens of ``text``; ``names`` and ``builtins`` are what is in scope."""

    # -- entry points -----------------------------------------------------------------------------

    def parse_expression(self) -> ast.Node:
        node = self.expression()
        if self.token.kind != "end":
            raise self.error("an operator", "the end of the expression")
        return node

    def parse_unary_tests(self) -> ast.UnaryTests:
        """``-``, ``not(tests)`` or tests separated by commas."""
        if self.at("-") and self.tokens[1].kind == "end":
            return ast.UnaryTests(0, ())
        mistake: FeelSyntaxError | None = None
        if self.at("not") and self.tokens[1].text == "(":
            self.position = 2
            try:
                tests = self.positive_tests()
                self.expect(",", ")")
                if self.token.kind == "end":
                    return ast.UnaryTests(0, tests, negated=True)
            except FeelSyntaxError as error:
                mistake = error
            self.position = self.depth = self.open_ranges = 0
            del self.scopes[1:]
        try:
            tests = self.positive_tests()
            if self.token.kind != "end":
                raise self.error(",", "an operator", "the end of the tests")
        except FeelSyntaxError as error:
            # Of the two ways to read it, that which came further is what was meant.
            if mistake is not None and (mistake.line, mistake.column) >= (error.line, error.column):
                raise mistake from None
            raise
        return ast.UnaryTests(0, tests)

    # -- expressions, from loose to tight ---------------------------------------------------------

    def expression(self) -> ast.Node:
        self.deeper()
        node = self._joined(_OR, self._operand())
        self.depth -= 1
        return node

    def additive(self) -> ast.Node:
        return self._joined(_ADD, self._operand())

    def _joined(self, least: int, left: ast.Node) -> ast.Node:
        """``left`` and the operands joined to it by operators that bind at least as tightly as ``least``."""
        tokens = self.tokens
        comparisons = 0
        while True:
            token = tokens[self.position]
            operator = token.text
            binds = _PRECEDENCE.get(operator, 0)
            if binds < least:
                return left
            if binds == _COMPARE:
                comparisons += 1
                if comparisons > MAX_DEPTH:
                    raise self.refusal(f"more than {MAX_DEPTH} comparisons of comparisons", token)
                left = self._comparison(left, token)
            elif binds < _COMPARE:
                operands = [left]
                while tokens[self.position].text == operator:
                    self.position += 1
                    operands.append(self._tighter(binds))
                left = ast.Logic(token.start, operator, tuple(operands))
            else:
                rest = []
                while _PRECEDENCE.get(operator) == binds:
                    self.position += 1
                    rest.append((operator, self._tighter(binds), token.start))
                    token = tokens[self.position]
                    operator = token.text
                left = ast.Arithmetic(left.at, left, tuple(rest))

    def _tighter(self, binds: int) -> ast.Node:
        """The right operand of an operator."""
        node = self._operand()
        if _PRECEDENCE.get(self.tokens[self.position].text, 0) > binds:
            return self._joined(binds + 1, node)
        return node

    def _comparison(self, left: ast.Node, token: Token) -> ast.Node:
        self.position += 1
        if token.text == "between":
            low = self.additive()
            self.expect("and")
            return ast.Between(token.start, left, low, self.additive())
        if token.text == "in":
            return ast.In(token.start, left, self._in_tests())
        return ast.Comparison(token.start, token.text, left, self._tighter(_COMPARE))

    def _in_tests(self) -> ast.UnaryTests:
        """One test, or several in parentheses."""
        token = self.token
        if token.text in COMPARISONS:
            return ast.UnaryTests(token.start, (self.positive_test(),))
        if token.text != "(":
            return ast.UnaryTests(token.start, (self.additive(),))
        self.position += 1
        compared = self.token.text in COMPARISONS
        first = self.positive_test()
        if self.at("..") and not compared:
            first = self.range_from(token.start, first, included=False)
        elif self.at(","):
            tests = [first]
            while self.accept(","):
                tests.append(self.positive_test())
            self.expect(",", ")")
            return ast.UnaryTests(token.start, tuple(tests))
        else:
            self.expect(",", ")")
        # The parenthesis may have been the beginning of a longer test: ``x in (a + b) * c``.
        return ast.UnaryTests(token.start, (self._joined(_ADD, self._postfix(first)),))

    def _operand(self) -> ast.Node:
        """Negations of a postfix expression, and ``instance of`` (which asks about the negated value)."""
        token = self.tokens[self.position]
        if token.text != "-":
            return self._postfix(self._primary(token))
        minuses = []
        while self.at("-"):
            minuses.append(self.advance().start)
            if len(minuses) > MAX_DEPTH:
                raise self.refusal(f"more than {MAX_DEPTH} signs", self.token)
        node = self._steps(self._primary(self.token))
        for start in reversed(minuses):
            node = ast.Negation(start, node)
        return self._instance_of(node)

    def _postfix(self, node: ast.Node) -> ast.Node:
        text = self.tokens[self.position].text
        if text in _STEPS:
            node = self._steps(node)
            text = self.tokens[self.position].text
        return self._instance_of(node) if text == "instance" else node

    def _instance_of(self, node: ast.Node) -> ast.Node:
        asked = 0
        while self.at("instance"):
            start = self.advance().start
            self.expect("of")
            node = ast.InstanceOf(start, node, self.type())
            asked += 1
            if asked > MAX_DEPTH:
                raise self.refusal(f"more than {MAX_DEPTH} times 'instance of'", self.token)
        return node

    def _steps(self, node: ast.Node) -> ast.Node:
        """What follows a primary: paths, filters and invocations."""
        steps = 0
        while True:
            token = self.tokens[self.position]
            if token.text == ".":
                self.position += 1
                node = ast.Path(token.start, node, self.property_name())
                continue
            if token.text == "[":
                if self.open_ranges and self._ends_range():
                    return node
                self.position += 1
                self.scopes.append(NameTable(("item",)))
                predicate = self.expression()
                self.scopes.pop()
                self.expect("]")
                node = ast.Filter(token.start, node, predicate)
            elif token.text == "(":
                node = self._invocation(node, token)
            else:
                return node
            steps += 1
            if steps > MAX_DEPTH:
                raise self.refusal(f"more than {MAX_DEPTH} filters and calls after one another", token)

    def _ends_range(self) -> bool:
        following = self.tokens[self.position + 1]
        if following.kind != "name":
            return self._after_range(following)
        if following.text not in STOP:
            return False
        self.position += 1
        longer = self.longer_name()
        self.position -= 1
        return not longer

    def _after_range(self, token: Token) -> bool:
        return token.kind == "end" or token.text in _AFTER_RANGE

    def _invocation(self, function: ast.Node, token: Token) -> ast.Node:
        self.position += 1
        positional: list[ast.Node] = []
        named: list[tuple[str, ast.Node]] = []
        if not self.accept(")"):
            while True:
                name = self.argument_name()
                if name is not None:
                    named.append((name, self.expression()))
                else:
                    positional.append(self.expression())
                if positional and named:
                    raise self.refusal("either all arguments are named or none is", self.token)
                if not self.accept(","):
                    break
            self.expect(",", ")")
        at = function.at if isinstance(function, ast.Name) else token.start
        return ast.Invocation(at, function, tuple(positional), tuple(named))

    # -- primaries --------------------------------------------------------------------------------

    def _primary(self, token: Token) -> ast.Node:
        kind, text = token.kind, token.text
        if kind == "name":
            return self._word(token)
        if kind == "number":
            return self._number(token)
        if kind == "string":
            self.position += 1
            return ast.Literal(token.start, unescape(text[1:-1]))
        if text == "(":
            return self.parenthesis(token)
        if text == "[":
            return self.bracket(token)
        if text == "{":
            return self.context(token)
        if kind == "quoted":
            self.position += 1
            return ast.Name(token.start, text[1:-1])
        if kind == "at":
            self.position += 1
            written = unescape(text[text.index('"') + 1 : -1])
            value = parse_any(written)
            if value is None:
                return ast.UnreadableLiteral(token.start, None, written)
            return ast.Literal(token.start, value)
        if text == "]" and not self._after_range(self.tokens[self.position + 1]):
            self.position += 1
            return self.range_from(token.start, self.expression(), included=False)
        raise self.error()

    def _number(self, token: Token) -> ast.Node:
        try:
            value = whole(DECIMAL.create_decimal(token.text))
        except DecimalException:
            raise self.refusal("the number is too large; exponents go up to 6144", token) from None
        self.position += 1
        return ast.Literal(token.start, value)

    def _word(self, token: Token) -> ast.Node:
        if token.text in _RESERVED:
            reserved = self._reserved(token)
            if reserved is not None:
                return reserved
        name, length = self.name_here()
        self.position += length
        return ast.Name(token.start, name)

    def _reserved(self, token: Token) -> ast.Node | None:
        """What a keyword begins; None where it is a part of a longer name."""
        text = token.text
        if text in _CONSTANTS:
            if self.name_here()[1] > 1:
                return None
            self.position += 1
            return ast.Literal(token.start, _CONSTANTS[text])
        if self.longer_name():
            return None
        if text == "if":
            return self.if_(token)
        if text == "for":
            return self.for_(token)
        if text in ("some", "every"):
            return self.quantified(token)
        following = self.tokens[self.position + 1]
        if text == "function" and following.text == "(":
            return self.function(token)
        if text in STOP:
            raise self.error()
        if text == "not" and following.kind == "name" and following.text not in STOP:
            raise self.refusal("'not' is a function", token, (), "write 'not(...)'")
        return None
