"""What a path (``value.name``) answers (DMN 1.5, 10.3.2.15, tables 65 and 66)."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from .calendar import NANO
from .temporal import DAY_NANOS, Date, DateTime, DaysTime, Time, YearsMonths
from .values import Range, kind

Warn = Callable[[str], None]


def _second(value: Time | DateTime) -> Any:
    return value.second


def _offset(value: Time | DateTime) -> DaysTime | None:
    offset = value.offset
    return None if offset is None else DaysTime(offset * NANO)


def _zone(value: Time | DateTime) -> str | None:
    return None if value.zone is None else value.zone.name


def _sign(value: int) -> int:
    return -1 if value < 0 else 1


_CLOCK: dict[str, Callable[[Any], Any]] = {
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
    "second": _second,
    "time offset": _offset,
    "timezone": _zone,
}

PROPERTIES: dict[type, dict[str, Callable[[Any], Any]]] = {
    Date: {
        "year": lambda value: value.year,
        "month": lambda value: value.month,
        "day": lambda value: value.day,
        "weekday": lambda value: value.weekday,
    },
    Time: _CLOCK,
    DateTime: {
        **_CLOCK,
        "year": lambda value: value.date.year,
        "month": lambda value: value.date.month,
        "day": lambda value: value.date.day,
        "weekday": lambda value: value.date.weekday,
    },
    YearsMonths: {
        "years": lambda value: abs(value.months) // 12 * _sign(value.months),
        "months": lambda value: abs(value.months) % 12 * _sign(value.months),
    },
    DaysTime: {
        "days": lambda value: abs(value.nanos) // DAY_NANOS * _sign(value.nanos),
        "hours": lambda value: abs(value.nanos) // (3600 * NANO) % 24 * _sign(value.nanos),
        "minutes": lambda value: abs(value.nanos) // (60 * NANO) % 60 * _sign(value.nanos),
        "seconds": lambda value: abs(value.nanos) // NANO % 60 * _sign(value.nanos),
    },
    Range: {
        "start": lambda value: value.start,
        "end": lambda value: value.end,
        "start included": lambda value: value.start_included,
        "end included": lambda value: value.end_included,
    },
}


def property_of(value: Any, name: str, warn: Warn | None) -> Any:
    """A context's entry, a list's items' entries, or a property of a temporal value or range."""
    if type(value) is dict:
        if name in value:
            return value[name]
        if warn is not None:
            close = difflib.get_close_matches(name, list(value), n=1)
            warn(f"no entry {name!r}" + (f", did you mean {close[0]!r}?" if close else ""))
        return None
    if type(value) is list:
        if warn is None:
            return None
        return [property_of(item, name, warn) for item in value]
    read = PROPERTIES.get(type(value), {}).get(name)
    if read is not None:
        return read(value)
    if warn is not None and value is not None:
        warn(f"{kind(value)} has no property {name!r}")
    return None
