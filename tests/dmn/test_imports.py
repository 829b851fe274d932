"""Models that import models (DMN 1.5, 6.3.3)."""

from pathlib import Path

import pytest

from tests.dmn.documents import (
    DMN_1_5,
    decision,
    definitions,
    faults,
    input_data,
    invocation,
    knowledge,
    reasons,
    service,
)
from towpath.dmn import Model, read, read_file
from towpath.faults import Faulty

LIB, BASE, OTHER = "http://example.org/lib", "http://example.org/base", "http://example.org/other"


def imported(name: str, namespace: str, attributes: str = "") -> str:
    return f'<import name="{name}" namespace="{namespace}" importType="{DMN_1_5}" {attributes}/>'


LIBRARY = definitions(
    '<itemDefinition name="tAge"><typeRef>number</typeRef>'
    "<allowedValues><text>[0..150]</text></allowedValues></itemDefinition>"
    + input_data("n", "n: tAge")
    + decision("twice", "n * 2", "input:#n", name="twice: number")
    + knowledge("inc", ["n: tAge"], "n + 1", name="add one: number")
    + service("s", name="served", outputDecision=["twice"], inputData=["n"]),
    own=LIB,
)


def importing(body: str, name: str = "lib", **documents: bytes) -> Model:
    return read(definitions(imported(name, LIB) + body), imports={LIB: LIBRARY})


def test_what_an_imported_model_has_is_in_a_context_of_the_import_s_name() -> None:
    body = decision(
        "d",
        "[lib.add one(1), lib.served(4), lib.served(n: 5), lib.twice, lib.n]",
        f"knowledge:{LIB}#inc",
        f"knowledge:{LIB}#s",
        f"decision:{LIB}#twice",
        f"input:{LIB}#n",
    )
    assert importing(body).evaluate("d", {"n": 10}).output == [2, 8, 10, 20, 10]


def test_an_import_s_name_may_have_spaces() -> None:
    body = decision("d", "My lib.add one(1)", f"knowledge:{LIB}#inc")
    assert importing(body, "My lib").evaluate("d", {}).output == 2


def test_an_import_without_a_name_is_into_the_own_names() -> None:
    body = input_data("age", "age: tAge") + decision(
        "d", "add one(twice) + age", f"knowledge:{LIB}#inc", f"decision:{LIB}#twice", "input:#age"
    )
    model = importing(body, "")
    assert model.evaluate("d", {"n": 3, "age": 100}).output == 107
    assert model.evaluate("twice", {"n": 3}).output == 6
    assert model.evaluate("d", {"n": 3, "age": 151}).output is None


def test_an_imported_function_is_invoked_by_a_boxed_invocation() -> None:
    body = decision("d", invocation("lib.add one", n="1"), f"knowledge:{LIB}#inc")
    assert importing(body).evaluate("d", {}).output == 2


def test_an_imported_type_is_named_with_the_import_s_name() -> None:
    body = input_data("age", "age: lib.tAge") + decision("d", "[age, 200 instance of lib.tAge]", "input:#age")
    model = importing(body)
    assert model.evaluate("d", {"age": 30}).output == [30, False]
    assert model.evaluate("d", {"age": 200}).output == [None, False]


def test_dmn_1_1_names_an_imported_type_by_its_xml_prefix() -> None:
    body = imported("lib", LIB) + input_data("age", "age: x:tAge") + decision("d", "age", "input:#age")
    xml = definitions(body, attributes=f'xmlns:x="{LIB}"')
    assert read(xml, imports={LIB: LIBRARY}).evaluate("d", {"age": 200}).output is None
    assert read(xml, imports={LIB: LIBRARY}).evaluate("d", {"age": 20}).output == 20


def test_imported_elements_are_asked_for_by_their_qualified_names() -> None:
    model = importing("")
    assert model.evaluate("lib.twice", {"n": 4}).output == 8
    assert model.evaluate("lib.served", {"n": 4}).output == 8
    assert model.evaluate("lib.add one", {"n": 4}).output == 5
    with pytest.raises(KeyError):
        model.evaluate("twice", {})


@pytest.mark.parametrize(
    "variables", [{"n": 4}, {"lib": {"n": 4}}, {LIB: {"n": 4}}, {"n": 9, "lib": {"n": 4}}]
)
def test_the_inputs_of_an_imported_model_are_given_in_three_ways(variables: dict[str, object]) -> None:
    model = importing(decision("d", "lib.twice", f"decision:{LIB}#twice"))
    assert model.evaluate("d", variables).output == 8


def test_inputs_of_one_name_in_two_imports_are_told_apart() -> None:
    other = LIBRARY.replace(LIB.encode(), OTHER.encode())
    body = (
        imported("one", LIB)
        + imported("two", OTHER)
        + decision("d", "[one.twice, two.twice]", f"decision:{LIB}#twice", f"decision:{OTHER}#twice")
    )
    model = read(definitions(body), imports={LIB: LIBRARY, OTHER: other})
    assert model.evaluate("d", {"one": {"n": 1}, "two": {"n": 2}}).output == [2, 4]
    assert model.evaluate("d", {LIB: {"n": 1}, "n": 2}).output == [2, 4]


def test_an_imported_knowledge_model_finds_what_it_requires_itself() -> None:
    lib = imported("base", BASE) + knowledge("k", ["n"], "base.half(n) + 1", f"knowledge:{BASE}#half")
    documents = {
        LIB: definitions(lib, own=LIB),
        BASE: definitions(knowledge("half", ["n"], "n / 2"), own=BASE),
    }
    body = imported("Some lib", LIB) + decision("d", "Some lib.k(10)", f"knowledge:{LIB}#k")
    assert read(definitions(body), imports=documents).evaluate("d", {}).output == 6


def test_an_own_element_comes_before_an_imported_one_of_its_name() -> None:
    body = decision("own", "1", name="twice") + decision("d", "twice", "decision:#own")
    assert importing(body, "").evaluate("d", {"n": 4}).output == 1
    assert importing(body, "").evaluate("twice", {"n": 4}).output == 1


def chain() -> dict[str, bytes]:
    left = imported("base", BASE) + decision("l", "base.b + 1", f"decision:{BASE}#b")
    right = imported("ground", BASE) + decision("r", "ground.b + 2", f"decision:{BASE}#b")
    base = input_data("x", "x: number") + decision("b", "x * 10", "input:#x")
    return {
        LIB: definitions(left, own=LIB),
        OTHER: definitions(right, own=OTHER),
        BASE: definitions(base, own=BASE),
    }


DIAMOND = (
    imported("left", LIB)
    + imported("right", OTHER)
    + decision("d", "left.l + right.r", f"decision:{LIB}#l", f"decision:{OTHER}#r")
)


def test_a_model_that_two_imports_share_is_evaluated_once() -> None:
    evaluation = read(definitions(DIAMOND), imports=chain()).evaluate("d", {"x": 1})
    assert evaluation.output == 23
    assert [record["decisionId"] for record in evaluation.audit] == ["b", "l", "r", "d"]


def test_the_inputs_of_a_model_imported_by_an_import_are_found_by_either_way() -> None:
    model = read(definitions(DIAMOND), imports=chain())
    for variables in ({"left": {"base": {"x": 2}}}, {"right": {"ground": {"x": 2}}}, {BASE: {"x": 2}}):
        assert model.evaluate("d", variables).output == 43


def test_models_that_import_each_other_are_a_fault() -> None:
    documents = {
        LIB: definitions(imported("o", OTHER), own=LIB),
        OTHER: definitions(imported("l", LIB), own=OTHER),
    }
    found = faults(definitions(imported("lib", LIB)), imports=documents)
    assert [fault.rule for fault in found] == ["dmn.import"]
    assert f"{LIB} -> {OTHER} -> {LIB}" in found[0].message
    own = definitions(imported("me", LIB), own=LIB)
    assert [fault.rule for fault in faults(own, imports={LIB: own})] == ["dmn.import"]


def test_a_model_that_is_not_at_hand_is_a_fault_that_names_those_that_are() -> None:
    found = faults(definitions(imported("lib", LIB)), imports={BASE: chain()[BASE]})
    assert [fault.rule for fault in found] == ["dmn.import"]
    assert LIB in found[0].message
    assert BASE in found[0].message


def test_a_fault_of_an_imported_model_is_told_with_its_file(tmp_path: Path) -> None:
    bad = definitions(decision("x", "1 +"), own=LIB)
    (tmp_path / "lib.dmn").write_bytes(bad)
    (tmp_path / "main.dmn").write_bytes(definitions(imported("lib", LIB)))
    with pytest.raises(Faulty) as raised:
        read_file(tmp_path / "main.dmn")
    assert [fault.file for fault in raised.value.faults] == [str(tmp_path / "lib.dmn")]


def test_a_file_s_imports_are_found_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "some.dmn").write_bytes(LIBRARY)
    (tmp_path / "broken.dmn").write_bytes(b"<no")
    body = imported("lib", LIB) + decision("d", "lib.twice", f"decision:{LIB}#twice")
    (tmp_path / "main.dmn").write_bytes(definitions(body))
    assert read_file(tmp_path / "main.dmn").evaluate("d", {"n": 4}).output == 8


def test_a_requirement_may_name_the_import_s_location() -> None:
    body = imported("lib", LIB, 'locationURI="lib.dmn"') + decision(
        "d", "lib.twice", "decision:lib.dmn#twice"
    )
    assert read(definitions(body), imports={LIB: LIBRARY}).evaluate("d", {"n": 4}).output == 8


def test_an_import_of_something_else_than_dmn_is_passed_over_with_a_warning() -> None:
    body = '<import name="m" namespace="http://x" importType="http://www.dmg.org/PMML-4_2"/>'
    assert [(fault.rule, fault.severity) for fault in faults(body)] == [("dmn.import", "warning")]


def test_an_element_that_an_imported_model_has_not_is_a_fault() -> None:
    body = decision("d", "lib.gone", f"decision:{LIB}#gone")
    found = faults(definitions(imported("lib", LIB) + body), imports={LIB: LIBRARY})
    assert [fault.rule for fault in found if fault.severity == "error"] == ["dmn.requirement"]


def test_a_missing_input_of_an_imported_model_is_told() -> None:
    model = importing(decision("d", "lib.twice", f"decision:{LIB}#twice"))
    assert "no value is given for the input 'n'" in reasons(model.evaluate("d", {}))
