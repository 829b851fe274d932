"""The engines that ``bench.feel`` compares with, each installed into a temporary folder and run as a process.

A peer is given the expressions and variables as JSON and answers a row for each expression: its value and
CPU seconds by mode, or the error. bkflow-feel and pySFeel get a virtual environment of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._installing import PATIENCE, Missing, node_packages, run, virtualenv

FEELIN = "feelin@8.2"

_JAVASCRIPT = """
import * as feelin from './peer.js';
import { readFileSync } from 'node:fs';
const { expressions, variables, seconds } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
function timed(action) {
  let count = 1;
  for (let i = 0; i < 200; i++) action();
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
console.log(JSON.stringify({ rows, versions: [`feelin ${version}`, `Node ${process.version}`] }));
"""

# What both scripts in Python share; each defines ``modes(text)``: a value, and a callable for every mode.
_PYTHON = """
import datetime, importlib.metadata, json, logging, math, sys, time, warnings

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
task = json.load(open(sys.argv[1]))
variables, seconds = task["variables"], task["seconds"]

def timed(action):
    count = 1
    while True:
        before = time.process_time()
        for _ in range(count):
            action()
        spent = time.process_time() - before
        if spent >= seconds:
            return spent / count
        count = max(count * 2, math.ceil(count * seconds / max(spent, 1e-4)))

def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)

def main(package, modes):
    rows = []
    for text in task["expressions"]:
        try:
            value, actions = modes(text)
            rows.append({"value": plain(value), **{mode: timed(action) for mode, action in actions.items()}})
        except Exception as error:
            rows.append({"error": f"{type(error).__name__}: {error}"[:200]})
    versions = [package + " " + importlib.metadata.version(package)]
    print("\\n" + json.dumps({"rows": rows, "versions": versions}))
"""

_BKFLOW = """
import bkflow_feel
from bkflow_feel.api import parse_expression

def modes(text):
    tree = bkflow_feel.transformer.transform(bkflow_feel.parser.parse(text))
    return parse_expression(text, variables), {
        "compiled": lambda: tree.evaluate(variables),
        "public": lambda: parse_expression(text, variables),
    }

main("bkflow-feel", modes)
"""

_PYSFEEL = """
import pySFeel

def feel(value):
    if isinstance(value, dict):
        return "{" + ", ".join(key + ": " + feel(item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(feel, value)) + "]"
    return json.dumps(value)

parser = pySFeel.SFeelParser()
for name, value in variables.items():
    parser.sFeelParse(name + " <- " + feel(value))

def answer(text):
    status, value = parser.sFeelParse(text)
    if "errors" in status:
        raise ValueError(status["errors"])
    return value

def modes(text):
    return answer(text), {"public": lambda: answer(text)}

main("pySFeel", modes)
"""
PYTHON_PEERS = {"bkflow-feel": _BKFLOW, "pySFeel": _PYSFEEL}


@dataclass(slots=True)
class Peer:
    """An installed engine: ``command`` runs it; ``missing`` says why it cannot be had."""

    name: str
    command: Sequence[str] = ()
    missing: str = ""
    versions: list[str] = field(default_factory=list)
    rounds: list[list[dict[str, Any]]] = field(default_factory=list)

    def measure(self, folder: Path, task: dict[str, Any]) -> None:
        """Run it once more; a peer that breaks is one that cannot be had."""
        file = folder / "task.json"
        file.write_text(json.dumps(task))
        try:
            printed = run([*self.command, str(file)], PATIENCE * 4)
        except Missing as reason:
            self.missing = f"it failed: {reason}"
            return
        answer = json.loads(printed.strip().splitlines()[-1])
        self.versions = answer["versions"]
        self.rounds.append(answer["rows"])


def feelin(folder: Path) -> Peer:
    """feelin, installed by npm into ``folder``."""
    try:
        node = node_packages(folder, FEELIN)
    except Missing as reason:
        return Peer(FEELIN, missing=f"npm could not install it: {reason}")
    module = folder / "node_modules/feelin/dist"
    # The closure that its interpreter makes is not exported; a copy of the module exports it.
    exported = "\nexport { interpreter, InterpreterContext, coerceContext };\n"
    (module / "peer.js").write_text((module / "index.js").read_text() + exported)
    (module / "run.js").write_text(_JAVASCRIPT)
    return Peer(FEELIN, [node, str(module / "run.js")])


def python_peer(name: str, folder: Path) -> Peer:
    """A package of PyPI in a virtual environment of its own below ``folder``."""
    try:
        interpreter = virtualenv(folder / name, name)
    except Missing as reason:
        return Peer(name, missing=f"it could not be installed: {reason}")
    script = folder / f"run-{name}.py"  # not the name of the module that it imports
    script.write_text(_PYTHON + PYTHON_PEERS[name])
    return Peer(name, [interpreter, str(script)])
