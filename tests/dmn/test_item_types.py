"""Item definitions and coercion (DMN 1.5, 7.3.2 and 10.3.2.9.4)."""

from typing import Any

import pytest

from tests.dmn.documents import (
    context,
    decision,
    definitions,
    evaluated,
    faults,
    function,
    input_data,
    invocation,
    knowledge,
    output,
    reasons,
)
from towpath.dmn import read


def item(
    name: str, wanted: str = "", *components: str, many: bool = False, allowed: str = "", **more: str
) -> str:
    return definition("itemDefinition", name, wanted, *components, many=many, allowed=allowed, **more)


def component(name: str, wanted: str = "", *components: str, many: bool = False, allowed: str = "") -> str:
    return definition("itemComponent", name, wanted, *components, many=many, allowed=allowed)


def definition(
    tag: str, name: str, wanted: str, *components: str, many: bool, allowed: str, constraint: str = ""
) -> str:
    inner = f"<typeRef>{wanted}</typeRef>" if wanted else ""
    inner += f"<allowedValues><text>{allowed}</text></allowedValues>" if allowed else ""
    inner += f"<typeConstraint><text>{constraint}</text></typeConstraint>" if constraint else ""
    collection = ' isCollection="true"' if many else ""
    return f'<{tag} name="{name}"{collection}>{inner}{"".join(components)}</{tag}>'


TYPES = "".join(
    [
        item("tName", "string"),
        item("tNames", "tName", many=True),
        item("tColour", "tName", allowed='"red", "green"'),
        item("tColours", "tColour", many=True),
        item("tPalette", "string", many=True, allowed='"red", "green"'),
        item("tPair", "number", many=True, constraint="count(?) = 2"),
        item("tAdult", "number", allowed="[18..150]"),
        item("tSenior", "tAdult", allowed="&gt;= 65"),
        item("tEven", "number", allowed="modulo(?, 2) = 0"),
        item("tPerson", "", component("name", "tName"), component("age", "tAdult")),
        item("tTeam", "", component("lead", "tPerson"), component("members", "tPerson", many=True)),
        item("tRows", "tRow", many=True),
        item("tRow", "number", many=True),
        item("tTree", "", component("value", "number"), component("children", "tTree", many=True)),
        item("tNode", "", component("on", "date"), component("next", "tNode")),
        item("tOpen", "Any"),
        item("tOpenList", "Any", many=True),
        item("tContext", "context"),
        item("tAt", "date and time"),
    ]
)


def coerced(value: str, wanted: str) -> Any:
    """The value of a FEEL text as the variable of a decision."""
    return output(TYPES + decision("d", value, name=f"d: {wanted}"))


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("1", "number", 1),
        ('"a"', "number", None),
        ("[1]", "number", 1),
        ("[[1]]", "number", None),
        ("[1, 2]", "number", None),
        ("[null]", "number", None),
        ("[]", "number", None),
        ('"a"', "tName", "a"),
        ('["a"]', "tName", "a"),
        ('"a"', "tNames", ["a"]),
        ('["a", "b"]', "tNames", ["a", "b"]),
        ('["a", null]', "tNames", ["a", None]),
        ('["a", 1]', "tNames", None),
        ("1", "tNames", None),
        ("null", "tNames", None),
        ("[]", "tNames", []),
        # Conversions are of the whole value, not of what is in it.
        ('[["a"], ["b"]]', "tNames", None),
        ('[["a", "b"]]', "tNames", ["a", "b"]),
        ('"red"', "tColour", "red"),
        ('"blue"', "tColour", None),
        ('["red"]', "tColour", "red"),
        ('["blue"]', "tColour", None),
        ('["red", "green"]', "tColours", ["red", "green"]),
        ('["red", "blue"]', "tColours", None),
        ('"red"', "tColours", ["red"]),
        ('"blue"', "tColours", None),
        ('["red", "red"]', "tPalette", ["red", "red"]),
        ('["red", "blue"]', "tPalette", None),
        ("[1, 2]", "tPair", [1, 2]),
        ("[1]", "tPair", None),
        ("1", "tPair", None),
        ("17", "tAdult", None),
        ("18", "tAdult", 18),
        ("64", "tSenior", None),
        ("65", "tSenior", 65),
        ("200", "tSenior", None),
        ("4", "tEven", 4),
        ("3", "tEven", None),
        ('{name: "Ann", age: 30}', "tPerson", {"name": "Ann", "age": 30}),
        ('{name: "Ann", age: 30, more: 1}', "tPerson", {"name": "Ann", "age": 30, "more": 1}),
        ('{name: "Ann", age: null}', "tPerson", {"name": "Ann", "age": None}),
        ('{name: "Ann"}', "tPerson", None),
        ('{name: "Ann", age: 3}', "tPerson", None),
        ('{name: ["Ann"], age: 30}', "tPerson", None),
        ('[{name: "Ann", age: 30}]', "tPerson", {"name": "Ann", "age": 30}),
        (
            '{lead: {name: "A", age: 40}, members: [{name: "B", age: 30}]}',
            "tTeam",
            {"lead": {"name": "A", "age": 40}, "members": [{"name": "B", "age": 30}]},
        ),
        ('{lead: {name: "A", age: 40}, members: [{name: "B"}]}', "tTeam", None),
        ('{lead: {name: "A", age: 40}, members: {name: "B", age: 30}}', "tTeam", None),
        ("[[1, 2], [3]]", "tRows", [[1, 2], [3]]),
        ("[1, 2]", "tRows", [[1, 2]]),
        ("[[1, 2]]", "tRow", [1, 2]),
        ('[["a"]]', "tRows", None),
        ("{value: 1, children: []}", "tTree", {"value": 1, "children": []}),
        (
            "{value: 1, children: [{value: 2, children: [{value: 3, children: null}]}]}",
            "tTree",
            {"value": 1, "children": [{"value": 2, "children": [{"value": 3, "children": None}]}]},
        ),
        ('{value: 1, children: [{value: 2, children: [{value: "x", children: []}]}]}', "tTree", None),
        ("[1]", "tOpen", [1]),
        ("[1]", "Any", [1]),
        ("1", "tOpenList", [1]),
        ("1", "context", None),
        ("{a: 1}", "tContext", {"a": 1}),
        ('date("2024-01-01")', "tAt", "2024-01-01T00:00:00Z"),
        ('@"2024-01-01T10:00:00"', "date", None),
        ('@"P1D"', "days and time duration", "P1D"),
        ('@"P1D"', "years and months duration", None),
    ],
)
def test_a_value_is_as_its_type_wants_it_or_null(value: str, wanted: str, expected: Any) -> None:
    assert coerced(value, wanted) == expected


def test_a_type_may_be_defined_after_its_use_and_be_a_part_of_itself() -> None:
    model = read(
        definitions(TYPES + input_data("n", "n: tNode") + decision("d", "n.next.on.year", "input:#n"))
    )
    value = {"on": "2024-01-01", "next": {"on": "2025-05-05", "next": None}}
    assert model.evaluate("d", {"n": value}).output == 2025
    assert model.evaluate("d", {"n": {"on": "2024-01-01", "next": {"on": 1, "next": None}}}).output is None


def test_types_that_are_each_other_are_a_fault() -> None:
    found = faults(item("tA", "tB") + item("tB", "tC") + item("tC", "tA"))
    assert [fault.rule for fault in found] == ["dmn.type"]
    assert "tA -> tB -> tC -> tA" in found[0].message


def test_a_type_that_is_not_defined_is_a_fault_with_a_proposal_wherever_it_stands() -> None:
    body = (
        TYPES
        + item("tHolder", "", component("who", "tPersn"))
        + input_data("i", "i: tPersn")
        + knowledge("k", ["p: numbr"], "p")
        + decision("d", context({"e: strin": "1"}))
    )
    found = faults(body)
    assert [fault.rule for fault in found] == ["dmn.type"] * 4
    assert "did you mean 'tPerson'?" in found[0].message
    assert "did you mean 'number'?" in found[2].message


@pytest.mark.parametrize(
    "reference",
    [
        "feel:number",
        "number",
        "integer",
        "double",
        "long",
        "xsd:decimal",
        " number ",
        "&lt;Undefined&gt;",
        "",
    ],
)
def test_types_have_the_names_that_older_versions_and_editors_write(reference: str) -> None:
    body = f'<decision id="d" name="d"><variable name="d" typeRef="{reference}"/><literalExpression>'
    assert output(body + "<text>1</text></literalExpression></decision>") == 1


def test_instance_of_knows_defined_types() -> None:
    part = '[{name: "A", age: 20} instance of tPerson, {name: "A"} instance of tPerson, 3 instance of tEven]'
    assert output(TYPES + decision("d", part)) == [True, False, False]
    tree = "{value: 1, children: [{value: 2, children: []}]} instance of tTree"
    assert output(TYPES + decision("d", tree)) is True


FUNCTION = (
    '<itemDefinition name="tSum"><functionItem outputTypeRef="number"><parameters name="a" typeRef="number"/>'
    '<parameters name="b" typeRef="number"/></functionItem></itemDefinition>'
)


def test_a_function_is_of_a_function_type() -> None:
    calls = "[apply(plus), apply(function(a, b) a * b), apply(5), apply(abs)]"
    body = (
        FUNCTION
        + knowledge("plus", ["a: number", "b: number"], "a + b", name="plus: number")
        + knowledge("apply", ["f: tSum"], "f(1, 2)")
        + decision("d", calls, "knowledge:#plus", "knowledge:#apply")
    )
    assert output(body) == [3, 2, None, None]


def test_a_knowledge_model_s_variable_may_have_the_function_s_type() -> None:
    body = (
        FUNCTION
        + knowledge("plus", ["a: number", "b: number"], "a + b", name="plus: tSum")
        + decision("d", "plus(1, 2)", "knowledge:#plus")
    )
    assert output(body) == 3


def test_a_function_in_a_context_answers_what_its_entry_s_type_says() -> None:
    part = context({"f: tSum": function(["a", "b"], "a")}, result='[f(1, 2), f("x", 2)]')
    assert output(FUNCTION + decision("d", part)) == [1, None]


# -- where values are coerced ------------------------------------------------------------------------------


def test_an_input_is_coerced_and_dates_are_read_from_their_text() -> None:
    body = (
        TYPES
        + input_data("i", "i: number")
        + input_data("on", "on: date")
        + decision("d", '[i, on + @"P1D"]', "input:#i", "input:#on")
    )
    assert output(body, i=[4], on="2024-02-28") == [4, "2024-02-29"]
    evaluation = evaluated(body, i="4", on="no date")
    assert evaluation.output == [None, None]
    assert reasons(evaluation)[:2] == [
        "the input 'i' is null: string where number is wanted",
        "the input 'on' is null: string where date is wanted",
    ]


def test_parameters_and_results_of_knowledge_models_are_coerced() -> None:
    body = knowledge("k", ["n: number"], "[n]", name="k: number") + decision(
        "d", '[k(1), k([2]), k("x"), k(n: [3])]', "knowledge:#k"
    )
    assert output(body) == [1, 2, None, 3]
    assert output(body + decision("e", invocation("k", n="[5]"), "knowledge:#k"), "e") == 5


def test_a_knowledge_model_is_evaluated_with_its_parameters_by_name() -> None:
    body = knowledge("k", ["on: date", "days: number"], 'on + duration("P1D") * days')
    assert output(body, "k", on="2024-02-28", days=2) == "2024-03-01"
    assert output(body, "k", on="2024-02-28") is None


def test_the_type_of_an_input_whose_constraint_fails_is_told() -> None:
    body = TYPES + input_data("c", "c: tColour") + decision("d", "c", "input:#c")
    assert reasons(evaluated(body, c="blue")) == [
        "the input 'c' is null: the value is not among those that tColour allows"
    ]
    body = TYPES + input_data("t", "t: tTeam") + decision("d", "t", "input:#t")
    team = {"lead": {"name": "A", "age": 40}, "members": [{"name": "B", "age": 3}]}
    assert reasons(evaluated(body, t=team)) == [
        "the input 't' is null: the field 'members': item 1: the field 'age': "
        "the value is not among those that tAdult allows"
    ]


def test_a_component_s_name_with_symbols_is_one_name() -> None:
    types = item(
        "tApplicant", "", component("full-time salary", "number"), component("date of birth", "date")
    )
    body = types + input_data("a", "a: tApplicant") + decision("d", "a.full-time salary + 1", "input:#a")
    assert output(body, a={"full-time salary": 1, "date of birth": "2000-01-01"}) == 2
