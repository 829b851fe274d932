"""Compiling tests: ``in``, the cells of decision tables, and the ranges in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import syntax as ast
from .compilation import VARIABLES, Compilation, Run, mentions
from .operators import compare, contains, member, order
from .values import Range, kind


class Tests(Compilation):
    """The part of the compiler that knows tests of a value."""

    def _in(self, node: ast.In) -> Run:
        value = self.compile(node.value)
        tests = self.tests(node.tests, dialect=False)

        def run(frame: list[Any]) -> bool | None:
            return tests(frame, value(frame))

        return run

    def _unarytests(self, node: ast.UnaryTests) -> Run:
        """A whole cell: the input is the variable ``?``."""
        tests = self.tests(node, dialect=True)
        self.free.add("?")

        def run(frame: list[Any]) -> bool | None:
            return tests(frame, frame[VARIABLES].get("?"))

        return run

    def tests(self, node: ast.UnaryTests, *, dialect: bool) -> Callable[[list[Any], Any], bool | None]:
        """A disjunction of tests as ``(frame, value) -> boolean or null``."""
        slot = self.slot()
        self.scope.append(("?", slot))
        tests = tuple(self._test(test, dialect) for test in node.tests)
        self.scope.pop()
        negated = node.negated

        def run(frame: list[Any], value: Any) -> bool | None:
            if not tests:
                return True
            frame[slot] = value
            result: bool | None = False
            for test in tests:
                outcome = test(frame, value)
                if outcome is True:
                    return not negated
                if outcome is None:
                    result = None
            return result if result is None else result is not negated

        return run

    def _test(self, node: ast.Node, dialect: bool) -> Callable[[list[Any], Any], bool | None]:
        if isinstance(node, ast.OperatorTest):
            operator, operand = node.operator, self.compile(node.operand)
            return lambda frame, value: compare(operator, value, operand(frame))
        if isinstance(node, ast.RangeLiteral):
            low, high = self.compile(node.low), self.compile(node.high)
            low_included, high_included = node.low_included, node.high_included

            def within(frame: list[Any], value: Any) -> bool | None:
                start, end = low(frame), high(frame)
                if start is None or end is None:
                    return None
                return contains(Range(start, end, low_included, high_included), value)

            return within
        run = self.compile(node)
        asks = dialect and mentions(node, "?")

        def test(frame: list[Any], value: Any) -> bool | None:
            candidate = run(frame)
            if asks and (candidate is None or type(candidate) is bool):
                return candidate
            if dialect and candidate is True and type(value) is not bool:
                return True
            return member(value, candidate)

        return test

    def _operatortest(self, node: ast.OperatorTest) -> Run:
        """``(< 5)`` as a value is a range that is open at one end."""
        operand, operator, at = self.compile(node.operand), node.operator, node.at

        def run(frame: list[Any]) -> Range | None:
            value = operand(frame)
            if value is None:
                self.warn(frame, at, "a range's end is null")
                return None
            if operator in ("<", "<="):
                return Range(None, value, False, operator == "<=", operator)
            if operator in (">", ">="):
                return Range(value, None, operator == ">=", False, operator)
            return Range(value, value, True, True, operator)

        return run

    def _rangeliteral(self, node: ast.RangeLiteral) -> Run:
        low, high, at = self.compile(node.low), self.compile(node.high), node.at
        low_included, high_included = node.low_included, node.high_included

        def run(frame: list[Any]) -> Range | None:
            start, end = low(frame), high(frame)
            if order(start, end) is None and not (start is None or end is None):
                self.warn(frame, at, f"a range cannot go from {kind(start)} to {kind(end)}")
                return None
            return Range(start, end, low_included, high_included)

        return run
