"""FEEL's values in Python, beside the temporal ones.

number: ``int`` (where whole and below 34 digits) or ``Decimal``; string: ``str``; boolean: ``bool``;
null: ``None``; list: ``list``; context: ``dict`` with string keys; range: ``Range``; function:
``Function``. Lists and contexts are never changed once made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import TYPE_CHECKING, Any

from .sizes import check_size
from .temporal import Date, DateTime, DaysTime, Time, YearsMonths

if TYPE_CHECKING:
    from .types import Type

# IEEE 754-2008 decimal128, as DMN 1.5, 10.3.2.3.1 asks.
DECIMAL = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
INT_LIMIT = 10**34  # a whole number of this size and more no longer has all its digits


@dataclass(frozen=True, slots=True, eq=True)
class Range:
    """``[start..end]``; an end that is None is open (``(< 5)``).

    ``unary`` is the operator of a range written as a test; ``(=10)`` and ``[10..10]`` differ.
    """

    start: Any
    end: Any
    start_included: bool
    end_included: bool
    unary: str | None = None


class Function:
    """Common to built-ins and functions that FEEL text defines."""

    __slots__ = ("name", "result_type")

    def __init__(self, name: str = "function") -> None:
        self.name = name
        self.result_type: Type | None = None

    def parameter_types(self, count: int) -> list[tuple[Type, ...]]:
        """The types of ``count`` parameters, for each way to call the function with so many."""
        raise NotImplementedError

    def call(self, runtime: Any, arguments: Sequence[Any]) -> Any:
        """The result for positional arguments; raises Unanswerable."""
        raise NotImplementedError

    def call_named(self, runtime: Any, arguments: dict[str, Any]) -> Any:
        """The result for named arguments; raises Unanswerable."""
        raise NotImplementedError


_KINDS: dict[type, str] = {
    int: "number",
    Decimal: "number",
    str: "string",
    bool: "boolean",
    type(None): "null",
    list: "list",
    dict: "context",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    YearsMonths: "years and months duration",
    DaysTime: "days and time duration",
    Range: "range",
}


def kind(value: Any) -> str:
    """The name of the value's type."""
    found = _KINDS.get(type(value))
    if found is not None:
        return found
    return "function" if isinstance(value, Function) else type(value).__name__


def whole(value: Decimal) -> int | Decimal:
    """A decimal as an ``int`` where that is the same number and short enough."""
    # No abs(): it would round to the digits of whatever context is the thread's.
    if value == value.to_integral_value() and -INT_LIMIT < value < INT_LIMIT:
        return int(value)
    return value


def number_text(value: int | Decimal) -> str:
    """A number as ``string()`` writes it: plain digits, no exponent, no trailing zeros."""
    if type(value) is int:
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def text(value: Any, *, inner: bool = False) -> str:
    """What ``string(value)`` answers; strings inside lists and contexts are quoted (``inner``)."""
    if type(value) is str:
        return quoted(value) if inner else value
    if type(value) is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | Decimal):
        return number_text(value)
    if not inner:
        check_size(value)
    if type(value) is list:
        return f"[{', '.join(text(item, inner=True) for item in value)}]"
    if type(value) is dict:
        return (
            "{" + ", ".join(f"{key_text(key)}: {text(item, inner=True)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, Range):
        return range_text(value)
    if isinstance(value, Function):
        return value.name
    return f'@"{value}"' if inner else str(value)


def quoted(value: str) -> str:
    """A string as a FEEL literal."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def key_text(key: str) -> str:
    plain = key.replace(" ", "").replace("_", "")
    return key if plain.isalnum() and not key[0].isdigit() else quoted(key)


def range_text(value: Range) -> str:
    if value.unary is not None:
        return f"({value.unary}{text(value.start if value.start is not None else value.end, inner=True)})"
    opening = "[" if value.start_included else "("
    closing = "]" if value.end_included else ")"
    start = "null" if value.start is None else text(value.start, inner=True)
    end = "null" if value.end is None else text(value.end, inner=True)
    return f"{opening}{start}..{end}{closing}"
