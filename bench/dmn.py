"""Decision tables beside other engines: ``python -m bench.dmn [--json] [--quick]``.

Tables of 10, 100 and 1,000 rules and five inputs are evaluated with their audit, in CPU milliseconds, the
best of the rounds; reading, indexing and checking a table and the example's decision follow. The peers
(dmn-eval-js of npm, pyDMNrules and bkflow-dmn of PyPI) are installed into a temporary folder and
evaluate the same table; one that cannot be had, or answers something else, is said to.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench._dmn_tables import KINDS, matching, rows, xml
from bench._installing import Missing, node_packages, run, virtualenv
from towpath.dmn import check, read
from towpath.dmn.checks import tables_of
from towpath.dmn.index import RuleIndex

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples/claims/decisions/claim-route.dmn"
EXAMPLE_INPUT = {
    "policy": {"status": "active", "holderId": "c-1", "cover": "comprehensive"},
    "customer": {"id": "c-1"},
    "damage": "glass",
    "estimate": {"amount": 700},
}
SIZES = (10, 100, 1000)
GOAL = 1.0  # ms, for 1,000 rules where the cells allow an index
NPM_PEER = "@hbtgmbh/dmn-eval-js@1.5.0"
PYTHON_PEERS = {"pyDMNrules": "pyDMNrules==1.4.5", "bkflow_dmn": "bkflow-dmn==0.2.0"}


def timed(action: Callable[[], object], seconds: float, rounds: int) -> float:
    """CPU milliseconds of one call: the best of the rounds, each of at least ``seconds``."""
    best = math.inf
    for _ in range(rounds):
        count, begun = 0, time.process_time()
        while (spent := time.process_time() - begun) < seconds:
            action()
            count += 1
        best = min(best, spent / count)
    return best * 1000


def row(name: str, value: float | None, goal: float | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "value": value, "unit": "" if value is None else "ms", "ok": None}
    if goal is not None and value is not None:
        made.update(goal=f"< {goal:g}", ok=value < goal)
    return made


def ours(seconds: float, rounds: int) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        for size in SIZES:
            model, given = read(xml(kind, size).encode()), matching(kind, size)
            hits = len(model.evaluate("d", given).audit[0]["matchedRules"])
            found = timed(lambda m=model, v=given: m.evaluate("d", v), seconds, rounds)
            yield row(
                f"{kind}, {size} rules, {hits} of them match",
                found,
                GOAL if size == SIZES[-1] and kind == "mixed" else None,
            )
    document = xml("mixed", SIZES[-1]).encode()
    model = read(document)
    (table,) = tables_of(model.elements["d"].expression)  # type: ignore[attr-defined]
    cells = [rule.tests for rule in table.rules]
    yield row(f"reading a file of {SIZES[-1]} rules", timed(lambda: read(document), seconds, rounds))
    yield row(f"indexing {SIZES[-1]} rules", timed(lambda: RuleIndex(cells), seconds, rounds))
    yield row(f"checking {SIZES[-1]} rules", timed(lambda: check(model), seconds, rounds))
    example = read(EXAMPLE.read_bytes())
    assert not example.evaluate("claim-route", EXAMPLE_INPUT).failed
    yield row(
        "the example's two tables",
        timed(lambda: example.evaluate("claim-route", EXAMPLE_INPUT), seconds, rounds),
    )


def theirs(seconds: float) -> Iterator[dict[str, Any]]:
    """The peers on the largest table of kind ``mixed``, each in a process of its own."""
    kind, size = "mixed", SIZES[-1]
    given = matching(kind, size)
    expected = read(xml(kind, size).encode()).evaluate("d", given).output
    with tempfile.TemporaryDirectory(prefix="bench-dmn-") as name:
        folder = Path(name)
        task = {"xml": xml(kind, size), "rows": rows(kind, size), "input": given, "seconds": seconds}
        (folder / "task.json").write_text(json.dumps(task))
        commands: dict[str, Callable[[], list[str]]] = {NPM_PEER: lambda: _npm(folder)}
        for module, requirement in PYTHON_PEERS.items():
            commands[requirement] = partial(_python, folder, module, requirement)
        for peer, command in commands.items():
            try:
                answer = json.loads(run(command()).strip().splitlines()[-1])
            except Missing as reason:
                yield row(f"{kind}, {size} rules: {peer}: {reason}", None)
                continue
            if answer["answer"] == expected:
                yield row(f"{kind}, {size} rules: {peer}", answer["seconds"] * 1000)
            else:
                said = f"answers {answer['answer']!r}, not {expected!r}"
                yield row(f"{kind}, {size} rules: {peer}: {said}", None)


def _npm(folder: Path) -> list[str]:
    """The command that runs the peer. Raises Missing."""
    node = node_packages(folder, NPM_PEER, kind="commonjs")
    script = shutil.copy(HERE / "_dmn_eval_js.cjs", folder)  # modules are looked for beside it
    return [node, str(script), str(folder / "task.json")]


def _python(folder: Path, module: str, requirement: str) -> list[str]:
    """The same of a peer of PyPI, in an environment of its own. Raises Missing."""
    python = virtualenv(folder / module, requirement)
    return [python, str(HERE / "_dmn_python_peers.py"), module, str(folder / "task.json")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    seconds, rounds = (0.1, 2) if options.quick else (0.5, 3)
    found = [*ours(seconds, rounds), *theirs(seconds)]
    if options.json:
        print(json.dumps({"rows": found}))
        return 0
    summary = Table("figure", "value", "unit", "goal", "ok")
    for line in found:
        value = "" if line["value"] is None else f"{line['value']:.3f}"
        verdict = {True: "yes", False: "no", None: ""}[line["ok"]]
        summary.add_row(line["name"], value, line["unit"], line.get("goal", ""), verdict)
    Console().print(summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
