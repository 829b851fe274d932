"""What begins with a word or a bracket: ``if``, ``for``, ``some``, ``function``, lists, contexts, ranges."""

from __future__ import annotations

from . import syntax as ast
from .lexer import Token, unescape
from .names import NameTable
from .type_parser import TypeParser
from .types import ANY, Type

COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})


class ConstructParser(TypeParser):
    """The part of the parser that reads constructs, whose parts are expressions again."""

    range_end = False  # whether a `[` may end the range we are in

    def expression(self) -> ast.Node:
        raise NotImplementedError

    def additive(self) -> ast.Node:
        raise NotImplementedError

    # -- tests ----------------------------------------------------------------------------------

    def positive_tests(self) -> tuple[ast.Node, ...]:
        tests = [self.positive_test()]
        while self.accept(","):
            tests.append(self.positive_test())
        return tuple(tests)

    def positive_test(self) -> ast.Node:
        if self.at_symbol(*COMPARISONS):
            token = self.advance()
            return ast.OperatorTest(token.start, token.text, self.additive())
        return self.expression()

    # -- brackets -------------------------------------------------------------------------------

    def parenthesis(self, token: Token) -> ast.Node:
        self.position += 1
        if self.at_symbol(*COMPARISONS):
            operator = self.advance()
            node: ast.Node = ast.OperatorTest(operator.start, operator.text, self.additive())
            self.expect(")")
            return node
        node = self.expression()
        if self.at_symbol(".."):
            return self.range_from(token.start, node, included=False)
        self.expect(")")
        return node

    def bracket(self, token: Token) -> ast.Node:
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
        saved, self.range_end = self.range_end, True
        high = self.additive()
        self.range_end = saved
        closing = self.expect("]", ")", "[")
        return ast.RangeLiteral(start, low, high, included, closing.text == "]")

    def context(self, token: Token) -> ast.Node:
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

    # -- words ----------------------------------------------------------------------------------

    def if_(self, token: Token) -> ast.Node:
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

    def for_(self, token: Token) -> ast.Node:
        self.position += 1
        outer = len(self.scopes)
        iterators = self._iterators()
        self.expect_word("return")
        self.scopes.append(NameTable(("partial",)))
        body = self.expression()
        del self.scopes[outer:]
        return ast.For(token.start, iterators, body)

    def quantified(self, token: Token) -> ast.Node:
        self.position += 1
        outer = len(self.scopes)
        iterators = self._iterators()
        self.expect_word("satisfies")
        condition = self.expression()
        del self.scopes[outer:]
        return ast.Quantified(token.start, token.text == "every", iterators, condition)

    def function(self, token: Token) -> ast.Node:
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
