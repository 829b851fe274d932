"""Timer texts: ISO 8601 dates, durations, repeating intervals and cron, as due times in milliseconds.

A repetition is kept as text: what is left of it after a due time (``R2/PT10S``), or the cron
expression itself, so that any store can hold it.
"""

from __future__ import annotations

from typing import NamedTuple

from towpath import feel
from towpath.bpmn import cron


class Due(NamedTuple):
    """When a timer is due (ms since the epoch), and what is left of its repetition after that."""

    at: int
    repeat: str | None = None


def first_due(kind: str, text: str, now: int) -> Due:
    """The first due time at or after ``now`` (ms). ``kind``: date, duration or cycle.

    Raises ValueError, with a reason for a person, where the text is not what the kind asks for.
    """
    text = text.strip()
    if kind == "date":
        return Due(_date(text))
    if kind == "duration":
        return Due(_after(now, text, allow_zero=True))
    if not text.startswith("R"):
        return Due(cron.next_after(text, now), text)
    repetitions, start, interval = _cycle(text)
    if repetitions == 0:
        raise ValueError(f"`{text}` repeats 0 times")
    at = start if start is not None else _after(now, interval)
    _after(now, interval)
    return Due(at, _left(repetitions, interval))


def next_due(repeat: str, due: int) -> Due | None:
    """The due time after ``due``, as :func:`first_due` or this answered ``repeat`` with it."""
    if not repeat.startswith("R"):
        return Due(cron.next_after(repeat, due), repeat)
    repetitions, _, interval = _cycle(repeat)
    if repetitions == 0:
        return None
    return Due(_after(due, interval), _left(repetitions, interval))


def _left(repetitions: int | None, interval: str) -> str | None:
    if repetitions is None:
        return f"R/{interval}"
    return f"R{repetitions - 1}/{interval}" if repetitions > 1 else None


def _cycle(text: str) -> tuple[int | None, int | None, str]:
    """Repetitions (None: without end), start (ms) and interval of ``Rn/[start/]duration``."""
    parts = text.split("/")
    count = parts[0][1:]
    if (count and not count.isdecimal()) or len(parts) not in (2, 3):
        raise ValueError(
            f"`{text}` is not a repeating interval such as R3/PT10S or R/2026-01-31T08:00:00Z/P1D"
        )
    start = _date(parts[1]) if len(parts) == 3 and parts[1] else None
    return (int(count) if count else None), start, parts[-1]


def _after(now: int, text: str, *, allow_zero: bool = False) -> int:
    try:
        due = feel.add_duration(now, feel.parse_duration(text))
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is not a duration such as PT15M or P1D") from None
    if due < now or (due == now and not allow_zero):
        raise ValueError(f"the interval `{text}` does not lead forward in time")
    return due


def _date(text: str) -> int:
    try:
        return feel.parse_date_time(text)
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is not a date and time such as 2026-01-31T08:00:00Z") from None
