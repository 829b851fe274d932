"""What a Python user's values are in FEEL, and FEEL's in Python and JSON."""

import collections
import dataclasses
import datetime as dt
import enum
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.feel import FeelLimitError, compile, evaluate, from_json, to_json, to_python

from .effort import examples

BERLIN = ZoneInfo("Europe/Berlin")


class Colour(enum.Enum):
    RED = "red"


class Name(str, enum.Enum):  # noqa: UP042 - the older mixture, whose str() is not its value
    FIRST = "first"


class Level(enum.IntEnum):
    HIGH = 3


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


@dataclasses.dataclass
class Person:
    name: str
    born: dt.date


Pair = collections.namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.0, "1"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e22, "10000000000000000000000"),
        (10**40, "1" + "0" * 40),
        (Decimal("1.50"), "1.5"),
        (Decimal("1E-99999"), "0"),
        (Fraction(1, 4), "0.25"),
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("sNaN"), None),
        (Decimal("1E99999"), None),
        (Colour.RED, "red"),
        (Name.FIRST, "first"),
        (Level.HIGH, "3"),
        (Loud("quiet"), "quiet"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, "a"), '[1, "a"]'),
        (Pair(1, 2), "[1, 2]"),
        (range(3), "[0, 1, 2]"),
        (collections.deque([1]), "[1]"),
        ({3, 1, 2}, "[1, 2, 3]"),
        (frozenset({"b", "a"}), '["a", "b"]'),
        ({1: 2, Colour.RED: 3}, '{"1": 2, red: 3}'),
        (collections.OrderedDict(a=[0.5]), "{a: [0.5]}"),
        (Person("Ada", dt.date(1815, 12, 10)), '{name: "Ada", born: @"1815-12-10"}'),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.datetime(2026, 1, 31, 1, 2, 3, 4), "2026-01-31T01:02:03.000004"),
        (dt.datetime(2026, 1, 31, tzinfo=dt.UTC), "2026-01-31T00:00:00Z"),
        (dt.datetime(2026, 1, 31, tzinfo=ZoneInfo("UTC")), "2026-01-31T00:00:00Z"),
        (dt.datetime(2026, 1, 31, tzinfo=BERLIN), "2026-01-31T00:00:00@Europe/Berlin"),
        (dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), "2026-10-25T02:30:00@Europe/Berlin"),
        (dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN), "2026-10-25T02:30:00+01:00"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3.5))), "2026-01-01T00:00:00-03:30"),
        (dt.time(1, 2, 3), "01:02:03"),
        (dt.time(1, 2, 3, tzinfo=BERLIN), "01:02:03@Europe/Berlin"),
        (dt.timedelta(days=-1, microseconds=3), "-PT23H59M59.999997S"),
    ],
)
def test_a_python_value_is_one_of_feel(value: object, text: str | None) -> None:
    assert evaluate("string(x)", {"x": value}) == text


@pytest.mark.parametrize(
    "value",
    [
        b"x",
        bytearray(b"x"),
        memoryview(b"x"),
        1j,
        object(),
        Person,
        iter([1]),
        {(1, 2): 3},
        {None: 1},
        [b"x"],
    ],
)
def test_what_has_no_counterpart_is_refused_by_its_kind(value: object) -> None:
    with pytest.raises(TypeError, match=r"has no counterpart in FEEL|a key of a context is"):
        evaluate("x", {"x": value})


def test_a_whole_number_beyond_every_decimal_is_null() -> None:
    assert evaluate("x", {"x": 10**7000}) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('@"2026-01-31"', dt.date(2026, 1, 31)),
        ('@"10:00:00Z"', dt.time(10, tzinfo=dt.UTC)),
        ('@"2026-01-31T10:00:00"', dt.datetime(2026, 1, 31, 10)),
        ('@"2026-01-31T10:00:00@Europe/Berlin"', dt.datetime(2026, 1, 31, 10, tzinfo=BERLIN)),
        ('@"P1DT1S"', dt.timedelta(days=1, seconds=1)),
        ("[1, 1.50, null, true]", [1, Decimal("1.5"), None, True]),
        ('{a: {b: "c"}}', {"a": {"b": "c"}}),
    ],
)
def test_an_answer_is_pythons_where_python_can_hold_it(text: str, value: object) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *('@"0000-01-01"', '@"20260-01-01"', '@"10:00:00.123456789"', '@"10:00:00@Europe/Berlin"'),
        *('@"P99999999999D"', '@"P1Y"', "[1..2]"),
    ],
)
def test_what_python_cannot_hold_stays_feels(text: str) -> None:
    answer = evaluate(text)
    assert type(answer).__module__.startswith("towpath.feel")
    assert evaluate("x", {"x": answer}) == answer


def test_the_digits_of_a_number_reach_json() -> None:
    assert to_json(compile("12345678901234567890.5").evaluate({}).value) == Decimal("12345678901234567890.5")
    assert to_json(compile("1E40").evaluate({}).value) == 10**40
    huge = to_json(compile("1E6144").evaluate({}).value)
    assert huge == Decimal("1E6144")
    assert evaluate("to json([1, 0.5, 1E-10, 12345678901234567890.5])") == (
        "[1,0.5,0.0000000001,12345678901234567890.5]"
    )


@pytest.mark.parametrize("text", ["[1,", "NaN", "{'a': 1}", ""])
def test_what_is_no_json_is_null_with_a_reason(text: str) -> None:
    result = compile("from json(t)").evaluate({"t": text})
    assert result.value is None
    assert "the text is no JSON" in result.warnings[0].message


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("convert", [from_json, to_json, to_python])
def test_what_is_nested_without_end_is_given_up(convert: Any) -> None:
    itself: list[Any] = [0.5]
    itself.append(itself)
    for value in (_nested(5_000), itself):
        with pytest.raises(FeelLimitError, match="nested"):
            convert(value)


@pytest.mark.parametrize("depth", [150, 199, 250, 400, 900])
@pytest.mark.parametrize(
    "text", ["x", "string(x)", "x = y", "is(x, y)", "to json(x)", "flatten(x)", "distinct values(x)"]
)
def test_a_deep_value_is_answered_or_given_up(text: str, depth: int) -> None:
    try:
        evaluate(text, {"x": _nested(depth), "y": _nested(depth)})
    except FeelLimitError:
        assert depth >= 199


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**33), 10**33) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@examples(100)
@given(JSON)
def test_json_survives_the_way_through_feel(value: Any) -> None:
    assert to_json(from_json(value)) == value
    assert evaluate("from json(t)", {"t": json.dumps(value)}) == value
    assert evaluate("from json(to json(x))", {"x": value}) == value


@examples(100)
@given(st.dates() | st.times() | st.timedeltas() | st.datetimes(timezones=st.none() | st.timezones()))
def test_moments_survive_the_way_through_feel(value: Any) -> None:
    assert evaluate("x", {"x": value}) == value
