"""Cron expressions with six fields (second minute hour day month weekday), in UTC.

The dialect of Spring's scheduler, which Camunda's timer cycles use: lists, ranges, steps, names,
``?``, and the macros ``@hourly`` to ``@yearly``. A day must fit both its month and its week.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache

MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
WEEKDAYS = {name: number for number, name in enumerate(_WEEKDAY_NAMES)}
YEARS_AHEAD = 8  # 29 February comes within eight years

Fields = tuple[
    tuple[int, ...], tuple[int, ...], tuple[int, ...], frozenset[int], frozenset[int], frozenset[int]
]


def next_after(text: str, after: int) -> int:
    """The first time (ms since the epoch) strictly after ``after``.

    Raises ValueError where the text is not cron, or never comes.
    """
    seconds, minutes, hours, days, months, weekdays = parse(text)
    start = datetime.fromtimestamp(after // 1000, UTC) + timedelta(seconds=1)
    for year in range(start.year, start.year + YEARS_AHEAD + 1):
        for month in range(1, 13):
            if month not in months or (year, month) < (start.year, start.month):
                continue
            for day in range(1, monthrange(year, month)[1] + 1):
                if day not in days or (year, month, day) < (start.year, start.month, start.day):
                    continue
                # isoweekday counts Sunday as 7, cron as 0.
                if datetime(year, month, day, tzinfo=UTC).isoweekday() % 7 not in weekdays:
                    continue
                today = (year, month, day) == (start.year, start.month, start.day)
                floor = (start.hour, start.minute, start.second) if today else (0, 0, 0)
                for hour in hours:
                    if hour < floor[0]:
                        continue
                    for minute in minutes:
                        if (hour, minute) < floor[:2]:
                            continue
                        for second in seconds:
                            if (hour, minute, second) >= floor:
                                due = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
                                return int(due.timestamp()) * 1000
    raise ValueError(f"`{text}` never comes")


@lru_cache(maxsize=256)
def parse(text: str) -> Fields:
    """The values that each field allows. Raises ValueError."""
    fields = MACROS.get(text.strip().lower(), text).split()
    if len(fields) != 6:
        raise ValueError(
            f"`{text}` is neither a repeating interval such as R3/PT10S "
            "nor cron with six fields such as 0 0 9 * * MON"
        )
    try:
        seconds = _field(fields[0], 0, 59)
        minutes = _field(fields[1], 0, 59)
        hours = _field(fields[2], 0, 23)
        days = _field(fields[3], 1, 31)
        months = _field(fields[4], 1, 12, MONTHS)
        weekdays = frozenset(day % 7 for day in _field(fields[5], 0, 7, WEEKDAYS))
    except ValueError as error:
        raise ValueError(f"`{text}` is not cron: {error}") from None
    return tuple(sorted(seconds)), tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, slash, step_text = item.partition("/")
        step = int(step_text) if slash else 1
        if step < 1:
            raise ValueError(f"the step in `{item}` must be positive")
        if span in ("*", "?"):
            first, last = low, high
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(first_text, names)
            last = _number(last_text, names) if dash else (high if slash else first)
        if not low <= first <= last <= high:
            raise ValueError(f"`{item}` is not within {low}-{high}")
        values.update(range(first, last + 1, step))
    return frozenset(values)


def _number(text: str, names: dict[str, int] | None) -> int:
    if names is not None and text.upper() in names:
        return names[text.upper()]
    if not text.isdecimal():
        raise ValueError(f"`{text}` is not a number")
    return int(text)
