"""The public DMN TCK, as far as its folders are at hand, and the runner of its test cases.

The folders' place is the variable TOWPATH_TCK, or else ``../shared/tck`` beside the project.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from towpath.dmn.tck import Score, agree, cases, run
from towpath.dmn.tck_values import Untyped

BESIDE = Path(__file__).parents[2].parent / "shared" / "tck"
ASKED_FOR = os.environ.get("TOWPATH_TCK")
TCK = Path(ASKED_FOR) if ASKED_FOR else BESIDE

# What the folders beside the project hold: cases of compliance levels 2 and 3, and those that expect a value.
CASES = 2011
VALUED = 862


def test_every_case_of_the_tck_passes_on_the_command_line() -> None:
    if not ASKED_FOR and not TCK.is_dir():
        pytest.skip(
            "the DMN TCK is left out: it is not in ../shared/tck; "
            "set TOWPATH_TCK to the folder of its test cases (github.com/dmn-tck/tck)"
        )
    command = [sys.executable, "-m", "towpath", "dmn", "tck", str(TCK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    words = done.stdout.splitlines()[-1].replace("(", "").split()
    passed, all_cases, valued_passed, valued = (int(words[place]) for place in (1, 3, 4, 6))
    assert done.stdout.splitlines()[-1] == (
        f"passed {passed} of {all_cases} ({valued_passed} of {valued} with a value)"
    )
    assert (passed, valued_passed) == (all_cases, valued)
    if not ASKED_FOR:
        assert (all_cases, valued) >= (CASES, VALUED)


MODEL = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/"
    id="m" name="m" namespace="urn:m">
  <itemDefinition name="person"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>
    <itemComponent name="age"><typeRef>number</typeRef></itemComponent></itemDefinition>
  <inputData id="i" name="x"><variable name="x"/></inputData>
  <inputData id="n" name="n"><variable name="n" typeRef="number"/></inputData>
  <inputData id="p" name="p"><variable name="p" typeRef="person"/></inputData>
  <decision id="same" name="same"><variable name="same"/>
    <informationRequirement><requiredInput href="#i"/></informationRequirement>
    <literalExpression><text>x</text></literalExpression></decision>
  <decision id="next" name="next"><variable name="next"/>
    <informationRequirement><requiredInput href="#n"/></informationRequirement>
    <literalExpression><text>n + 1</text></literalExpression></decision>
  <decision id="older" name="older"><variable name="older"/>
    <informationRequirement><requiredInput href="#p"/></informationRequirement>
    <literalExpression><text>p.age + 1</text></literalExpression></decision>
  <businessKnowledgeModel id="b" name="double"><variable name="double"/>
    <encapsulatedLogic><formalParameter name="n" typeRef="number"/>
      <literalExpression><text>n * 2</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>
  <decisionService id="one" name="one service"><variable name="one service"/>
    <outputDecision href="#next"/><inputData href="#n"/></decisionService>
  <decisionService id="two" name="two service"><variable name="two service"/>
    <outputDecision href="#next"/><outputDecision href="#same"/>
    <inputData href="#n"/><inputData href="#i"/></decisionService>
</definitions>"""

HEAD = (
    '<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
)


def outcome(folder: Path, case: str, *, attributes: str = "", name: str = "m.dmn") -> Score:
    """The score of one folder with the model above and one test case."""
    (folder / "m.dmn").write_text(MODEL)
    (folder / "m-test-01.xml").write_text(
        f'{HEAD}<modelName>{name}</modelName><testCase id="1" {attributes}>{case}</testCase></testCases>'
    )
    return run(folder)


def result(name: str, content: str, attributes: str = "") -> str:
    return f'<resultNode name="{name}" {attributes}><expected>{content}</expected></resultNode>'


def value(type: str, text: str) -> str:
    return f'<value xsi:type="xs:{type}">{text}</value>'


@pytest.mark.parametrize(
    ("type", "text", "other"),
    [
        ("decimal", "1.5", "1.6"),
        ("double", "1.5E3", "1501"),
        ("integer", " 7 ", "8"),
        ("boolean", "1", "false"),
        ("string", "a <!-- note -->b", "a b "),
        ("date", "2026-01-31", "2026-02-01"),
        ("time", "10:00:00Z", "10:00:01Z"),
        ("dateTime", "2026-01-31T10:00:00+01:00", "2026-01-31T10:00:00Z"),
        ("duration", "P1DT2H", "P1DT3H"),
        ("duration", "P1Y", "P2Y"),
        ("yearMonthDuration", "P1Y2M", "P1Y"),
        ("dayTimeDuration", "PT90S", "PT1M"),
        ("anyURI", "urn:a", "urn:b"),
    ],
)
def test_a_value_of_every_type_is_given_and_compared(
    tmp_path: Path, type: str, text: str, other: str
) -> None:
    given = f'<inputNode name="x">{value(type, text)}</inputNode>'
    score = outcome(tmp_path, given + result("same", value(type, text)))
    assert str(score) == "passed 1 of 1 (1 of 1 with a value)"
    assert not outcome(tmp_path, given + result("same", value(type, other))).passed


def test_lists_and_contexts_nest(tmp_path: Path) -> None:
    nested = (
        f'<list><item><component name="a">{value("decimal", "1")}</component><component name="b">'
        f"<list/></component></item><item><value xsi:nil='true'/></item></list>"
    )
    given = f'<inputNode name="x">{nested}</inputNode>'
    assert outcome(tmp_path, given + result("same", nested)).passed == 1
    assert outcome(tmp_path, given + result("same", nested.replace(">1<", ">2<"))).passed == 0
    assert outcome(tmp_path, given + result("same", nested.replace("<list/>", ""))).passed == 0


@pytest.mark.parametrize(
    "empty", ["<value xsi:nil='true'/>", "<list xsi:nil='true'/>", "", "<component xsi:nil='1'/>"]
)
def test_null_is_expected_in_every_way_of_writing_it(tmp_path: Path, empty: str) -> None:
    score = outcome(tmp_path, result("same", empty))
    assert str(score) == "passed 1 of 1 (0 of 0 with a value)"


def test_a_result_that_expects_nothing_expects_null(tmp_path: Path) -> None:
    assert outcome(tmp_path, '<resultNode name="same"/>').passed == 1
    given = f'<inputNode name="x">{value("decimal", "1")}</inputNode>'
    failed = outcome(tmp_path, given + '<resultNode name="same"/>').cases[0].failures[0]
    assert (failed.asked, failed.expected, failed.got) == ("same", "null", "1")


def test_an_expected_error_is_a_null(tmp_path: Path) -> None:
    wrong = f'<inputNode name="n">{value("decimal", "1")}</inputNode>'
    missing = result("next", "<value xsi:nil='true'/>", 'errorResult="true"')
    assert outcome(tmp_path, missing).passed == 1
    assert outcome(tmp_path, wrong + missing).passed == 0
    assert outcome(tmp_path, '<resultNode name="next" errorResult="true"/>').passed == 1


def test_each_of_several_results_must_be_right(tmp_path: Path) -> None:
    given = f'<inputNode name="n">{value("decimal", "1")}</inputNode>'
    right, wrong = result("next", value("decimal", "2")), result("same", value("decimal", "5"))
    assert outcome(tmp_path, given + right + right).passed == 1
    score = outcome(tmp_path, given + right + wrong + wrong)
    assert score.passed == 0
    assert len(score.cases[0].failures) == 2


def test_knowledge_models_and_services_are_invoked_with_the_inputs(tmp_path: Path) -> None:
    given = f'<inputNode name="n">{value("decimal", "4")}</inputNode>'
    given += f'<inputNode name="x">{value("string", "s")}</inputNode>'
    knowledge = 'type="bkm" invocableName="double"'
    assert outcome(tmp_path, given + result("double", value("decimal", "8")), attributes=knowledge).passed
    service = 'type="decisionService" invocableName="one service"'
    assert outcome(tmp_path, given + result("next", value("decimal", "5")), attributes=service).passed
    assert outcome(tmp_path, given + result("one service", value("decimal", "5")), attributes=service).passed
    both = 'type="decisionService" invocableName="two service"'
    parts = result("next", value("decimal", "5")) + result("same", value("string", "s"))
    assert outcome(tmp_path, given + parts, attributes=both).passed
    whole = (
        f'<component name="next">{value("decimal", "5")}</component>'
        f'<component name="same">{value("string", "s")}</component>'
    )
    assert outcome(tmp_path, given + result("two service", whole), attributes=both).passed
    assert not outcome(tmp_path, given + result("two service", value("decimal", "5")), attributes=both).passed


def test_what_an_imported_model_has_is_asked_for_by_the_imports_name(tmp_path: Path) -> None:
    (tmp_path / "o.dmn").write_text(IMPORTING)
    given = f'<inputNode name="n">{value("decimal", "4")}</inputNode>'
    service = 'type="decisionService" invocableName="m.one service"'
    asked = given + result("next", value("decimal", "5"))
    assert outcome(tmp_path, asked, attributes=service, name="o.dmn").passed == 1
    missing = outcome(tmp_path, given + result("m.nothing", ""), name="o.dmn")
    assert "no 'm.nothing'" in missing.cases[0].reason


def test_untyped_values_are_read_as_the_model_and_the_result_want(tmp_path: Path) -> None:
    given = '<inputNode name="n"><value>41</value></inputNode>'
    assert outcome(tmp_path, given + result("next", "<value>42</value>")).passed == 1
    assert outcome(tmp_path, given + result("next", "<value>43</value>")).passed == 0
    person = (
        '<inputNode name="p"><component name="name"><value>1</value></component>'
        '<component name="age"><value>41</value></component></inputNode>'
    )
    assert outcome(tmp_path, person + result("older", value("decimal", "42"))).passed == 1


def test_an_untyped_text_agrees_with_what_it_can_mean() -> None:
    assert agree(Untyped("true"), True)
    assert agree(Untyped("true"), "true")
    assert agree(Untyped(""), None)
    assert agree(Untyped(" 1.0 "), 1)
    assert not agree(Untyped("1"), 2)
    assert not agree(Untyped("NaN"), None)


def test_a_text_that_its_type_does_not_allow_fails_the_case_alone(tmp_path: Path) -> None:
    score = outcome(tmp_path, result("same", value("decimal", "seven")))
    assert str(score) == "passed 0 of 1 (0 of 1 with a value)"


def test_a_model_that_is_missing_or_broken_fails_its_cases(tmp_path: Path) -> None:
    score = outcome(tmp_path, result("same", value("decimal", "1")), name="other.dmn")
    assert score.passed == 0
    assert "other.dmn" in score.cases[0].reason
    (tmp_path / "m.dmn").write_text("<definitions")
    [case] = run(tmp_path).cases
    assert not case.passed
    (tmp_path / "second").mkdir()
    assert outcome(tmp_path / "second", result("nowhere", "")).passed == 0


def test_a_broken_document_beside_the_model_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "z.dmn").write_text("<definitions")
    given = f'<inputNode name="n">{value("decimal", "1")}</inputNode>'
    assert outcome(tmp_path, given + result("next", value("decimal", "2"))).passed == 1


def test_a_test_file_that_cannot_be_read_is_a_failure_and_other_xml_is_none(tmp_path: Path) -> None:
    (tmp_path / "m-test-01.xml").write_text("<testCases")
    (tmp_path / "note.xml").write_text("<note/>")
    assert str(run(tmp_path)) == "passed 0 of 1 (0 of 0 with a value)"


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "m.dmn").write_text(MODEL)
    (tmp_path / "m-test-01.xml").write_text(
        f'<!DOCTYPE testCases [<!ENTITY s SYSTEM "{secret}">]>{HEAD}<modelName>m.dmn</modelName>'
        f'<testCase id="1">{result("same", value("string", "&s;"))}</testCase></testCases>'
    )
    assert "secret" not in run(tmp_path).cases[0].failures[0].expected


IMPORTING = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/"
    id="o" name="o" namespace="urn:o">
  <import namespace="urn:m" name="m" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>
  <decision id="after" name="after"><variable name="after"/>
    <informationRequirement><requiredDecision href="urn:m#next"/></informationRequirement>
    <literalExpression><text>m.next + 1</text></literalExpression></decision>
  <inputData id="n" name="n"><variable name="n" typeRef="number"/></inputData>
  <decision id="both" name="both"><variable name="both"/>
    <informationRequirement><requiredDecision href="urn:m#next"/></informationRequirement>
    <informationRequirement><requiredInput href="#n"/></informationRequirement>
    <literalExpression><text>[n, m.next]</text></literalExpression></decision>
</definitions>"""


def test_inputs_and_results_of_imported_models_are_told_by_their_namespace(tmp_path: Path) -> None:
    (tmp_path / "o.dmn").write_text(IMPORTING)
    given = f'<inputNode name="n" namespace="urn:m">{value("decimal", "1")}</inputNode>'
    here = result("after", value("decimal", "3"))
    there = result("next", value("decimal", "2"), 'namespace="urn:m"')
    assert outcome(tmp_path, given + here + there, name="o.dmn").passed == 1


@pytest.mark.parametrize(
    "imported",
    [
        f'<inputNode name="n" namespace="urn:m">{value("decimal", "1")}</inputNode>',
        f'<inputNode name="m.n">{value("decimal", "1")}</inputNode>',
        f'<inputNode name="m"><component name="n">{value("decimal", "1")}</component></inputNode>',
    ],
)
def test_inputs_that_two_models_call_the_same_are_told_apart(tmp_path: Path, imported: str) -> None:
    (tmp_path / "o.dmn").write_text(IMPORTING)
    own = f'<inputNode name="n">{value("decimal", "10")}</inputNode>'
    both = f"<list><item>{value('decimal', '10')}</item><item>{value('decimal', '2')}</item></list>"
    for inputs in (own + imported, imported + own):
        score = outcome(tmp_path, inputs + result("both", both), name="o.dmn")
        assert score.passed == 1, score.cases[0].reason


def test_folders_are_searched_at_any_depth_and_cases_chosen_by_text(tmp_path: Path) -> None:
    deep = tmp_path / "level" / "0001-Same"
    deep.mkdir(parents=True)
    outcome(deep, result("same", ""))
    assert [case.folder for case in cases(tmp_path)] == ["level/0001-Same"]
    assert len(run(tmp_path, matching="0001-same").cases) == 1
    assert len(run(tmp_path, matching="0002").cases) == 0


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        run(tmp_path / "nowhere")


def test_a_wrong_answer_is_told_from_a_right_one() -> None:
    assert agree([1, {"a": "x"}], [1, {"a": "x"}])
    assert not agree([1, {"a": "x"}], [1, {"a": "y"}])
    assert not agree(None, False)
    assert not agree(1, True)
    assert not agree({"a": None}, {})
