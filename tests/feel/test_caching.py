"""What a compiled FEEL expression tells of itself, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given

from towpath.feel import FeelSyntaxError, compile, evaluate
from towpath.feel.expression import Expression
from towpath.feel.syntax import Comparison, Literal, Name, OperatorTest, UnaryTests

from .effort import examples
from .test_hot import TEXTS, VALUES, outcome


def test_an_expression_keeps_its_syntax_tree() -> None:
    assert compile("a > 1", names=["a"]).node == Comparison(2, ">", Name(0, "a"), Literal(4, 1))


def test_unary_tests_keep_theirs() -> None:
    node = compile("< 5", dialect="unary-tests").node
    assert node == UnaryTests(0, (OperatorTest(0, "<", Literal(2, 5)),))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x + y.z", "x y"),
        ("1 + 2", ""),
        ("count(xs) + sum(ys)", "xs ys"),
        ("substring(string: s, start position: n)", "s n"),
        ("discount(price)", "discount price"),
        ("for i in xs return i + j", "xs j"),
        ("for i in i return i", "i"),
        ("for i in xs, j in i return partial", "xs"),
        ("some x in xs satisfies x > limit", "xs limit"),
        ("{a: 1, b: a + c}", "c"),
        ("{a: b, b: 1}", "b"),
        ("{a: 1}.a + a", "a"),
        ("{f: function(n) if n = 0 then 1 else f(n - 1)}", ""),
        ("function(x) x + y", "y"),
        ("(function(x) x)(x)", "x"),
        ("orders[item.price > limit]", "orders limit"),
        ("orders[price > limit]", "orders price limit"),
        ("x in (1..y)", "x y"),
        ("x in (? > y)", "x y"),
        ("if a then b else c", "a b c"),
        ("`first-name` + x", "first-name x"),
    ],
)
def test_names_are_the_variables_that_a_text_may_read(text: str, names: str) -> None:
    assert compile(text).names == set(names.split())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("count + 1", "count"),
        ("count(xs)", "count xs"),
        ("for count in xs return count", "xs"),
        ("{count: 1, b: count}", ""),
        ("sum(xs)", "xs"),
        ("xs[count > 1]", "xs count"),
    ],
)
def test_a_variable_hides_the_built_in_of_its_name_where_it_is_in_scope(text: str, names: str) -> None:
    assert compile(text, names=["xs", "count"]).names == set(names.split())
    assert compile(text).names == set(names.split()) - {"count"}


def test_a_variable_named_like_a_built_in_is_read_and_called() -> None:
    assert evaluate("count + 1", {"count": 2}) == 3
    double = compile("function(x) x * 2").evaluate({}).value
    assert evaluate("count(4)", {"count": double}) == 8
    assert evaluate("count([4])", {"other": double}) == 1
    assert compile("count(4)", names=["count"]).evaluate({"count": 5}).value is None


def test_the_input_of_unary_tests_is_no_name() -> None:
    assert compile("> limit, ? = x", dialect="unary-tests").names == {"limit", "x"}


@examples(300)
@given(TEXTS)
def test_variables_that_are_not_among_the_names_change_nothing(text: str) -> None:
    try:
        expression = Expression(text, VALUES, "expression")
    except FeelSyntaxError:
        return
    read = {name: VALUES[name] for name in expression.names if name in VALUES}
    everything, read_only = outcome(expression, VALUES), outcome(expression, read)
    assert isinstance(everything, type) == isinstance(read_only, type)
    if not isinstance(everything, type):
        assert everything[0] == read_only[0], text


def test_the_same_text_means_other_things_in_other_scopes() -> None:
    assert evaluate("first-name", {"first-name": "Ada"}) == "Ada"
    assert evaluate("first-name", {"first": 3, "name": 1}) == 2
    assert evaluate("first-name", {"first-name": "Eve"}) == "Eve"


def test_threads_that_compile_the_same_text_at_once_get_the_same_meaning() -> None:
    def answers(number: int) -> list[Any]:
        return [evaluate(f"x + {text}", {"x": number}) for text in range(300)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(answers, range(8)))
    assert found == [[number + text for text in range(300)] for number in range(8)]
