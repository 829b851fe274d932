"""The audit of an evaluation: what was decided, from what, by which rules, and why something is null."""

import json
import random
import threading
from decimal import Decimal
from typing import Any

from tests.dmn.documents import (
    context,
    decision,
    definitions,
    evaluated,
    input_data,
    invocation,
    knowledge,
    literal,
    output,
    reasons,
)
from towpath.dmn import read
from towpath.feel import Limits

TABLE = (
    '<decisionTable id="t" hitPolicy="COLLECT">'
    '<input id="in"><inputExpression id="ie"><text>n</text></inputExpression></input>'
    '<output id="out" name="level"/>'
    + "".join(
        f'<rule id="{id}"><inputEntry><text>{test}</text></inputEntry>'
        f"<outputEntry><text>{answer}</text></outputEntry></rule>"
        for id, test, answer in (("r1", "&gt; 1", '"high"'), ("r2", "&lt; 0", '"low"'), ("r3", "-", "n + 1"))
    )
    + "</decisionTable>"
)
GRAPH = (
    input_data("i", "n: number")
    + decision("levels", TABLE, "input:#i", name="The levels")
    + decision("count", "count(The levels) + n", "decision:#levels", "input:#i", name="How many")
)


def test_each_decision_is_told_once_after_those_it_requires() -> None:
    body = (
        decision("a", "1")
        + decision("b", "a + 1", "decision:#a")
        + decision("c", "a + 2", "decision:#a")
        + decision("d", "b + c + a", "decision:#c", "decision:#b", "decision:#a")
    )
    evaluation = evaluated(body)
    assert evaluation.output == 6
    assert [record["decisionId"] for record in evaluation.audit] == ["a", "c", "b", "d"]


def test_inputs_rules_and_outputs_are_told() -> None:
    first, second = evaluated(GRAPH, "count", n=5).audit
    assert first == {
        "decisionId": "levels",
        "decisionName": "The levels",
        "decisionType": "decisionTable",
        "inputs": [{"id": "in", "name": "n", "value": 5}],
        "matchedRules": [
            {"ruleId": "r1", "ruleIndex": 1, "outputs": [{"id": "out", "name": "level", "value": "high"}]},
            {"ruleId": "r3", "ruleIndex": 3, "outputs": [{"id": "out", "name": "level", "value": 6}]},
        ],
        "output": ["high", 6],
        "warnings": [],
    }
    assert second == {
        "decisionId": "count",
        "decisionName": "How many",
        "decisionType": "literalExpression",
        "inputs": [
            {"id": "levels", "name": "The levels", "value": ["high", 6]},
            {"id": "i", "name": "n", "value": 5},
        ],
        "matchedRules": [],
        "output": 7,
        "warnings": [],
    }


def test_the_audit_is_json() -> None:
    body = decision("d", '[@"2024-01-01", 0.5, function() 1, [1..2], {a: @"P1D"}]')
    audit = evaluated(body).audit
    assert audit[0]["output"] == ["2024-01-01", Decimal("0.5"), None, "[1..2]", {"a": "P1D"}]
    assert json.loads(json.dumps(audit, default=float))[0]["output"][1] == 0.5


def warnings(body: str, **inputs: Any) -> list[tuple[str, str | None, int, int]]:
    return [
        (record["decisionId"], warning["elementId"], warning["line"], warning["column"])
        for record in evaluated(body, **inputs).audit
        for warning in record["warnings"]
    ]


def test_a_warning_has_the_element_in_whose_text_its_place_is() -> None:
    part = context({"a": literal('1 +\n "x"', 'id="here"'), "b": literal("2", 'id="there"')})
    assert warnings(decision("d", part)) == [("d", "here", 1, 3)]


def test_a_warning_from_a_called_function_has_the_element_of_its_body() -> None:
    body = knowledge("k", ["n"], literal("1 + n", 'id="inside"')) + decision(
        "d", literal('k("x") + 1', 'id="outside"'), "knowledge:#k"
    )
    found = warnings(body)
    assert found[0] == ("d", "inside", 1, 3)
    assert ("d", "outside", 1, 8) in found


def test_a_warning_of_a_table_has_the_cell_in_which_its_place_is() -> None:
    part = (
        "<decisionTable><input id='in'><inputExpression><text>1 + null</text></inputExpression></input>"
        "<output id='out' typeRef='number'/><rule id='r'><inputEntry id='c1'>"
        "<text>? = null and 1 &lt; null + 1 or true</text></inputEntry>"
        "<outputEntry id='c2'><text>\"x\" + 1</text></outputEntry></rule>"
        "</decisionTable>"
    )
    assert [(element, column) for _, element, _, column in warnings(decision("d", part))] == [
        ("in", 3),
        ("c1", 23),
        ("c2", 5),
    ]


def test_a_warning_of_a_type_has_the_element_of_the_type() -> None:
    assert warnings(decision("d", '"x"', name="d: number")) == [("d", "d", 1, 1)]


def test_a_warning_of_an_input_is_told_to_each_who_requires_it() -> None:
    body = (
        input_data("i", "n: number")
        + decision("a", "n", "input:#i")
        + decision("d", "[a, n]", "decision:#a", "input:#i")
    )
    assert [(decision, element) for decision, element, _, _ in warnings(body, n="x")] == [
        ("a", "i"),
        ("d", "i"),
    ]


def test_an_input_that_is_missing_is_told_with_a_proposal() -> None:
    body = input_data("i", "amount: number") + decision("d", "amount = null", "input:#i")
    evaluation = evaluated(body, amout=3)
    assert evaluation.output is True
    assert reasons(evaluation) == ["no value is given for the input 'amount'; did you mean 'amout'?"]


def test_a_filter_of_nothing_leaves_no_warning_behind() -> None:
    part = f"<filter><in>{literal('[]')}</in><match>{literal('item + 1 > unknown')}</match></filter>"
    assert reasons(evaluated(decision("d", part))) == []


def test_a_decision_that_reaches_a_limit_fails_and_tells_how_far_it_came() -> None:
    body = decision("a", "1") + decision("d", "for i in 1..100 return a", "decision:#a")
    evaluation = read(definitions(body)).evaluate("d", {}, limits=Limits(steps=50))
    assert evaluation.failed
    assert evaluation.output is None
    assert [record["decisionId"] for record in evaluation.audit] == ["a", "d"]


def test_steps_are_counted_across_all_decisions_of_an_evaluation() -> None:
    loops = [decision(f"l{n}", "count(for i in 1..400 return i)") for n in range(5)]
    body = "".join(loops) + decision("d", "l0", *(f"decision:#l{n}" for n in range(5)))
    model = read(definitions(body))
    assert not model.evaluate("l1", {}, limits=Limits(steps=1000)).failed
    assert model.evaluate("d", {}, limits=Limits(steps=1000)).failed


def test_now_is_the_same_for_every_decision_of_an_evaluation() -> None:
    body = decision("a", "now()") + decision("d", "[a, now(), a = now()]", "decision:#a")
    model = read(definitions(body))
    assert model.evaluate("d", {}, now=86_400_000).output == ["1970-01-02T00:00:00Z"] * 2 + [True]
    assert model.evaluate("d", {}).output == [None, None, True]


def test_chance_is_the_caller_s() -> None:
    model = read(definitions(decision("d", "[uuid(), random number()]")))
    assert model.evaluate("d", {}).output == [None, None]
    first, second = (model.evaluate("d", {}, source=random.Random(7)).output for _ in range(2))
    assert first == second
    assert None not in first


def test_the_same_inputs_give_the_same_audit() -> None:
    model = read(definitions(GRAPH))
    assert model.evaluate("count", {"n": 5}) == model.evaluate("count", {"n": 5})


def test_a_model_may_be_evaluated_by_many_threads() -> None:
    body = (
        GRAPH
        + knowledge("twice", ["n"], "n * 2")
        + decision(
            "d",
            context({"a": invocation("twice", n="n"), "b": "How many"}),
            "knowledge:#twice",
            "decision:#count",
            "input:#i",
        )
    )
    model = read(definitions(body))
    wrong: list[Any] = []

    def run(start: int) -> None:
        for n in range(start, start + 50):
            found = model.evaluate("d", {"n": n}).output
            if found != {"a": n * 2, "b": n + 1 + (n > 1)}:
                wrong.append((n, found))

    threads = [threading.Thread(target=run, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# -- large graphs ----------------------------------------------------------------------------------


def test_a_chain_of_three_thousand_decisions_is_evaluated() -> None:
    body = decision("d0", "1") + "".join(
        decision(f"d{n}", f"d{n - 1} + 1", f"decision:#d{n - 1}") for n in range(1, 3000)
    )
    evaluation = evaluated(body, "d2999")
    assert evaluation.output == 3000
    assert len(evaluation.audit) == 3000


def test_a_chain_of_knowledge_models_and_a_fan_of_inputs_are_evaluated() -> None:
    chain = knowledge("k0", ["n"], "n") + "".join(
        knowledge(f"k{n}", ["n"], "n" if n % 50 else f"k{n - 1}(n)", f"knowledge:#k{n - 1}")
        for n in range(1, 1500)
    )
    assert output(chain + decision("d", "k1499(7)", "knowledge:#k1499")) == 7
    inputs = "".join(input_data(f"i{n}", f"i{n}: number") for n in range(500))
    body = inputs + decision(
        "d", "+".join(f"i{n}" for n in range(500)), *(f"input:#i{n}" for n in range(500))
    )
    assert output(body, **{f"i{n}": 1 for n in range(500)}) == 500


def test_requirements_that_meet_again_and_again_are_gone_through_once() -> None:
    layers = [decision(f"x{n}", "1") + decision(f"y{n}", "1") for n in range(1)]
    for n in range(1, 60):
        needed = (f"decision:#x{n - 1}", f"decision:#y{n - 1}")
        layers.append(
            decision(f"x{n}", f"x{n - 1} + y{n - 1}", *needed) + decision(f"y{n}", f"x{n - 1}", *needed)
        )
    evaluation = evaluated("".join(layers), "x59")
    assert len(evaluation.audit) == 119
