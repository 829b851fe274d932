"""``towpath dmn evaluate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.cells import cell_len
from rich.text import Text

from towpath.cli import models
from towpath.cli import variables as given
from towpath.cli.diagnostics import show_error
from towpath.cli.output import console, errors, fail
from towpath.cli.values import encoded, harmless, raw, width, written
from towpath.dmn import Evaluation, Model
from towpath.dmn.graph import DecisionNode, Knowledge, Service
from towpath.faults import Faulty
from towpath.feel import FeelError, from_json

_KINDS = {  # of an audit's decisionType, as people call them
    "decisionTable": "decision table",
    "literalExpression": "literal expression",
    "functionDefinition": "function definition",
    "unspecified": "no logic",
}


def command(
    file: Path,
    *,
    decision: str | None,
    inputs: Sequence[str],
    assignments: Sequence[str],
    imports: Sequence[Path],
    now: str | None,
    audit: bool,
    as_json: bool,
    as_raw: bool,
) -> None:
    """Evaluate one decision of the model in ``file`` and print what it answers."""
    moment = given.moment(now)
    variables = given.read(inputs, assignments, "--input")
    try:
        model = models.load(file, imports)
    except Faulty as faulty:
        fail(faulty.faults)
    asked = decision if decision is not None else _only(model, file)
    try:
        evaluation = model.evaluate(asked, variables, now=moment)
        answer = _json(asked, evaluation) if as_json else ""
        if not as_json:
            answer = raw(evaluation.value) if as_raw else written(evaluation.value, width())
    except KeyError:
        raise given.Unusable(
            f"{file} has no {asked!r}. It has {_listed(model)}.", param_hint="--decision"
        ) from None
    except FeelError as error:
        show_error(str(error))
        raise typer.Exit(1) from None
    if as_json:
        print(answer)
    else:
        if audit:
            for number, record in enumerate(evaluation.audit, 1):
                _show_record(number, record)
        else:
            _show_warnings(evaluation)
        if not evaluation.failed:
            print(answer)
    if evaluation.failed:
        show_error(f"the decision failed: {evaluation.message}")
        raise typer.Exit(1)


def _only(model: Model, file: Path) -> str:
    """The decision that no other one requires, where there is just one."""
    required = {
        requirement.element.id
        for element in model.elements.values()
        if isinstance(element, DecisionNode)
        for requirement in element.requirements
    }
    top = [id for id in model.decisions if id not in required]
    if len(top) == 1:
        return top[0]
    if not model.decisions:
        raise given.Unusable(f"{file} has no decision.", param_hint="--decision")
    raise given.Unusable(f"say which one; {file} has {_listed(model)}.", param_hint="--decision")


def _listed(model: Model) -> str:
    """What can be asked for: decisions with their ids, then services and knowledge models."""
    names = [
        decision.name if decision.name == decision.id else f"{decision.name} ({decision.id})"
        for decision in model.decisions.values()
    ]
    names += [element.name for element in model.elements.values() if isinstance(element, Service | Knowledge)]
    return ", ".join(names) or "nothing to evaluate"


def _json(asked: str, evaluation: Evaluation) -> str:
    return encoded(
        {
            "decision": asked,
            "output": evaluation.output,
            "failed": evaluation.failed,
            "message": evaluation.message,
            "audit": evaluation.audit,
        }
    )


def _show_warnings(evaluation: Evaluation) -> None:
    for record in evaluation.audit:
        for warning in record["warnings"]:
            errors.print(
                Text.assemble(
                    ("warning: ", "yellow"),
                    (str(record["decisionName"]), "bold"),
                    f": {warning['message']}",
                ),
                soft_wrap=True,
            )


def _show_record(number: int, record: Mapping[str, Any]) -> None:
    """One decision of the audit: what it saw, the rules that matched, what it answered."""
    kind = str(record["decisionType"])
    name, called = str(record["decisionName"]), _KINDS.get(kind, kind)
    head = Text.assemble((f"{number}. ", "dim"), (harmless(name), "bold"), (f"  {called}", "dim"))
    console.print(head, soft_wrap=True)
    rows = [("input", str(entry["name"]), _value(entry["value"]), "") for entry in record["inputs"]]
    for rule in record["matchedRules"]:
        label, note = f"rule {rule['ruleIndex']}", f"  {rule['ruleId']}"
        for output in rule["outputs"]:
            rows.append((label, str(output["name"] or ""), _value(output["value"]), note))
            label = note = ""
    if kind == "decisionTable" and not record["matchedRules"]:
        rows.append(("rules", "none matches", "", ""))
    rows.append(("result", "", _value(record["output"]), ""))
    labels = max(len(label) for label, *_ in rows)
    names = max(cell_len(name) for _, name, *_ in rows)
    for label, name, value, note in rows:
        line = Text.assemble(
            (f"   {label:>{labels}}  ", "dim"),
            f"{harmless(name)}{' ' * (names - cell_len(name) + 2) if names else ''}",
            (value, "bold" if label == "result" else ""),
            (note, "dim"),
        )
        console.print(line, soft_wrap=True)
    for warning in record["warnings"]:
        line, column = warning["line"], warning["column"]
        # What is not about a place in a text is said to be at its start.
        place = "" if line == column == 1 else f" (line {line}, column {column})"
        console.print(
            Text.assemble(("   warning: ", "yellow"), harmless(str(warning["message"])), (place, "dim")),
            soft_wrap=True,
        )
    console.print()


def _value(value: Any) -> str:
    return written(from_json(value))
