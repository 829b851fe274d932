"""Dates, times and durations beyond what Python's hold, and the timers' ISO 8601."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.feel import add_duration, compile, parse_date_time, parse_duration, to_json
from towpath.feel.temporal import Date, make_date, parse_date, parse_feel_duration


def answer(text: str) -> object:
    return to_json(compile(text).evaluate({}).value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('date("-999999999-12-31")', "-999999999-12-31"),
        ('date("0000-02-29")', "0000-02-29"),
        ('date("2023-02-29")', None),
        ('@"2021-01-01" + @"PT36H"', "2021-01-02"),
        ('@"2021-01-02" - @"PT1S"', "2021-01-01"),
        ('@"2020-01-31" + @"P1M"', "2020-02-29"),
        ('@"2021-01-01T24:00:00"', "2021-01-02T00:00:00"),
        ('@"10:15:00" + @"P1DT1H"', "11:15:00"),
        ('@"2018-12-08T10:30:11.123456789@Europe/Paris"', "2018-12-08T10:30:11.123456789@Europe/Paris"),
        ('@"2018-12-08T10:30:11".time offset', None),
        ('@"2018-12-08T10:30:11@Europe/Paris".time offset', "PT1H"),
        ('@"2018-07-08T10:30:11@Europe/Paris" = @"2018-07-08T08:30:11Z"', True),
        ('@"2021-01-02T10:10:10" - @"2021-01-01T10:10:10Z"', None),
        ('@"2021-01-02T10:10:10@Europe/Paris" - @"2021-01-01T10:10:10@Asia/Dhaka"', "P1DT5H"),
        ('is(@"P0Y", @"P0D")', False),
        ('is(@"P1D", @"PT24H")', True),
        ('1.5 * @"P2M"', "P3M"),
        ('@"P10D" / @"P5D"', 2),
        ('years and months duration(@"2011-12-22", @"2013-08-24")', "P1Y8M"),
        ('week of year(@"2010-01-01")', 53),
        ('day of week(@"2026-11-22")', "Sunday"),
        ('last day of month(@"2024-02-10")', "2024-02-29"),
        ('for d in @"2020-02-28"..@"2020-03-01" return d', ["2020-02-28", "2020-02-29", "2020-03-01"]),
        ('@"2021-03-28T01:30:00@Europe/Paris" + @"PT1H"', "2021-03-28T03:30:00@Europe/Paris"),
    ],
)
def test_a_temporal_expression_answers(text: str, expected: object) -> None:
    assert answer(text) == expected


@given(st.dates())
def test_within_pythons_years_the_calendar_is_pythons(day: dt.date) -> None:
    date = Date(day.year, day.month, day.day)
    assert date.days == day.toordinal() - dt.date(1970, 1, 1).toordinal()
    assert date.weekday == day.isoweekday()
    assert str(date) == day.isoformat()


@given(st.integers(-(10**11), 10**11))
def test_days_and_dates_are_the_same_thing(days: int) -> None:
    date = Date.from_days(days)
    assert date.days == days
    assert make_date(date.year, date.month, date.day) == date
    assert parse_date(str(date)) == date


@given(st.integers(-(10**24), 10**24))
def test_a_duration_survives_its_text(nanos: int) -> None:
    from towpath.feel import DaysTime

    assert parse_feel_duration(str(DaysTime(nanos))) == DaysTime(nanos)


@given(st.dates(), st.integers(-10_000, 10_000))
def test_adding_days_and_taking_them_off_again_changes_nothing(day: dt.date, days: int) -> None:
    variables = {"d": day, "n": days}
    assert compile('d + n * @"P1D" - n * @"P1D" = d').evaluate(variables).value is True


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-11-22T16:40:00+00:00", "PT15M", "2026-11-22T16:55:00+00:00"),
        ("2026-11-22T16:40:00+00:00", "P1Y2M3DT4H5M6.5S", "2028-01-25T20:45:06.500+00:00"),
        ("2026-01-31T00:00:00+00:00", "P1M", "2026-02-28T00:00:00+00:00"),
        ("2026-01-31T00:00:00+00:00", "P2W", "2026-02-14T00:00:00+00:00"),
        ("2026-01-31T00:00:00+00:00", "-P1D", "2026-01-30T00:00:00+00:00"),
    ],
)
def test_a_timer_reckons_with_the_calendar(start: str, duration: str, end: str) -> None:
    assert add_duration(ms(start), parse_duration(duration)) == ms(end)


@pytest.mark.parametrize("text", ["", "P", "PT", "15M", "P1H", "P1DT", "1000"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T16:40:00Z", "2026-11-22T16:40:00+00:00"),
        ("2026-11-22T16:40:00+02:00", "2026-11-22T14:40:00+00:00"),
        ("2026-11-22T16:40:00@Europe/Berlin", "2026-11-22T15:40:00+00:00"),
        ("2026-11-22T16:40:00+01:00[Europe/Berlin]", "2026-11-22T15:40:00+00:00"),
        ("2026-11-22T16:40Z", "2026-11-22T16:40:00+00:00"),
        ("2026-11-22T16:40:00", "2026-11-22T16:40:00+00:00"),
        ("2026-11-22T16:40:00.250+0100", "2026-11-22T15:40:00.250+00:00"),
    ],
)
def test_a_date_and_time_is_an_instant(text: str, expected: str) -> None:
    assert parse_date_time(text) == ms(expected)


def test_what_is_no_date_and_time_is_refused() -> None:
    with pytest.raises(ValueError, match="not a date and time"):
        parse_date_time("tomorrow")
