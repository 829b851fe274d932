"""FEEL beside feelin, the JavaScript engine of Camunda's forms: ``python -m bench.feel [--json] [--quick]``.

Thirty expressions run here and there in turns on one machine, in CPU seconds, the best of the rounds:
compiled beforehand (there: the closure that its interpreter makes of a parse tree), through the public
call with text and variables, and parsing alone. feelin is installed by npm into a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from towpath.feel import Expression, evaluate, from_json, to_json
from towpath.feel import compile as compile_feel
from towpath.feel.runtime import Runtime

PEER = "feelin@8.2"
VARIABLES: dict[str, Any] = {
    "x": 5,
    "y": 7,
    "amount": 250.5,
    "name": "Ada Lovelace",
    "since": "2024-05-01",
    "policy": {"holder": {"id": "c-1", "age": 36}, "deductible": 300, "cover": "comprehensive"},
    "orders": [{"price": i, "quantity": i % 7, "item": f"n{i}"} for i in range(100)],
    "numbers": list(range(50)),
}
EXPRESSIONS = (
    "x + y * 2",
    "(x + 1) * (y - 2) / 4",
    "amount * 1.19 - 10.5",
    "x ** 2 + y ** 2",
    "-x + 3",
    "x > 3 and y < 10",
    "x = 5 or y = 8 or amount > 1000",
    "not(x > 3)",
    "x between 1 and 10",
    "x in [1..10]",
    'if policy.cover = "comprehensive" then amount else 0',
    "policy.holder.age >= 18",
    "amount - policy.deductible > 0",
    'name + " (" + policy.holder.id + ")"',
    "upper case(name)",
    'contains(name, "Love") and starts with(name, "Ada")',
    "substring(name, 1, 3)",
    'string length(replace(name, "a", "b"))',
    'date("2024-05-01") > date("2024-04-30")',
    'date("2024-05-01") + duration("P1M")',
    'duration("P1D") < duration("PT25H")',
    "sum(numbers) / count(numbers)",
    "max(numbers) - min(numbers)",
    "numbers[item > 25]",
    "orders[price > 50 and quantity = 3].item",
    "for o in orders return o.price * o.quantity",
    "some o in orders satisfies o.price > 98",
    "every o in orders satisfies o.price >= 0",
    "{a: x + 1, b: a * 2}.b",
    "(function(a, b) a + b)(x, y)",
)

_SCRIPT = """
import * as feelin from './peer.js';
import { readFileSync } from 'node:fs';
const { expressions, variables, seconds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
function timed(action) {
  let count = 1;
  for (;;) {
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) action();
    const used = process.cpuUsage(before);
    const spent = (used.user + used.system) / 1e6;
    if (spent >= seconds) return spent / count;
    count = Math.max(count * 2, Math.ceil(count * seconds / Math.max(spent, 1e-4)));
  }
}
const rows = expressions.map(text => {
  const context = feelin.coerceContext(variables);
  const tree = feelin.parseExpression(text, context);
  const { root } = feelin.interpreter._buildExecutionTree(tree, text, new feelin.InterpreterContext());
  const value = root(context);
  return {
    value: JSON.parse(JSON.stringify(value ?? null)),
    compiled: timed(() => root(context)),
    public: timed(() => feelin.evaluate(text, variables)),
    parsing: timed(() => feelin.parseExpression(text, context)),
  };
});
console.log(JSON.stringify(rows));
"""
MODES = ("compiled", "public", "parsing")


def timed(action: Callable[[], object], seconds: float) -> float:
    """CPU seconds of one call, over at least ``seconds`` of them."""
    count = 1
    while True:
        before = time.process_time()
        for _ in range(count):
            action()
        spent = time.process_time() - before
        if spent >= seconds:
            return spent / count
        count = max(count * 2, math.ceil(count * seconds / max(spent, 1e-4)))


def ours(seconds: float) -> list[dict[str, Any]]:
    """Our times and values, one row per expression."""
    rows = []
    for text in EXPRESSIONS:
        expression = compile_feel(text, names=VARIABLES)
        converted = from_json(VARIABLES)
        rows.append(
            {
                "value": to_json(expression.evaluate(VARIABLES).value),
                "compiled": timed(lambda e=expression, v=converted: e.run(Runtime(), v), seconds),
                "public": timed(lambda t=text: evaluate(t, VARIABLES), seconds),
                "parsing": timed(lambda t=text: Expression(t, VARIABLES, "expression"), seconds),
            }
        )
    return rows


def installed(folder: Path) -> str | None:
    """Put feelin into ``folder``; the reason where it cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "node and npm are not on the path"
    (folder / "package.json").write_text('{"type": "module"}')
    try:
        done = subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", PEER],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=180,
        )
    except subprocess.TimeoutExpired:
        return "npm did not answer in three minutes"
    if done.returncode:
        return f"npm could not install {PEER}: {(done.stderr or done.stdout).strip()[-200:]}"
    source = (folder / "node_modules/feelin/dist/index.js").read_text()
    # The closure that its interpreter makes is not exported; a copy of the module exports it.
    exported = "\nexport { interpreter, InterpreterContext, coerceContext };\n"
    (folder / "node_modules/feelin/dist/peer.js").write_text(source + exported)
    (folder / "node_modules/feelin/dist/run.js").write_text(_SCRIPT)
    return None


def theirs(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """The same rows from feelin."""
    task = folder / "task.json"
    task.write_text(json.dumps({"expressions": EXPRESSIONS, "variables": VARIABLES, "seconds": seconds}))
    done = subprocess.run(
        ["node", str(folder / "node_modules/feelin/dist/run.js"), str(task)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def best(rounds: list[list[dict[str, Any]]]) -> list[dict[str, float]]:
    """The least time of every expression and mode."""
    return [
        {mode: min(round_[index][mode] for round_ in rounds) for mode in MODES}
        for index in range(len(EXPRESSIONS))
    ]


def geomean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def same(a: Any, b: Any) -> bool:
    """Whether both engines answered alike; doubles are near enough within 1e-9."""
    if isinstance(a, int | float | Decimal) and isinstance(b, int | float) and not isinstance(b, bool):
        return math.isclose(float(a), float(b), rel_tol=1e-9)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def measured(quick: bool) -> tuple[list[dict[str, Any]], Table | None]:
    """The summary's rows and, where feelin could be had, the table per expression."""
    seconds, rounds = (0.01, 2) if quick else (0.04, 3)
    with tempfile.TemporaryDirectory(prefix="bench-feel-") as name:
        folder = Path(name)
        missing = installed(folder)
        our_rounds, their_rounds = [], []
        for _ in range(rounds):
            our_rounds.append(ours(seconds))
            if missing is None:
                their_rounds.append(theirs(folder, seconds))
    mine = best(our_rounds)
    rows: list[dict[str, Any]] = [
        {
            "name": f"{mode}, geomean",
            "value": geomean([row[mode] for row in mine]) * 1e6,
            "unit": "us",
            "ok": None,
        }
        for mode in MODES
    ]
    if missing is not None:
        rows.append({"name": f"{PEER}: {missing}", "value": None, "unit": "", "ok": None})
        return rows, None
    other = best(their_rounds)
    for mode, goal in (("compiled", 2.0), ("public", 50.0), ("parsing", 1.0)):
        ratio = geomean([b[mode] / a[mode] for a, b in zip(mine, other, strict=True)])
        rows.append(
            {
                "name": f"{mode}: times faster than {PEER}, geomean",
                "value": round(ratio, 2),
                "unit": "x",
                "goal": f">= {goal:g}",
                "ok": ratio >= goal,
            }
        )
    table = Table(
        "expression", *(f"{mode} us" for mode in MODES), *(f"feelin {mode}" for mode in MODES), "same answer"
    )
    for index, text in enumerate(EXPRESSIONS):
        times = [f"{side[index][mode] * 1e6:.1f}" for side in (mine, other) for mode in MODES]
        alike = same(our_rounds[0][index]["value"], their_rounds[0][index]["value"])
        table.add_row(text, *times, "yes" if alike else "no")
    return rows, table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rows, table = measured(options.quick)
    if options.json:
        print(json.dumps({"rows": rows}))
        return 0
    console = Console()
    if table is not None:
        console.print(table)
    summary = Table("figure", "value", "unit", "goal", "ok")
    for row in rows:
        value = "" if row["value"] is None else f"{row['value']:.2f}"
        verdict = {True: "yes", False: "no", None: ""}[row["ok"]]
        summary.add_row(row["name"], value, row["unit"], row.get("goal", ""), verdict)
    console.print(summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
