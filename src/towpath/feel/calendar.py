"""The proleptic Gregorian calendar without bounds, and zones on it.

Python's ``datetime`` ends at the years 1 and 9999 and at microseconds; FEEL goes to +-999,999,999
years and nanoseconds. Days count from 1970-01-01.
"""

from __future__ import annotations

import datetime as _dt
import re
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DAY = 86_400  # seconds
NANO = 1_000_000_000  # per second
YEAR_LIMIT = 999_999_999

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})(?::(\d{2}))?")


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date; the algorithm of Howard Hinnant's ``chrono`` paper."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """The date of a count of days since 1970-01-01."""
    days += 719_468
    era, of_era = divmod(days, 146_097)
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + (3 if shifted < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, day


class Zone(NamedTuple):
    """A fixed offset (seconds east of UTC) or, where ``name`` is set, a zone of the IANA database."""

    offset: int
    name: str | None = None

    def offset_at(self, local_seconds: int) -> int:
        """Seconds east of UTC at a local time (seconds since 1970-01-01T00:00:00 local).

        In a gap or overlap the earlier offset holds (as ``fold=0``). Beyond Python's years the
        offset of the same date in the nearest 400-year cycle is used.
        """
        if self.name is None:
            return self.offset
        return _seconds(_held(local_seconds).replace(tzinfo=zone_info(self.name)).utcoffset())

    def offset_at_instant(self, utc_seconds: int) -> int:
        """Seconds east of UTC at an instant (seconds since 1970-01-01T00:00:00Z)."""
        if self.name is None:
            return self.offset
        moment = _held(utc_seconds).replace(tzinfo=_dt.UTC)
        return _seconds(moment.astimezone(zone_info(self.name)).utcoffset())

    def __str__(self) -> str:
        if self.name is not None:
            return f"@{self.name}"
        if self.offset == 0:
            return "Z"
        sign = "-" if self.offset < 0 else "+"
        minutes, seconds = divmod(abs(self.offset), 60)
        text = f"{sign}{minutes // 60:02}:{minutes % 60:02}"
        return f"{text}:{seconds:02}" if seconds else text


UTC = Zone(0)
# What systems keep beside the places of the IANA database: their own setting, and that there is none.
_NO_PLACES = {"localtime", "Factory"}


def _held(seconds: int) -> _dt.datetime:
    """A moment that Python can hold, with the date and time of day of ``seconds`` after the epoch."""
    days, rest = divmod(seconds, DAY)
    year, month, day = civil_from_days(days)
    if not 2 <= year <= 9998:
        # The calendar repeats every 400 years; zones of long ago have their first offset for ever.
        year = 400 + year % 400 if year < 2 else 9200 + year % 400
    return _dt.datetime(year, month, day) + _dt.timedelta(seconds=rest)


def _seconds(offset: _dt.timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zone_names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() - _NO_PLACES}


def parse_zone(text: str) -> Zone | None:
    """``Z``, ``+hh:mm[:ss]`` or ``@Area/City``; None where it is no zone that exists."""
    if text in ("Z", "z"):
        return UTC
    if text.startswith("@"):
        name = _zone_names().get(text[1:].lower())
        return None if name is None else Zone(0, name)
    matched = _OFFSET.fullmatch(text)
    if matched is None:
        return None
    sign, hours, minutes, seconds = matched.groups()
    offset = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
    # XML Schema's bound of 14 hours is widened to 18, as ISO calendars in the field do.
    if int(minutes) > 59 or int(seconds or 0) > 59 or offset > 18 * 3600:
        return None
    return Zone(-offset if sign == "-" else offset)
