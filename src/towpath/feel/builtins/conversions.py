"""Conversions between kinds: string, number, range (DMN 1.5, 10.3.4.1)."""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from typing import Any

from .. import syntax as ast
from ..errors import FeelSyntaxError, Unanswerable
from ..names import NameTable
from ..operators import Number, negate, order
from ..sizes import check_string, shortened
from ..values import DECIMAL, Range, text, whole
from .signature import STANDARD, builtin

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@builtin("string", "from: any")
def string(value: Any) -> str | None:
    if value is None:
        return None
    written = text(value)
    check_string(len(written))
    return written


@builtin("number", "from: string, grouping separator: string ?, decimal separator: string ?")
def number(written: str, grouping: str | None, point: str | None) -> Number:
    if grouping not in (None, " ", ",", "."):
        raise Unanswerable("the grouping separator is none of space, comma and full stop")
    if point not in (None, ",", "."):
        raise Unanswerable("the decimal separator is neither comma nor full stop")
    if grouping is not None and grouping == point:
        raise Unanswerable("both separators are the same")
    plain = written if grouping is None else written.replace(grouping, "")
    return number_from(plain if point is None else plain.replace(point, "."))


@builtin("number", "from: string", origin="Camunda")
def number_from(written: str) -> Number:
    if not _NUMBER.fullmatch(written):
        raise Unanswerable(f"{shortened(written)} is no number")
    try:
        return whole(DECIMAL.create_decimal(written))
    except DecimalException as error:
        raise Unanswerable("the number is too large for a decimal of 34 digits") from error


@builtin("number", "from: number", origin="Camunda")
def number_itself(value: Number) -> Number:
    return value


@builtin("range", "from: string", runtime=True)
def range_from(runtime: Any, written: str) -> Range:
    """The range that a text says; its ends may be literals only."""
    from ..parser import Parser

    try:
        node = Parser(written.strip(), (), NameTable(STANDARD), {}).parse_expression()
    except FeelSyntaxError as error:
        raise Unanswerable(f"{shortened(written)} is no range") from error
    if not isinstance(node, ast.RangeLiteral):
        raise Unanswerable(f"{shortened(written)} is no range")
    start, end = _end(runtime, node.low), _end(runtime, node.high)
    sign = order(start, end)
    if sign is None or sign > 0:
        raise Unanswerable("the range does not go from a lower to a higher value")
    return Range(start, end, node.low_included, node.high_included)


def _end(runtime: Any, node: ast.Node) -> Any:
    """A literal, a negated number, or one of the temporal constructors on a string literal."""
    if isinstance(node, ast.Literal):
        return node.value
    if isinstance(node, ast.Negation) and isinstance(node.operand, ast.Literal):
        value = node.operand.value
        if type(value) in (int, Decimal):
            return negate(value)
    if isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name):
        literal = [part.value for part in node.positional if isinstance(part, ast.Literal)]
        name = node.function.name
        if (
            name in ("date", "time", "date and time", "duration")
            and len(literal) == len(node.positional) == 1
        ):
            return STANDARD[name].call(runtime, literal)
    raise Unanswerable("an end of the range is no literal")
