"""FEEL ends, whatever is written in it."""

import contextlib
import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.feel import FeelLimitError, FeelSyntaxError, Limits, compile, to_json
from towpath.feel.runtime import Runtime

# What a text is put together from, one piece a word.
_VOCABULARY = """
( ) [ ] { } , .. . : + - * ** / < <= = != > >= -> @ " ' ` // /* */ é 🐎 ? 1 2.5 x item foo bar and or
between in not if then else for return some every satisfies function external instance of list
context null true date time sum( matches( "s" @"P1D" @"2020-01-01"
"""
PIECES = st.sampled_from(_VOCABULARY.split())


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..1000000000000 return i",
        "for a in 1..100000, b in 1..100000 return a",
        "some a in 1..100000, b in 1..100000 satisfies a < 0",
        "{f: function(n) f(n + 1), r: f(0)}.r",
    ],
)
def test_what_would_not_end_is_given_up_quickly(text: str) -> None:
    started = time.process_time()
    with pytest.raises(FeelLimitError):
        compile(text).evaluate({})
    assert time.process_time() - started < 20


def test_a_string_cannot_double_without_end() -> None:
    doubling = '{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f("0123456789", 90)}.r'
    with pytest.raises(FeelLimitError):
        compile(doubling).evaluate({})


@pytest.mark.parametrize(
    "text",
    [
        "string(a60)",
        "a60 = b60",
        "flatten(a60)",
        "to json(a60)",
        "{f: function(s, n) if n = 0 then s else f(concatenate(s, s), n - 1), r: f([1], 90)}.r",
    ],
)
def test_a_value_that_doubles_with_every_line_is_not_written_out(text: str) -> None:
    doubling = [f"{name}{n}: [{name}{n - 1}, {name}{n - 1}]" for n in range(1, 61) for name in "ab"]
    with pytest.raises(FeelLimitError):
        compile(f"{{a0: 1, b0: 1, {', '.join(doubling)}, answer: {text}}}.answer").evaluate({})


def test_a_value_that_doubles_with_every_line_has_no_json() -> None:
    doubled = compile("for i in 1..60 return partial").evaluate({}).value
    with pytest.raises(FeelLimitError):
        to_json(doubled)


def test_a_pattern_that_backtracks_without_end_is_given_up() -> None:
    expression = compile(r'matches(s, "^(([a-z])+.)+[A-Z]([a-z])+$")')
    started = time.process_time()
    with contextlib.suppress(FeelLimitError):
        expression.evaluate({"s": "a" * 5000})
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "text", ["(" * 10_000, "(" * 10_000 + "1" + ")" * 10_000, "[" * 10_000, "-" * 10_000 + "1"]
)
def test_ten_thousand_levels_are_a_syntax_error(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile(text)


def test_a_long_sum_is_no_deep_one() -> None:
    assert compile("1" + " + 1" * 10_000).evaluate({}).value == 10_001


def test_a_function_keeps_what_it_may_read_and_not_all_that_there_is() -> None:
    keys = ", ".join(f"key {number}: {number}" for number in range(1000))
    expression = compile(f"{{{keys}, made: for i in 1..2000 return function() i + key 7}}.made")
    tracemalloc.start()
    made = expression.evaluate({}).value
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 4_000_000
    assert made[4].call(Runtime(), []) == 12


def test_steps_are_what_the_caller_allows() -> None:
    expression = compile("count(for i in 1..1000 return i)")
    assert expression.evaluate({}).value == 1000
    with pytest.raises(FeelLimitError):
        expression.evaluate({}, limits=Limits(steps=100))


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map(" ".join) | st.text(max_size=40))
def test_any_text_is_an_expression_or_a_syntax_error(text: str) -> None:
    for dialect in ("expression", "unary-tests"):
        try:
            expression = compile(text, dialect=dialect)  # type: ignore[arg-type]
        except FeelSyntaxError:
            continue
        try:
            expression.evaluate({"x": 1, "?": 2}, now=0, source=random.Random(0))
        except FeelLimitError:
            continue


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("1 +", 1, 4, "an expression"),
        ("if a then b", 1, 12, "else"),
        ("[1,\n2", 2, 2, "]"),
        ("1 2", 1, 3, "an operator"),
        ('"abc', 1, 1, '"'),
    ],
)
def test_a_syntax_error_says_where_and_what_was_expected(
    text: str, line: int, column: int, expected: str
) -> None:
    with pytest.raises(FeelSyntaxError) as raised:
        compile(text)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert expected in raised.value.expected
    assert "^" in str(raised.value)
