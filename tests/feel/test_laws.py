"""Laws that FEEL's values keep, whatever they are: arithmetic, orders, time, and the way to text and back."""

import json
from decimal import ROUND_HALF_EVEN, Context, Decimal, Overflow
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from towpath.feel import compile, from_json, to_json
from towpath.feel.calendar import YEAR_LIMIT, days_in_month
from towpath.feel.operators import order
from towpath.feel.temporal import DAY_NANOS, Date, DateTime, DaysTime, Time, YearsMonths

from .effort import examples
from .trees import clocks, date_times, dates, day_times, named_zones, offset_zones, times, year_months

# IEEE 754-2008 decimal128, made anew here: what FEEL's numbers are measured against.
DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[])
EDGE = 10**34

whole_numbers = (
    st.integers(-(10**40), 10**40)
    | st.integers(-20, 20)
    | st.integers(-3, 3).flatmap(lambda near: st.sampled_from([EDGE + near, -EDGE + near, EDGE // 2 + near]))
)
fractions = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, DECIMAL128),
    st.integers(-EDGE + 1, EDGE - 1),
    st.integers(-60, 10),
)
numbers = (whole_numbers | fractions).map(from_json)
strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
local_times = st.builds(Time, clocks)
zoned_times = st.builds(Time, clocks, offset_zones | named_zones)
local_moments = st.builds(DateTime, dates(), clocks)
fixed_moments = st.builds(DateTime, dates(), clocks, offset_zones)
zoned_moments = fixed_moments | st.builds(DateTime, dates(), clocks, named_zones)
# Values of one kind, close enough to be equal now and then.
ORDERED: dict[str, st.SearchStrategy[Any]] = {
    "numbers": numbers,
    "strings": strings | st.sampled_from(["", "a", "A", "aa", "é", "z", "🐎", "\uffff"]),
    "dates": dates(),
    "local times": local_times,
    "zoned times": zoned_times,
    "local dates and times": local_moments,
    "zoned dates and times": zoned_moments,
    "years and months": year_months,
    "days and times": day_times,
}


def answer(text: str, **variables: Any) -> Any:
    return compile(text, names=variables).evaluate(variables).value


def triples() -> st.SearchStrategy[tuple[Any, Any, Any]]:
    """Three values of one kind, often equal ones among them."""
    return st.sampled_from(sorted(ORDERED)).flatmap(
        lambda kind: st.lists(ORDERED[kind], min_size=1, max_size=3).flatmap(
            lambda pool: st.tuples(*[st.sampled_from(pool)] * 3)
        )
    )


# -- arithmetic -------------------------------------------------------------------------------------


@examples(300)
@given(numbers, numbers)
def test_arithmetic_is_that_of_34_digits(a: Any, b: Any) -> None:
    x, y = Decimal(a), Decimal(b)
    expected = {
        "+": DECIMAL128.add(x, y),
        "-": DECIMAL128.subtract(x, y),
        "*": DECIMAL128.multiply(x, y),
        "/": DECIMAL128.divide(x, y),
    }
    for operator, number in expected.items():
        found = answer(f"a {operator} b", a=a, b=b)
        assert found == (number if number.is_finite() else None), operator
    assert answer("-a", a=a) == DECIMAL128.minus(x)


@examples(100)
@given(numbers, numbers, numbers)
def test_every_step_of_a_calculation_is_rounded(a: Any, b: Any, c: Any) -> None:
    x, y, z = Decimal(a), Decimal(b), Decimal(c)
    assert answer("a + b + c", a=a, b=b, c=c) == DECIMAL128.add(DECIMAL128.add(x, y), z)
    assert answer("a - b * c", a=a, b=b, c=c) == DECIMAL128.subtract(x, DECIMAL128.multiply(y, z))


@examples(100)
@given(st.integers(-50, 50), st.integers(0, 200))
def test_a_power_of_whole_numbers_is_the_exact_one_rounded(a: int, b: int) -> None:
    assert answer("a ** b", a=a, b=b) == DECIMAL128.create_decimal(a**b)


@examples(100)
@given(st.integers(0, EDGE - 1), st.integers(-6000, 6100))
def test_a_number_is_read_as_it_is_written(digits: int, exponent: int) -> None:
    expected = DECIMAL128.create_decimal(f"{digits}E{exponent}")
    assume(not DECIMAL128.flags[Overflow] or expected.is_finite())
    assert answer(f"{digits}E{exponent}") == expected
    plain = answer("number(string(a))", a=expected)
    assert plain == from_json(expected)


# -- orders -----------------------------------------------------------------------------------------


@examples(300)
@given(triples())
def test_comparisons_are_an_order(values: tuple[Any, Any, Any]) -> None:
    a, b, c = values
    scope = {"a": a, "b": b, "c": c}

    def holds(text: str) -> bool:
        found = answer(text, **scope)
        assert found is True or found is False
        return found

    assert [holds("a < b"), holds("a = b"), holds("a > b")].count(True) == 1
    assert holds("a <= b") is (holds("a < b") or holds("a = b"))
    assert holds("a >= b") is (holds("a > b") or holds("a = b"))
    assert holds("a < b") is holds("b > a")
    assert holds("a != b") is not holds("a = b")
    assert holds("a = a")
    assert holds("a = b") is holds("b = a")
    assert holds("a <= a")
    if holds("a <= b") and holds("b <= c"):
        assert holds("a <= c")
    if holds("a = b") and holds("b = c"):
        assert holds("a = c")
    if holds("a <= b") and holds("b <= a"):
        assert holds("a = b")


@examples(150)
@given(triples())
def test_ranges_and_tests_agree_with_comparisons(values: tuple[Any, Any, Any]) -> None:
    a, b, c = values
    scope = {"a": a, "b": b, "c": c}
    for opening, low in (("[", ">="), ("(", ">"), ("]", ">")):
        for closing, high in (("]", "<="), (")", "<"), ("[", "<")):
            by_comparison = answer(f"a {low} b and a {high} c", **scope)
            assert answer(f"a in {opening}b..c{closing}", **scope) is by_comparison
            assert answer(f"includes({opening}b..c{closing}, a)", **scope) in (by_comparison, None)
    assert answer("a between b and c", **scope) is answer("a >= b and a <= c", **scope)
    for operator in ("=", "!=", "<", "<=", ">", ">="):
        assert answer(f"a in ({operator} b)", **scope) is answer(f"a {operator} b", **scope)
        cell = compile(f"{operator} b, {operator} c", names=["b", "c"], dialect="unary-tests")
        either = answer(f"a {operator} b or a {operator} c", **scope)
        assert cell.evaluate({"?": a, **scope}).value is either


@examples(100)
@given(st.sampled_from(sorted(ORDERED)).flatmap(lambda kind: st.lists(ORDERED[kind], max_size=6)))
def test_sorting_agrees_with_comparisons(items: list[Any]) -> None:
    ordered = answer("sort(items, function(a, b) a < b)", items=items)
    assert sorted(map(repr, ordered)) == sorted(map(repr, items))
    assert answer("every i in 2..count(l) satisfies l[i - 1] <= l[i]", l=ordered) or len(items) < 2
    if items:
        assert answer("min(items) = l[1] and max(items) = l[-1]", items=items, l=ordered) is True


@examples(100)
@given(st.data())
def test_values_of_different_kinds_have_no_order(data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.sampled_from(sorted(ORDERED)), min_size=2, max_size=2, unique=True))
    a, b = data.draw(ORDERED[one]), data.draw(ORDERED[other])
    assert answer("a < b", a=a, b=b) is None
    assert answer("a = b", a=a, b=b) is None
    assert answer("a = null", a=a) is False


# -- time -------------------------------------------------------------------------------------------


def within(value: Any) -> bool:
    date = value.date if isinstance(value, DateTime) else value
    return abs(date.year) <= YEAR_LIMIT


@examples(200)
@given(local_moments | fixed_moments, day_times)
def test_adding_and_subtracting_a_duration_come_back(moment: DateTime, duration: DaysTime) -> None:
    moved = answer("t + d", t=moment, d=duration)
    inside = abs((moment.local_nanos + duration.nanos) // DAY_NANOS) < 365_242_000_000
    assert (moved is not None) or not inside
    assume(moved is not None)
    assert answer("d + t", t=moment, d=duration) == moved
    assert answer("m - d", m=moved, d=duration) == moment
    assert answer("m - (-d)", m=moment, d=duration) == moved
    assert answer("m - t", m=moved, t=moment) == duration


@examples(150)
@given(st.builds(DateTime, dates(), clocks, named_zones), day_times)
def test_in_a_named_zone_a_duration_is_one_of_instants(moment: DateTime, duration: DaysTime) -> None:
    moved = answer("t + d", t=moment, d=duration)
    assume(moved is not None)
    # In the hour that a change of the clocks repeats, the earlier of two instants is meant.
    assert abs(moved.nanos - moment.nanos - duration.nanos) in (0, 3600 * 10**9, 1800 * 10**9)
    assert moved.zone == moment.zone


@examples(200)
@given(
    st.tuples(local_moments, local_moments)
    | st.tuples(zoned_moments, zoned_moments)
    | st.tuples(dates(), dates())
)
def test_a_difference_has_the_sign_of_the_order_and_leads_back(pair: tuple[Any, Any]) -> None:
    a, b = pair
    difference = answer("a - b", a=a, b=b)
    sign = (difference.nanos > 0) - (difference.nanos < 0)
    assert sign == order(a, b)
    if not (isinstance(b, DateTime) and b.zone is not None and b.zone.name):
        assert answer("b + d = a", a=a, b=b, d=difference) in (True, None)
    assert answer("b - a", a=a, b=b).nanos == -difference.nanos


@examples(150)
@given(dates(), day_times)
def test_a_date_plus_days_and_hours_stays_a_date(date: Date, duration: DaysTime) -> None:
    moved = answer("d + p", d=date, p=duration)
    assume(moved is not None)
    assert type(moved) is Date
    assert within(moved)
    assert moved.days == date.days + duration.nanos // DAY_NANOS


@examples(150)
@given(dates() | date_times, year_months)
def test_a_month_that_is_too_short_ends_with_its_last_day(value: Any, duration: YearsMonths) -> None:
    moved = answer("d + p", d=value, p=duration)
    date = value.date if isinstance(value, DateTime) else value
    index = date.year * 12 + date.month - 1 + duration.months
    year, month = divmod(index, 12)
    if abs(year) > YEAR_LIMIT:
        assert moved is None
        return
    found = moved.date if isinstance(value, DateTime) else moved
    assert (found.year, found.month) == (year, month + 1)
    assert found.day == min(date.day, days_in_month(year, month + 1))
    if isinstance(value, DateTime):
        assert (moved.clock, moved.zone) == (value.clock, value.zone)
    if date.day <= 28:
        assert answer("m - p", m=moved, p=duration) == value


@examples(150)
@given(dates(), dates())
def test_the_months_between_two_dates_lead_no_further_than_the_second(a: Date, b: Date) -> None:
    months = answer("years and months duration(a, b)", a=a, b=b)
    reached = answer("a + p", a=a, p=months)
    assert order(a, reached) in (order(a, b), 0)
    assert order(reached, b) in (order(a, b), 0)
    assert abs((b.year - a.year) * 12 + b.month - a.month - months.months) <= 1


@examples(150)
@given(year_months | day_times, year_months | day_times, st.integers(1, 1000))
def test_durations_add_like_numbers(a: Any, b: Any, n: int) -> None:
    if type(a) is type(b):
        assert answer("a + b - b", a=a, b=b) == a
        assert answer("a + b = b + a", a=a, b=b) is True
        assert answer("a - b", a=a, b=b) == answer("a + (-b)", a=a, b=b)
    else:
        assert answer("a + b", a=a, b=b) is None
    assert answer("a * n / n", a=a, n=n) == a
    assert answer("n * a", a=a, n=n) == answer("a * n", a=a, n=n)


@examples(150)
@given(times, day_times)
def test_a_time_of_day_goes_round(time: Time, duration: DaysTime) -> None:
    moved = answer("t + d", t=time, d=duration)
    assert moved == Time((time.clock + duration.nanos) % DAY_NANOS, time.zone)
    assert answer("m - d", m=moved, d=duration) == time


# -- text and JSON ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "values"),
    [
        ("date", dates()),
        ("time", times),
        ("date and time", date_times),
        ("duration", year_months | day_times),
    ],
)
def test_a_temporal_value_is_read_as_it_is_written(function: str, values: st.SearchStrategy[Any]) -> None:
    @examples(150)
    @given(values)
    def comes_back(value: Any) -> None:
        assert answer(f"{function}(string(v))", v=value) == value
        assert answer(f'@"{value}"') == value
        assert answer("is(v, w)", v=value, w=value) is True
        assert answer("string(v)", v=value) == to_json(value) == str(value)

    comes_back()


json_values = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
    max_leaves=8,
)


@examples(150)
@given(json_values)
def test_json_comes_back(value: Any) -> None:
    assert from_json(to_json(value)) == value
    assert from_json(value) == value
    text = json.dumps(to_json(value), default=str)
    assert answer("v", v=value) == value
    if "." not in text and "E" not in text:
        assert from_json(json.loads(text, parse_float=Decimal)) == value


@examples(150)
@given(json_values)
def test_feel_reads_the_json_that_it_writes(value: Any) -> None:
    assert answer("from json(to json(v))", v=value) == value


@examples(150)
@given(json_values.filter(lambda value: value is not None))
def test_equal_values_are_equal_in_any_structure(value: Any) -> None:
    assert answer("v = w", v=value, w=from_json(to_json(value))) is True
    assert answer("[v] = [w] and {a: v} = {a: w}", v=value, w=value) is True
    assert answer("v in [w]", v=value, w=value) is True
