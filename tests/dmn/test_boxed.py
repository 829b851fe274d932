"""Boxed expressions: each answers what its counterpart in FEEL text answers."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dmn.documents import (
    answer,
    boxed,
    context,
    decision,
    definitions,
    evaluated,
    faults,
    function,
    invocation,
    literal,
    output,
    reasons,
)
from towpath.dmn import read
from towpath.feel import evaluate


def filtered(source: str, match: str) -> str:
    return boxed("filter", in_=source, match=match)


def iterated(kind: str, source: str, body: str, variable: str = "x") -> str:
    part = {"return_": body} if kind == "for" else {"satisfies": body}
    return boxed(kind, f'iteratorVariable="{variable}"', in_=source, **part)


# -- context ---------------------------------------------------------------------------------------------


def test_an_entry_sees_those_before_it_and_none_after_it() -> None:
    assert answer(context({"a": "1", "b": "a + 1", "c": "d", "d": "4"})) == {
        "a": 1,
        "b": 2,
        "c": None,
        "d": 4,
    }


def test_an_entry_without_a_name_is_the_value_of_its_context() -> None:
    assert answer(context({"a": "2"}, result="a * 10")) == 20


def test_an_entry_is_of_its_variable_s_type_or_null() -> None:
    part = context({"a: number": '"x"', "b: number": "[7]", "c: string": '"s"'})
    evaluation = evaluated(decision("d", part))
    assert evaluation.output == {"a": None, "b": 7, "c": "s"}
    assert reasons(evaluation) == ["the entry 'a' is null: string where number is wanted"]


def test_two_entries_of_one_name_are_a_fault_and_leniently_null() -> None:
    body = decision("d", context([("a", "1"), ("a", "2")]))
    assert [fault.rule for fault in faults(body)] == ["dmn.context"]
    assert read(definitions(body), lenient=True).evaluate("d", {}).output is None


def test_an_entry_without_a_name_must_be_the_last() -> None:
    part = f"<context><contextEntry>{literal('1')}</contextEntry>{context({'a': '2'})[9:]}"
    assert [fault.rule for fault in faults(decision("d", part))] == ["dmn.context"]


def test_a_context_in_a_context_sees_what_is_around_it() -> None:
    assert answer(context({"a": "1", "inner": context({"b": "a + 1", "a": "b + 1", "c": "a"})})) == {
        "a": 1,
        "inner": {"b": 2, "a": 3, "c": 3},
    }


def test_names_with_spaces_and_symbols_are_known_to_later_entries() -> None:
    part = context({"full-time salary": "10", "a+b": "5"}, result="full-time salary + a+b")
    assert answer(part) == 15


# -- functions -------------------------------------------------------------------------------------------


def test_a_function_of_a_context_is_called_by_text_and_by_a_boxed_invocation() -> None:
    add = function(["a: number", "b: number"], "a + b")
    assert answer(context({"add": add}, result="add(1, 2)")) == 3
    assert answer(context({"add": add}, result="add(b: 5, a: 2)")) == 7
    assert answer(context({"add": add}, result=invocation("add", b="5", a="2"))) == 7


def test_a_function_may_call_itself() -> None:
    factorial = function(["n"], "if n < 2 then 1 else n * factorial(n - 1)")
    assert answer(context({"factorial": factorial}, result="factorial(20)")) == 2432902008176640000


def test_a_boxed_recursion_of_ninety_calls_is_no_problem() -> None:
    body = boxed(
        "conditional",
        if_="n = 0",
        then="0",
        else_=context({"less": invocation("down", n="n - 1")}, result="less + 1"),
    )
    assert answer(context({"down": function(["n"], body)}, result="down(90)")) == 90


def test_a_recursion_without_end_fails_the_decision() -> None:
    evaluation = evaluated(decision("d", context({"f": function(["n"], "f(n + 1)")}, result="f(1)")))
    assert evaluation.failed
    assert "deep" in evaluation.message


def test_a_function_sees_the_scope_in_which_it_was_made_and_no_later_entry() -> None:
    part = context({"a": "1", "f": function([], "[a, b]"), "b": "2"}, result="f()")
    assert answer(part) == [1, None]


def test_functions_made_in_a_loop_keep_their_own_variable() -> None:
    part = context(
        {"fs": iterated("for", "[1, 2, 3]", function([], "x * 10"))}, result="for f in fs return f()"
    )
    assert answer(part) == [10, 20, 30]


def test_an_argument_that_does_not_conform_is_null_and_the_function_is_called() -> None:
    part = context(
        {"f": function(["n: number"], 'if n = null then "none" else n')}, result='[f("x"), f([3])]'
    )
    evaluation = evaluated(decision("d", part))
    assert evaluation.output == ["none", 3]
    assert reasons(evaluation) == ["the argument 'n' is null: string where number is wanted"]


def test_a_function_s_result_is_of_its_type_or_null() -> None:
    body = context({"f": function(["n"], "n", 'typeRef="number"')}, result='[f("x"), f([3]), f(4)]')
    assert answer(body) == [None, 3, 4]


def test_a_java_function_is_served_from_the_table() -> None:
    described = context({"class": '"java.lang.Math"', "method signature": '"max(int,int)"'})
    part = function(["a: number", "b: number"], described, 'kind="Java"')
    assert answer(context({"greater": part}, result="greater(3, 9)")) == 9
    assert answer(context({"greater": part}, result=invocation("greater", b="3", a="9"))) == 9
    assert answer(context({"greater": part}, result="greater(3, null)")) is None


def test_a_java_function_s_result_is_of_its_type_or_null() -> None:
    described = context({"class": '"java.lang.Math"', "method signature": '"max(int,int)"'})
    part = function(["a", "b"], described, 'kind="Java" typeRef="string"')
    assert answer(context({"greater": part}, result="greater(3, 9)")) is None


def test_a_pmml_function_is_null_and_the_reader_says_so() -> None:
    part = function(["a"], context({"document": '"m.pmml"', "model": '"m"'}), 'kind="PMML"')
    body = decision("d", context({"f": part}, result="f(1)"))
    assert output(body) is None
    assert [(fault.rule, fault.severity) for fault in faults(body)] == [("dmn.function", "warning")]


# -- invocation ------------------------------------------------------------------------------------------


def test_a_built_in_function_is_invoked_by_its_parameters_names() -> None:
    assert answer(invocation("substring", string='"abcdef"', **{"start position": "3"})) == "cdef"


def test_an_invocation_evaluates_its_bindings_in_the_outer_scope() -> None:
    swap = function(["a", "b"], "[a, b]")
    assert answer(context({"swap": swap, "a": "1", "b": "2"}, result=invocation("swap", a="b", b="a"))) == [
        2,
        1,
    ]


def test_a_binding_without_an_expression_passes_null() -> None:
    part = context({"f": function(["a"], "a = null")}, result=invocation("f", a=""))
    assert answer(part) is True


def test_an_invocation_with_a_parameter_too_many_is_null() -> None:
    f = function(["a", "b"], "1")
    assert answer(context({"f": f}, result=invocation("f", a="1", b="1", c="1"))) is None
    assert answer(context({"f": f}, result=invocation("f", a="1", b="2"))) == 1


def test_a_parameter_that_an_invocation_does_not_bind_is_null() -> None:
    f = function(["a", "b"], "[a, b]")
    assert answer(context({"f": f}, result=invocation("f", a="1"))) == [1, None]


def test_a_binding_is_of_its_parameter_s_type_or_null() -> None:
    call = (
        f"<invocation>{literal('f')}<binding><parameter name='a' typeRef='string'/>{literal('1')}</binding>"
        "</invocation>"
    )
    assert answer(context({"f": function(["a"], "a = null")}, result=call)) is True


def test_what_is_no_function_cannot_be_invoked() -> None:
    evaluation = evaluated(decision("d", context({"f": "1"}, result=invocation("f", a="1"))))
    assert evaluation.output is None
    assert reasons(evaluation) == ["what is invoked is number, no function"]


# -- lists and relations ---------------------------------------------------------------------------------


def test_a_list_holds_what_its_expressions_answer() -> None:
    assert answer(f"<list>{literal('1')}{context({'a': '2'})}<list>{literal('3')}</list></list>") == [
        1,
        {"a": 2},
        [3],
    ]
    assert answer("<list></list>") == []


def relation(columns: str, *rows: list[str]) -> str:
    cells = "".join(f"<row>{''.join(map(literal, row))}</row>" for row in rows)
    return f"<relation>{columns}{cells}</relation>"


COLUMNS = '<column name="name" typeRef="string"/><column name="age" typeRef="number"/>'


def test_a_relation_is_a_list_of_contexts_of_the_columns_types() -> None:
    part = relation(COLUMNS, ['"Ann"', "30"], ['"Bob"', '"old"'], ["", "5"])
    evaluation = evaluated(decision("d", part))
    assert evaluation.output == [
        {"name": "Ann", "age": 30},
        {"name": "Bob", "age": None},
        {"name": None, "age": 5},
    ]
    assert reasons(evaluation) == ["the column 'age' is null: string where number is wanted"]


def test_a_row_with_a_cell_missing_is_a_fault_and_leniently_null_there() -> None:
    body = decision("d", relation(COLUMNS, ['"Ann"']))
    assert [fault.rule for fault in faults(body)] == ["dmn.relation"]
    assert read(definitions(body), lenient=True).evaluate("d", {}).output == [{"name": "Ann", "age": None}]


# -- conditional, iterators and filters as their text ------------------------------------------------------


@pytest.mark.parametrize("condition", ["true", "false", "null", "1", '"x"', "[true]", "1 = 1", "1 = null"])
def test_a_conditional_answers_what_if_answers(condition: str) -> None:
    part = boxed("conditional", if_=condition, then='"yes"', else_='"no"')
    assert answer(part) == evaluate(f'if {condition} then "yes" else "no"')


def test_only_the_branch_that_is_taken_is_evaluated() -> None:
    evaluation = evaluated(decision("d", boxed("conditional", if_="true", then="1", else_='1 + "x"')))
    assert (evaluation.output, reasons(evaluation)) == (1, [])


LOOPS = [
    ("[1, 2, 3]", "x * 2"),
    ("[]", "x"),
    ("[1..4]", "x"),
    ("(1..4)", "x"),
    ("5", "x + 1"),
    ('"a"', "x"),
    ("null", "x"),
    ("[1E5000..1E5000]", "x"),
    ("[1, null, 3]", "x"),
    ("[1, 2, 3, 4]", "if count(partial) = 0 then x else x + partial[-1]"),
    ("[1, 2, 3]", "partial"),
    ('[date("2024-01-30")..date("2024-02-02")]', "string(x)"),
    ('["a".."c"]', "x"),
    ("[[1], [2, 3]]", "sum(x)"),
]


@pytest.mark.parametrize(("source", "body"), LOOPS)
def test_a_boxed_for_answers_what_for_answers(source: str, body: str) -> None:
    assert answer(iterated("for", source, body)) == answer(f"for x in {source} return {body}")


TESTS = [
    ("[1, 2, 3]", "x > 2"),
    ("[1, 2, 3]", "x > 0"),
    ("[1, 2, 3]", "x > 5"),
    ("[]", "x > 5"),
    ("null", "x > 5"),
    ("[1, null, 3]", "x > 2"),
    ("[1, null, 3]", "x > 5"),
    ("[1, null, 3]", "x > 0"),
    ("[1, 2]", '"x"'),
    ("[1, 2]", "x"),
    ("7", "x > 5"),
    ("[1..3]", "x = 2"),
]


@pytest.mark.parametrize("kind", ["some", "every"])
@pytest.mark.parametrize(("source", "body"), TESTS)
def test_a_boxed_quantifier_answers_what_its_text_answers(kind: str, source: str, body: str) -> None:
    assert answer(iterated(kind, source, body)) == evaluate(f"{kind} x in {source} satisfies {body}")


def test_a_quantifier_stops_where_it_is_decided() -> None:
    evaluation = evaluated(decision("d", iterated("some", "[1, 2]", 'x = 1 or x + "a" = null')))
    assert (evaluation.output, reasons(evaluation)) == (True, [])


def test_loops_in_loops_see_each_other_s_variables() -> None:
    part = iterated("for", "[1, 2]", iterated("for", "[10, 20]", "x + y", "y"))
    assert answer(part) == [[11, 21], [12, 22]]


PEOPLE = '[{name: "Ann", age: 30}, {name: "Bob", age: 17}, {name: "Cy", item: 5}]'
FILTERS = [
    ("[1, 2, 3, 4]", "item > 2"),
    ("[1, 2, 3, 4]", "2"),
    ("[1, 2, 3, 4]", "-1"),
    ("[1, 2, 3, 4]", "0"),
    ("[1, 2, 3, 4]", "9"),
    ("[1, 2, 3, 4]", "1.5"),
    ("[1, 2, 3, 4]", "null"),
    ("[1, 2, 3, 4]", '"a"'),
    ("[1, 2, 3, 4]", "true"),
    ("[1, 2, 3, 4]", "false"),
    ("[]", "item > 1"),
    ("[]", "1"),
    ("null", "true"),
    ("null", "1"),
    ("5", "item = 5"),
    ("5", "1"),
    ("5", "2"),
    ("[1, null, 3]", "item = null"),
    ("[1, null, 3]", "item > 0"),
    (PEOPLE, "age > 18"),
    (PEOPLE, "item.age > 18"),
    (PEOPLE, "item = 5"),
    (PEOPLE, 'name = "Bob"'),
    (PEOPLE, "2"),
    ('[date("2024-01-30"), date("2025-01-30")]', "year = 2024"),
    ("[{x: 1}, {y: 2}]", "x = null"),
    ("[[1, 2], [3]]", "count(item) = 2"),
    ("[1..5]", "1"),
]


@pytest.mark.parametrize(("source", "match"), FILTERS)
def test_a_boxed_filter_answers_what_its_text_answers(source: str, match: str) -> None:
    found = read(definitions(decision("d", filtered(source, match)))).evaluate("d", {}).value
    assert found == read(definitions(decision("d", f"({source})[{match}]"))).evaluate("d", {}).value


@given(st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=4), st.integers(-5, 5))
def test_a_boxed_filter_agrees_with_its_text_on_any_list(items: list[Any], index: int) -> None:
    for match in (f"item >= {index}", str(index)):
        model = read(definitions(decision("b", filtered("xs", match)) + decision("t", f"xs[{match}]")))
        assert model.evaluate("b", {"xs": items}).value == model.evaluate("t", {"xs": items}).value


def test_a_filter_within_a_filter_sees_the_inner_item() -> None:
    inner = context({"found": filtered("item", "item > 2")}, result="count(found) > 1")
    assert answer(filtered("[[1, 2], [3, 4]]", inner)) == [[3, 4]]


def test_an_expression_of_a_type_is_of_it_or_null() -> None:
    assert answer(iterated("for", "[1]", "x").replace("<for ", '<for typeRef="number" ')) == 1
    assert answer(f'<list typeRef="number">{literal("1")}{literal("2")}</list>') is None


def test_a_loop_over_too_much_is_an_error_and_no_hang() -> None:
    evaluation = evaluated(decision("d", iterated("for", "[1..1000000000]", "x")))
    assert evaluation.failed
    assert "1000000000" in evaluation.message


def test_numbers_too_large_for_a_next_one_are_not_counted_through() -> None:
    evaluation = evaluated(decision("d", iterated("for", "[1E5000..1E5000]", "x")))
    assert evaluation.output is None
    assert len(reasons(evaluation)) == 1


def test_steps_are_counted_across_boxed_and_textual_loops() -> None:
    part = iterated("for", "[1..3000]", "for y in 1..3000 return y")
    evaluation = evaluated(decision("d", part))
    assert evaluation.failed
    assert "steps" in evaluation.message


def test_numbers_keep_their_digits_through_boxes() -> None:
    assert answer(context({"a": "0.1", "b": "0.2"}, result="a + b")) == Decimal("0.3")
