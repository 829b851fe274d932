"""``towpath dmn tck``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import typer
from rich.text import Text

from towpath.cli.output import console, errors
from towpath.cli.values import encoded, harmless
from towpath.dmn.tck import Case, Score, cases

_EVERY = 25  # cases between two words on how far it is


def command(folder: Path, *, matching: str, as_json: bool) -> None:
    """Run the test cases below ``folder``; ends with status 1 unless there are some and all pass."""
    score = Score()
    progress = errors.status("Reading") if errors.is_terminal and not as_json else nullcontext()
    with progress as status:
        for case in cases(folder, matching=matching):
            score.cases.append(case)
            if status is not None and len(score.cases) % _EVERY == 0:
                status.update(f"{score.passed} of {len(score.cases)} passed, now in {case.folder}")
            if not case.passed and not as_json:
                _show(case)
    if not score.cases:
        wanted = f" whose name has {matching!r}" if matching else ""
        errors.print(
            f"[red]error:[/] no test cases{wanted} in this folder and those below it.", highlight=False
        )
    print(_json(score) if as_json else score)
    if not score.cases or score.passed < len(score.cases):
        raise typer.Exit(1)


def _show(case: Case) -> None:
    head = Text.assemble(("✗ ", "red"), (f"{case.folder}/{case.file}", "bold"), f" {case.id}")
    console.print(head, soft_wrap=True)
    for failure in case.failures:
        console.print(Text(f"    {harmless(failure.asked)}"), soft_wrap=True)
        for label, what in (
            ("expected", failure.expected),
            ("got     ", failure.got),
            ("why     ", failure.why),
        ):
            if what:
                line = Text.assemble(("      " + label + " ", "dim"), " ".join(what.split()))
                console.print(line, soft_wrap=True)


def _json(score: Score) -> str:
    return encoded(
        {
            "passed": score.passed,
            "cases": len(score.cases),
            "valuedPassed": score.valued_passed,
            "valued": score.valued,
            "failures": [
                {
                    "folder": case.folder,
                    "file": case.file,
                    "case": case.id,
                    "result": failure.asked,
                    "expected": failure.expected,
                    "got": failure.got,
                    "why": failure.why,
                }
                for case in score.cases
                for failure in case.failures
            ],
        }
    )
