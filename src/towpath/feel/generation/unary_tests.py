"""Writes tests: ``in``, the cells of decision tables, and ranges."""

from __future__ import annotations

from typing import Any

from .. import syntax as ast
from ..compilation import mentions
from ..costs import LARGE
from ..operators import order
from ..values import Range
from .source import Source, Truth, Value, all_of, is_a, is_number


class Tests(Source):
    """The part of the generator that knows tests of a value."""

    def _in(self, node: ast.In) -> Value:
        return self._tests(node.tests, self.value(node.value), cell=False)

    def _unarytests(self, node: ast.UnaryTests) -> Value:
        value = self.assigned(f"V.get({self.bind('?')})")
        return self._tests(node, value, cell=True)

    def _tests(self, node: ast.UnaryTests, value: Value, *, cell: bool) -> Value:
        """A disjunction; tests after the first that is passed are not read."""
        if not node.tests:
            return self.constant(True)
        self.scope.append(("?", value))
        result = self._test(node.tests[0], value, cell)
        if len(node.tests) > 1:
            outcome = self.assigned(result.atom)
            for test in node.tests[1:]:
                with self.block(f"if {outcome.atom} is not True"):
                    further = self._test(test, value, cell).atom
                    self.line(f"if {further} is True: {outcome.atom} = True")
                    self.line(f"elif {further} is None: {outcome.atom} = None")
            result = outcome
        self.scope.leave(len(self.scope) - 1)
        if node.negated:
            return self.assigned(f"None if {result.atom} is None else not {result.atom}", Truth)
        return Value(result.atom, Truth)

    def _test(self, node: ast.Node, value: Value, cell: bool) -> Value:
        if isinstance(node, ast.OperatorTest):
            operand = self.value(node.operand)
            python = {"=": "==", "!=": "!="}.get(node.operator, node.operator)
            quick = f"{value.atom} {python} {operand.atom}"
            otherwise = f"compare({self.bind(node.operator)}, {value.atom}, {operand.atom})"
            return self.assigned(self.chosen(_alike(value, operand), quick, otherwise), Truth)
        if isinstance(node, ast.RangeLiteral):
            return self._within(node, value)
        if isinstance(node, ast.ListLiteral) and all(isinstance(item, ast.Literal) for item in node.items):
            return self._among([item.value for item in node.items if isinstance(item, ast.Literal)], value)
        candidate = self.value(node)
        if cell:
            asks = mentions(node, "?")
            judged = f"judgement(R, {value.atom}, {candidate.atom}, True, {asks})"
            if not candidate.constant or candidate.kind is bool:
                return self.assigned(judged, Truth)
        otherwise = f"membership(R, {value.atom}, {candidate.atom})"
        quick = f"{value.atom} == {candidate.atom}"
        alike = _alike(value, candidate) if candidate.constant else None
        return self.assigned(self.chosen(alike, quick, otherwise), Truth)

    def _among(self, items: list[Any], value: Value) -> Value:
        """In a list of literals, which is made once: nothing else ever sees it."""
        otherwise = f"membership(R, {value.atom}, {self.bind(items)})"
        texts = len(items) <= LARGE and all(type(item) is str for item in items)
        quick = f"{value.atom} in {self.bind(frozenset(items))}" if texts else ""
        return self.assigned(self.chosen(is_a(value, str) if texts else None, quick, otherwise), Truth)

    def _within(self, node: ast.RangeLiteral, value: Value) -> Value:
        low, high = self.value(node.low), self.value(node.high)
        if low.constant and high.constant and low.value is not None and high.value is not None:
            extent = Range(low.value, high.value, node.low_included, node.high_included)
            otherwise = f"contains({self.bind(extent)}, {value.atom})"
        else:
            made = f"Range({low.atom}, {high.atom}, {node.low_included}, {node.high_included})"
            some = " or ".join(f"{end.atom} is None" for end in (low, high) if end.kind in (None, Truth))
            otherwise = f"contains({made}, {value.atom})"
            otherwise = f"(None if {some} else {otherwise})" if some else otherwise
        from_low = "<=" if node.low_included else "<"
        to_high = "<=" if node.high_included else "<"
        quick = f"{low.atom} {from_low} {value.atom} {to_high} {high.atom}"
        if low.kind is str or high.kind is str:
            alike = all_of(is_a(value, str), is_a(low, str), is_a(high, str))
        else:
            alike = all_of(is_number(value), is_number(low), is_number(high))
        return self.assigned(self.chosen(alike, quick, otherwise), Truth)

    def _operatortest(self, node: ast.OperatorTest) -> Value:
        operand = self.value(node.operand)
        return self.assigned(f"open_range(R, T, {node.at}, {self.bind(node.operator)}, {operand.atom})")

    def _rangeliteral(self, node: ast.RangeLiteral) -> Value:
        low, high = self.value(node.low), self.value(node.high)
        included = (node.low_included, node.high_included)
        if low.constant and high.constant and order(low.value, high.value) is not None:
            return self.constant(Range(low.value, high.value, *included))
        return self.assigned(
            f"closed_range(R, T, {node.at}, {low.atom}, {high.atom}, {included[0]}, {included[1]})"
        )


def _alike(value: Value, other: Value) -> str | None:
    """The condition that Python compares two values as FEEL does, from what is known of the second."""
    if other.kind is str:
        return is_a(value, str)
    return all_of(is_number(value), is_number(other)) if other.kind is not Truth else None
