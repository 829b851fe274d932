"""FEEL's temporal values: date, time, date and time, and the two kinds of duration.

They are immutable. Equality in Python (``==``) is FEEL's ``is``; FEEL's ``=`` and order are in
``towpath.feel.operators``. Text forms follow DMN 1.5, 10.3.2.3.4 and following.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .calendar import (
    DAY,
    NANO,
    UTC,
    YEAR_LIMIT,
    Zone,
    civil_from_days,
    days_from_civil,
    days_in_month,
    parse_zone,
)

DAY_NANOS = DAY * NANO
MAX_MONTHS = 10**18  # of a duration, which is far more than the calendar has
MAX_NANOS = 10**30


def _year_text(year: int) -> str:
    return f"-{-year:04}" if year < 0 else f"{year:04}"


def _clock_text(nanos: int) -> str:
    seconds, fraction = divmod(nanos, NANO)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:09}".rstrip("0") if fraction else text


@dataclass(frozen=True, slots=True)
class Date:
    """A day of the calendar."""

    year: int
    month: int
    day: int

    @property
    def days(self) -> int:
        """Days since 1970-01-01."""
        return days_from_civil(self.year, self.month, self.day)

    @property
    def nanos(self) -> int:
        """Nanoseconds from 1970-01-01T00:00Z to the day's midnight in UTC."""
        return self.days * DAY_NANOS

    @property
    def weekday(self) -> int:
        """1 (Monday) to 7 (Sunday)."""
        return (self.days + 3) % 7 + 1

    @staticmethod
    def from_days(days: int) -> Date:
        return Date(*civil_from_days(days))

    def __str__(self) -> str:
        return f"{_year_text(self.year)}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day: ``clock`` is nanoseconds since midnight, ``zone`` None for a local time."""

    clock: int
    zone: Zone | None = None

    @property
    def hour(self) -> int:
        return self.clock // (3600 * NANO)

    @property
    def minute(self) -> int:
        return self.clock // (60 * NANO) % 60

    @property
    def second(self) -> int:
        return self.clock // NANO % 60

    @property
    def offset(self) -> int | None:
        """Seconds east of UTC; None for a local time. A named zone's is that of 1970-01-01."""
        return None if self.zone is None else self.zone.offset_at(self.clock // NANO)

    @property
    def nanos(self) -> int:
        """For order among times of the same kind: nanoseconds of day, in UTC where zoned."""
        return self.clock - (self.offset or 0) * NANO

    def __str__(self) -> str:
        return _clock_text(self.clock) + ("" if self.zone is None else str(self.zone))


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date and a time of day; local where ``zone`` is None."""

    date: Date
    clock: int
    zone: Zone | None = None

    @property
    def hour(self) -> int:
        return self.clock // (3600 * NANO)

    @property
    def minute(self) -> int:
        return self.clock // (60 * NANO) % 60

    @property
    def second(self) -> int:
        return self.clock // NANO % 60

    @property
    def local_nanos(self) -> int:
        return self.date.days * DAY_NANOS + self.clock

    @property
    def offset(self) -> int | None:
        return None if self.zone is None else self.zone.offset_at(self.local_nanos // NANO)

    @property
    def nanos(self) -> int:
        """Nanoseconds since 1970-01-01T00:00, in UTC where zoned."""
        return self.local_nanos - (self.offset or 0) * NANO

    @property
    def time(self) -> Time:
        return Time(self.clock, self.zone)

    @staticmethod
    def from_local(nanos: int, zone: Zone | None) -> DateTime:
        days, clock = divmod(nanos, DAY_NANOS)
        return DateTime(Date.from_days(days), clock, zone)

    @staticmethod
    def from_instant(nanos: int, zone: Zone) -> DateTime:
        """The local reading in ``zone`` of an instant (nanoseconds since the epoch)."""
        return DateTime.from_local(nanos + zone.offset_at_instant(nanos // NANO) * NANO, zone)

    def __str__(self) -> str:
        zone = "" if self.zone is None else str(self.zone)
        return f"{self.date}T{_clock_text(self.clock)}{zone}"


@dataclass(frozen=True, slots=True)
class YearsMonths:
    """A years and months duration, in months."""

    months: int

    def __str__(self) -> str:
        sign = "-" if self.months < 0 else ""
        years, months = divmod(abs(self.months), 12)
        if years and months:
            return f"{sign}P{years}Y{months}M"
        return f"{sign}P{years}Y" if years else f"{sign}P{months}M"


@dataclass(frozen=True, slots=True)
class DaysTime:
    """A days and time duration, in nanoseconds."""

    nanos: int

    def __str__(self) -> str:
        if self.nanos == 0:
            return "PT0S"
        sign = "-" if self.nanos < 0 else ""
        days, clock = divmod(abs(self.nanos), DAY_NANOS)
        seconds, fraction = divmod(clock, NANO)
        text = f"{sign}P" + (f"{days}D" if days else "")
        if clock:
            text += "T"
            text += f"{seconds // 3600}H" if seconds >= 3600 else ""
            text += f"{seconds // 60 % 60}M" if seconds // 60 % 60 else ""
            if fraction:
                text += f"{seconds % 60}.{fraction:09}".rstrip("0") + "S"
            elif seconds % 60:
                text += f"{seconds % 60}S"
        return text


Duration = YearsMonths | DaysTime

_MAX_DURATION = 200  # characters of a duration

_DATE = re.compile(r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(
    r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|z|[+-]\d{2}:\d{2}(?::\d{2})?|@[\w+/-]+)?", re.ASCII
)
_MONTHS = re.compile(r"(-)?P(?:(\d+)Y)?(?:(\d+)M)?", re.ASCII)
_DAYS = re.compile(r"(-)?P(?:(\d+)D)?(T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d*))?S)?)?", re.ASCII)
_MIXED = re.compile(
    r"(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d*))?S)?)?",
    re.ASCII,
)


def make_date(year: int, month: int, day: int) -> Date | None:
    """The date, or None where there is no such day."""
    if abs(year) > YEAR_LIMIT or not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        return None
    return Date(year, month, day)


def parse_date(text: str) -> Date | None:
    """``[-]yyyy-mm-dd``, or None."""
    matched = _DATE.fullmatch(text)
    return None if matched is None else make_date(*(int(part) for part in matched.groups()))


def bounded(duration: Duration) -> Duration | None:
    """The duration, or None where it is longer than any may be."""
    if isinstance(duration, YearsMonths):
        return duration if abs(duration.months) < MAX_MONTHS else None
    return duration if abs(duration.nanos) < MAX_NANOS else None


def _fraction(digits: str | None) -> int:
    return int((digits or "0")[:9].ljust(9, "0"))


def parse_time(text: str) -> Time | None:
    """``hh:mm:ss[.f][zone]``, or None; 24:00:00 is the day's end, as a time 00:00:00."""
    found = _parse_clock(text)
    if found is None:
        return None
    clock, zone = found
    return Time(clock % DAY_NANOS, zone)


def _parse_clock(text: str) -> tuple[int, Zone | None] | None:
    matched = _TIME.fullmatch(text)
    if matched is None:
        return None
    hour, minute, second = (int(matched[group]) for group in (1, 2, 3))
    nanos = _fraction(matched[4])
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second or nanos)):
        return None
    zone = None
    if matched[5] is not None:
        zone = parse_zone(matched[5])
        if zone is None:
            return None
    return (hour * 3600 + minute * 60 + second) * NANO + nanos, zone


def parse_date_and_time(text: str) -> DateTime | None:
    """A date, ``T`` and a time; a date alone is midnight. None where it is neither."""
    day, separator, clock = text.partition("T")
    date = parse_date(day)
    if date is None:
        return None
    if not separator:
        return DateTime(date, 0)
    found = _parse_clock(clock)
    if found is None:
        return None
    nanos, zone = found
    moment = DateTime.from_local(date.days * DAY_NANOS + nanos, zone)
    return moment if abs(moment.date.year) <= YEAR_LIMIT else None


def parse_feel_duration(text: str) -> Duration | None:
    """A duration of one of FEEL's two kinds, or None."""
    if len(text) > _MAX_DURATION:
        return None
    matched = _MONTHS.fullmatch(text)
    if matched is not None and (matched[2] or matched[3]):
        months = int(matched[2] or 0) * 12 + int(matched[3] or 0)
        return bounded(YearsMonths(-months if matched[1] else months))
    matched = _DAYS.fullmatch(text)
    if matched is None or not (matched[2] or matched[3]) or matched[3] == "T":
        return None
    seconds = (
        int(matched[2] or 0) * DAY
        + int(matched[4] or 0) * 3600
        + int(matched[5] or 0) * 60
        + int(matched[6] or 0)
    )
    nanos = seconds * NANO + _fraction(matched[7])
    return bounded(DaysTime(-nanos if matched[1] else nanos))


def parse_any(text: str) -> Date | Time | DateTime | Duration | None:
    """What an at-literal (``@"..."``) says, or None."""
    if text[:1] == "P" or text[:2] == "-P":
        return parse_feel_duration(text)
    if "T" in text and (moment := parse_date_and_time(text)) is not None:
        return moment
    return parse_date(text) or parse_time(text)


def add_months(date: Date, months: int) -> Date | None:
    """The day so many months later, or the last of that month where it has no such day."""
    index = date.year * 12 + date.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return make_date(year, month, min(date.day, days_in_month(year, month)))


@dataclass(frozen=True, slots=True)
class CalendarDuration:
    """An ISO 8601 duration that may mix years, months, weeks, days and time (timers, not FEEL)."""

    months: int
    nanos: int


def parse_duration(text: str) -> CalendarDuration:
    """Any ISO 8601 duration, e.g. ``P1Y2M3DT4H5.5S`` or ``P2W``.

    Raises ValueError with what was written where it is none.
    """
    stripped = text.strip()
    matched = None if len(stripped) > _MAX_DURATION else _MIXED.fullmatch(stripped)
    if matched is None or not any(matched.groups()[1:]) or stripped.endswith("T"):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT15M or P1DT2H")
    sign = -1 if matched[1] else 1
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in matched.groups()[1:8])
    total = (weeks * 7 + days) * DAY + hours * 3600 + minutes * 60 + seconds
    return CalendarDuration(sign * (years * 12 + months), sign * (total * NANO + _fraction(matched[9])))


def add_duration(moment: int, duration: CalendarDuration | Duration) -> int:
    """``moment`` (ms since the epoch) plus a duration, months first, reckoned in UTC; ms."""
    months = duration.months if isinstance(duration, CalendarDuration | YearsMonths) else 0
    nanos = duration.nanos if isinstance(duration, CalendarDuration | DaysTime) else 0
    if months:
        days, clock = divmod(moment, DAY * 1000)
        date = add_months(Date.from_days(days), months)
        if date is None:
            raise ValueError("the date is beyond the calendar")
        moment = date.days * DAY * 1000 + clock
    return moment + nanos // 1_000_000


def parse_date_time(text: str) -> int:
    """The instant of an ISO 8601 date-time in ms since the epoch.

    With an offset or a zone (``...@Europe/Berlin``, ``...[Europe/Berlin]``); without one it is UTC.
    Raises ValueError.
    """
    stripped = text.strip()
    matched = re.fullmatch(r"(.*?)(?:[+-]\d{2}:\d{2}|Z)?\[([\w+/-]+)\]", stripped)
    if matched is not None:
        stripped = f"{matched[1]}@{matched[2]}"
    # ISO 8601 lets the seconds and the colon of the offset be left out; FEEL does not.
    stripped = re.sub(r"(T\d{2}:\d{2})(?!:|\d)", r"\1:00", stripped)
    stripped = (
        re.sub(r"([+-]\d{2})(\d{2})?$", lambda m: f"{m[1]}:{m[2] or '00'}", stripped)
        if "T" in stripped
        else stripped
    )
    moment = parse_date_and_time(stripped)
    if moment is None:
        raise ValueError(f"{text!r} is not a date and time such as 2026-11-22T16:40:00Z")
    return (
        moment if moment.zone is not None else DateTime(moment.date, moment.clock, UTC)
    ).nanos // 1_000_000
