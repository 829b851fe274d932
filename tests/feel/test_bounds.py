"""FEEL ends, whatever is written in it."""

import contextlib
import time
import tracemalloc

import pytest

from towpath.feel import Expression, FeelLimitError, Limits, compile, to_json
from towpath.feel.runtime import Runtime


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


@pytest.mark.parametrize(
    "text",
    [
        'for i in 1..1000000 return s + "a"',
        "every i in 1..1000000 satisfies items = others",
        "some i in 1..1000000 satisfies i + 10000000 in items",
        "every i in 1..1000000 satisfies [items] = [others]",
    ],
)
def test_many_operations_on_large_values_are_given_up(text: str) -> None:
    variables = {"s": "x" * 9_000_000, "items": list(range(300_000)), "others": list(range(300_000))}
    for cold_runs in (1, 0):  # as closures, and as a Python function
        expression = Expression(text, variables, "expression", cold_runs=cold_runs)
        with pytest.raises(FeelLimitError, match="steps"):
            expression.evaluate(variables)
