"""How arguments reach the built-ins: by place, by name, converted, or not at all."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.feel import FeelLimitError, compile, to_json, to_python
from towpath.feel.builtins import STANDARD

from .effort import examples

# The parameters of DMN 1.5, 10.3.4, with arguments that fit.
DMN = r"""
date(from: "2020-01-01")
date(year: 2020, month: 1, day: 31)
date and time(from: "2020-01-01T10:00:00")
date and time(date: @"2020-01-01", time: @"10:00:00")
date and time(year: 2020, month: 1, day: 31, hour: 1, minute: 2, second: 3)
date and time(year: 2020, month: 1, day: 31, hour: 1, minute: 2, second: 3, offset: @"PT1H")
date and time(year: 2020, month: 1, day: 31, hour: 1, minute: 2, second: 3, timezone: "Europe/Paris")
time(from: "10:00:00")
time(hour: 1, minute: 2, second: 3)
time(hour: 1, minute: 2, second: 3, offset: @"PT1H")
number(from: "1 000,5", grouping separator: " ", decimal separator: ",")
string(from: 1)
duration(from: "P1D")
years and months duration(from: @"2020-01-01", to: @"2021-01-01")
range(from: "[1..2]")
not(negand: true)
substring(string: "abc", start position: 2)
substring(string: "abc", start position: 2, length: 1)
string length(string: "abc")
upper case(string: "abc")
lower case(string: "abc")
substring before(string: "abc", match: "b")
substring after(string: "abc", match: "b")
replace(input: "abc", pattern: "b", replacement: "x")
replace(input: "abc", pattern: "b", replacement: "x", flags: "i")
contains(string: "abc", match: "b")
starts with(string: "abc", match: "b")
ends with(string: "abc", match: "b")
matches(input: "abc", pattern: "b")
matches(input: "abc", pattern: "b", flags: "i")
split(string: "abc", delimiter: "b")
string join(list: ["a"])
string join(list: ["a"], delimiter: "b")
list contains(list: [1], element: 1)
count(list: [1])
min(list: [1])
max(list: [1])
sum(list: [1])
mean(list: [1])
all(list: [true])
any(list: [true])
sublist(list: [1], start position: 1)
sublist(list: [1], start position: 1, length: 1)
append(list: [1], item: 2)
concatenate(list: [1])
insert before(list: [1], position: 1, newItem: 2)
remove(list: [1], position: 1)
list replace(list: [1], position: 1, newItem: 2)
list replace(list: [1], match: function(item, newItem) true, newItem: 2)
reverse(list: [1])
index of(list: [1], match: 1)
union(list: [1])
distinct values(list: [1])
flatten(list: [1])
product(list: [1])
median(list: [1])
stddev(list: [1, 2])
mode(list: [1])
decimal(n: 1.5, scale: 0)
floor(n: 1.5)
floor(n: 1.5, scale: 0)
ceiling(n: 1.5)
ceiling(n: 1.5, scale: 0)
round up(n: 1.5, scale: 0)
round down(n: 1.5, scale: 0)
round half up(n: 1.5, scale: 0)
round half down(n: 1.5, scale: 0)
abs(n: -1)
abs(n: @"-P1D")
modulo(dividend: 5, divisor: 3)
sqrt(number: 4)
log(number: 4)
exp(number: 4)
odd(number: 4)
even(number: 4)
is(value1: 1, value2: 1)
before(point1: 1, point2: 2)
before(point: 1, range: [2..3])
before(range: [2..3], point: 4)
before(range1: [2..3], range2: [4..5])
after(point1: 1, point2: 2)
after(point: 1, range: [2..3])
after(range: [2..3], point: 4)
after(range1: [2..3], range2: [4..5])
meets(range1: [2..3], range2: [4..5])
met by(range1: [2..3], range2: [4..5])
overlaps(range1: [2..3], range2: [4..5])
overlaps before(range1: [2..3], range2: [4..5])
overlaps after(range1: [2..3], range2: [4..5])
finishes(point: 1, range: [2..3])
finishes(range1: [2..3], range2: [4..5])
finished by(range: [2..3], point: 1)
finished by(range1: [2..3], range2: [4..5])
includes(range: [2..3], point: 1)
includes(range1: [2..3], range2: [4..5])
during(point: 1, range: [2..3])
during(range1: [2..3], range2: [4..5])
starts(point: 1, range: [2..3])
starts(range1: [2..3], range2: [4..5])
started by(range: [2..3], point: 1)
started by(range1: [2..3], range2: [4..5])
coincides(point1: 1, point2: 2)
coincides(range1: [2..3], range2: [4..5])
day of year(date: @"2020-01-01")
day of week(date: @"2020-01-01")
month of year(date: @"2020-01-01")
week of year(date: @"2020-01-01")
sort(list: [1], precedes: function(x, y) x < y)
get value(m: {a: 1}, key: "a")
get entries(m: {a: 1})
context(entries: [{key: "a", value: 1}])
context put(context: {}, key: "a", value: 1)
context put(context: {}, keys: ["a"], value: 1)
context merge(contexts: [{a: 1}])
"""
CALLS = DMN.strip().splitlines()


@pytest.mark.parametrize("call", CALLS)
def test_a_built_in_knows_its_parameters_by_name(call: str) -> None:
    result = compile(call).evaluate({})
    assert result.warnings == ()
    assert result.value is not None


@pytest.mark.parametrize("call", CALLS)
def test_a_name_too_many_makes_it_null(call: str) -> None:
    result = compile(call.removesuffix(")") + ", surplus: 1)").evaluate({})
    assert result.value is None
    assert "no parameter 'surplus'" in result.warnings[0].message


def test_every_function_of_dmn_is_called_here() -> None:
    called = {call[: call.index("(")] for call in CALLS}
    assert {name for name, function in STANDARD.items() if function.origin == "DMN"} - called == {
        "now",
        "today",
    }


LOUD = [name for name in STANDARD if name not in ("is defined", "get or else")]  # these ask for nulls


@pytest.mark.parametrize(
    ("name", "count"),
    [
        (name, count)
        for name in LOUD
        for count in (0, 20)
        if not any(signature.takes(count) for signature in STANDARD[name].signatures)
    ],
)
def test_arguments_missing_or_too_many_make_it_null_with_what_it_takes(name: str, count: int) -> None:
    result = compile(f"{name}({', '.join(['1'] * count)})").evaluate({})
    assert result.value is None
    assert f"{name}() does not take {count} arguments; it takes (" in result.warnings[0].message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('string length(["abc"])', 3),
        ("abs([-1])", 1),
        ("not([true])", False),
        ("count(1)", 1),
        ("reverse(1)", [1]),
        ("concatenate(1, [2], 3)", [1, 2, 3]),
        ('contains("abc", [])', None),
        ("abs([1, 2])", None),
        ("abs([null])", None),
        ("count(null)", None),
        ("concatenate([1], null)", None),
        ("append(list: [1], item: [2])", [1, [2]]),
        ("append(null, 1)", None),
        ("min(c: [3, 2])", 2),
        ("all(b: [true, false])", False),
        ("concatenate(list: [[1], [2]])", [1, 2]),
        ("union(list: [[1, 2], [2]])", [1, 2]),
        ('substring("abc", 2, null)', "bc"),
        ('matches("abc", "b", null)', True),
        ("floor(1.5, null)", None),
        ("time(1, 2, 3, null)", "01:02:03"),
        ('number(from: "1", grouping separator: ",")', None),
        ("date(year: 2020, month: 1)", None),
    ],
)
def test_arguments_are_converted_or_make_it_null(text: str, expected: object) -> None:
    assert to_json(compile(text).evaluate({}).value) == expected


def test_a_reason_is_that_of_the_signature_that_fits() -> None:
    assert "item 2 is string" in compile('sum([1, "a"])').evaluate({}).warnings[0].message
    wrong = compile("list replace([1], function(a, b) 5, 5)").evaluate({})
    assert "does not answer a boolean" in wrong.warnings[0].message
    assert "'2020-13-01' is no date" in compile('date("2020-13-01")').evaluate({}).warnings[0].message


_PIECES = """
null true false 0 1 -1 2 3.5 -0.5 1E40 1E6144 -1E6144 1E-6176 6176 -6111 "" "a" "abc" "🐎" "2020-01-01"
"10:00:00" "P1D" "1,5" "," "(" "[a" "$1" "a*" "i" "Europe/Paris" "[1..3]" @"2020-02-29" @"-999999999-01-01"
@"999999999-12-31" @"10:00:00" @"23:59:59.999999999+18:00" @"10:00:00@Europe/Paris"
@"999999999-12-31T23:59:59Z" @"2020-02-29T10:00:00" @"P1D" @"-PT1S" @"P99999999999D" @"-P13M"
@"P99999999999Y" [] [1] [null] [1,2,3] ["a","b"] [true,false] [[1],[2,[3]]] [1,"a",null] {} {a:1} {a:{b:1}}
{key:"a",value:1} [{a:1},{b:2}] [1..3] (1..3) ["a".."c"] (<5) (>=5) (=5) (!=5) abs function(a,b)a<b
function(a)a
"""
VALUES = [compile(piece).evaluate({}).value for piece in _PIECES.split()]


@examples(500)
@given(
    st.sampled_from(sorted(STANDARD)), st.lists(st.sampled_from(range(len(VALUES))), min_size=1, max_size=4)
)
def test_no_arguments_make_a_built_in_fail(name: str, chosen: Sequence[int]) -> None:
    names = [f"v{index}" for index in range(len(chosen))]
    variables = {variable: VALUES[index] for variable, index in zip(names, chosen, strict=True)}
    try:
        result = compile(f"{name}({', '.join(names)})").evaluate(variables, now=0, source=random.Random(0))
    except FeelLimitError:
        return
    repr(to_json(result.value))
    repr(to_python(result.value))
    compile("string(x)").evaluate({"x": result.value})
