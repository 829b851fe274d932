"""Arithmetic on operands that are not both whole and small: what generated code calls first.

Decimals are reckoned at once; everything else (durations, strings, what fails) is for ``operators``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from ..answers import calculation
from ..operators import ARITHMETIC
from ..runtime import Runtime
from ..values import DECIMAL

_DECIMAL = frozenset({(Decimal, Decimal), (Decimal, int), (int, Decimal)})

Calculate = Callable[[Runtime, str, int, Any, Any], Any]


def _calculating(operator: str) -> Calculate:
    operation, reckon = ARITHMETIC[operator], RECKONED.get(operator)

    def calculate(runtime: Runtime, text: str, at: int, a: Any, b: Any) -> Any:
        return calculation(runtime, text, at, operation, a, b)

    if reckon is None:
        return calculate

    def calculate_decimal(runtime: Runtime, text: str, at: int, a: Any, b: Any) -> Any:
        if (type(a), type(b)) in _DECIMAL:
            try:
                return reckon(a, b)
            except DecimalException:
                pass  # the operation itself says why
        return calculation(runtime, text, at, operation, a, b)

    return calculate_decimal


RECKONED: dict[str, Callable[[Any, Any], Decimal]] = {
    "+": DECIMAL.add,
    "-": DECIMAL.subtract,
    "*": DECIMAL.multiply,
}
WORDS = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "**": "power"}

# By the names that generated code has for them.
NUMBERS: dict[str, Callable[..., Any]] = {
    **{f"calculated_{word}": _calculating(operator) for operator, word in WORDS.items()},
    **{f"reckoned_{WORDS[operator]}": reckon for operator, reckon in RECKONED.items()},
}
