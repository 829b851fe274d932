"""External functions (DMN 1.5, 10.3.2.12.2): no Java is run, a table serves what models use.

The table holds static methods of ``java.lang.Math`` and ``java.lang.String`` by class and signature;
anything else is a function that answers null.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .errors import Unanswerable
from .functions import NativeFunction
from .types import Type
from .values import DECIMAL, whole


def _float(function: Callable[..., float]) -> Callable[..., Any]:
    """A function of Java's doubles."""

    def call(*arguments: Any) -> Any:
        try:
            result = function(*(float(argument) for argument in arguments))
        except (ValueError, OverflowError, TypeError) as error:
            raise Unanswerable(f"the external function has no result: {error}") from error
        if not math.isfinite(result):
            raise Unanswerable("the external function's result is no number")
        return whole(DECIMAL.create_decimal(repr(result)))

    return call


def _formatted(template: Any, *arguments: Any) -> str:
    flat = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else list(arguments)
    converted = [float(item) if isinstance(item, Decimal) else item for item in flat]
    try:
        return str(template) % tuple(converted)
    except (TypeError, ValueError) as error:
        raise Unanswerable(f"the format does not fit its arguments: {error}") from error


_MATH: dict[str, Callable[..., float]] = {
    "cos": math.cos,
    "sin": math.sin,
    "tan": math.tan,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "atan2": math.atan2,
    "cbrt": math.cbrt,
    "exp": math.exp,
    "hypot": math.hypot,
    "log": math.log,
    "log10": math.log10,
    "pow": math.pow,
    "sqrt": math.sqrt,
    "toDegrees": math.degrees,
    "toRadians": math.radians,
}

_TABLE: dict[tuple[str, str], Callable[..., Any]] = {
    **{("java.lang.Math", name): _float(function) for name, function in _MATH.items()},
    ("java.lang.Math", "abs"): lambda value: abs(value),
    ("java.lang.Math", "max"): lambda a, b: max(a, b),
    ("java.lang.Math", "min"): lambda a, b: min(a, b),
    ("java.lang.Math", "floor"): lambda value: math.floor(value),
    ("java.lang.Math", "ceil"): lambda value: math.ceil(value),
    ("java.lang.Integer", "valueOf"): lambda value: int(value),
    ("java.lang.Integer", "parseInt"): lambda value: int(value),
    ("java.lang.Integer", "max"): lambda a, b: max(a, b),
    ("java.lang.Integer", "min"): lambda a, b: min(a, b),
    **{
        (f"java.lang.{name}", "valueOf"): lambda value: whole(DECIMAL.create_decimal(value))
        for name in ("Double", "Float", "Long", "Short", "Byte")
    },
    ("java.math.BigDecimal", "valueOf"): lambda value: value,
    ("java.lang.String", "valueOf"): lambda value: str(value),
    ("java.lang.String", "format"): _formatted,
}


def external_function(parameters: tuple[tuple[str, Type], ...], context: dict[str, Any]) -> NativeFunction:
    """The function that ``{java: {class: ..., method signature: ...}}`` names."""
    java = context.get("java")
    described = java if isinstance(java, dict) else {}
    class_name = str(described.get("class"))
    method, _, types = str(described.get("method signature")).partition("(")
    count = len([part for part in types.rstrip(") ").split(",") if part.strip()])
    body = _TABLE.get((class_name, method.strip()))

    def call(_: Any, arguments: list[Any]) -> Any:
        if body is None:
            raise Unanswerable(f"there is no external function {class_name}.{method}")
        if count != len(parameters) and "..." not in types:
            raise Unanswerable("the method's signature has another number of parameters")
        if any(argument is None for argument in arguments):
            raise Unanswerable("an argument is null")
        try:
            return body(*arguments)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise Unanswerable(f"the external function has no result: {error}") from error

    return NativeFunction(method.strip() or "external", parameters, call)
