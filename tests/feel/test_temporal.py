"""Dates, times and durations beyond what Python's hold, and the timers' ISO 8601."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.feel import (
    Expression,
    add_duration,
    compile,
    parse_date_time,
    parse_duration,
    to_json,
    unparse,
)
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
        ('date("2012-12-25T")', None),
        ('date("+2012-12-25")', None),
        ('date("02012-12-25")', None),
        ('date("2100-02-29")', None),
        ('date("2012-12-25Z")', None),
        ("date(2017.5, 1, 1)", None),
        ("date(1000000000, 1, 1)", None),
        ('time("10:20:30.1234567891")', "10:20:30.123456789"),
        ('time("10:20:30.100+00:00")', "10:20:30.1Z"),
        ('time("10:20:30z")', "10:20:30Z"),
        ('time("10:20:30+02:30:15")', "10:20:30+02:30:15"),
        ('time("10:20:30@europe/paris")', "10:20:30@Europe/Paris"),
        ('time("24:00:00")', "00:00:00"),
        ('time("24:00:01")', None),
        ('time("10:20")', None),
        ('time("10:20:60")', None),
        ('time("1:20:30")', None),
        ('time("T10:20:30")', None),
        ('time("10:20:30.")', None),
        ('time("10:20:30+2:00")', None),
        ('time("10:20:30+18:00")', "10:20:30+18:00"),
        ('time("10:20:30+18:01")', None),
        ('time("10:20:30@Nowhere/Land")', None),
        ('time("10:20:30@localtime")', None),
        ('time("10:20:30@Etc/GMT+1").time offset', "-PT1H"),
        ('time("10:20:30+02:00@Europe/Paris")', None),
        ('time(@"2020-01-01")', "00:00:00Z"),
        ('time(@"2020-01-01T10:20:30@Europe/Paris")', "10:20:30@Europe/Paris"),
        ('time(10, 20, 1.5, @"-PT1H30M")', "10:20:01.5-01:30"),
        ('time(10, 20, 30, @"PT19H")', None),
        ('time(10, 20, 30, @"P1Y")', None),
        ("time(24, 0, 0)", None),
        ("time(10, 20, 60)", None),
        ("time(10, 20, -1)", None),
        ("time(10.5, 20, 30)", None),
        ("time(0, 0, 1E6144)", None),
        ('date and time("2012-12-24")', "2012-12-24T00:00:00"),
        ('date and time("2012-12-24T23:59")', None),
        ('date and time("2012-12-24 23:59:00")', None),
        ('date and time("2012-12-24T23:59:00+01:00@Europe/Paris")', None),
        ('date and time("-99999-12-31T11:22:33.123")', "-99999-12-31T11:22:33.123"),
        ('date and time("2012-12-31T24:00:00")', "2013-01-01T00:00:00"),
        ('date and time("999999999-12-31T24:00:00")', None),
        (
            'date and time(@"2012-12-24T01:02:03Z", @"10:20:30@Asia/Dhaka")',
            "2012-12-24T10:20:30@Asia/Dhaka",
        ),
        ('date and time(@"2012-12-24T10:00:00Z", "Europe/Paris")', "2012-12-24T11:00:00@Europe/Paris"),
        ('date and time(@"2012-12-24T10:00:00", "Europe/Paris")', "2012-12-24T10:00:00@Europe/Paris"),
        ('date and time(@"999999999-12-31T23:59:59Z", "Asia/Tokyo")', None),
        ('duration("P1Y2M3D")', None),
        ('duration("P1W")', None),
        ('duration("PT1.5H")', None),
        ('duration("P1DT")', None),
        ('duration("+P1D")', None),
        ('string(duration("P0Y"))', "P0M"),
        ('string(duration("P0D"))', "PT0S"),
        ('string(duration("-P26M"))', "-P2Y2M"),
        ('string(duration("PT36H0.50S"))', "P1DT12H0.5S"),
        ('years and months duration(@"2013-08-24", @"2011-12-22")', "-P1Y8M"),
        ('years and months duration(@"2020-02-29", @"2020-01-31")', "P0M"),
        ('years and months duration(@"2017-12-31T13:00:00", @"2018-12-31T12:00:00")', "P1Y"),
        ('years and months duration(@"2016-01-21", @"2018-12-31T12:00:00@Europe/Paris")', "P2Y11M"),
        ('years and months duration(@"-999999999-01-01", @"999999999-12-31")', "P1999999998Y11M"),
        ('years and months duration(@"10:00:00", @"11:00:00")', None),
        ('@"P1Y" * 1E6000', None),
        ('@"P1D" / 1E-6000', None),
        ('is(@"10:00:00@Europe/Paris", @"10:00:00+01:00")', False),
        ('is(@"2020-01-01", @"2020-01-01T00:00:00")', False),
        ("is([true], [1])", False),
        ("is([1, {a: 2.0}], [1.0, {a: 2}])", True),
        ("is({a: 1, b: 2}, {b: 2, a: 1})", True),
        ("is((=5), [5..5])", False),
        ("is(null, null)", True),
        ('is("1", 1)', False),
        ('week of year(@"2008-12-29")', 1),
        ('day of year(@"2020-12-31T10:00:00Z")', 366),
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


@pytest.mark.parametrize("written", ["2021-13-45", "foo", "", "P1Y2D", "10:61:00", 'say "hi"'])
def test_an_at_literal_that_is_no_temporal_value_is_null_and_says_so(written: str) -> None:
    escaped = written.replace('"', '\\"')
    for cold_runs in (1, 0):
        result = Expression(f'1 = 1 and @"{escaped}" = null', (), "expression", cold_runs=cold_runs).evaluate(
            {}
        )
        assert result.value is True
        assert [str(warning) for warning in result.warnings] == [
            f"1:11: @{written!r} is no date, time, date and time or duration"
        ]
    assert unparse(compile(f'@"{escaped}"').node) == f'@"{escaped}"'
