"""Writes operators: whole numbers, strings and comparisons of like kinds in line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .. import syntax as ast
from ..errors import FeelError, Unanswerable
from ..operators import ARITHMETIC, compare, negate
from ..types import undefined_in
from .numbers import RECKONED, WORDS
from .source import NULL, Source, Truth, Value, all_of, is_a, is_number

_QUICK_POWER = 16  # exponents up to this are taken in line


class Operators(Source):
    """The part of the generator that knows operators."""

    def _negation(self, node: ast.Negation) -> Value:
        operand = self.value(node.operand)
        if operand.constant:
            try:
                return self.constant(negate(operand.value))
            except Unanswerable:
                pass
        return self.assigned(
            self.chosen(is_a(operand, int), f"-{operand.atom}", f"negative(R, T, {node.at}, {operand.atom})")
        )

    def _arithmetic(self, node: ast.Arithmetic) -> Value:
        """A chain of operations ends with the first that has no value; its further operands are not read."""
        value = self.value(node.first)
        result = ""
        for operator, operand, at in node.rest:
            if not result:
                right = self.value(operand)
                folded = _folded(operator, value, right)
                if folded is not None:
                    value = self.constant(folded)
                    continue
                result = self.fresh()
                value = self._step(result, operator, value, right, at)
            else:
                with self.block(f"if {result} is not None"):
                    value = self._step(result, operator, value, self.value(operand), at)
        return Value(result) if result else value

    def _step(self, result: str, operator: str, a: Value, b: Value, at: int) -> Value:
        """Write one operation; its kind is known only where its value is not null."""
        operation = f"{a.atom} {operator} {b.atom}"
        calculate = f"calculated_{WORDS[operator]}(R, T, {at}, {a.atom}, {b.atom})"
        if operator == "+" and (a.kind is str or b.kind is str):
            short = f"len({a.atom}) + len({b.atom}) <= LARGE"
            condition = all_of(is_a(a, str), is_a(b, str), short)
            self.line(f"{result} = {self.chosen(condition, operation, calculate)}")
            return Value(result, str)
        if operator in RECKONED and (a.kind is Decimal or b.kind is Decimal):
            numbers = all_of(is_number(a), is_number(b))
            reckoned = f"reckoned_{WORDS[operator]}({a.atom}, {b.atom})"
            if numbers is not None:
                self.line("try:")
                self.line(f" {result} = {self.chosen(numbers, reckoned, calculate)}")
                self.line("except DecimalException:")
                self.line(f" {result} = {calculate}")
                return Value(result)
        whole = all_of(is_a(a, int), is_a(b, int))
        if operator == "/":
            divisible = f"{b.atom} and not {a.atom} % {b.atom}"
            quick, condition = f"{a.atom} // {b.atom}", all_of(whole, divisible)
        elif operator == "**" and not (b.kind is int and b.constant and 0 <= b.value <= _QUICK_POWER):
            quick, condition = "", None
        else:
            quick, condition = "w", all_of(whole, f"LEAST < (w := {operation}) < MOST")
        self.line(f"{result} = {self.chosen(condition, quick, calculate)}")
        return Value(result)

    def _comparison(self, node: ast.Comparison) -> Value:
        a, b, operator, at = self.value(node.left), self.value(node.right), node.operator, node.at
        if a.constant and b.constant:
            result = _compared(operator, a.value, b.value)
            if result is not None:
                return self.constant(result)
        if operator in ("=", "!="):
            wanted = operator == "="
            if NULL in (a, b):
                return self.assigned(f"{a.atom} {'is' if wanted else 'is not'} {b.atom}", bool)
            alike = self._alike(a, b, str, int, bool)
            otherwise = f"equality(R, T, {at}, {wanted}, {a.atom}, {b.atom})"
            quick = f"{a.atom} {'==' if wanted else '!='} {b.atom}"
        else:
            alike = self._alike(a, b, int, str, Decimal)
            otherwise = f"comparison(R, T, {at}, {self.bind(operator)}, {a.atom}, {b.atom})"
            quick = f"{a.atom} {operator} {b.atom}"
        return self.assigned(self.chosen(alike, quick, otherwise), Truth)

    def _alike(self, a: Value, b: Value, *kinds: type) -> str | None:
        """The condition that Python compares two values as FEEL does; ``kinds`` where nothing is known."""
        for value in (a, b):
            if value.kind in (int, Decimal):
                return all_of(is_number(a), is_number(b))
            if value.kind is not None and value.kind is not Truth:
                return all_of(is_a(a, value.kind), is_a(b, value.kind)) if value.kind in kinds else None
        if Truth in (a.kind, b.kind):
            return None
        tests = " or ".join(f"w is {kind.__name__}" for kind in kinds)
        return f"(w := type({a.atom})) is type({b.atom}) and ({tests})"

    def _logic(self, node: ast.Logic) -> Value:
        """Three-valued; operands after the deciding one are not read."""
        deciding = node.operator == "or"
        result = self.fresh()
        first = self.value(node.operands[0])
        self.line(f"{result} = {_truth(first)}")
        for operand in node.operands[1:]:
            with self.block(f"if {result} is not {deciding}"):
                value = self.value(operand).atom
                self.line(f"if {value} is {deciding}: {result} = {deciding}")
                self.line(f"elif {value} is not {not deciding}: {result} = None")
        return Value(result, Truth)

    def _between(self, node: ast.Between) -> Value:
        value, low, high = (self.value(part) for part in (node.value, node.low, node.high))
        numbers = all_of(is_number(value), is_number(low), is_number(high))
        quick = f"{low.atom} <= {value.atom} <= {high.atom}"
        otherwise = f"between({value.atom}, {low.atom}, {high.atom})"
        return self.assigned(self.chosen(numbers, quick, otherwise), Truth)

    def _instanceof(self, node: ast.InstanceOf) -> Value:
        reason = undefined_in(node.type)
        if reason is not None:
            return self.assigned(f"R.warn(T, {node.at}, {self.bind(reason)})")
        value = self.value(node.value)
        return self.assigned(f"is_instance({value.atom}, {self.bind(node.type)})", bool)


def _truth(value: Value) -> str:
    """A value as an operand of ``and`` or ``or``: what is not boolean is as good as null."""
    if value.kind in (bool, Truth):
        return value.atom
    return f"{value.atom} if {value.atom} is True or {value.atom} is False else None"


def _folded(operator: str, a: Value, b: Value) -> Any:
    """The value of an operation on constants; None where it has none or is not constant."""
    if not (a.constant and b.constant):
        return None
    try:
        return ARITHMETIC[operator](a.value, b.value)
    except (Unanswerable, FeelError):
        return None


def _compared(operator: str, a: Any, b: Any) -> bool | None:
    try:
        return compare(operator, a, b)
    except FeelError:
        return None
