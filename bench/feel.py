"""FEEL beside the engines one could have instead: ``python -m bench.feel [--json] [--quick]``.

Thirty expressions run here and there in turns on one machine, in CPU seconds, the best of the rounds:

- *compiled* beforehand, with variables of the engine's own kinds and after a warm-up. Here that is the Python
  function that an expression becomes when it has run often; in feelin, the JavaScript engine of Camunda's
  forms, the closure that its interpreter makes of a parse tree.
- *public*: the call with text and variables that a manual shows first. Ours keeps what it compiled.
- *parsing* alone.

What an engine cannot do (an error, or another answer) is left out of its comparison. Three of the expressions
have only constants in them, which our compiler reckons once; the figures without those stand beside.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from towpath.feel import Expression, evaluate, from_json, to_json
from towpath.feel import compile as compile_feel
from towpath.feel.runtime import Runtime

from ._feel_peers import FEELIN, PYTHON_PEERS, Peer, feelin, python_peer

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

CONSTANT = frozenset(text for text in EXPRESSIONS if text.startswith(("date(", "duration(")))
MODES = ("compiled", "public", "parsing")
GOALS = {"compiled": 2.0, "public": 50.0, "parsing": 1.0}  # times faster than feelin
WIDTH = 190  # columns of the tables where no terminal says how many there are


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
        while not expression.hot:
            expression.run(Runtime(), converted)
        rows.append(
            {
                "value": to_json(expression.evaluate(VARIABLES).value),
                "compiled": timed(lambda e=expression, v=converted: e.run(Runtime(), v), seconds),
                "public": timed(lambda t=text: evaluate(t, VARIABLES), seconds),
                "parsing": timed(lambda t=text: Expression(t, VARIABLES, "expression"), seconds),
            }
        )
    return rows


def least(rounds: Sequence[list[dict[str, Any]]], mode: str, index: int) -> float | None:
    """The least time of an expression in a mode; None where the engine has none."""
    times = [round_[index][mode] for round_ in rounds if mode in round_[index]]
    return min(times) if times else None


def geomean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def same(a: Any, b: Any) -> bool:
    """Whether both engines answered alike; doubles are near enough within 1e-9."""
    if isinstance(a, int | float | Decimal) and isinstance(b, int | float) and not isinstance(b, bool):
        return math.isclose(float(a), float(b), rel_tol=1e-9)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def compared(
    mine: Sequence[list[dict[str, Any]]], peer: Peer, mode: str, left_out: frozenset[str] = frozenset()
) -> list[float]:
    """How many times faster we are, for each expression that both answer alike."""
    ratios = []
    for index, text in enumerate(EXPRESSIONS):
        theirs = least(peer.rounds, mode, index)
        own = least(mine, mode, index)
        if theirs is None or own is None or text in left_out or not agrees(mine, peer, index):
            continue
        ratios.append(theirs / own)
    return ratios


def agrees(mine: Sequence[list[dict[str, Any]]], peer: Peer, index: int) -> bool:
    row = peer.rounds[0][index]
    return "error" not in row and same(mine[0][index]["value"], row["value"])


def measured(quick: bool) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]], list[Peer]]:
    """The summary's rows, our rounds, and the peers with theirs."""
    seconds, rounds = (0.01, 2) if quick else (0.04, 3)
    task = {"expressions": EXPRESSIONS, "variables": VARIABLES, "seconds": seconds}
    mine: list[list[dict[str, Any]]] = []
    with tempfile.TemporaryDirectory(prefix="bench-feel-") as name:
        folder = Path(name)
        peers = [feelin(folder), *(python_peer(package, folder) for package in PYTHON_PEERS)]
        for _ in range(rounds):
            mine.append(ours(seconds))
            for peer in peers:
                if not peer.missing:
                    peer.measure(folder, task)
    rows: list[dict[str, Any]] = []
    for mode in MODES:
        times = [time for index in range(len(EXPRESSIONS)) if (time := least(mine, mode, index))]
        rows.append({"name": f"{mode}, geomean", "value": geomean(times) * 1e6, "unit": "us", "ok": None})
    for peer in peers:
        if peer.missing:
            rows.append({"name": f"{peer.name}: {peer.missing}", "value": None, "unit": "", "ok": None})
            continue
        for mode in MODES:
            ratios = compared(mine, peer, mode)
            if not ratios:
                continue
            ratio, goal = geomean(ratios), GOALS.get(mode) if peer.name == FEELIN else None
            row: dict[str, Any] = {
                "name": f"{mode}: times faster than {peer.name}, geomean of {len(ratios)}",
                "value": round(ratio, 2),
                "unit": "x",
                "ok": None if goal is None else ratio >= goal,
            }
            rows.append(row if goal is None else row | {"goal": f">= {goal:g}"})
            if mode == "compiled":
                reading = compared(mine, peer, mode, CONSTANT)
                rows.append(
                    {
                        "name": f"the same without constant expressions, geomean of {len(reading)}",
                        "value": round(geomean(reading), 2),
                        "unit": "x",
                        "ok": None,
                    }
                )
    return rows, mine, peers


def by_expression(mine: list[list[dict[str, Any]]], peers: Sequence[Peer]) -> Table:
    """Microseconds of every expression; ``cannot`` where an engine fails or answers otherwise."""
    had = [(peer, mode) for peer in peers if peer.rounds for mode in MODES if mode in _modes(peer)]
    table = Table("us of CPU", *MODES, *(f"{peer.name} {mode}" for peer, mode in had))
    for index, text in enumerate(EXPRESSIONS):
        cells = [f"{(least(mine, mode, index) or 0) * 1e6:.1f}" for mode in MODES]
        for peer, mode in had:
            time = least(peer.rounds, mode, index)
            able = time is not None and agrees(mine, peer, index)
            cells.append(f"{time * 1e6:.1f}" if able and time is not None else "cannot")
        table.add_row(escape(text), *cells)
    return table


def _modes(peer: Peer) -> frozenset[str]:
    return frozenset(mode for row in peer.rounds[0] for mode in row)


def machine(peers: Sequence[Peer]) -> str:
    """What ran, on what."""
    engines = [f"towpath {version('towpath')}", *(name for peer in peers for name in peer.versions)]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{', '.join(engines)}; {python}; {platform.machine()}, {os.cpu_count()} CPUs"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rows, mine, peers = measured(options.quick)
    if options.json:
        print(json.dumps({"rows": rows, "machine": machine(peers)}))
        return 0
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(by_expression(mine, peers))
    summary = Table("figure", "value", "unit", "goal", "ok")
    for row in rows:
        value = "" if row["value"] is None else f"{row['value']:.2f}"
        verdict = {True: "yes", False: "no", None: ""}[row["ok"]]
        summary.add_row(escape(row["name"]), value, row["unit"], row.get("goal", ""), verdict)
    console.print(summary)
    console.print(machine(peers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
