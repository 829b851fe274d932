"""Functions on numbers and booleans (DMN 1.5, 10.3.4.5)."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from typing import Any

from ..errors import Unanswerable
from ..operators import Number, calculated
from ..temporal import DaysTime, Duration, YearsMonths
from ..values import DECIMAL, whole
from .signature import builtin

_WIDE = Context(prec=14_000, Emin=-20_000, Emax=20_000)  # holds any two decimals, digit by digit
_SCALES = range(-6111, 6177)  # the exponents of decimal128


def rounded(number: Number, scale: Number, rounding: str) -> Number:
    """``number`` with at most ``scale`` decimal places."""
    places = int(scale)
    if places not in _SCALES:
        raise Unanswerable(f"the scale is outside of {_SCALES[0]} to {_SCALES[-1]}")
    if places >= -_exponent(number):
        return number
    value = Decimal(number)
    return whole(value.quantize(Decimal(1).scaleb(-places, _WIDE), rounding, _WIDE))


@builtin("not", "negand: boolean ?")
def negated(negand: bool | None) -> bool | None:
    return None if negand is None else not negand


@builtin("decimal", "n: number, scale: number")
def decimal(n: Number, scale: Number) -> Number:
    return rounded(n, scale, ROUND_HALF_EVEN)


@builtin("floor", "n: number, scale: number =")
def floor(n: Number, scale: Number | None = 0) -> Number:
    return rounded(n, _given(scale), ROUND_FLOOR)


@builtin("ceiling", "n: number, scale: number =")
def ceiling(n: Number, scale: Number | None = 0) -> Number:
    return rounded(n, _given(scale), ROUND_CEILING)


def _given(scale: Number | None) -> Number:
    if scale is None:
        raise Unanswerable("the scale is null")
    return scale


@builtin("round up", "n: number, scale: number")
def round_up(n: Number, scale: Number) -> Number:
    return rounded(n, scale, ROUND_UP)


@builtin("round down", "n: number, scale: number")
def round_down(n: Number, scale: Number) -> Number:
    return rounded(n, scale, ROUND_DOWN)


@builtin("round half up", "n: number, scale: number")
def round_half_up(n: Number, scale: Number) -> Number:
    return rounded(n, scale, ROUND_HALF_UP)


@builtin("round half down", "n: number, scale: number")
def round_half_down(n: Number, scale: Number) -> Number:
    return rounded(n, scale, ROUND_HALF_DOWN)


@builtin("modulo", "dividend: number, divisor: number")
def modulo(dividend: Number, divisor: Number) -> Number:
    """``dividend - divisor * floor(dividend / divisor)``: the sign is the divisor's."""
    if divisor == 0:
        raise Unanswerable("division by zero")
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend % divisor
    # As whole numbers of the smaller unit: a quotient may have more digits than any context has.
    unit = min(_exponent(dividend), _exponent(divisor))
    rest = int(Decimal(dividend).scaleb(-unit, _WIDE)) % int(Decimal(divisor).scaleb(-unit, _WIDE))
    return whole(calculated(DECIMAL.plus, Decimal(rest).scaleb(unit, _WIDE)))


def _exponent(number: Number) -> int:
    exponent = Decimal(number).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


@builtin("sqrt", "number: number")
def sqrt(number: Number) -> Number:
    if number < 0:
        raise Unanswerable("a negative number has no square root")
    return whole(calculated(DECIMAL.sqrt, number))


@builtin("log", "number: number")
def log(number: Number) -> Number:
    if number <= 0:
        raise Unanswerable("only a positive number has a logarithm")
    return whole(calculated(DECIMAL.ln, number))


@builtin("exp", "number: number")
def exp(number: Number) -> Number:
    return whole(calculated(DECIMAL.exp, number))


@builtin("abs", "n: number")
def absolute(n: Number) -> Number:
    return abs(n) if isinstance(n, int) else DECIMAL.abs(n)


@builtin("abs", "n: duration")
def absolute_duration(n: Duration) -> Duration:
    return YearsMonths(abs(n.months)) if isinstance(n, YearsMonths) else DaysTime(abs(n.nanos))


@builtin("odd", "number: number")
def odd(number: Number) -> bool:
    return modulo(number, 2) == 1


@builtin("even", "number: number")
def even(number: Number) -> bool:
    return modulo(number, 2) == 0


@builtin("random number", "", runtime=True, origin="Camunda")
def random_number(runtime: Any) -> Decimal:
    """At least 0 and less than 1, from the caller's random source."""
    if runtime.random is None:
        raise Unanswerable("this evaluation has no random source")
    return Decimal(runtime.random.randrange(10**15)).scaleb(-15)
