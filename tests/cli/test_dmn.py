"""``towpath dmn``, as somebody at a terminal or a script calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from towpath.cli.main import app

MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="claims" name="Claims"
    namespace="http://example.org/claims">
  <inputData id="damage" name="damage"><variable name="damage" typeRef="string"/></inputData>
  <inputData id="amount" name="amount"><variable name="amount" typeRef="number"/></inputData>
  <decision id="gross" name="Gross amount"><variable name="Gross amount"/>
    <informationRequirement><requiredInput href="#amount"/></informationRequirement>
    <literalExpression><text>amount * 1.19</text></literalExpression></decision>
  <decision id="route" name="Claim route"><variable name="Claim route"/>
    <informationRequirement><requiredInput href="#damage"/></informationRequirement>
    <informationRequirement><requiredDecision href="#gross"/></informationRequirement>
    <decisionTable id="table" hitPolicy="UNIQUE">
      <input id="in1" label="damage">
        <inputExpression typeRef="string"><text>damage</text></inputExpression></input>
      <input id="in2" label="gross">
        <inputExpression typeRef="number"><text>Gross amount</text></inputExpression></input>
      <output id="out" name="route" typeRef="string"/>
      <rule id="glass"><inputEntry><text>"glass"</text></inputEntry>
        <inputEntry><text>&lt; 500</text></inputEntry>
        <outputEntry><text>"fast-track"</text></outputEntry></rule>
      <rule id="large"><inputEntry><text>-</text></inputEntry><inputEntry><text>&gt;= 400</text></inputEntry>
        <outputEntry><text>"adjuster"</text></outputEntry></rule>
    </decisionTable></decision>
  <businessKnowledgeModel id="double" name="double"><variable name="double"/><encapsulatedLogic>
    <formalParameter name="n" typeRef="number"/><literalExpression><text>n * 2</text></literalExpression>
  </encapsulatedLogic></businessKnowledgeModel>
</definitions>"""

IMPORTING = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="o" name="o"
    namespace="urn:o">
  <import namespace="http://example.org/claims" name="claims"
      importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>
  <decision id="net" name="net"><variable name="net"/>
    <informationRequirement><requiredDecision href="http://example.org/claims#gross"/></informationRequirement>
    <literalExpression><text>claims.Gross amount - 1</text></literalExpression></decision>
</definitions>"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The model above in a file."""
    path = tmp_path / "models" / "claims.dmn"
    path.parent.mkdir()
    path.write_text(MODEL)
    return path


def dmn(*arguments: str | Path, given: str | None = None) -> Result:
    """Call the command; ``given`` is its standard input."""
    return CliRunner().invoke(app, ["dmn", *map(str, arguments)], input=given)


CLAIM = '{"damage": "glass", "amount": 100}'
CLASHING = '{"damage": "glass", "amount": 400}'


def test_the_decision_that_no_other_requires_is_evaluated(file: Path) -> None:
    answered = dmn("evaluate", file, "--input", CLAIM)
    assert (answered.exit_code, answered.stdout, answered.stderr) == (0, '"fast-track"\n', "")


def test_a_decision_is_asked_for_by_id_and_by_name(file: Path) -> None:
    for asked in ("gross", "Gross amount"):
        assert dmn("evaluate", file, "-d", asked, "-v", "amount=100").stdout == "119\n"
    assert dmn("evaluate", file, "-d", "double", "-v", "n=4").stdout == "8\n"
    assert dmn("evaluate", file, "--raw", "-i", "-", given=CLAIM).stdout == "fast-track\n"


def test_the_choice_is_told_where_there_is_one(file: Path) -> None:
    missing = dmn("evaluate", file, "-d", "rout")
    assert missing.exit_code == 2
    assert "Claim route" in missing.stderr
    assert "double" in missing.stderr
    file.write_text(MODEL.replace('<requiredDecision href="#gross"/>', '<requiredInput href="#amount"/>'))
    several = dmn("evaluate", file)
    assert several.exit_code == 2
    assert "Gross amount" in several.stderr


def test_the_audit_tells_how_it_came_about(file: Path) -> None:
    answered = dmn("evaluate", file, "-i", CLAIM, "--audit")
    lines = [" ".join(line.split()) for line in answered.stdout.splitlines()]
    assert lines.index("1. Gross amount literal expression") < lines.index("2. Claim route decision table")
    assert 'input damage "glass"' in lines
    assert "input gross 119" in lines
    assert 'rule 1 route "fast-track" glass' in lines
    assert lines[-1] == '"fast-track"'


def test_warnings_go_to_standard_error_or_into_the_audit(file: Path) -> None:
    answered = dmn("evaluate", file, "-v", 'damage="glass"')
    assert (answered.exit_code, answered.stdout) == (0, "null\n")
    assert answered.stderr.startswith("warning: Gross amount: ")
    audited = dmn("evaluate", file, "-v", 'damage="glass"', "--audit")
    assert "warning: " in audited.stdout
    assert "none matches" in audited.stdout
    assert audited.stderr == ""


def test_a_decision_that_fails_ends_with_1(file: Path) -> None:
    answered = dmn("evaluate", file, "-i", CLASHING)
    assert (answered.exit_code, answered.stdout) == (1, "")
    assert "rules 1 and 2" in answered.stderr
    as_json = dmn("evaluate", file, "-i", CLASHING, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["failed"] is True


def test_json_holds_the_output_and_the_audit(file: Path) -> None:
    answer = json.loads(dmn("evaluate", file, "-i", CLAIM, "--json").stdout)
    assert (answer["decision"], answer["output"], answer["failed"]) == ("route", "fast-track", False)
    assert [record["decisionId"] for record in answer["audit"]] == ["gross", "route"]
    assert answer["audit"][1]["matchedRules"][0]["ruleId"] == "glass"


def test_imported_models_are_looked_for_beside_the_file_and_where_it_is_said(
    file: Path, tmp_path: Path
) -> None:
    beside = file.parent / "importing.dmn"
    beside.write_text(IMPORTING)
    (file.parent / "broken.dmn").write_text("<definitions")
    assert dmn("evaluate", beside, "-d", "net", "-v", "amount=100").stdout == "118\n"
    elsewhere = tmp_path / "elsewhere" / "importing.dmn"
    elsewhere.parent.mkdir()
    elsewhere.write_text(IMPORTING)
    missing = dmn("evaluate", elsewhere, "-v", "amount=100")
    assert missing.exit_code == 1
    assert "http://example.org/claims" in missing.stderr
    for place in (file, file.parent):
        assert dmn("evaluate", elsewhere, "-v", "amount=100", "--import", place).stdout == "118\n"


@pytest.mark.parametrize("command", ["evaluate", "check"])
def test_faults_of_a_model_are_told_with_their_place(file: Path, command: str) -> None:
    file.write_text(MODEL.replace("amount * 1.19", "amount * *"))
    answered = dmn(command, file)
    assert answered.exit_code == 1
    assert f"{file}:8:39: error: gross (Gross amount)" in answered.stderr
    file.write_text("<definitions")
    broken = dmn(command, file)
    assert broken.exit_code == 1
    assert "Not readable as XML" in broken.stderr


def test_a_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert dmn("evaluate", tmp_path / "nowhere.dmn").exit_code == 1
    assert dmn("check", tmp_path / "nowhere.dmn").exit_code == 2
    assert dmn("tck", tmp_path / "nowhere").exit_code == 2


def test_a_gap_and_an_overlap_are_shown_with_their_values(file: Path) -> None:
    answered = dmn("check", file)
    assert answered.exit_code == 1
    assert f"Claim route {file}:12, UNIQUE, 2 rules" in answered.stdout
    rows = [" ".join(line.split()) for line in answered.stdout.splitlines()]
    overlap = next(row for row in rows if " overlap " in row)
    assert '1, 2 "glass" [400..500)' in overlap
    assert any(" gap " in row for row in rows)


def test_warnings_fail_where_one_is_strict(file: Path) -> None:
    text = MODEL.replace("&gt;= 400", "&gt;= 500")
    file.write_text(text)
    assert dmn("check", file).exit_code == 0
    assert dmn("check", file, "--strict").exit_code == 1
    file.write_text(text.replace('<text>"glass"</text>', "<text>-</text>"))
    clean = dmn("check", file.parent, "--strict")
    assert (clean.exit_code, clean.stdout) == (0, "✓ 1 model: nothing is wrong.\n")


def test_check_prints_json(file: Path) -> None:
    (file.parent / "broken.dmn").write_text("<definitions")
    answer = json.loads(dmn("check", file.parent, "--json").stdout)
    broken, claims = answer["files"]
    assert broken["faults"][0]["rule"] == "dmn.xml"
    overlap = next(finding for finding in claims["findings"] if finding["kind"] == "overlap")
    assert overlap["rules"] == [1, 2]
    assert overlap["rule_ids"] == ["glass", "large"]
    assert {"input": "gross", "tests": "[400..500)"} in overlap["region"]
    assert answer["count"]["error"] >= 2


def test_a_folder_without_models_is_told(tmp_path: Path) -> None:
    answered = dmn("check", tmp_path)
    assert answered.exit_code == 1
    assert "no .dmn file" in answered.stdout


CASES = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <modelName>claims.dmn</modelName>
  <testCase id="001"><inputNode name="amount"><value xsi:type="xs:decimal">100</value></inputNode>
    <resultNode name="Gross amount"><expected><value xsi:type="xs:decimal">119</value></expected></resultNode>
  </testCase>
  <testCase id="002">
    <resultNode name="Gross amount"><expected><value xsi:type="xs:decimal">1</value></expected></resultNode>
  </testCase>
</testCases>"""


def test_the_tck_prints_failures_and_the_score_last(file: Path, tmp_path: Path) -> None:
    (file.parent / "claims-test-01.xml").write_text(CASES)
    answered = dmn("tck", tmp_path)
    assert answered.exit_code == 1
    lines = [" ".join(line.split()) for line in answered.stdout.splitlines()]
    assert lines[0] == "✗ models/claims-test-01.xml 002"
    assert lines[1:4] == ["Gross amount", "expected 1", "got null"]
    assert lines[4].startswith("why ")
    assert lines[-1] == "passed 1 of 2 (1 of 2 with a value)"
    passing = dmn("tck", tmp_path, "--filter", "#001")
    assert (passing.exit_code, passing.stdout) == (0, "passed 1 of 1 (1 of 1 with a value)\n")


def test_the_tck_prints_json(file: Path) -> None:
    (file.parent / "claims-test-01.xml").write_text(CASES)
    answered = dmn("tck", file.parent, "--json")
    assert answered.exit_code == 1
    answer = json.loads(answered.stdout)
    assert (answer["passed"], answer["cases"], answer["valuedPassed"], answer["valued"]) == (1, 2, 1, 2)
    [failure] = answer["failures"]
    assert (failure["case"], failure["expected"], failure["got"]) == ("002", "1", "null")


def test_a_run_without_cases_does_not_pass(tmp_path: Path) -> None:
    answered = dmn("tck", tmp_path)
    assert answered.exit_code == 1
    assert answered.stdout == "passed 0 of 0 (0 of 0 with a value)\n"
    assert "no test cases" in answered.stderr


@pytest.mark.parametrize("command", ["evaluate", "check", "tck"])
def test_help_has_an_example(command: str) -> None:
    assert f"towpath dmn {command} " in dmn(command, "--help").stdout.split("Usage", 1)[1].split("\n", 1)[1]
