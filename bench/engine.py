"""What the engine's core costs, in memory, beside SpiffWorkflow and bpmn-engine: CPU time of whole instances.

``python -m bench.engine [--quick] [--json]``. Workloads from the files in ``bench/models``: W1 start ->
task -> end; W2 ten tasks in sequence; W3 four parallel tasks, a join, a choice by an expression; W4 a
multi-instance of 100 tasks with collected outputs. Every task has mappings with an expression. Every task
is answered at once, nothing is stored. The peers run equivalent files from environments of their own, in
turns with ours. Then how the cost of a step grows with the model, the instance and a loop.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench._bpmn_peers import MODELS, Peer, bpmn_engine, spiffworkflow
from bench._installing import Missing
from towpath import bpmn
from towpath.engine import commands as c
from towpath.engine import decode, effects, encode, step
from towpath.engine.models import DeployedDecision, DeployedProcess

MICROSECONDS_A_NODE = 8.0  # the goal for every workload
TIMES_FASTER = {"SpiffWorkflow": 25.0, "bpmn-engine": 100.0}
FLAT = 1.5  # a step may cost so many times more at the end of a curve than at its beginning: noise

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><bpmn:process id="p" isExecutable="true">'
)
TAIL = "</bpmn:process></bpmn:definitions>"
ONCE = {"amount": 250, "customer": {"name": "Ada", "since": 2019}}
COLLECTION = {"amount": 250, "items": list(range(100))}


@dataclass(frozen=True)
class Workload:
    """``nodes`` are run through once by every instance; ``outcome`` is the variable that it makes."""

    name: str
    title: str
    nodes: int
    variables: dict[str, Any]
    outcome: str


WORKLOADS = (
    Workload("w1", "W1 one task", 3, ONCE, "total"),
    Workload("w2", "W2 ten tasks", 12, ONCE, "total"),
    Workload("w3", "W3 split, join, choice", 9, ONCE, "total"),
    Workload("w4", "W4 100 instances", 103, COLLECTION, "outcomes"),
)


# --- models that grow -----------------------------------------------------------------------------


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


def sequence(tasks: int) -> bytes:
    """Tasks in a row."""
    names = [f"t{n}" for n in range(tasks)]
    return model(*map(task, names), chain("s", *names, "e"))


def for_each() -> bytes:
    """A parallel multi-instance that collects its outputs."""
    multiple = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements><zeebe:loopCharacteristics "
        'inputCollection="=items" inputElement="item" outputCollection="outcomes" outputElement="=result"/>'
        "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    )
    return model(task("t", multiple), chain("s", "t", "e"))


def loop(turns: int) -> bytes:
    """Counts to ``turns`` with a script, without ever waiting."""
    return model(
        '<bpmn:scriptTask id="count"><bpmn:extensionElements>'
        '<zeebe:script expression="=n + 1" resultVariable="n"/></bpmn:extensionElements></bpmn:scriptTask>',
        '<bpmn:exclusiveGateway id="again"/><bpmn:exclusiveGateway id="enough" default="enough-again"/>',
        chain("s", "again", "count", "enough", "again"),
        flow("enough", "e", f"=n &gt;= {turns}"),
    )


# --- running ----------------------------------------------------------------------------------------


class Server:
    """Models and keys for one deployed process; drives instances to their end."""

    def __init__(self, xml: bytes) -> None:
        graph = bpmn.read(xml).processes[0]
        self.deployed = DeployedProcess(key=1, process_id="p", version=1, version_tag=None, graph=graph)
        self.key = 1
        self.variables: dict[str, Any] = {}  # of the instance that ended last

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
            assert outcome.rejected is None, outcome.rejected
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
        outcome, offer = None, effects.OfferJob
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
            jobs += [effect.key for effect in outcome.effects if type(effect) is offer]
        assert state is None, "the instance did not end"
        if outcome is not None:
            self.variables = outcome.effects[-1].variables


@dataclass(frozen=True)
class Row:
    name: str
    value: float | None
    unit: str
    goal: str = ""
    ok: bool | None = None


def cpu(work: Callable[[], object], seconds: float) -> float:
    """CPU seconds of one call, over at least ``seconds`` of them."""
    calls, begin = 0, time.process_time()
    while (spent := time.process_time() - begin) < seconds:
        work()
        calls += 1
    return spent / calls


def best(work: Callable[[], object], seconds: float) -> float:
    """CPU seconds of one call, the best of three rounds."""
    work()
    return min(cpu(work, seconds / 3) for _ in range(3))


# --- workloads --------------------------------------------------------------------------------------


def workloads(seconds: float, rounds: int, peers: list[Peer], told: Callable[[str], None]) -> list[Row]:
    """Ours and every peer in turns; of each the best round counts."""
    rows: list[Row] = []
    for workload in WORKLOADS:
        told(workload.title)
        server = Server((MODELS / "towpath" / f"{workload.name}.bpmn").read_bytes())
        server.run(workload.variables)
        assert server.variables.get(workload.outcome) is not None, f"no `{workload.outcome}`"
        ours, theirs = float("inf"), {peer.name: float("inf") for peer in peers}
        for peer in peers:  # warm
            peer.seconds(workload.name, workload.variables, workload.outcome, seconds)
        for _ in range(rounds):
            ours = min(ours, cpu(partial(server.run, workload.variables), seconds))
            for peer in peers:
                spent = peer.seconds(workload.name, workload.variables, workload.outcome, seconds)
                theirs[peer.name] = min(theirs[peer.name], spent)
        kept = best(partial(server.run, workload.variables, snapshots=True), seconds)
        rows += _rows(workload, ours, kept, theirs)
    return rows


def _rows(workload: Workload, ours: float, kept: float, theirs: dict[str, float]) -> list[Row]:
    a_node = ours / workload.nodes * 1e6
    goal = f"<= {MICROSECONDS_A_NODE:g}"
    rows = [
        Row(workload.title, round(1 / ours, 1), "instances/CPU s"),
        Row(f"{workload.title}, a node", round(a_node, 2), "us", goal, a_node <= MICROSECONDS_A_NODE),
    ]
    for name, spent in theirs.items():
        wanted = next(times for peer, times in TIMES_FASTER.items() if name.startswith(peer))
        rows += [
            Row(f"{workload.title}, {name}", round(1 / spent, 1), "instances/CPU s"),
            Row(
                f"{workload.title}, times {name}",
                round(spent / ours, 1),
                "x",
                f">= {wanted:g}",
                spent / ours >= wanted,
            ),
        ]
    rows.append(Row(f"{workload.title}, a snapshot each step", round(1 / kept, 1), "instances/CPU s"))
    return rows


# --- growth -----------------------------------------------------------------------------------------


def curve(title: str, costs: dict[int, float]) -> list[Row]:
    """Costs in seconds by size, and whether the last is about what the first was."""
    rows = [Row(f"{title}: {size:,}", round(cost * 1e6, 2), "us") for size, cost in costs.items()]
    first, *_, last = costs.values()
    grown = last / first
    rows.append(Row(f"{title}: growth", round(grown, 2), "x", f"<= {FLAT:g}", grown <= FLAT))
    return rows


def beside(children: int, snapshots: bool) -> float:
    """CPU seconds a step while an instance with ``children`` active jobs completes some of them."""
    server = Server(for_each())
    state, jobs = server.start({"items": list(range(children))})
    some = [
        c.CompleteJob(id=str(job), at=1, instance_key=state.key, job_key=job, variables={"result": 1})
        for job in jobs[: children // 2]
    ][:100]
    spent = []
    for _ in range(5):
        current, begin = state, time.process_time()
        for command in some:
            if snapshots:
                current = decode(encode(current))
            current = step(server, current, command, server).state
        spent.append((time.process_time() - begin) / len(some))
    return min(spent)


def whole(children: int) -> float:
    """CPU seconds of one of ``children``, over the whole life of the instance."""
    server = Server(for_each())
    begin = time.process_time()
    server.run({"items": list(range(children))})
    return (time.process_time() - begin) / children


def row_of(tasks: int, seconds: float) -> float:
    """CPU seconds a step of a model with ``tasks`` tasks."""
    server = Server(sequence(tasks))
    return best(partial(server.run, ONCE), seconds) / (tasks + 1)


def turn_of(turns: int) -> float:
    """CPU seconds a turn of a loop."""
    server = Server(loop(turns))
    begin = time.process_time()
    server.run({"n": 0})
    return (time.process_time() - begin) / turns


def growth(seconds: float, told: Callable[[str], None], quick: bool) -> list[Row]:
    """Cost of one step (or turn) beside things that grow."""

    def costs(what: str, sizes: Iterable[int], one: Callable[[int], float]) -> list[Row]:
        found = {}
        for size in sizes:
            told(f"{what}: {size:,}")
            found[size] = statistics.median(one(size) for _ in range(1 if size > 1_000 else 3))
        return curve(what, found)

    children = (100, 1_000, 10_000)
    return [
        *costs("a step beside active children", children, partial(beside, snapshots=False)),
        *costs(
            "the same, a snapshot each step",
            children[:2] if quick else children,
            partial(beside, snapshots=True),
        ),
        *costs("a child, from beginning to end", children, whole),
        *costs("a step in a model of tasks", (100, 1_000, 5_000), partial(row_of, seconds=seconds / 3)),
        *costs(
            "a turn of a loop of", (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000), turn_of
        ),
    ]


# --- telling ----------------------------------------------------------------------------------------


def measured(quick: bool, told: Callable[[str], None]) -> list[Row]:
    seconds, rounds = (0.3, 2) if quick else (1.0, 5)
    rows: list[Row] = []
    with contextlib.ExitStack() as environments:
        peers: list[Peer] = []
        for name, environment in (("SpiffWorkflow", spiffworkflow), ("bpmn-engine", bpmn_engine)):
            told(f"installing {name}")
            try:
                peers.append(environments.enter_context(environment()))
            except Missing as reason:
                rows.append(Row(f"{name} cannot be had: {reason}", None, ""))
        rows += workloads(seconds, rounds, peers, told)
    return rows + growth(seconds, told, quick)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="finish in a minute")
    options = parser.parse_args()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("engine", total=None)
        rows = measured(options.quick, lambda what: progress.update(bar, description=what))
    if options.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    table = Table("figure", "value", "unit", "goal", "", title="The engine's core, in memory")
    for row in rows:
        mark = "" if row.ok is None else "[green]ok" if row.ok else "[red]missed"
        table.add_row(row.name, "" if row.value is None else f"{row.value:,g}", row.unit, row.goal, mark)
    Console(width=None if Console().is_terminal else 110).print(table)


if __name__ == "__main__":
    main()
