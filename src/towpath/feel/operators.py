"""FEEL's operators on values: equality, order and arithmetic (DMN 1.5, 10.3.2.13 to 10.3.2.15).

Each answers null (None) or raises Unanswerable with the reason where the operands do not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from .calendar import YEAR_LIMIT
from .errors import Unanswerable
from .sizes import check_size, check_string
from .temporal import DAY_NANOS, Date, DateTime, DaysTime, Time, YearsMonths, add_months, bounded
from .values import DECIMAL, INT_LIMIT, Function, Range, kind

Number = int | Decimal

_EXACT_POWER = 112  # 2 ** 112 is the last power of a whole number that has fewer than 35 digits


def is_number(value: Any) -> bool:
    return type(value) is int or type(value) is Decimal


# -- equality and order ---------------------------------------------------------------------------


def equals(a: Any, b: Any) -> bool | None:
    """FEEL's ``=``: null for values of different kinds, save that nothing but null equals null."""
    ta, tb = type(a), type(b)
    if ta is tb and (ta is str or ta is int or ta is bool):
        return bool(a == b)
    if a is None or b is None:
        return a is b
    if is_number(a) and is_number(b):
        return bool(a == b)
    if ta is not tb:
        return a is b if isinstance(a, Function) and isinstance(b, Function) else None
    if ta is list or ta is dict:
        check_size(a)
        check_size(b)
    return equal_parts(a, b)


def equal_parts(a: Any, b: Any) -> bool | None:
    """``equals`` where both are known to be small enough to be gone through."""
    ta, tb = type(a), type(b)
    if ta is not tb or not (ta is list or ta is dict or ta is Range or ta is Time or ta is DateTime):
        return bool(a == b) if ta is tb and a is not None else _equal_scalars(a, b)
    if ta is list:
        return len(a) == len(b) and _all(equal_parts(x, y) for x, y in zip(a, b, strict=True))
    if ta is dict:
        return a.keys() == b.keys() and _all(equal_parts(value, b[key]) for key, value in a.items())
    if ta is Range:
        return bool(
            a.start_included == b.start_included
            and a.end_included == b.end_included
            and a.unary == b.unary
            and equals(a.start, b.start)
            and equals(a.end, b.end)
        )
    if (a.zone is None) is not (b.zone is None):
        return None
    return bool(a.nanos == b.nanos)


def _equal_scalars(a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return a is b
    return bool(a == b) if is_number(a) and is_number(b) else None


def _all(results: Any) -> bool:
    return all(result is True for result in results)


def order(a: Any, b: Any) -> int | None:
    """Negative, 0 or positive as a is before, equal to or after b; None where they have no order."""
    ta, tb = type(a), type(b)
    if ta is tb:
        if ta is int or ta is str or ta is Decimal:
            return int(a > b) - int(a < b)
        if ta in (Time, DateTime):
            if (a.zone is None) is not (b.zone is None):
                return None
            return int((a.nanos > b.nanos) - (a.nanos < b.nanos))
        if ta is Date:
            x, y = (a.year, a.month, a.day), (b.year, b.month, b.day)
            return (x > y) - (x < y)
        if ta is YearsMonths:
            return int((a.months > b.months) - (a.months < b.months))
        if ta is DaysTime:
            return int((a.nanos > b.nanos) - (a.nanos < b.nanos))
        return None
    if is_number(a) and is_number(b):
        return int(a > b) - int(a < b)
    return None


_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def compare(operator: str, a: Any, b: Any) -> bool | None:
    """``a operator b`` for ``= != < <= > >=``."""
    if operator == "=":
        return equals(a, b)
    if operator == "!=":
        same = equals(a, b)
        return None if same is None else not same
    sign = order(a, b)
    return None if sign is None else _ORDERS[operator](sign)


def contains(extent: Range, value: Any) -> bool | None:
    """Whether a range holds a value; None where they cannot be compared."""
    if extent.unary in ("=", "!="):
        same = equals(value, extent.start)
        return same if extent.unary == "=" or same is None else not same
    if extent.start is not None:
        sign = order(value, extent.start)
        if sign is None:
            return None
        if sign < 0 or (sign == 0 and not extent.start_included):
            return False
    if extent.end is not None:
        sign = order(value, extent.end)
        if sign is None:
            return None
        if sign > 0 or (sign == 0 and not extent.end_included):
            return False
    return True


def member(value: Any, candidate: Any) -> bool | None:
    """Whether ``value in candidate``: in the range, an element of the list, or equal."""
    if isinstance(candidate, Range) and not isinstance(value, Range):
        return contains(candidate, value)
    if type(candidate) is list:
        if type(value) is list and equals(value, candidate):
            return True
        return any(member(value, item) is True for item in candidate)
    return equals(value, candidate)


# -- arithmetic -------------------------------------------------------------------------------------


def _misfit(verb: str, a: Any, b: Any) -> Unanswerable:
    return Unanswerable(f"cannot {verb} {kind(a)} and {kind(b)}")


def calculated(operation: Callable[..., Decimal], *operands: Number) -> Decimal:
    """A decimal operation in 34 digits; what has no result (0/0, overflow) is Unanswerable."""
    try:
        return operation(*operands)
    except DecimalException as error:
        raise Unanswerable("the number has no value in 34 digits") from error


def _duration(value: YearsMonths | DaysTime) -> YearsMonths | DaysTime:
    if bounded(value) is None:
        raise Unanswerable("the duration is longer than any may be")
    return value


def _date(value: Date | None) -> Date:
    if value is None or abs(value.year) > YEAR_LIMIT:
        raise Unanswerable("the date is beyond the calendar")
    return value


def _shift(value: Any, by: Any, sign: int) -> Any:
    """A temporal value plus (or minus) a duration."""
    if type(by) is YearsMonths:
        if type(value) is Date:
            return _date(add_months(value, sign * by.months))
        if type(value) is DateTime:
            return DateTime(_date(add_months(value.date, sign * by.months)), value.clock, value.zone)
    elif type(by) is DaysTime:
        if type(value) is Time:
            return Time((value.clock + sign * by.nanos) % DAY_NANOS, value.zone)
        if type(value) is Date:
            # A date stands for its midnight in UTC, and stays a date.
            return _date(Date.from_days((value.nanos + sign * by.nanos) // DAY_NANOS))
        if type(value) is DateTime:
            if value.zone is not None and value.zone.name is not None:
                moved = DateTime.from_instant(value.nanos + sign * by.nanos, value.zone)
            else:
                moved = DateTime.from_local(value.local_nanos + sign * by.nanos, value.zone)
            _date(moved.date)
            return moved
    raise _misfit("add" if sign > 0 else "subtract", value, by)


def add(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        total = a + b if type(a) is int and type(b) is int else None
        if total is not None and -INT_LIMIT < total < INT_LIMIT:
            return total
        return calculated(DECIMAL.add, a, b)
    if type(a) is str and type(b) is str:
        check_string(len(a) + len(b))
        return a + b
    if type(a) is type(b):
        if type(a) is YearsMonths:
            return YearsMonths(a.months + b.months)
        if type(a) is DaysTime:
            return DaysTime(a.nanos + b.nanos)
    if type(b) in (YearsMonths, DaysTime):
        return _shift(a, b, 1)
    if type(a) in (YearsMonths, DaysTime):
        return _shift(b, a, 1)
    raise _misfit("add", a, b)


def subtract(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        difference = a - b if type(a) is int and type(b) is int else None
        if difference is not None and -INT_LIMIT < difference < INT_LIMIT:
            return difference
        return calculated(DECIMAL.subtract, a, b)
    ta, tb = type(a), type(b)
    if ta is tb:
        if ta is YearsMonths:
            return YearsMonths(a.months - b.months)
        if ta is DaysTime:
            return DaysTime(a.nanos - b.nanos)
    if tb in (YearsMonths, DaysTime):
        return _shift(a, b, -1)
    instants = (Date, DateTime)
    if (ta in instants and tb in instants) or (ta is Time and tb is Time):
        # A date is a midnight in UTC; a local time has no distance from one that is zoned.
        if (_zoned(a)) is not (_zoned(b)):
            raise Unanswerable("a local time and one with a zone have no distance")
        return DaysTime(a.nanos - b.nanos)
    raise _misfit("subtract", a, b)


def _zoned(value: Any) -> bool:
    return type(value) is Date or value.zone is not None


def multiply(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        product = a * b if type(a) is int and type(b) is int else None
        if product is not None and -INT_LIMIT < product < INT_LIMIT:
            return product
        return calculated(DECIMAL.multiply, a, b)
    if is_number(a):
        a, b = b, a
    if is_number(b):
        if type(a) is YearsMonths:
            return _duration(YearsMonths(int(calculated(DECIMAL.multiply, a.months, b))))
        if type(a) is DaysTime:
            return _duration(DaysTime(int(calculated(DECIMAL.multiply, a.nanos, b))))
    raise _misfit("multiply", a, b)


def divide(a: Any, b: Any) -> Any:
    if is_number(b):
        if b == 0:
            raise Unanswerable("division by zero")
        if is_number(a):
            if type(a) is int and type(b) is int and a % b == 0:
                return a // b
            return calculated(DECIMAL.divide, a, b)
        if type(a) is YearsMonths:
            return _duration(YearsMonths(int(calculated(DECIMAL.divide, a.months, b))))
        if type(a) is DaysTime:
            return _duration(DaysTime(int(calculated(DECIMAL.divide, a.nanos, b))))
    elif type(a) is type(b):
        if type(a) is YearsMonths:
            return divide(a.months, b.months)
        if type(a) is DaysTime:
            return divide(a.nanos, b.nanos)
    raise _misfit("divide", a, b)


def power(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        if type(a) is int and type(b) is int and 0 <= b <= _EXACT_POWER:
            exact = a**b
            if -INT_LIMIT < exact < INT_LIMIT:
                return exact
        if a == 0 and b <= 0:
            if b == 0:
                return 1
            raise Unanswerable("division by zero")  # decimal's answer is Infinity
        return calculated(DECIMAL.power, a, b)
    raise _misfit("raise to a power", a, b)


def negate(a: Any) -> Any:
    if type(a) is int:
        return -a
    if type(a) is Decimal:
        return DECIMAL.minus(a)
    if type(a) is YearsMonths:
        return YearsMonths(-a.months)
    if type(a) is DaysTime:
        return DaysTime(-a.nanos)
    raise Unanswerable(f"cannot negate {kind(a)}")


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}
