"""The reference models of the BPMN Model Interchange Working Group: other people's files."""

from pathlib import Path

import pytest

from towpath import bpmn
from towpath.faults import Faulty

FOLDER = Path(__file__).parents[2].parent / "shared" / "miwg"
MODELS = sorted(path.name for path in FOLDER.glob("*.bpmn"))


def test_the_reference_models_are_there() -> None:
    assert MODELS, f"The MIWG reference models are missing: put *.bpmn of bpmn-miwg-test-suite into {FOLDER}"


@pytest.mark.parametrize("name", MODELS)
def test_a_reference_model_is_read_or_refused_with_faults_that_name_elements(name: str) -> None:
    judge((FOLDER / name).read_bytes(), name)


@pytest.mark.parametrize("name", MODELS)
def test_so_is_a_reference_model_whose_processes_are_all_made_executable(name: str) -> None:
    xml = (FOLDER / name).read_bytes().replace(b'isExecutable="false"', b'isExecutable="true"')
    judge(xml, name)


def judge(xml: bytes, name: str) -> None:
    try:
        definitions = bpmn.read(xml, name)
    except Faulty as faulty:
        faults = faulty.faults
    else:
        for process in definitions.processes:
            assert process.root.start is not None or process.timer_starts or process.message_starts
            assert len(process.elements) > 1
        return
    assert faults
    for fault in faults:
        assert fault.file == name
        assert fault.rule.startswith("bpmn.")
        assert fault.message
        assert fault.line
        assert fault.element or fault.rule == "bpmn.no-executable-process"
