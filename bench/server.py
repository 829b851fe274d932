"""What the process server costs, durably: instances per CPU second on SQLite with full sync.

``python -m bench.server [--quick] [--json]``. W1 start -> task -> end; W2 ten tasks in sequence. The server
runs in this process; its worker completes jobs one call each, many at a time, so that calls share a commit.
CPU seconds are those of this process, user and system, driver included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from towpath.process import ProcessServer, ProcessSettings, open_server
from towpath.storage.documents import DocumentStore
from towpath.wire import ActivateJobs, CreateProcessInstance, Page, Resource, Search

# Goals are several times what the durable peers reached when they were measured (W1 1,505, W2 223 an SQLite
# journal of SpiffWorkflow; 286 and 110 restate), see docs/process-server.md.
GOALS = {"W1": 1_500, "W2": 330}
SEARCH_GOAL = 50.0  # ms
ASKED = 500  # jobs of one activation
WORKERS = 2  # activations under way at the same time
PAYLOAD = {"amount": 250, "customer": {"name": "Ada", "since": 2019}, "note": "x" * 400}


def model(tasks: int) -> Resource:
    """``tasks`` service tasks between a start and an end."""
    ids = ["s", *(f"t{i}" for i in range(tasks)), "e"]
    nodes = "".join(
        f'<bpmn:serviceTask id="{id_}"><bpmn:extensionElements><zeebe:taskDefinition type="work"/>'
        "</bpmn:extensionElements></bpmn:serviceTask>"
        for id_ in ids[1:-1]
    )
    flows = "".join(
        f'<bpmn:sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(ids)
    )
    xml = (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:bench">'
        f'<bpmn:process id="w{tasks}" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>'
        f"{nodes}{flows}</bpmn:process></bpmn:definitions>"
    )
    return Resource(name=f"w{tasks}.bpmn", content=xml.encode())


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def drive(server: ProcessServer, process_id: str, instances: int, tasks: int, tick: Any) -> None:
    """Start ``instances`` and do all their jobs."""
    left = instances * tasks

    async def start(count: int) -> None:
        wanted = CreateProcessInstance(process_definition_id=process_id, variables=PAYLOAD)
        for _ in range(count):
            await server.create_process_instance(wanted)

    async def work() -> None:
        nonlocal left
        while left > 0:
            jobs = await server.activate_jobs(
                ActivateJobs(
                    type="work", max_jobs_to_activate=ASKED, request_timeout=1_000, fetch_variable=["amount"]
                )
            )
            left -= len(jobs)
            await asyncio.gather(*(server.complete_job(job.job_key, {"done": True}) for job in jobs))
            tick(len(jobs))

    starters = min(250, instances)
    await asyncio.gather(
        *(start(instances // starters) for _ in range(starters)), *(work() for _ in range(WORKERS))
    )


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("engine.sqlite*"))


async def measure(quick: bool, progress: Progress) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        documents = DocumentStore.open(str(state / "documents"))
        async with open_server(ProcessSettings(), state=state, documents=documents) as server:
            await server.deploy([model(1), model(10)])
            for name, tasks, count in (("W1", 1, 2_000), ("W2", 10, 500)):
                instances = count if quick else count * 5
                bar = progress.add_task(f"{name}: {instances} instances", total=instances * tasks)
                await drive(server, f"w{tasks}", 250, tasks, lambda _: None)  # compiled, cached, warm
                before, begun, used = size(state), time.perf_counter(), cpu()
                await drive(
                    server, f"w{tasks}", instances, tasks, lambda n, bar=bar: progress.advance(bar, n)
                )
                used, wall = cpu() - used, time.perf_counter() - begun
                rate = instances / used
                rows.append(row(f"{name} instances per CPU second, SQLite FULL", rate, "1/s", GOALS[name]))
                rows.append(row(f"{name} instances per second", instances / wall, "1/s"))
                nodes = instances * (tasks + 2)
                rows.append(row(f"{name} CPU a node", used / nodes * 1e6, "us"))
                rows.append(
                    row(
                        f"{name} disk an instance, with history and feed",
                        (size(state) - before) / instances / 1024,
                        "KiB",
                    )
                )
            for title, search in (
                ("by state", Search(filter={"state": "ACTIVE"}, page=Page(limit=50))),
                ("by variable", Search(filter={"variables": [{"name": "amount", "value": "251"}]})),
            ):
                begun = time.perf_counter()
                await server.search_process_instances(search)
                took = (time.perf_counter() - begun) * 1000
                rows.append(row(f"search {title}", took, "ms", SEARCH_GOAL, most=True))
            rows.append(row("98 % of lone starts answered within", await lone(server, 50), "ms"))
    return rows


async def lone(server: ProcessServer, count: int) -> float:
    """The 98th percentile of a start with nothing else under way: one commit each."""
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        await server.create_process_instance(CreateProcessInstance(process_definition_id="w1"))
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)[-2]


def row(
    name: str, value: float, unit: str, goal: float | None = None, *, most: bool = False
) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "value": round(value, 2), "unit": unit, "goal": None, "ok": None}
    if goal is not None:
        found["goal"] = f"{'<=' if most else '>='} {goal:g}"
        found["ok"] = value <= goal if most else value >= goal
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.server", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the instances")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(arguments)
    console = Console(stderr=options.json)
    with Progress(console=console, transient=True) as progress:
        rows = asyncio.run(measure(options.quick, progress))
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    table = Table("what", "value", "unit", "goal", "ok", title="Process server, durable on SQLite")
    for one in rows:
        ok = {True: "yes", False: "NO", None: ""}[one["ok"]]
        table.add_row(one["name"], f"{one['value']:,.2f}", one["unit"], one["goal"] or "", ok)
    console.print(table)


if __name__ == "__main__":
    main()
