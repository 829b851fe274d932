"""Runs in the peer's environment: ``python _spiffworkflow.py MODELS``, asked line by line.

Tasks are manual ones, answered at once; mappings are the dialect's scripts before and after a task. The
specification of a process is parsed once, as deployed definitions are.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.parser import SpiffBpmnParser


def run(spec: Any, variables: dict[str, Any]) -> Any:
    """One instance from its start to its end."""
    workflow = BpmnWorkflow(spec)
    workflow.get_next_task(state=TaskState.READY).data.update(variables)
    workflow.do_engine_steps()
    while not workflow.completed:
        for task in workflow.get_tasks(state=TaskState.READY, manual=True):
            task.data["result"] = 1
            task.run()
        workflow.do_engine_steps()
    return workflow


def main() -> None:
    specs = {}
    for path in Path(sys.argv[1]).glob("*.bpmn"):
        parser = SpiffBpmnParser()
        parser.add_bpmn_file(str(path))
        specs[path.stem] = parser.get_spec(path.stem)
    for line in sys.stdin:
        asked = json.loads(line)
        spec, variables = specs[asked["workload"]], asked["variables"]
        data = run(spec, variables).data
        count, begun = 0, time.process_time()
        while (spent := time.process_time() - begun) < asked["seconds"]:
            run(spec, variables)
            count += 1
        print(json.dumps({"seconds": spent / count, "outcome": data.get(asked["outcome"])}), flush=True)


main()
