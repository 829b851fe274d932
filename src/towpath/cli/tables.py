"""``towpath dmn check``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from towpath.cli import models
from towpath.cli.output import console, show
from towpath.cli.values import encoded
from towpath.dmn import Finding, Model, check
from towpath.dmn.checks import tables_of
from towpath.dmn.graph import DecisionNode, Knowledge
from towpath.dmn.tables import DecisionTable
from towpath.faults import Fault, Faulty

_STYLES = {"error": "red", "warning": "yellow", "info": "dim"}
# What is said of values that the row shows anyway.
_BRIEF = {
    "gap": "no rule matches",
    "overlap": "several rules match, only one may (UNIQUE)",
    "conflict": "rules match with different outputs (ANY)",
}


def command(places: Sequence[Path], *, imports: Sequence[Path], strict: bool, as_json: bool) -> None:
    """Read the models and check their decision tables; ends with status 1 where there are errors."""
    reports = [_Report(file, imports) for file in models.files(places)]
    severities = [severity for report in reports for severity in report.severities]
    count = {severity: severities.count(severity) for severity in _STYLES}
    if as_json:
        print(encoded({"files": [report.as_json() for report in reports], "count": count}))
    else:
        for report in reports:
            report.show()
        _sum_up(len(reports), count)
    if not reports or count["error"] or (strict and count["warning"]):
        raise typer.Exit(1)


class _Report:
    """What is wrong with the model in one file."""

    def __init__(self, file: Path, imports: Sequence[Path]) -> None:
        self.file = file
        self.faults: Sequence[Fault] = ()
        self.findings: Sequence[Finding] = ()
        self.model: Model | None = None
        try:
            self.model = models.load(file, imports)
        except Faulty as faulty:
            self.faults = faulty.faults
        else:
            self.faults = self.model.warnings
            self.findings = check(self.model)

    @property
    def severities(self) -> list[str]:
        return [fault.severity for fault in self.faults] + [one.severity for one in self.findings]

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.file),
            "faults": [asdict(fault) for fault in self.faults],
            "findings": [
                {
                    **asdict(finding),
                    "rules": list(finding.rules),
                    "rule_ids": list(finding.rule_ids),
                    "region": [{"input": name, "tests": tests} for name, tests in finding.region],
                }
                for finding in self.findings
            ],
        }

    def show(self) -> None:
        show(self.faults)
        if self.model is None:
            return
        for element in self.model.elements.values():
            for table in _tables(element):
                found = [one for one in self.findings if one.decision == element.id and one.table == table.id]
                if found:
                    title = element.title if isinstance(element, DecisionNode) else element.name
                    _show_table(self.file, title, table, found)


def _tables(element: object) -> list[DecisionTable]:
    logic = element.expression if isinstance(element, DecisionNode) else None
    if isinstance(element, Knowledge):
        logic = element.definition
    return list(tables_of(logic))


def _show_table(file: Path, title: str, table: DecisionTable, findings: Sequence[Finding]) -> None:
    """A row for each finding, with a column for each input that one of them tells of."""
    place = f"{file}:{table.line}" if table.line is not None else str(file)
    rules = f"{len(table.rules)} rule{'' if len(table.rules) == 1 else 's'}"
    console.print(
        f"[bold]{escape(title)}[/] [dim]{escape(place)}, {table.hit_policy}, {rules}[/]", soft_wrap=True
    )
    named = {name for finding in findings for name, _ in finding.region}
    inputs = list(dict.fromkeys(clause.name for clause in table.inputs if clause.name in named))
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("line", "finding", "rules"):
        shown.add_column(head, no_wrap=True)
    for name in inputs:
        shown.add_column(Text(name), style="cyan")
    shown.add_column("what")
    for finding in findings:
        region = dict(finding.region)
        brief = _BRIEF.get(finding.kind) if region else None
        unbounded = "" if brief is None else "-"
        shown.add_row(
            "" if finding.line is None else str(finding.line),
            Text(finding.kind, _STYLES[finding.severity]),
            ", ".join(map(str, finding.rules)),
            *(Text(region.get(name, unbounded)) for name in inputs),
            Text(brief or finding.message),
        )
    console.print(shown)


def _sum_up(files: int, count: dict[str, int]) -> None:
    if not files:
        console.print("[red]error:[/] there is no .dmn file.")
        return
    told = [
        f"{number} {word}{'' if number == 1 or word == 'info' else 's'}"
        for word, number in count.items()
        if number
    ]
    mark = "[red]✗[/]" if count["error"] else "[green]✓[/]"
    models_ = f"{files} model{'' if files == 1 else 's'}"
    console.print(f"{mark} {models_}: {', '.join(told) or 'nothing is wrong'}.", highlight=False)
