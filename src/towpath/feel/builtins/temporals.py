"""Functions on dates, times and durations (DMN 1.5, 10.3.4.1, 10.3.4.7 and 10.3.4.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..calendar import NANO, YEAR_LIMIT, Zone, days_in_month, parse_zone
from ..errors import Unanswerable
from ..operators import Number
from ..sizes import shortened
from ..temporal import (
    Date,
    DateTime,
    DaysTime,
    Duration,
    Time,
    YearsMonths,
    make_date,
    parse_date,
    parse_date_and_time,
    parse_feel_duration,
    parse_time,
)
from ..values import DECIMAL
from .signature import builtin

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _parsed(value: Any, what: str, text: str) -> Any:
    if value is None:
        raise Unanswerable(f"{shortened(text)} is no {what}")
    return value


def _whole(value: Number, what: str) -> int:
    if value != int(value):
        raise Unanswerable(f"the {what} is not whole")
    return int(value)


@builtin("date", "from: string")
def date_from_text(text: str) -> Date:
    return _parsed(parse_date(text), "date", text)  # type: ignore[no-any-return]


@builtin("date", "from: date or date and time")
def date_from(value: Date | DateTime) -> Date:
    return value if isinstance(value, Date) else value.date


@builtin("date", "year: number, month: number, day: number")
def date_of(year: Number, month: Number, day: Number) -> Date:
    made = make_date(_whole(year, "year"), _whole(month, "month"), _whole(day, "day"))
    return _parsed(made, "date", f"{year}-{month}-{day}")  # type: ignore[no-any-return]


@builtin("time", "from: string")
def time_from_text(text: str) -> Time:
    return _parsed(parse_time(text), "time", text)  # type: ignore[no-any-return]


@builtin("time", "from: temporal")
def time_from(value: Date | Time | DateTime) -> Time:
    if isinstance(value, Date):
        return Time(0, Zone(0))
    return value if isinstance(value, Time) else value.time


@builtin("time", "hour: number, minute: number, second: number, offset: days and time duration ? =")
def time_of(hour: Number, minute: Number, second: Number, offset: DaysTime | None = None) -> Time:
    zone = None if offset is None else _zone(offset)
    return Time(_clock(hour, minute, second), zone)


def _zone(offset: DaysTime) -> Zone:
    seconds = abs(offset.nanos) // NANO
    if seconds > 18 * 3600:
        raise Unanswerable("the offset is more than 18 hours")
    return Zone(seconds if offset.nanos >= 0 else -seconds)


def _clock(hour: Number, minute: Number, second: Number) -> int:
    hours, minutes = _whole(hour, "hour"), _whole(minute, "minute")
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59 or not 0 <= second < 60:
        raise Unanswerable(f"{hour}:{minute}:{second} is no time")
    nanos = int(DECIMAL.multiply(Decimal(second), Decimal(NANO)))
    return (hours * 3600 + minutes * 60) * NANO + nanos


@builtin("date and time", "from: string")
def date_and_time_from_text(text: str) -> DateTime:
    return _parsed(parse_date_and_time(text), "date and time", text)  # type: ignore[no-any-return]


@builtin("date and time", "from: date or date and time", origin="Camunda")
def date_and_time_from(value: Date | DateTime) -> DateTime:
    return DateTime(value, 0) if isinstance(value, Date) else value


@builtin("date and time", "date: date or date and time, time: time")
def date_and_time_of(date: Date | DateTime, time: Time) -> DateTime:
    return DateTime(date_from(date), time.clock, time.zone)


@builtin("date and time", "date: date or date and time, timezone: string", origin="Camunda")
def date_and_time_in_zone(date: Date | DateTime, timezone: str) -> DateTime:
    zone = _named_zone(timezone)
    if isinstance(date, Date):
        return DateTime(date, 0, zone)
    if date.zone is None:  # a local time is taken to be one of the zone
        return DateTime(date.date, date.clock, zone)
    return _in_calendar(DateTime.from_instant(date.nanos, zone))


@builtin(
    "date and time",
    "year: number, month: number, day: number, hour: number, minute: number, second: number, "
    "offset: days and time duration ? =",
)
def date_and_time_parts(
    year: Number,
    month: Number,
    day: Number,
    hour: Number,
    minute: Number,
    second: Number,
    offset: DaysTime | None = None,
) -> DateTime:
    zone = None if offset is None else _zone(offset)
    return DateTime(date_of(year, month, day), _clock(hour, minute, second), zone)


@builtin(
    "date and time",
    "year: number, month: number, day: number, hour: number, minute: number, second: number, "
    "timezone: string",
)
def date_and_time_parts_in_zone(
    year: Number, month: Number, day: Number, hour: Number, minute: Number, second: Number, timezone: str
) -> DateTime:
    return DateTime(date_of(year, month, day), _clock(hour, minute, second), _named_zone(timezone))


def _in_calendar(moment: DateTime) -> DateTime:
    if abs(moment.date.year) > YEAR_LIMIT:
        raise Unanswerable("the date is beyond the calendar")
    return moment


def _named_zone(timezone: str) -> Zone:
    zone = parse_zone(timezone) or parse_zone("@" + timezone)
    return _parsed(zone, "time zone", timezone)  # type: ignore[no-any-return]


@builtin("duration", "from: string")
def duration(text: str) -> Duration:
    return _parsed(parse_feel_duration(text), "duration", text)  # type: ignore[no-any-return]


@builtin("duration", "from: duration", origin="Camunda")
def duration_from(value: Duration) -> Duration:
    return value


@builtin("years and months duration", "from: date or date and time, to: date or date and time")
def years_and_months_duration(start: Date | DateTime, end: Date | DateTime) -> YearsMonths:
    a, b = date_from(start), date_from(end)
    months = (b.year - a.year) * 12 + b.month - a.month
    if months > 0 and b.day < a.day:
        months -= 1
    elif months < 0 and b.day > a.day:
        months += 1
    return YearsMonths(months)


@builtin("day of year", "date: date or date and time")
def day_of_year(value: Date | DateTime) -> int:
    date = date_from(value)
    return date.days - Date(date.year, 1, 1).days + 1


@builtin("day of week", "date: date or date and time")
def day_of_week(value: Date | DateTime) -> str:
    return _WEEKDAYS[date_from(value).weekday - 1]


@builtin("month of year", "date: date or date and time")
def month_of_year(value: Date | DateTime) -> str:
    return _MONTHS[date_from(value).month - 1]


@builtin("week of year", "date: date or date and time")
def week_of_year(value: Date | DateTime) -> int:
    """The ISO 8601 week: the week of the year that holds the same week's Thursday."""
    date = date_from(value)
    thursday = Date.from_days(date.days - date.weekday + 4)
    return (thursday.days - Date(thursday.year, 1, 1).days) // 7 + 1


@builtin("last day of month", "date: date or date and time", origin="Camunda")
def last_day_of_month(value: Date | DateTime) -> Date:
    date = date_from(value)
    return Date(date.year, date.month, days_in_month(date.year, date.month))


def _now(runtime: Any) -> DateTime:
    if runtime.now is None:
        raise Unanswerable("this evaluation has no clock")
    return runtime.now  # type: ignore[no-any-return]


@builtin("now", "", runtime=True)
def now(runtime: Any) -> DateTime:
    return _now(runtime)


@builtin("today", "", runtime=True)
def today(runtime: Any) -> Date:
    return _now(runtime).date
