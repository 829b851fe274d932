"""Between FEEL's values and those of JSON and Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from .calendar import NANO, UTC, Zone
from .sizes import check_size
from .temporal import Date, DateTime, DaysTime, Time, YearsMonths
from .values import DECIMAL, INT_LIMIT, Function, Range, range_text, whole

_AS_IS = frozenset({str, bool, type(None), Date, Time, DateTime, YearsMonths, DaysTime, Range})


def from_json(value: Any) -> Any:
    """A FEEL value from a JSON value or a Python one.

    Numbers become ``int`` or ``Decimal`` of 34 digits (a float by its shortest text); ``datetime``
    objects their FEEL kinds; mappings contexts; sequences lists. Strings stay strings. What is
    already FEEL's is returned as it is. Raises TypeError for anything else.
    """
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is int:
        return value if -INT_LIMIT < value < INT_LIMIT else whole(DECIMAL.create_decimal(value))
    if kind is Decimal:
        return whole(DECIMAL.create_decimal(value)) if value.is_finite() else None
    if kind is float:
        number = Decimal(repr(value))
        return whole(number) if number.is_finite() else None
    if kind is dict:
        return value if _is_feel(value) else {str(key): from_json(item) for key, item in value.items()}
    if kind is list:
        return value if _is_feel(value) else [from_json(item) for item in value]
    return _from_python(value)


def _is_feel(value: Any) -> bool:
    """Whether nothing in a value needs to be converted; most JSON is so, and then not copied."""
    kind = type(value)
    if kind is int:
        return bool(-INT_LIMIT < value < INT_LIMIT)
    if kind is list:
        return all(type(item) in _AS_IS or _is_feel(item) for item in value)
    if kind is dict:
        return all(
            type(key) is str and (type(item) in _AS_IS or _is_feel(item)) for key, item in value.items()
        )
    return kind in _AS_IS


def _from_python(value: Any) -> Any:
    if isinstance(value, Function):
        return value
    if isinstance(value, dt.datetime):
        return date_time(value)
    if isinstance(value, dt.date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, dt.time):
        clock = (value.hour * 3600 + value.minute * 60 + value.second) * NANO + value.microsecond * 1000
        offset = value.utcoffset()
        return Time(clock, None if offset is None else Zone(int(offset.total_seconds())))
    if isinstance(value, dt.timedelta):
        return DaysTime((value.days * 86_400 + value.seconds) * NANO + value.microseconds * 1000)
    if isinstance(value, Mapping):
        return {str(key): from_json(item) for key, item in value.items()}
    if isinstance(value, bool | int | float | str | Decimal):  # a subclass of one, such as an enum
        for base in (bool, int, float, str, Decimal):
            if isinstance(value, base):
                return from_json(base(value))
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [from_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no counterpart in FEEL")


def date_time(value: dt.datetime) -> DateTime:
    """A ``datetime`` with its offset or, where it has one, its IANA zone."""
    clock = (value.hour * 3600 + value.minute * 60 + value.second) * NANO + value.microsecond * 1000
    name = getattr(value.tzinfo, "key", None)
    offset = value.utcoffset()
    zone: Zone | None = None
    if offset is not None:
        zone = UTC if name in ("UTC", None) and not offset else Zone(int(offset.total_seconds()))
        if name not in (None, "UTC"):
            zone = Zone(0, name)
    return DateTime(Date(value.year, value.month, value.day), clock, zone)


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
        return int(value) if value == value.to_integral_value() else value
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
        from .calendar import zone_info

        zone = (
            zone_info(value.zone.name)
            if value.zone.name
            else dt.timezone(dt.timedelta(seconds=value.zone.offset))
        )
        if value.zone == UTC:
            zone = dt.UTC
    return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, nanos // 1000, zone)
