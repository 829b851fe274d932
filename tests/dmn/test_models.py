"""Reading decision models, and the decisions they make."""

from decimal import Decimal
from typing import Any

import pytest

from towpath.dmn import Model, read
from towpath.faults import Faulty

NAMESPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def definitions(body: str, namespace: str = NAMESPACE) -> bytes:
    return (
        f'<definitions xmlns="{namespace}" id="model" name="A model" namespace="http://example.org/m">\n'
        f"{body}\n</definitions>"
    ).encode()


def table(
    rules: list[tuple[str, ...]],
    *,
    inputs: tuple[tuple[str, str], ...] = (("age", "number"),),
    outputs: tuple[tuple[str, str], ...] = (("result", "string"),),
    attributes: str = "",
    values: str = "",
    default: str = "",
) -> Model:
    """A model with one decision table; each rule has the input cells, then the output cells."""

    def cell(kind: str, text: str) -> str:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        return f"<{kind}><text>{escaped}</text></{kind}>"

    parts = [f'<decision id="d" name="Decide"><decisionTable id="t" {attributes}>']
    for number, (expression, wanted) in enumerate(inputs, 1):
        parts.append(
            f'<input id="i{number}" label="{expression}"><inputExpression typeRef="{wanted}">'
            f"<text>{expression}</text></inputExpression></input>"
        )
    for number, (name, wanted) in enumerate(outputs, 1):
        extra = f"<outputValues><text>{values}</text></outputValues>" if values else ""
        extra += cell("defaultOutputEntry", default) if default else ""
        parts.append(f'<output id="o{number}" name="{name}" typeRef="{wanted}">{extra}</output>')
    for number, cells in enumerate(rules, 1):
        parts.append(f'<rule id="r{number}">')
        parts.extend(cell("inputEntry", text) for text in cells[: len(inputs)])
        parts.extend(cell("outputEntry", text) for text in cells[len(inputs) :])
        parts.append("</rule>")
    parts.append("</decisionTable></decision>")
    return read(definitions("".join(parts)))


RULES: list[tuple[str, ...]] = [
    ("< 18", '"child"'),
    ("[18..65)", '"adult"'),
    (">= 65", '"senior"'),
    ("> 100", '"old"'),
]


@pytest.mark.parametrize(
    ("policy", "age", "expected"),
    [
        ("UNIQUE", 20, "adult"),
        ("FIRST", 101, "senior"),
        ("RULE ORDER", 101, ["senior", "old"]),
        ("COLLECT", 101, ["senior", "old"]),
        ("COLLECT", None, None),
    ],
)
def test_a_hit_policy_decides_among_the_rules(policy: str, age: int | None, expected: Any) -> None:
    model = table(RULES, attributes=f'hitPolicy="{policy}"')
    assert model.evaluate("d", {"age": age}).output == expected


def test_a_unique_table_with_two_hits_fails_and_says_which() -> None:
    evaluation = table(RULES).evaluate("d", {"age": 101})
    assert evaluation.failed
    assert evaluation.output is None
    assert "rules 3 and 4" in evaluation.message
    assert [rule["ruleId"] for rule in evaluation.audit[0]["matchedRules"]] == ["r3", "r4"]


def test_any_takes_the_same_answer_twice_but_not_two() -> None:
    model = table([("> 1", '"a"'), ("> 2", '"a"'), ("> 3", '"b"')], attributes='hitPolicy="ANY"')
    assert model.evaluate("d", {"age": 3}).output == "a"
    assert model.evaluate("d", {"age": 4}).failed


def test_priority_and_output_order_follow_the_list_of_values() -> None:
    rules: list[tuple[str, ...]] = [("> 1", '"low"'), ("> 2", '"high"')]
    values = '"high", "low"'
    assert (
        table(rules, attributes='hitPolicy="PRIORITY"', values=values).evaluate("d", {"age": 5}).output
        == "high"
    )
    ordered = table(rules, attributes='hitPolicy="OUTPUT ORDER"', values=values).evaluate("d", {"age": 5})
    assert ordered.output == ["high", "low"]


@pytest.mark.parametrize(
    ("aggregation", "expected"), [("SUM", Decimal("3.5")), ("COUNT", 2), ("MIN", 1), ("MAX", 2.5)]
)
def test_collected_numbers_are_aggregated(aggregation: str, expected: Any) -> None:
    model = table(
        [("> 1", "1"), ("> 2", "2.5"), ("> 9", "100")],
        outputs=(("fee", "number"),),
        attributes=f'hitPolicy="COLLECT" aggregation="{aggregation}"',
    )
    assert model.evaluate("d", {"age": 5}).output == expected


def test_without_a_matching_rule_the_default_is_the_answer() -> None:
    assert table([("> 100", '"old"')], default='"young"').evaluate("d", {"age": 1}).output == "young"
    assert table([("> 100", '"old"')]).evaluate("d", {"age": 1}).output is None


def test_several_outputs_make_a_context() -> None:
    model = table(
        [('"glass"', "true", '"fast"'), ("-", "false", "route")],
        inputs=(("damage", "string"),),
        outputs=(("covered", "boolean"), ("way", "string")),
        attributes='hitPolicy="FIRST"',
    )
    assert model.evaluate("d", {"damage": "glass"}).output == {"covered": True, "way": "fast"}
    assert model.evaluate("d", {"damage": "theft", "route": "slow"}).output == {
        "covered": False,
        "way": "slow",
    }


def test_a_date_in_json_is_read_where_the_input_is_a_date() -> None:
    model = table([('>= date("2026-01-01")', '"new"'), ("-", '"old"')], inputs=(("since", "date"),))
    assert model.evaluate("d", {"since": "2025-05-05"}).output == "old"


def test_the_audit_tells_inputs_rules_and_outputs() -> None:
    audit = table(RULES).evaluate("d", {"age": 30}).audit
    assert audit == [
        {
            "decisionId": "d",
            "decisionName": "Decide",
            "decisionType": "decisionTable",
            "inputs": [{"id": "i1", "name": "age", "value": 30}],
            "matchedRules": [
                {
                    "ruleId": "r2",
                    "ruleIndex": 2,
                    "outputs": [{"id": "o1", "name": "result", "value": "adult"}],
                }
            ],
            "output": "adult",
            "warnings": [],
        }
    ]


GRAPH = """
<itemDefinition name="tPolicy">
  <itemComponent name="deductible"><typeRef>number</typeRef></itemComponent>
  <itemComponent name="cover"><typeRef>string</typeRef>
    <allowedValues><text>"third-party", "comprehensive"</text></allowedValues></itemComponent>
</itemDefinition>
<inputData id="i" name="policy"><variable name="policy" typeRef="tPolicy"/></inputData>
<businessKnowledgeModel id="k" name="payout of">
  <variable name="payout of"/>
  <encapsulatedLogic>
    <formalParameter name="amount" typeRef="number"/><formalParameter name="deductible" typeRef="number"/>
    <literalExpression><text>max(0, amount - deductible)</text></literalExpression>
  </encapsulatedLogic>
</businessKnowledgeModel>
<decision id="base" name="Base amount"><variable name="Base amount" typeRef="number"/>
  <literalExpression><text>estimate.amount * 2</text></literalExpression></decision>
<decision id="pay" name="Payout"><variable name="Payout" typeRef="number"/>
  <informationRequirement><requiredInput href="#i"/></informationRequirement>
  <informationRequirement><requiredDecision href="#base"/></informationRequirement>
  <knowledgeRequirement><requiredKnowledge href="#k"/></knowledgeRequirement>
  <invocation><literalExpression><text>payout of</text></literalExpression>
    <binding><parameter name="amount"/><literalExpression><text>Base amount</text>
    </literalExpression></binding>
    <binding><parameter name="deductible"/><literalExpression><text>policy.deductible</text>
    </literalExpression></binding>
  </invocation></decision>
"""
POLICY = {"deductible": 300, "cover": "comprehensive"}


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_a_decision_uses_what_it_requires_in_every_version_of_dmn(namespace: str) -> None:
    evaluation = read(definitions(GRAPH, namespace)).evaluate(
        "pay", {"policy": POLICY, "estimate": {"amount": 500}}
    )
    assert evaluation.output == 700
    assert [record["decisionId"] for record in evaluation.audit] == ["base", "pay"]


def test_a_decision_is_found_by_its_name_too() -> None:
    model = read(definitions(GRAPH))
    assert model.evaluate("Payout", {"policy": POLICY, "estimate": {"amount": 500}}).output == 700
    assert {decision.name for decision in model.decisions.values()} == {"Base amount", "Payout"}
    with pytest.raises(KeyError):
        model.evaluate("nothing", {})


@pytest.mark.parametrize(
    "policy",
    [{"deductible": 300}, {"deductible": "300", "cover": "comprehensive"}, {"deductible": 1, "cover": "x"}],
)
def test_an_input_that_is_not_of_its_type_is_null_and_says_so(policy: dict[str, Any]) -> None:
    evaluation = read(definitions(GRAPH)).evaluate("pay", {"policy": policy, "estimate": {"amount": 500}})
    assert evaluation.output is None
    assert not evaluation.failed


def test_a_variable_that_is_missing_is_told_in_the_audit() -> None:
    model = read(definitions(GRAPH))
    warnings = model.evaluate("base", {"estimat": {"amount": 500}}).audit[0]["warnings"]
    assert "did you mean 'estimat'" in warnings[0]["message"]


def test_boxed_expressions_of_dmn_1_4_are_evaluated() -> None:
    model = read(
        definitions(
            """<decision id="d" name="D"><context>
              <contextEntry><variable name="xs"/><list>
                <literalExpression><text>1</text></literalExpression>
                <literalExpression><text>5</text></literalExpression></list></contextEntry>
              <contextEntry><variable name="doubled"/><for iteratorVariable="x">
                <in><literalExpression><text>xs</text></literalExpression></in>
                <return><literalExpression><text>x * 2</text></literalExpression></return></for>
                </contextEntry>
              <contextEntry><variable name="big"/><filter>
                <in><literalExpression><text>doubled</text></literalExpression></in>
                <match><literalExpression><text>item > 5</text></literalExpression></match>
                </filter></contextEntry>
              <contextEntry><variable name="any"/><some iteratorVariable="x">
                <in><literalExpression><text>xs</text></literalExpression></in>
                <satisfies><literalExpression><text>x > 4</text></literalExpression></satisfies>
                </some></contextEntry>
              <contextEntry><variable name="word"/><conditional>
                <if><literalExpression><text>any</text></literalExpression></if>
                <then><literalExpression><text>"yes"</text></literalExpression></then>
                <else><literalExpression><text>"no"</text></literalExpression></else></conditional>
                </contextEntry>
              <contextEntry><variable name="rows"/><relation><column name="a"/><column name="b"/>
                <row><literalExpression><text>1</text></literalExpression>
                  <literalExpression><text>word</text></literalExpression></row></relation></contextEntry>
            </context></decision>"""
        )
    )
    assert model.evaluate("d", {}).output == {
        "xs": [1, 5],
        "doubled": [2, 10],
        "big": [10],
        "any": True,
        "word": "yes",
        "rows": [{"a": 1, "b": "yes"}],
    }


def test_every_fault_of_a_model_is_told_with_its_element_and_line() -> None:
    body = """<inputData id="i" name="a"><variable name="a" typeRef="tNothing"/></inputData>
<decision id="one" name="One"><literalExpression id="e1"><text>1 +</text></literalExpression></decision>
<decision id="two" name="Two"><informationRequirement><requiredDecision href="#gone"/>
</informationRequirement>
<literalExpression><text>1</text></literalExpression></decision>
<decision id="three" name="Three"><decisionTable id="t" hitPolicy="BEST"><input id="in1"><inputExpression>
<text>a</text></inputExpression></input><output id="o"/><rule id="r1"><outputEntry><text>1</text>
</outputEntry></rule>
</decisionTable></decision>
<decision id="one" name="Again"/>"""
    with pytest.raises(Faulty) as raised:
        read(definitions(body), "a.dmn")
    faults = {fault.rule: fault for fault in raised.value.faults}
    assert set(faults) == {
        "dmn.type",
        "dmn.feel",
        "dmn.requirement",
        "dmn.hit-policy",
        "dmn.rule",
        "dmn.duplicate-id",
        "dmn.unbound",
    }
    assert faults["dmn.unbound"].severity == "warning"
    assert (faults["dmn.feel"].element, faults["dmn.feel"].line) == ("e1", 3)
    assert faults["dmn.requirement"].line == 4
    assert all(fault.file == "a.dmn" for fault in raised.value.faults)


def test_a_decision_that_does_not_end_fails_instead() -> None:
    body = (
        '<decision id="d" name="D"><literalExpression>'
        "<text>for i in 1..9999999999 return i</text></literalExpression></decision>"
    )
    evaluation = read(definitions(body)).evaluate("d", {})
    assert evaluation.failed
    assert "9999999999" in evaluation.message


def test_text_is_no_date_where_an_output_is_one() -> None:
    rules: list[tuple[str, ...]] = [("< 5", '"2026-01-01"'), ("-", 'date("2026-01-01")')]
    model = table(rules, outputs=(("due", "date"),), attributes='hitPolicy="FIRST"')
    assert model.evaluate("d", {"age": 1}).output is None
    assert model.evaluate("d", {"age": 9}).output == "2026-01-01"


def test_without_output_values_the_order_of_priority_is_that_of_the_type_s_values() -> None:
    types = (
        '<itemDefinition name="tLevel"><typeRef>string</typeRef><allowedValues><text>"high", "low"</text>'
        "</allowedValues></itemDefinition>"
    )
    cells = "".join(
        f'<rule><inputEntry><text>-</text></inputEntry><outputEntry><text>"{level}"</text></outputEntry></rule>'
        for level in ("low", "high")
    )
    part = (
        '<decision id="d" name="d"><decisionTable hitPolicy="OUTPUT ORDER"><input><inputExpression>'
        '<text>1</text></inputExpression></input><output typeRef="tLevel"/>'
    )
    model = read(definitions(f"{types}{part}{cells}</decisionTable></decision>"))
    assert model.evaluate("d", {}).output == ["high", "low"]
