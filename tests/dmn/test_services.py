"""Decision services and knowledge models as functions (DMN 1.5, 10.4)."""

import pytest

from tests.dmn.documents import (
    decision,
    definitions,
    evaluated,
    faults,
    input_data,
    invocation,
    knowledge,
    output,
    reasons,
    service,
)
from towpath.dmn import read

GRAPH = "".join(
    [
        input_data("a", "a: number"),
        input_data("b", "b: number"),
        decision("sum", "a + b", "input:#a", "input:#b", name="sum: number"),
        decision("double", "sum * 2", "decision:#sum", name="double: number"),
        decision("text", 'string(sum) + "/" + string(a)', "decision:#sum", "input:#a"),
        service("one", outputDecision=["double"], encapsulatedDecision=["sum"], inputData=["a", "b"]),
        service("two", outputDecision=["double", "text"], encapsulatedDecision=["sum"], inputData=["a", "b"]),
        service("given", outputDecision=["text"], inputDecision=["sum"], inputData=["a"]),
        service("typed", name="typed: string", outputDecision=["double"], inputDecision=["sum"]),
    ]
)


def asked(text: str, *services: str) -> str:
    return GRAPH + decision("d", text, *(f"knowledge:#{name}" for name in services))


def test_a_service_with_one_output_decision_answers_its_value() -> None:
    assert output(asked("one(1, 2)", "one")) == 6
    assert output(asked("one(b: 1, a: 2)", "one")) == 6


def test_a_service_with_several_output_decisions_answers_a_context_of_them() -> None:
    assert output(asked("two(1, 2)", "two")) == {"double": 6, "text": "3/1"}
    assert output(asked("two(1, 2).text", "two")) == "3/1"


def test_the_parameters_are_the_input_data_and_then_the_input_decisions() -> None:
    assert output(asked("given(1, 10)", "given")) == "10/1"
    assert output(asked("given(sum: 10, a: 1)", "given")) == "10/1"


def test_an_input_decision_is_given_and_not_evaluated() -> None:
    evaluation = evaluated(asked("given(1, 10)", "given"))
    assert [record["decisionId"] for record in evaluation.audit] == ["text", "d"]


def test_arguments_and_the_result_are_coerced() -> None:
    evaluation = evaluated(asked('[one([1], 2), one("x", 2), typed(5)]', "one", "typed"))
    assert evaluation.output == [6, None, None]
    told = reasons(evaluation)
    assert "the argument 'a' is null: string where number is wanted" in told
    assert "the decision service 'typed' is null: number where string is wanted" in told


def test_a_service_is_invoked_by_a_boxed_invocation() -> None:
    assert output(GRAPH + decision("d", invocation("one", a="1", b="2"), "knowledge:#one")) == 6


def test_too_many_or_too_few_arguments_make_null() -> None:
    assert output(asked("[one(1), one(1, 2, 3), one(a: 1), one(a: 1, b: 2, c: 3)]", "one")) == [None] * 4


def test_what_a_service_evaluates_is_apart_from_the_evaluation_around_it() -> None:
    body = asked("[sum, one(10, 20), sum]", "one").replace(
        '<knowledgeRequirement><requiredKnowledge href="#one"/>',
        '<informationRequirement><requiredDecision href="#sum"/></informationRequirement>'
        '<knowledgeRequirement><requiredKnowledge href="#one"/>',
    )
    assert output(body, a=1, b=1) == [2, 60, 2]


def test_a_service_is_a_value_like_any_function() -> None:
    body = (
        GRAPH
        + knowledge("twice", ["f", "n"], "f(n, n) + f(n, n)")
        + decision("d", "twice(one, 5)", "knowledge:#twice", "knowledge:#one")
    )
    assert output(body) == 40


def test_a_knowledge_model_may_call_a_service() -> None:
    body = (
        GRAPH + knowledge("k", ["n"], "one(n, n)", "knowledge:#one") + decision("d", "k(5)", "knowledge:#k")
    )
    assert output(body) == 20


def test_a_service_is_evaluated_with_its_inputs_by_name() -> None:
    assert output(GRAPH, "one", a=1, b=[2]) == 6
    assert output(GRAPH, "given", a=1, sum=5) == "5/1"
    assert output(GRAPH, "two", a=1) == {"double": None, "text": None}


def test_the_decisions_of_a_service_are_in_the_audit_with_its_name() -> None:
    evaluation = evaluated(GRAPH, "two", a=1, b=2)
    assert [(record["decisionId"], record["decisionService"]) for record in evaluation.audit] == [
        ("sum", "two"),
        ("double", "two"),
        ("text", "two"),
    ]


def test_a_service_called_in_a_loop_does_not_fill_the_audit_without_end() -> None:
    evaluation = evaluated(asked("count(for i in 1..2000 return one(i, i))", "one"))
    assert evaluation.output == 2000
    assert len(evaluation.audit) <= 1001
    assert evaluation.audit[-1]["decisionId"] == "d"


def test_a_service_that_asks_for_itself_fails_instead_of_hanging() -> None:
    body = decision("d", "s()", "knowledge:#s") + service("s", outputDecision=["d"])
    evaluation = evaluated(body)
    assert evaluation.failed
    assert "deep" in evaluation.message


def test_a_service_of_function_type_answers_the_function_s_result() -> None:
    types = (
        '<itemDefinition name="tF"><functionItem outputTypeRef="number">'
        '<parameters name="a" typeRef="number"/></functionItem></itemDefinition>'
    )
    body = (
        types
        + input_data("a", "a: number")
        + decision("sum", "a + 1", "input:#a")
        + service("s", name="s: tF", outputDecision=["sum"], inputData=["a"])
        + decision("d", "s(1)", "knowledge:#s")
    )
    assert output(body) == 2


def test_a_reference_to_the_wrong_kind_of_element_is_a_fault() -> None:
    body = input_data("a") + decision("d", "1") + service("s", outputDecision=["a"], inputData=["d"])
    assert [fault.rule for fault in faults(body) if fault.severity == "error"] == ["dmn.service"] * 2


def test_a_hit_policy_that_breaks_in_a_service_or_knowledge_model_fails_the_decision() -> None:
    table = (
        "<decisionTable><input><inputExpression><text>1</text></inputExpression></input><output/>"
        + "<rule><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>" * 2
        + "</decisionTable>"
    )
    body = decision("t", table) + service("s", outputDecision=["t"]) + knowledge("k", [], table)
    for call in ("s()", "k()"):
        evaluation = evaluated(body + decision("d", f"[{call}, 5]", "knowledge:#s", "knowledge:#k"))
        assert evaluation.failed
        assert "UNIQUE" in evaluation.message
        assert evaluation.output is None
        assert evaluation.value == [None, 5]


def test_knowledge_models_may_call_each_other() -> None:
    body = (
        knowledge("even", ["n"], "if n = 0 then true else odd(n - 1)", "knowledge:#odd")
        + knowledge("odd", ["n"], "if n = 0 then false else even(n - 1)", "knowledge:#even")
        + decision("d", "[even(6), even(7), odd(7)]", "knowledge:#even", "knowledge:#odd")
    )
    assert output(body) == [True, False, True]


def test_a_knowledge_model_does_not_see_the_variables_of_who_calls_it() -> None:
    body = knowledge("k", ["n"], "[n, secret]") + decision("d", "k(1)", "knowledge:#k")
    assert output(body, secret=5) == [1, None]


def test_a_knowledge_model_without_logic_is_null() -> None:
    body = '<businessKnowledgeModel id="k" name="k"/>' + decision("d", "k(1)", "knowledge:#k")
    assert output(body) is None
    assert output(body, "k") is None


def test_what_an_evaluation_takes_is_told_with_its_types() -> None:
    model = read(definitions(GRAPH + knowledge("k", ["x: string", "y"], "x")))
    told = {
        name: {key: str(wanted) for key, wanted in model.parameters(name).items()}
        for name in ("double", "given", "k")
    }
    assert told == {
        "double": {"a": "number", "b": "number"},
        "given": {"a": "number", "sum": "number"},
        "k": {"x": "string", "y": "Any"},
    }
    with pytest.raises(KeyError):
        model.parameters("nothing")
