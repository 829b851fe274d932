"""FEEL's expressions, as DMN 1.5 describes them."""

from decimal import Decimal
from typing import Any

import pytest

from towpath.feel import compile, evaluate, to_json


def answer(text: str, **variables: Any) -> Any:
    result = compile(text, names=variables).evaluate(variables, now=1_700_000_000_000)
    return to_json(result.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("2 ** 3 ** 2", 64),
        ("-3 ** 2", 9),
        ("10 - 2 - 3", 5),
        ("0.1 + 0.2", Decimal("0.3")),
        ("1 / 3 * 3", Decimal("0.9999999999999999999999999999999999")),
        ("1 / 0", None),
        ('"foo" + "bar"', "foobar"),
        ('"1" + 1', None),
        ("true and null", None),
        ("false and null", False),
        ("true or null", True),
        ("null instance of Any", False),
        ("null = 1", False),
        ('@"2020-01-01" = null', False),
        ('@"2020-01-01" = 100', None),
        ("2 between 1 and 3", True),
        ("5 in (1..5]", True),
        ("1 in (1..5]", False),
        ("5 in (null..10]", None),
        ("7 in (< 5, >= 7)", True),
        ("(=10) = [10..10]", False),
        ("100[1] = 100", True),
        ('"foo"[true]', ["foo"]),
        ("[1, 2, 3][-1]", 3),
        ("[1, 2, 3][0]", None),
        ("[1, 2, 3][item > 1]", [2, 3]),
        ("[{a: 1}, {a: 2}][a = 2]", [{"a": 2}]),
        ("[{a: 1}, {a: 2}].a", [1, 2]),
        ("for i in 4..2 return i", [4, 3, 2]),
        ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", [1, 1, 2, 6, 24]),
        ("for x in [1, 2], y in x..2 return [x, y]", [[1, 1], [1, 2], [2, 2]]),
        ('for i in "a".."c" return i', None),
        ("some x in [1, 2] satisfies x > 1", True),
        ("every x in [1, null] satisfies x > 0", None),
        ("if null then 1 else 2", 2),
        ("(function(a, b) a - b)(b: 1, a: 3)", 2),
        ("{a: 1, b: a + 1}.b", 2),
        ("{a: 1, a: 2}", None),
        ("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(20)}.r", 2432902008176640000),
        ("[1, 2] instance of list<number>", True),
        ('{a: "x", b: 1} instance of context<a: string>', True),
        ("(function() 1) instance of function<> -> Any", True),
        ("[1..2] instance of range<number>", True),
        (r'string length("\uD83D\uDCA9\U01F40E")', 2),
        ("// a comment\n1 /* and another */ + 1", 2),
    ],
)
def test_an_expression_answers(text: str, expected: Any) -> None:
    assert answer(text) == expected
    assert type(answer(text)) is type(expected)


def test_names_with_symbols_are_read_as_the_scope_says() -> None:
    assert answer("a-b", a=5, b=3) == 2
    assert answer("a-b", **{"a": 5, "b": 3, "a-b": 7}) == 7
    assert answer("a - b", **{"a": 5, "b": 3, "a-b": 7}) == 2
    assert answer("Applicant's full-time salary + 1", **{"Applicant's full-time salary": 1}) == 2
    assert answer("for i in days in weekend return i", **{"days in weekend": ["sat", "sun"]}) == [
        "sat",
        "sun",
    ]


def test_words_in_a_row_are_one_name_even_where_nothing_declares_it() -> None:
    expression = compile("loan amount > 100 and not(is late)")
    assert expression.names == {"loan amount", "is late"}
    assert expression.evaluate({"loan amount": 200, "is late": False}).value is True


def test_an_expression_tells_the_variables_that_it_reads_and_no_others() -> None:
    names = compile("sum(for x in orders return x.price * rate) > {a: 1, b: a}.b + limit").names
    assert names == {"orders", "rate", "limit"}


def test_a_null_is_explained_with_its_place_and_a_guess() -> None:
    result = compile("1 +\n  amout").evaluate({"amount": 1})
    assert result.value is None
    first = result.warnings[0]
    assert (first.line, first.column) == (2, 3)
    assert "'amout'" in first.message
    assert "'amount'" in first.message


def test_a_fitting_evaluation_has_no_warnings() -> None:
    assert compile("is defined(x) or y.z > 1").evaluate({"y": {"z": 2}}).warnings == ()


@pytest.mark.parametrize(
    ("tests", "value", "expected"),
    [
        ("-", None, True),
        ("< 5, 7", 7, True),
        ("not(< 5, 7)", 7, False),
        ("[1..5)", 5, False),
        ('"a", "b"', "b", True),
        ("? * 2 > 9", 5, True),
        ('starts with(?, "f")', "foo", True),
        ("null", None, True),
        ("true", True, True),
        ("> limit", 11, True),
        ("[1, 2, 3]", 2, True),
    ],
)
def test_unary_tests_ask_about_their_input(tests: str, value: Any, expected: bool) -> None:
    expression = compile(tests, dialect="unary-tests")
    assert expression.evaluate({"?": value, "limit": 10}).value is expected


def test_a_function_of_another_text_keeps_what_it_saw_when_a_context_names_it() -> None:
    function = compile("{k: 10, f: function(x) x + k}.f").evaluate({}).value
    assert compile("{g: known, r: g(1)}.r", names=["known"]).evaluate({"known": function}).value == 11


def test_an_index_that_no_item_has_is_null_with_a_reason() -> None:
    for text in ("[][1]", "[][-1]", "[7][-2]", "[7][0]"):
        value, warnings = compile(text).evaluate({})
        assert value is None
        assert "outside" in warnings[0].message


def test_python_values_go_in_and_come_out() -> None:
    import datetime as dt

    day = dt.date(2026, 11, 22)
    assert evaluate('d + duration("P1D")', {"d": day}) == dt.date(2026, 11, 23)
    assert evaluate('@"2026-11-22T10:00:00Z"') == dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
    assert evaluate('duration("PT36H")') == dt.timedelta(hours=36)
    assert evaluate("0.5 * x", {"x": 0.1}) == Decimal("0.05")


def test_the_clock_is_the_callers() -> None:
    assert answer("now()") == "2023-11-14T22:13:20Z"
    assert answer("today()") == "2023-11-14"
    assert compile("now()").evaluate({}).value is None


def test_the_random_source_is_the_callers() -> None:
    import random

    expression = compile("uuid()")
    first = expression.evaluate({}, source=random.Random(1)).value
    assert first == expression.evaluate({}, source=random.Random(1)).value
    assert expression.evaluate({}).value is None


def test_compiling_the_same_text_again_costs_nothing() -> None:
    assert compile("a + 1", names=["a"]) is compile("a + 1", names=["a"])


def test_a_parameter_that_a_call_does_not_name_is_null_and_an_unknown_name_makes_the_result_null() -> None:
    assert answer("(function(a, b) [a, b])(b: 1)") == [None, 1]
    assert answer("(function(a, b) [a, b])(a: 1, c: 2)") is None
    assert answer("(function(a, b) [a, b])(1)") is None
    reasons = [str(warning) for warning in compile("(function(a, b) [a, b])(b: 1)").evaluate({}).warnings]
    assert reasons == ["1:1: the argument 'a' is missing"]
