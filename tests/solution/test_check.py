"""A broken solution is told what is wrong, where, and what to do, before anything starts."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from towpath import solution as solutions
from towpath.faults import Fault, Faulty

Break = Callable[[str, str, str], None]


@pytest.fixture
def folder(claims: Path, tmp_path: Path) -> Path:
    """A copy of the example that a test may break."""
    target = tmp_path / "claims"
    shutil.copytree(claims, target, ignore=shutil.ignore_patterns(".towpath", "__pycache__"))
    return target


def replace(folder: Path, file: str, old: str, new: str) -> None:
    """Put ``new`` where ``old`` is in ``file``."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} no longer has {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def faults(folder: Path) -> list[Fault]:
    """The faults of the solution in ``folder``."""
    with pytest.raises(Faulty) as caught:
        solutions.read(folder)
    return list(caught.value.faults)


def fault(folder: Path, rule: str) -> Fault:
    """The one fault with this rule."""
    found = faults(folder)
    matching = [f for f in found if f.rule == rule]
    assert len(matching) == 1, [str(f) for f in found]
    return matching[0]


def line(folder: Path, file: str, text: str) -> int:
    """The line (from 1) of ``file`` that holds ``text``."""
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, content in enumerate(lines, 1) if text in content)


def test_the_example_has_no_fault(claims: Path) -> None:
    found = solutions.read(claims)
    assert found.name == "claims"
    assert found.warnings == ()
    assert {"policy-lookup", "repair-booking", "claim-payment"} <= {
        job for route in found.routes for job in route.job_types
    }


def test_a_folder_without_towpath_toml_is_no_solution(tmp_path: Path) -> None:
    found = fault(tmp_path / "nowhere", "solution.missing")
    assert "towpath new" in found.remedy


def test_a_toml_syntax_error_names_its_line(folder: Path) -> None:
    replace(folder, "towpath.toml", 'title = "Harbour Insurance"', "title = Harbour Insurance")
    found = fault(folder, "solution.toml-syntax")
    assert found.file == "towpath.toml"
    assert found.line == line(folder, "towpath.toml", "title = Harbour")


def test_an_unknown_setting_names_its_line_and_those_that_exist(folder: Path) -> None:
    replace(folder, "towpath.toml", 'id_prefix = "C"', 'prefix = "C"')
    found = fault(folder, "solution.setting")
    assert found.line == line(folder, "towpath.toml", 'prefix = "C"')
    assert "facade.resources" in found.message
    assert "`prefix`" in found.message


def test_a_setting_of_the_wrong_type_names_its_line(folder: Path) -> None:
    replace(folder, "towpath.toml", "port = 8092", 'port = "many"')
    found = fault(folder, "solution.setting")
    assert found.line == line(folder, "towpath.toml", 'port = "many"')
    assert "Expected `int`, got `str`" in found.message


def test_unreadable_token_settings_name_their_line(folder: Path) -> None:
    replace(folder, "towpath.toml", 'issuer = "local" ', "issuer = 42 ")
    found = fault(folder, "solution.setting")
    assert found.line == line(folder, "towpath.toml", "issuer = 42")


def test_an_issuer_that_is_no_url_is_refused(folder: Path) -> None:
    replace(folder, "towpath.toml", 'issuer = "local" ', 'issuer = "keycloak" ')
    found = fault(folder, "solution.issuer")
    assert found.line == line(folder, "towpath.toml", 'issuer = "keycloak"')


def test_an_unknown_table_is_refused(folder: Path) -> None:
    with (folder / "towpath.toml").open("a") as out:
        out.write("\n[gatway]\nport = 1\n")
    found = fault(folder, "solution.unknown-table")
    assert found.line == line(folder, "towpath.toml", "[gatway]")


def test_a_placeholder_that_names_nothing_is_refused(folder: Path) -> None:
    replace(folder, "towpath.toml", "{backends.payments.port}", "{backends.paymets.port}")
    found = fault(folder, "solution.placeholder")
    assert found.line == line(folder, "towpath.toml", "{backends.paymets.port}")


def test_two_services_on_one_port_are_refused(folder: Path) -> None:
    replace(folder, "towpath.toml", "port = 8092", "port = 8091")
    rules = [f.rule for f in faults(folder)]
    assert rules == ["solution.port-twice", "solution.port-twice"]


def test_the_local_issuer_is_refused_where_others_can_reach_it(folder: Path) -> None:
    with (folder / "towpath.toml").open("a") as out:
        out.write('\n[services]\nhost = "0.0.0.0"\n')
    found = fault(folder, "solution.local-issuer")
    assert "allow_remote" in found.remedy


def test_bpmn_that_is_not_xml_names_its_line(folder: Path) -> None:
    replace(folder, "processes/claim-payout.bpmn", "</bpmn:process>", "</bpmn:proces>")
    found = [f for f in faults(folder) if f.file == "processes/claim-payout.bpmn"]
    assert found
    assert found[0].line is not None


def test_a_flow_to_nowhere_names_the_element(folder: Path) -> None:
    replace(folder, "processes/claim-payout.bpmn", 'targetRef="Paid"', 'targetRef="Payed"')
    found = [f for f in faults(folder) if f.file == "processes/claim-payout.bpmn"]
    assert any("Flow_Pay_Paid" in (f.element or "") or "Payed" in f.message for f in found), found
    assert all(f.line for f in found)


def test_a_condition_that_is_not_feel_names_the_element(folder: Path) -> None:
    replace(folder, "processes/motor-claim.bpmn", '=decision.route = "reject"', "=decision.route = (")
    found = [f for f in faults(folder) if f.file == "processes/motor-claim.bpmn"]
    assert any("WhichRoute_ToRejection" in (f.element or "") for f in found), found


def test_an_unknown_job_type_names_the_task(folder: Path) -> None:
    replace(folder, "processes/motor-claim.bpmn", 'type="policy-lookup"', 'type="policy-lokup"')
    found = fault(folder, "solution.job-type")
    assert found.element == "LookUpPolicy"
    assert found.file == "processes/motor-claim.bpmn"
    assert found.line is not None


def test_a_job_type_that_runs_elsewhere_can_be_declared(folder: Path) -> None:
    replace(folder, "processes/motor-claim.bpmn", 'type="policy-lookup"', 'type="mainframe"')
    with (folder / "towpath.toml").open("a") as out:
        out.write('\n[workers]\nexternal = ["mainframe"]\n')
    assert solutions.read(folder).warnings == ()


@pytest.mark.parametrize(
    ("old", "new", "rule", "element"),
    [
        ('decisionId="claim-route"', 'decisionId="claim-rout"', "solution.decision", "DecideRoute"),
        ('processId="claim-payout"', 'processId="claim-pay"', "solution.process", "PayClaim"),
        ('formId="assess-claim"', 'formId="asses-claim"', "solution.form", "AssessClaim"),
        ('value="summary"', 'value="sumary"', "solution.template", "SendSummary"),
    ],
)
def test_what_is_in_no_file_names_the_element_that_wants_it(
    folder: Path, old: str, new: str, rule: str, element: str
) -> None:
    replace(folder, "processes/motor-claim.bpmn", old, new)
    found = fault(folder, rule)
    assert found.element == element
    assert found.line is not None


def test_a_resource_of_an_unknown_process_names_its_line(folder: Path) -> None:
    replace(folder, "towpath.toml", 'process = "motor-claim"', 'process = "motor-clam"')
    found = fault(folder, "solution.resource-process")
    assert found.line == line(folder, "towpath.toml", 'process = "motor-clam"')


def test_a_decision_that_is_not_xml_is_told(folder: Path) -> None:
    replace(folder, "decisions/claim-route.dmn", "</definitions>", "")
    assert any(f.file == "decisions/claim-route.dmn" for f in faults(folder))


def test_a_form_that_is_not_json_names_its_line(folder: Path) -> None:
    replace(folder, "forms/assess-claim.form", '"type": "default",', '"type" "default",')
    found = fault(folder, "form.json")
    assert (found.file, found.line) == ("forms/assess-claim.form", 2)


def test_a_worker_that_is_not_python_names_its_line(folder: Path) -> None:
    replace(folder, "services/workers.py", "async def estimate_damage(", "async def estimate_damage((")
    found = fault(folder, "solution.python-syntax")
    assert found.file == "services/workers.py"
    assert found.line is not None


def test_a_worker_that_cannot_be_imported_names_its_line(folder: Path) -> None:
    replace(folder, "services/workers.py", "USUAL_COST = {", "import no_such_module\n\nUSUAL_COST = {")
    found = fault(folder, "solution.python-import")
    assert found.line == line(folder, "services/workers.py", "import no_such_module")


def test_a_route_that_cannot_be_imported_is_told(folder: Path) -> None:
    (folder / "integrations" / "broken.py").write_text("import no_such_module\n")
    found = [f for f in faults(folder) if f.file == "integrations/broken.py"]
    assert len(found) == 1
    assert found[0].line == 1


def test_a_route_whose_connection_is_missing_names_both(folder: Path) -> None:
    replace(folder, "towpath.toml", "[integration.connections.payments]", "[integration.connections.payment]")
    found = [f for f in faults(folder) if "payments" in f.message]
    assert len(found) == 1
    assert found[0].file == "integrations/payments.py"
    assert found[0].line is not None


def test_every_fault_is_told_at_once(folder: Path) -> None:
    replace(folder, "towpath.toml", 'process = "motor-claim"', 'process = "motor-clam"')
    replace(folder, "processes/motor-claim.bpmn", 'formId="assess-claim"', 'formId="asses-claim"')
    replace(folder, "processes/motor-claim.bpmn", 'type="policy-lookup"', 'type="policy-lokup"')
    assert {"solution.resource-process", "solution.form", "solution.job-type"} <= {
        f.rule for f in faults(folder)
    }


def towpath(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "towpath", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_says_one_line_per_fault_and_exits_with_1(folder: Path) -> None:
    replace(folder, "processes/motor-claim.bpmn", 'type="policy-lookup"', 'type="policy-lokup"')
    done = towpath("check", folder)
    assert done.returncode == 1
    told = [text for text in done.stderr.splitlines() if "policy-lokup" in text]
    assert len(told) == 1
    assert re.match(r"processes/motor-claim\.bpmn:\d+: error: LookUpPolicy", told[0])
    assert "Traceback" not in done.stderr


def test_check_of_a_good_solution_exits_with_0(claims: Path) -> None:
    done = towpath("check", claims)
    assert (done.returncode, done.stderr) == (0, "")


def test_run_tells_the_faults_before_anything_starts(folder: Path) -> None:
    replace(folder, "processes/motor-claim.bpmn", 'type="policy-lookup"', 'type="policy-lokup"')
    done = towpath("run", folder)
    assert done.returncode == 1
    assert "policy-lokup" in done.stderr
    assert not (folder / ".towpath").exists()


def test_a_port_in_use_is_named_before_anything_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (folder / "towpath.toml").open("a") as out:
            out.write(f"\n[services]\nfacade = {port}\n")
        done = towpath("run", folder, "--no-gateway", "--no-backends")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "run.port-in-use" in done.stderr
    assert "Traceback" not in done.stderr


def test_new_makes_a_solution_without_faults(tmp_path: Path) -> None:
    done = towpath("new", tmp_path / "my-solution")
    assert done.returncode == 0, done.stderr
    assert towpath("check", tmp_path / "my-solution").returncode == 0


def test_new_leaves_a_folder_that_is_not_empty_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    done = towpath("new", tmp_path)
    assert done.returncode == 1
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]
