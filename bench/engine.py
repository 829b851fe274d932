"""What the engine's core costs, in memory: instances per CPU second and CPU time a node.

``python -m bench.engine [--quick] [--json]``. Workloads, from BPMN, with real FEEL and mappings where named:
W1 start -> task -> end; W2 ten tasks in sequence; W3 four parallel tasks, a join, a choice by an expression;
W4 a multi-instance of 100 tasks with collected outputs. Then how a step's cost grows with the size of the
model, of the instance, and of a loop. Every job is answered, nothing is stored.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from towpath import bpmn
from towpath.engine import commands as c
from towpath.engine import decode, effects, encode, step
from towpath.engine.models import DeployedDecision, DeployedProcess

MICROSECONDS_A_NODE = 8.0  # the goal for every workload
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><bpmn:process id="p" isExecutable="true">'
)
TAIL = "</bpmn:process></bpmn:definitions>"
ONCE = {"amount": 250, "customer": {"name": "Ada", "since": 2019}}
COLLECTION = {"items": list(range(100))}


def task(name: str, inside: str = "") -> str:
    return (
        f'<bpmn:serviceTask id="{name}"><bpmn:extensionElements><zeebe:taskDefinition type="work"/>'
        f"</bpmn:extensionElements>{inside}</bpmn:serviceTask>"
    )


def flow(source: str, target: str, condition: str = "") -> str:
    inside = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
    return (
        f'<bpmn:sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">'
        f"{inside}</bpmn:sequenceFlow>"
    )


def chain(*names: str) -> str:
    return "".join(flow(a, b) for a, b in pairwise(names))


def model(*parts: str) -> bytes:
    return (HEAD + '<bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>' + "".join(parts) + TAIL).encode()


def sequence(tasks: int, unreached: int = 0) -> bytes:
    """Tasks in a row; ``unreached`` more stand in the model behind a way that is not taken."""
    names = [f"t{n}" for n in range(tasks)]
    others = [f"u{n}" for n in range(unreached)]
    return model(*map(task, [*names, *others]), chain("s", *names, "e"), chain(*others))


def split_and_join() -> bytes:
    names = ["a", "b", "c", "d"]
    return model(
        *map(task, names),
        '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>',
        '<bpmn:exclusiveGateway id="choice" default="choice-e"/><bpmn:endEvent id="large"/>',
        flow("s", "fork"),
        *(chain("fork", name, "join") for name in names),
        flow("join", "choice"),
        flow("choice", "e"),
        flow("choice", "large", "=amount &gt; 100"),
    )


def for_each(items: str = "=items", collect: bool = True) -> bytes:
    output = 'outputCollection="results" outputElement="=result"' if collect else ""
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements>"
        f'<zeebe:loopCharacteristics inputCollection="{items}" inputElement="item" {output}/>'
        "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    )
    return model(task("t", loop), chain("s", "t", "e"))


def loop(turns: int) -> bytes:
    return model(
        '<bpmn:scriptTask id="count"><bpmn:extensionElements>'
        '<zeebe:script expression="=n + 1" resultVariable="n"/></bpmn:extensionElements></bpmn:scriptTask>',
        '<bpmn:exclusiveGateway id="again"/><bpmn:exclusiveGateway id="enough" default="enough-again"/>',
        chain("s", "again", "count", "enough", "again"),
        flow("enough", "e", f"=n &gt;= {turns}"),
    )


class Server:
    """Models and keys for one deployed process; drives instances to their end."""

    def __init__(self, xml: bytes) -> None:
        graph = bpmn.read(xml).processes[0]
        self.deployed = DeployedProcess(key=1, process_id="p", version=1, version_tag=None, graph=graph)
        self.key = 1

    def next(self) -> int:
        self.key += 1
        return self.key

    def process(self, definition_key: int) -> DeployedProcess | None:
        return self.deployed

    def find_process(self, *_: Any, caller: int) -> DeployedProcess | None:
        return None

    def find_decision(self, *_: Any, caller: int) -> DeployedDecision | None:
        return None

    def find_form(self, *_: Any, caller: int) -> int | None:
        return None

    def message_starts(self, message_name: str) -> list[tuple[int, str]]:
        return []

    def start(self, variables: dict[str, Any]) -> tuple[Any, list[int]]:
        """A new instance at its first wait states: the state, and the keys of its jobs."""
        create = c.CreateInstance(
            id="create", at=1, instance_key=self.next(), definition_key=1, variables=variables
        )
        state, jobs = None, []
        waiting: list[c.AnyCommand] = [create]
        while waiting:
            outcome = step(self, state, waiting.pop(), self)
            state = outcome.state
            for effect in outcome.effects:
                if type(effect) is effects.OfferJob:
                    jobs.append(effect.key)
                elif type(effect) is effects.Send:
                    waiting.append(effect.command)
        return state, jobs

    def run(self, variables: dict[str, Any], *, snapshots: bool = False) -> None:
        """One instance from its start to its end."""
        state, jobs = self.start(variables)
        key = self.key if state is None else state.key
        for job in jobs:  # grows while it is read
            if snapshots:
                state = decode(encode(state))
            answer = {"result": 1}
            outcome = step(
                self,
                state,
                c.CompleteJob(id=str(job), at=1, instance_key=key, job_key=job, variables=answer),
                self,
            )
            state = outcome.state
            for effect in outcome.effects:
                if type(effect) is effects.OfferJob:
                    jobs.append(effect.key)
        assert state is None, "the instance did not end"


@dataclass(frozen=True)
class Row:
    name: str
    value: float
    unit: str
    goal: str = ""
    ok: bool | None = None


def cpu(work: Callable[[], object], seconds: float) -> float:
    """CPU seconds of one call, the best of three rounds of at least a third of ``seconds``."""
    best = float("inf")
    work()
    for _ in range(3):
        calls, begin = 0, time.process_time()
        while time.process_time() - begin < seconds / 3:
            work()
            calls += 1
        best = min(best, (time.process_time() - begin) / calls)
    return best


def workloads(seconds: float, told: Callable[[str], None]) -> list[Row]:
    rows: list[Row] = []
    for name, xml, nodes, variables in (
        ("W1 one task", sequence(1), 3, ONCE),
        ("W2 ten tasks", sequence(10), 12, ONCE),
        ("W3 split, join, choice", split_and_join(), 9, ONCE),
        ("W4 100 instances", for_each(), 103, COLLECTION),
    ):
        told(name)
        server = Server(xml)
        plain = cpu(partial(server.run, variables), seconds)
        kept = cpu(partial(server.run, variables, snapshots=True), seconds)
        a_node = plain / nodes * 1e6
        rows += [
            Row(name, round(1 / plain, 1), "instances/CPU s"),
            Row(
                f"{name}, a node",
                round(a_node, 2),
                "us",
                f"<= {MICROSECONDS_A_NODE:g}",
                a_node <= MICROSECONDS_A_NODE,
            ),
            Row(f"{name}, snapshot each step", round(1 / kept, 1), "instances/CPU s"),
        ]
    return rows


def growth(seconds: float, told: Callable[[str], None], quick: bool) -> list[Row]:
    """Cost of one step (or turn) beside things that grow."""
    rows: list[Row] = []
    for unreached in (0, 500, 5_000):
        told(f"a model of {unreached + 10} tasks")
        server = Server(sequence(10, unreached))
        cost = cpu(partial(server.run, ONCE), seconds / 3)
        rows.append(Row(f"a step, in a model of {unreached + 10} tasks", round(cost / 11 * 1e6, 2), "us"))
    for children in (10, 100, 1_000) if quick else (10, 100, 1_000, 10_000):
        told(f"{children} active children")
        server = Server(for_each("=items", collect=False))
        state, jobs = server.start({"items": list(range(children))})
        complete = c.CompleteJob(id="x", at=1, instance_key=state.key, job_key=jobs[-1])
        cost = cpu(partial(step, server, state, complete, server), seconds / 3)
        rows.append(Row(f"a step, beside {children} active children", round(cost * 1e6, 2), "us"))
    for turns in (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000):
        told(f"a loop of {turns} turns")
        server = Server(loop(turns))
        begin = time.process_time()
        server.run({"n": 0})
        cost = (time.process_time() - begin) / turns
        rows.append(Row(f"a turn, in a loop of {turns}", round(cost * 1e6, 2), "us"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="finish in a minute")
    options = parser.parse_args()
    seconds = 0.6 if options.quick else 6.0
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("engine", total=None)

        def told(what: str) -> None:
            progress.update(bar, description=what)

        rows = workloads(seconds, told) + growth(seconds, told, options.quick)
    if options.json:
        fields = ("name", "value", "unit", "goal", "ok")
        print(json.dumps({"rows": [{f: getattr(row, f) for f in fields} for row in rows]}))
        return
    table = Table("workload", "value", "unit", "goal", "", title="The engine's core, in memory")
    for row in rows:
        mark = "" if row.ok is None else "[green]ok" if row.ok else "[red]missed"
        table.add_row(row.name, f"{row.value:,g}", row.unit, row.goal, mark)
    Console().print(table)


if __name__ == "__main__":
    main()
