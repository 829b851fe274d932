"""The engines that ours is measured beside, each in an environment of its own that is gone afterwards."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench._installing import node_packages, virtualenv

HERE = Path(__file__).parent
MODELS = HERE / "models"
SPIFFWORKFLOW = "SpiffWorkflow==3.2.0"
BPMN_ENGINE = "bpmn-engine@25.0.1"


class Peer:
    """A peer's process. It answers each line that asks for a workload with CPU seconds an instance."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def seconds(self, workload: str, variables: dict[str, Any], outcome: str, seconds: float) -> float:
        """CPU seconds of one instance, over at least ``seconds`` of them.

        Raises RuntimeError where the instance did not make the variable ``outcome``.
        """
        asked = {"workload": workload, "variables": variables, "outcome": outcome, "seconds": seconds}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended: its words are above")
        found = json.loads(answer)
        if found.get("outcome") is None:
            raise RuntimeError(f"{self.name} made no `{outcome}` of {workload}")
        return float(found["seconds"])


@contextlib.contextmanager
def spiffworkflow() -> Iterator[Peer]:
    """SpiffWorkflow in a virtual environment. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="bench-spiffworkflow-") as folder:
        python = virtualenv(Path(folder), SPIFFWORKFLOW)
        script = str(HERE / "_spiffworkflow.py")
        with _started(SPIFFWORKFLOW, [python, script, str(MODELS / "spiffworkflow")]) as peer:
            yield peer


@contextlib.contextmanager
def bpmn_engine() -> Iterator[Peer]:
    """bpmn-engine in a folder with its npm packages. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="bench-bpmn-engine-") as folder:
        node = node_packages(Path(folder), BPMN_ENGINE)
        script = shutil.copy(HERE / "_bpmn_engine.mjs", folder)  # modules are looked for beside it
        with _started(BPMN_ENGINE, [node, script, str(MODELS / "bpmn-engine")]) as peer:
            yield peer


@contextlib.contextmanager
def _started(name: str, command: list[str]) -> Iterator[Peer]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Peer(name, process)
        finally:
            process.kill()
