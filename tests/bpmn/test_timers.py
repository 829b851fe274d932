from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.bpmn import cron
from towpath.bpmn.timers import first_due, next_due

NOW = 1_800_000_000_000  # Friday 2027-01-15T08:00:00Z


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("kind", "text", "due", "repeat"),
    [
        ("date", "2027-01-15T09:00:00Z", "2027-01-15T09:00:00+00:00", None),
        ("date", "2027-01-15T09:00:00+02:00", "2027-01-15T07:00:00+00:00", None),
        ("duration", "PT90S", "2027-01-15T08:01:30+00:00", None),
        ("duration", "P1D", "2027-01-16T08:00:00+00:00", None),
        ("duration", "P1M", "2027-02-15T08:00:00+00:00", None),
        ("duration", "PT0S", "2027-01-15T08:00:00+00:00", None),
        ("cycle", "R2/PT1H", "2027-01-15T09:00:00+00:00", "R1/PT1H"),
        ("cycle", "R/PT1H", "2027-01-15T09:00:00+00:00", "R/PT1H"),
        ("cycle", "R1/PT1H", "2027-01-15T09:00:00+00:00", None),
        ("cycle", "R3/2027-02-01T00:00:00Z/P1D", "2027-02-01T00:00:00+00:00", "R2/P1D"),
        ("cycle", "0 30 9 * * MON-FRI", "2027-01-15T09:30:00+00:00", "0 30 9 * * MON-FRI"),
    ],
)
def test_a_timer_text_says_when_it_is_due_and_what_is_left(
    kind: str, text: str, due: str, repeat: str | None
) -> None:
    assert first_due(kind, text, NOW) == (at(due), repeat)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "tomorrow"),
        ("duration", "5 minutes"),
        ("duration", "-PT5M"),
        ("cycle", "R/PT0S"),
        ("cycle", "R/-PT1S"),
        ("cycle", "R0/PT1S"),
        ("cycle", "Rx/PT1S"),
        ("cycle", "R3"),
        ("cycle", "PT1S"),
        ("cycle", "* * * * *"),
        ("cycle", "61 * * * * *"),
        ("cycle", "0 0 0 31 2 *"),
        ("cycle", "0 0 0 * * FOO"),
        ("cycle", "*/0 * * * * *"),
    ],
)
def test_what_is_no_timer_is_refused_with_a_reason(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"`.+`"):
        first_due(kind, text, NOW)


def test_a_cycle_ends_when_its_repetitions_are_used_up() -> None:
    due = first_due("cycle", "R3/PT1M", NOW)
    times = [due.at]
    while due.repeat is not None:
        following = next_due(due.repeat, due.at)
        assert following is not None
        due = following
        times.append(due.at)
    assert times == [NOW + 60_000, NOW + 120_000, NOW + 180_000]


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("@hourly", "2027-01-15T09:00:00+00:00"),
        ("@daily", "2027-01-16T00:00:00+00:00"),
        ("@weekly", "2027-01-17T00:00:00+00:00"),
        ("@monthly", "2027-02-01T00:00:00+00:00"),
        ("@yearly", "2028-01-01T00:00:00+00:00"),
        ("0 0 0 29 FEB ?", "2028-02-29T00:00:00+00:00"),
        ("0 0 12 13 * FRI", "2027-08-13T12:00:00+00:00"),
        ("*/15 * * * * *", "2027-01-15T08:00:15+00:00"),
        ("0 0 8 15 1 *", "2028-01-15T08:00:00+00:00"),
        ("0 0 0 * * 7", "2027-01-17T00:00:00+00:00"),
    ],
)
def test_cron_comes_next_at(text: str, due: str) -> None:
    assert cron.next_after(text, NOW) == at(due)


@given(st.integers(0, 59), st.integers(0, 59), st.integers(0, 23), st.integers(NOW - 10**12, NOW + 10**12))
def test_cron_comes_strictly_later_within_a_day_and_at_the_time_it_says(
    second: int, minute: int, hour: int, after: int
) -> None:
    due = cron.next_after(f"{second} {minute} {hour} * * *", after)
    assert 0 < due - after <= 86_400_000
    found = datetime.fromtimestamp(due / 1000, UTC)
    assert (found.hour, found.minute, found.second) == (hour, minute, second)
