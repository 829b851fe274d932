"""Between FEEL's values and those of JSON and Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from decimal import Decimal, DecimalException
from enum import Enum
from numbers import Integral, Number, Rational, Real
from typing import Any
from uuid import UUID

from .calendar import NANO, UTC, Zone, parse_zone, zone_info
from .errors import FeelLimitError
from .sizes import check_size
from .temporal import Date, DateTime, DaysTime, Time, YearsMonths
from .values import DECIMAL, INT_LIMIT, Function, Range, range_text, whole

_WHOLE_DIGITS = 1_000  # of a number that becomes an int in JSON
_AS_IS = frozenset({str, bool, type(None), Date, Time, DateTime, YearsMonths, DaysTime, Range})


def from_json(value: Any) -> Any:
    """A FEEL value from a JSON value or a Python one.

    Numbers become ``int`` or ``Decimal`` of 34 digits (a float by its shortest text; what is not
    finite, null); ``datetime`` objects their FEEL kinds; mappings and dataclasses contexts; sequences
    lists, and sets lists in order; enumerations their values; a UUID its text. Strings stay strings.
    What is already FEEL's is returned as it is. Raises TypeError for anything else, FeelLimitError
    for what is nested too deeply.
    """
    try:
        return _converted(value)
    except RecursionError:
        raise FeelLimitError("a value is nested too deeply, or within itself") from None


def _converted(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is int:
        return value if -INT_LIMIT < value < INT_LIMIT else _decimal(Decimal(value))
    if kind is Decimal:
        return _decimal(value)
    if kind is float:
        return _decimal(Decimal(repr(value)))
    if kind is dict:
        return value if _is_feel(value) else _context(value)
    if kind is list:
        return value if _is_feel(value) else [_converted(item) for item in value]
    return _from_python(value)


def _decimal(value: Decimal) -> int | Decimal | None:
    """The number in 34 digits; null where a decimal128 cannot hold it, as in FEEL's arithmetic."""
    if not value.is_finite():
        return None
    try:
        return whole(DECIMAL.create_decimal(value))
    except DecimalException:
        return None


def _context(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {_key(key): _converted(item) for key, item in value.items()}


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, str):
        return key if type(key) is str else str.__str__(key)
    if isinstance(key, int | UUID):
        return str(key)
    raise TypeError(f"a key of a context is {type(key).__name__}, not a string")


def _is_feel(value: list[Any] | dict[Any, Any]) -> bool:
    """Whether nothing in a list or context needs to be converted; most JSON is so, and then not copied."""
    items: Iterable[Any] = value
    if type(value) is dict:
        items = value.values()
        for key in value:
            if type(key) is not str:
                return False
    for item in items:
        kind = type(item)
        if kind is int:
            if not -INT_LIMIT < item < INT_LIMIT:
                return False
        elif kind is dict or kind is list:
            if not _is_feel(item):
                return False
        elif kind not in _AS_IS:
            return False
    return True


def _from_python(value: Any) -> Any:
    if isinstance(value, Function):
        return value
    if isinstance(value, dt.datetime):
        return date_time(value)
    if isinstance(value, dt.date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, dt.time):
        clock = (value.hour * 3600 + value.minute * 60 + value.second) * NANO + value.microsecond * 1000
        name = getattr(value.tzinfo, "key", None)  # such a time has no offset, for want of a date
        zone = None if name in (None, "UTC") else parse_zone(f"@{name}")
        offset = dt.timedelta() if name == "UTC" else value.utcoffset()
        return Time(clock, zone or (None if offset is None else Zone(int(offset.total_seconds()))))
    if isinstance(value, dt.timedelta):
        return DaysTime((value.days * 86_400 + value.seconds) * NANO + value.microseconds * 1000)
    if isinstance(value, Enum):
        return _converted(value.value)
    if isinstance(value, str):  # a subclass of it, whose own __str__ may say something else
        return str.__str__(value)
    if isinstance(value, Number) and not isinstance(value, complex):
        return _from_number(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return _context(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _converted(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Set):
        return _sorted([_converted(item) for item in value])
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_converted(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no counterpart in FEEL")


def _from_number(value: Number) -> Any:
    """A subclass of Python's numbers, a fraction, or a number of another library."""
    if isinstance(value, Decimal):
        return _decimal(Decimal(value))
    if isinstance(value, Integral):
        return _converted(int(value))
    if isinstance(value, Rational):
        return _decimal(DECIMAL.divide(Decimal(int(value.numerator)), Decimal(int(value.denominator))))
    if isinstance(value, Real):
        return _converted(float(value))
    raise TypeError(f"{type(value).__name__} has no counterpart in FEEL")


def _sorted(items: list[Any]) -> list[Any]:
    """The items of a set in an order that is the same in every run."""
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=lambda item: (type(item).__name__, str(item)))


def date_time(value: dt.datetime) -> DateTime:
    """A ``datetime`` with its offset or, where it has one, its IANA zone.

    In the hour that a zone's clocks go through twice, FEEL takes the first; a ``datetime`` of the
    second (``fold=1``) keeps its instant by its offset instead.
    """
    clock = (value.hour * 3600 + value.minute * 60 + value.second) * NANO + value.microsecond * 1000
    name = getattr(value.tzinfo, "key", None)
    offset = value.utcoffset()
    zone: Zone | None = None
    if offset is not None:
        zone = UTC if name in ("UTC", None) and not offset else Zone(int(offset.total_seconds()))
    moment = DateTime(Date(value.year, value.month, value.day), clock, zone)
    if name in (None, "UTC") or parse_zone(f"@{name}") is None:
        return moment
    named = DateTime(moment.date, clock, Zone(0, name))
    return named if named.nanos == moment.nanos else moment


def clock(now: dt.datetime | int | DateTime | None) -> DateTime | None:
    """The moment that ``now()`` answers, from what a caller has: ms since the epoch are UTC."""
    if now is None or isinstance(now, DateTime):
        return now
    if isinstance(now, int):
        return DateTime.from_instant(now * 1_000_000, UTC)
    return date_time(now)


def to_json(value: Any) -> Any:
    """A JSON value: whole numbers ``int``, others ``Decimal``; temporal values and ranges their text.

    A function has no JSON and becomes null. Raises FeelLimitError for what is too large to write out.
    """
    check_size(value)
    return _json(value)


def _json(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is Decimal:
        # Beyond that, digits of a whole number are but zeros, and Python does not write them all.
        return (
            int(value) if value.adjusted() < _WHOLE_DIGITS and value == value.to_integral_value() else value
        )
    if kind is list:
        return [_json(item) for item in value]
    if kind is dict:
        return {key: _json(item) for key, item in value.items()}
    if kind is Range:
        return range_text(value)
    return None if isinstance(value, Function) else str(value)


def to_python(value: Any) -> Any:
    """A Python value: ``datetime`` objects where they can hold it, else FEEL's own value."""
    check_size(value)
    return _python(value)


def _python(value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return [_python(item) for item in value]
    if kind is dict:
        return {key: _python(item) for key, item in value.items()}
    if kind is Decimal:
        return whole(value)
    try:
        if kind is Date:
            return dt.date(value.year, value.month, value.day)
        if kind is Time and value.clock % 1000 == 0 and (value.zone is None or value.zone.name is None):
            return _python_time(value)
        if kind is DateTime and value.clock % 1000 == 0:
            day = dt.date(value.date.year, value.date.month, value.date.day)
            return dt.datetime.combine(day, _python_time(value))
        if kind is DaysTime and value.nanos % 1000 == 0:
            return dt.timedelta(microseconds=value.nanos // 1000)
    except (ValueError, OverflowError):
        return value
    return value


def _python_time(value: Time | DateTime) -> dt.time:
    seconds, nanos = divmod(value.clock, NANO)
    zone: dt.tzinfo | None = None
    if value.zone is not None:
        zone = (
            zone_info(value.zone.name)
            if value.zone.name
            else dt.timezone(dt.timedelta(seconds=value.zone.offset))
        )
        if value.zone == UTC:
            zone = dt.UTC
    return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, nanos // 1000, zone)
