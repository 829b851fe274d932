"""Runs in the peers' environment: ``python _dmn_python_peers.py PEER TASK``, a module's name and a file.

Prints the answer and CPU seconds of an evaluation.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def pydmnrules(task: dict[str, Any]) -> Callable[[], Any]:
    """It reads the same DMN document."""
    from pyDMNrules import DMN

    rules = DMN()
    status = rules.useXML(task["xml"])
    if "errors" in status:
        raise ValueError(status["errors"])

    def evaluate() -> Any:
        _, decision = rules.decide(task["input"])
        last = decision[-1] if isinstance(decision, list) else decision
        return last["Result"]["answer"]

    return evaluate


def bkflow_dmn(task: dict[str, Any]) -> Callable[[], Any]:
    """It takes the table as a dict, where an empty cell is a dash."""
    from bkflow_dmn.data_model import SingleDecisionTable

    table = SingleDecisionTable(
        title="d",
        hit_policy="Unique",
        inputs={
            "cols": [{"id": name} for name in task["input"]],
            "rows": [["" if cell == "-" else cell for cell in cells] for cells, _ in task["rows"]],
        },
        outputs={"cols": [{"id": "answer"}], "rows": [[answer] for _, answer in task["rows"]]},
    )
    return lambda: table.decide(task["input"])[0]["answer"]


PEERS = {"pyDMNrules": pydmnrules, "bkflow_dmn": bkflow_dmn}


def main() -> None:
    task = json.loads(Path(sys.argv[2]).read_text())
    evaluate = PEERS[sys.argv[1]](task)
    begun = time.process_time()
    answer = evaluate()
    count = 1
    while time.process_time() - begun < task["seconds"]:
        evaluate()
        count += 1
    print(json.dumps({"answer": answer, "seconds": (time.process_time() - begun) / count}))


main()
