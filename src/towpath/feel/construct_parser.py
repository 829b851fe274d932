"""What begins with a word or a bracket: ``if``, ``for``, ``some``, ``function``, lists, contexts, ranges."""

from __future__ import annotations

from . import syntax as ast
from .lexer import Token, unescape
from .name_parser import STOP
from .names import NameTable
from .type_parser import TypeParser
from .types import ANY, Type

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
# The kinds of tokens and the symbols that an expression starts with.
_OPERANDS = frozenset({"name", "number", "string", "quoted", "at"})
_OPENINGS = frozenset({"(", "[", "{", "-"})

Iterators = tuple[tuple[str, ast.Node, ast.Node | None], ...]


class ConstructParser(TypeParser):
    """The part of the parser that reads constructs, whose parts are expressions again."""

    open_ranges = 0  # how many ranges we are in the last end of: there a `[` may close one

    def expression(self) -> ast.Node:
        raise NotImplementedError

    def additive(self) -> ast.Node:
        raise NotImplementedError

    # -- tests ------------------------------------------------------------------------------------

    def positive_tests(self) -> tuple[ast.Node, ...]:
        tests = [self.positive_test()]
        while self.accept(","):
            tests.append(self.positive_test())
        return tuple(tests)

    def positive_test(self) -> ast.Node:
        token = self.tokens[self.position]
        if token.text in COMPARISONS:
            self.position += 1
            return ast.OperatorTest(token.start, token.text, self.additive())
        return self.expression()

    # -- brackets ---------------------------------------------------------------------------------

    def parenthesis(self, token: Token) -> ast.Node:
        self.position += 1
        compared = self.token.text in COMPARISONS
        node = self.positive_test()
        if self.at("..") and not compared:
            return self.range_from(token.start, node, included=False)
        self.expect(")")
        return node

    def bracket(self, token: Token) -> ast.Node:
        self.position += 1
        if self.accept("]"):
            return ast.ListLiteral(token.start, ())
        compared = self.token.text in COMPARISONS
        first = self.positive_test()
        if self.at("..") and not compared:
            return self.range_from(token.start, first, included=True)
        items = [first]
        while self.accept(","):
            items.append(self.positive_test())
        self.expect(",", "]")
        return ast.ListLiteral(token.start, tuple(items))

    def range_from(self, start: int, low: ast.Node, *, included: bool) -> ast.Node:
        self.expect("..")
        self.open_ranges += 1
        high = self.additive()
        self.open_ranges -= 1
        closing = self.expect("]", ")", "[")
        return ast.RangeLiteral(start, low, high, included, closing.text == "]")

    def context(self, token: Token) -> ast.Node:
        self.position += 1
        if self.accept("}"):
            return ast.ContextLiteral(token.start, ())
        table = NameTable()
        self.scopes.append(table)
        entries = []
        while True:
            if self.token.kind not in ("name", "string", "quoted"):
                raise self.error("a key")
            quoted = self.token.kind == "string"
            key = unescape(self.advance().text[1:-1]) if quoted else self.binding(":")
            self.expect(":")
            if self.at("function"):
                table.add(key)  # a function may call itself
            entries.append((key, self.expression()))
            table.add(key)
            # What a literal names can be asked of it later, in a path or a filter.
            self.scopes[0].add(key)
            if not self.accept(","):
                break
        self.expect(",", "}")
        self.scopes.pop()
        return ast.ContextLiteral(token.start, tuple(entries))

    # -- words ------------------------------------------------------------------------------------

    def if_(self, token: Token) -> ast.Node:
        """A chain of ``else if`` is no nesting here: it may be long."""
        branches = []
        while True:
            self.position += 1
            condition = self.expression()
            self.expect("then")
            then = self.expression()
            self.expect("else")
            branches.append((token.start, condition, then))
            token = self.token
            if token.text != "if" or self.longer_name():
                break
        node = self.expression()
        for start, condition, then in reversed(branches):
            node = ast.If(start, condition, then, node)
        return node

    def longer_name(self) -> bool:
        """Whether a name in scope that starts here has more than this word."""
        known = self.known(self.scopes)
        return known is not None and known[1] > 1

    def _iterators(self, table: NameTable) -> Iterators:
        """The iterators, whose names go into ``table``: each is known to those after it."""
        iterators = []
        while True:
            name = self.binding("in")
            self.expect("in")
            source = self.expression()
            end = self.additive() if self.accept("..") else None
            iterators.append((name, source, end))
            table.add(name)
            if not self.accept(","):
                return tuple(iterators)

    def for_(self, token: Token) -> ast.Node:
        self.position += 1
        table = NameTable()
        self.scopes.append(table)
        iterators = self._iterators(table)
        self.expect("return")
        table.add("partial")
        body = self.expression()
        self.scopes.pop()
        return ast.For(token.start, iterators, body)

    def quantified(self, token: Token) -> ast.Node:
        self.position += 1
        table = NameTable()
        self.scopes.append(table)
        iterators = self._iterators(table)
        self.expect("satisfies")
        condition = self.expression()
        self.scopes.pop()
        return ast.Quantified(token.start, token.text == "every", iterators, condition)

    def function(self, token: Token) -> ast.Node:
        self.position += 1
        self.expect("(")
        parameters: list[tuple[str, Type]] = []
        if not self.at(")"):
            while True:
                name = self.binding(":", ",", ")")
                parameters.append((name, self.type() if self.accept(":") else ANY))
                if not self.accept(","):
                    break
        self.expect(")")
        external = self._external()
        self.scopes.append(NameTable(name for name, _ in parameters))
        body = self.expression()
        self.scopes.pop()
        return ast.FunctionLiteral(token.start, tuple(parameters), body, external)

    def _external(self) -> bool:
        """Whether the word ``external`` stands here before an expression; consumed."""
        if not self.at("external") or self.longer_name():
            return False
        following = self.tokens[self.position + 1]
        if following.text in STOP or (following.kind not in _OPERANDS and following.text not in _OPENINGS):
            return False
        self.position += 1
        return True
