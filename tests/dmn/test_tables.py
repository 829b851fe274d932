"""How a decision table finds the rules that match."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from towpath.dmn.answers import Output
from towpath.dmn.index import RuleIndex
from towpath.dmn.state import State
from towpath.dmn.tables import DecisionTable, Input, Rule
from towpath.feel import Expression, FeelLimitError, Function, evaluate
from towpath.feel.runtime import Limits, Runtime
from towpath.feel.temporal import parse_any
from towpath.feel.values import Range

NAMES = ("a", "b", "limit")
TEMPORAL = (
    "2026-01-01",
    "2026-01-02",
    "2026-01-01T10:00:00",
    "2026-01-01T10:00:00Z",
    "2026-01-01T12:00:00+02:00",
    "10:00:00",
    "10:00:00Z",
    "P1D",
    "PT24H",
    "P1Y",
    "P12M",
)
SCALARS = (
    *("-1", "0", "1", "1.0", "1.5", "2 + 1", "100", "null", "true", "false"),
    *('""', '"a"', '"b"', '"é"', 'date("2026-01-01")', 'duration("P1D")', 'date("no date")'),
    *(f'@"{text}"' for text in TEMPORAL),
)
OPAQUE = ("limit", "< limit", "? > 1", '? = "a"', "count(?) > 1", "not(? = 1)", "a", "[limit..100]", "a = b")

scalar = st.sampled_from(SCALARS)
comparison = st.tuples(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), scalar).map(" ".join)


def ranges(openings: str, closings: str) -> st.SearchStrategy[str]:
    parts = st.tuples(st.sampled_from(openings), scalar, scalar, st.sampled_from(closings))
    return parts.map(lambda part: f"{part[0]}{part[1]}..{part[2]}{part[3]}")


simple = st.one_of(scalar, comparison, ranges("[(]", "])["))
listed = st.lists(st.one_of(scalar, comparison, ranges("[(", "])")), max_size=3).map(
    lambda items: f"[{', '.join(items)}]"
)
condition = st.recursive(
    st.one_of(
        comparison.map(lambda text: f"? {text}"),
        st.tuples(scalar, st.sampled_from(["<", "<=", ">", ">=", "=", "!="])).map(
            lambda p: f"{p[0]} {p[1]} ?"
        ),
        st.tuples(scalar, scalar).map(lambda part: f"? between {part[0]} and {part[1]}"),
        st.lists(st.one_of(scalar, comparison, ranges("[(", "])"), listed), min_size=1, max_size=2).map(
            lambda tests: f"? in ({', '.join(tests)})"
        ),
        st.lists(scalar, max_size=2).map(lambda items: f"list contains([{', '.join(items)}], ?)"),
        st.sampled_from(["? = limit", "? in a", "true", "null"]),
    ),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
    ),
    max_leaves=3,
)
test = st.one_of(scalar, simple, listed, condition, st.sampled_from(OPAQUE))
tests = st.lists(test, min_size=1, max_size=3).map(", ".join)
cell = st.one_of(st.none(), tests, tests.map(lambda text: f"not({text})"))

value = st.one_of(
    st.integers(-2, 101),
    st.sampled_from([Decimal("1.5"), Decimal("1.0"), Decimal("2.9999999999999999999999999999999999")]),
    st.sampled_from(["", "a", "b", "c", "é"]),
    st.none(),
    st.booleans(),
    st.sampled_from(TEMPORAL).map(parse_any),
    st.lists(st.sampled_from([0, 1, "a", None, True]), max_size=2),
    st.just({"a": 1}),
    st.just(Range(0, 2, True, True)),
)


def made(rules: Sequence[Sequence[str | None]], policy: str = "COLLECT") -> DecisionTable:
    """A table whose rules answer their number; its inputs are the variables a and b."""

    def read(text: str | None) -> Expression | None:
        return None if text is None else Expression(text, NAMES, "unary-tests")

    width = len(rules[0]) if rules else 0
    return DecisionTable(
        [Input(name, name, Expression(name, NAMES, "expression")) for name in NAMES[:width]],
        [Output("o", "o")],
        [
            Rule(f"r{number}", [read(text) for text in rule], [Expression(str(number), (), "expression")])
            for number, rule in enumerate(rules, 1)
        ],
        policy,
    )


def matched(table: DecisionTable, scope: Mapping[str, Any]) -> list[int]:
    """The rules that match, as an evaluation records them."""
    state = State(Runtime(), {})
    state.record = {"inputs": [], "matchedRules": []}
    table.evaluate(state, scope)
    return [rule["ruleIndex"] for rule in state.record["matchedRules"]]


def tried(table: DecisionTable, scope: Mapping[str, Any]) -> list[int]:
    """The rules that match, each cell of each rule having run."""
    return [
        number
        for number, rule in enumerate(table.rules, 1)
        if all(
            test is None or test.run(Runtime(), {**scope, "?": scope[clause.name]}) is True
            for clause, test in zip(table.inputs, rule.tests, strict=True)
        )
    ]


@given(
    rules=st.lists(st.tuples(cell, cell), min_size=1, max_size=12),
    inputs=st.lists(st.tuples(value, value), min_size=1, max_size=12),
    limit=st.sampled_from([1, "a", None]),
)
@example(rules=[(None, "[!= null]")], inputs=[(0, None)], limit=1)
@example(rules=[("true", "not(null)")], inputs=[(None, []), (0, {}), (False, None)], limit=1)
def test_looking_rules_up_finds_those_whose_cells_hold(
    rules: list[tuple[str | None, str | None]], inputs: list[tuple[Any, Any]], limit: Any
) -> None:
    table = made(rules)
    for a, b in inputs:
        scope = {"a": a, "b": b, "limit": limit}
        assert matched(table, scope) == tried(table, scope)


@given(
    rules=st.lists(st.tuples(cell, cell), min_size=1, max_size=12),
    a=value,
    b=value,
    bound=st.integers(0, 3000),
)
def test_an_index_that_may_not_grow_still_finds_them(
    rules: list[tuple[str | None, str | None]], a: Any, b: Any, bound: int
) -> None:
    table = made(rules)
    table._index = RuleIndex([rule.tests for rule in table.rules], max_bytes=bound)
    scope = {"a": a, "b": b, "limit": 1}
    assert matched(table, scope) == tried(table, scope)


def test_an_index_that_may_not_grow_still_leaves_few_rules_to_try() -> None:
    table = made([(str(number),) for number in range(200)])
    index = RuleIndex([rule.tests for rule in table.rules], max_bytes=4000)
    assert 1 <= len(list(index.candidates([77]))) < 20
    assert not list(index.candidates(["77"]))


def test_numbers_are_found_whatever_way_they_are_written() -> None:
    table = made([(text,) for text in ("1", "1.0", "[1..1]", "1.00, 7", ">= 1.000", "not(2)", '"1"')])
    assert matched(table, {"a": Decimal("1.0")}) == matched(table, {"a": 1}) == [1, 2, 3, 4, 5, 6]


def test_a_local_time_is_not_among_those_with_a_zone() -> None:
    table = made(
        [('< @"11:00:00"',), ('< @"11:00:00Z"',), ('not(@"12:00:00")',), ('not(@"12:00:00Z")',), ("-",)]
    )
    assert matched(table, {"a": parse_any("10:00:00")}) == [1, 3, 5]
    assert matched(table, {"a": parse_any("10:00:00+02:00")}) == [2, 4, 5]


def test_a_list_as_input_is_compared_as_a_whole() -> None:
    table = made([("[1, 2]",), ("1",), ("[[1, 2], 3]",), (None,), ("not([3])",)])
    assert matched(table, {"a": [1, 2]}) == [1, 3, 4, 5]


def test_first_runs_no_cell_after_the_rule_that_matches() -> None:
    table = made([("1",), ("for i in 1..1000000 return i",)], "FIRST")
    assert table.evaluate(State(Runtime(None, Limits(steps=100)), {}), {"a": 1}) == 1
    with pytest.raises(FeelLimitError, match="steps"):
        table.evaluate(State(Runtime(None, Limits(steps=100)), {}), {"a": 2})


def test_a_test_that_many_rules_share_runs_once_in_an_evaluation() -> None:
    shared = "count(for i in 1..100 return i) = ?"
    table = made([(shared, str(number)) for number in range(50)])
    state = State(Runtime(None, Limits(steps=1000)), {})
    assert table.evaluate(state, {"a": 100, "b": 7}) == [8]
    assert table.evaluate(State(Runtime(), {}), {"a": 99, "b": 7}) is None


def test_every_rule_costs_a_step() -> None:
    table = made([("1",)] * 11)
    with pytest.raises(FeelLimitError, match="steps"):
        table.evaluate(State(Runtime(None, Limits(steps=10)), {}), {"a": 2})


def test_a_variable_that_has_the_name_of_a_built_in_is_read_at_each_evaluation() -> None:
    test = Expression('date("2026-01-01")', ("date",), "unary-tests")
    table = DecisionTable(
        [Input("a", "a", Expression("a", ("a",), "expression"))],
        [Output("o", "o")],
        [Rule("r", [test], [Expression("1", (), "expression")])],
        "FIRST",
    )
    own = evaluate("function(text) upper case(text)")
    assert isinstance(own, Function)
    scope = {"a": "2026-01-01", "date": own}
    assert table.evaluate(State(Runtime(), {}), scope) == 1


def test_what_an_evaluation_answers_may_be_changed_without_harm_to_the_next() -> None:
    table = made([("1",), ("1",)])
    table.outputs = [Output("o", "o"), Output("p", "p")]
    for rule in table.rules:
        rule.outputs = [Expression("1", (), "expression")] * 2
    first = table.evaluate(State(Runtime(), {}), {"a": 1})
    first[0]["o"] = "changed"
    assert table.evaluate(State(Runtime(), {}), {"a": 1}) == [{"o": 1, "p": 1}] * 2
