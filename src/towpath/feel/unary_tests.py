"""Compiling tests: ``in``, the cells of decision tables, and the ranges in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import syntax as ast
from .answers import closed_range, judgement, open_range
from .compilation import RUNTIME, VARIABLES, Compilation, Run, mentions
from .operators import compare, contains
from .values import Range


class Tests(Compilation):
    """The part of the compiler that knows tests of a value."""

    def _in(self, node: ast.In) -> Run:
        value = self.compile(node.value)
        tests = self.tests(node.tests, cell=False)

        def run(frame: list[Any]) -> bool | None:
            return tests(frame, value(frame))

        return run

    def _unarytests(self, node: ast.UnaryTests) -> Run:
        """A whole cell: the input is the variable ``?``."""
        tests = self.tests(node, cell=True)
        self.free.add("?")

        def run(frame: list[Any]) -> bool | None:
            return tests(frame, frame[VARIABLES].get("?"))

        return run

    def tests(self, node: ast.UnaryTests, *, cell: bool) -> Callable[[list[Any], Any], bool | None]:
        """A disjunction of tests as ``(frame, value) -> boolean or null``."""
        slot = self.slot()
        self.scope.append(("?", slot))
        tests = tuple(self._test(test, cell) for test in node.tests)
        self.scope.leave(len(self.scope) - 1)
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

    def _test(self, node: ast.Node, cell: bool) -> Callable[[list[Any], Any], bool | None]:
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
        asks = cell and mentions(node, "?")
        return lambda frame, value: judgement(frame[RUNTIME], value, run(frame), cell, asks)

    def _operatortest(self, node: ast.OperatorTest) -> Run:
        operand, operator, text, at = self.compile(node.operand), node.operator, self.text, node.at
        return lambda frame: open_range(frame[RUNTIME], text, at, operator, operand(frame))

    def _rangeliteral(self, node: ast.RangeLiteral) -> Run:
        low, high, text, at = self.compile(node.low), self.compile(node.high), self.text, node.at
        included = (node.low_included, node.high_included)
        return lambda frame: closed_range(frame[RUNTIME], text, at, low(frame), high(frame), *included)
