"""``towpath check``."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from towpath import solution
from towpath.cli.output import console, fail, show
from towpath.faults import Faulty


def command(folder: Path) -> None:
    """Read the solution in ``folder`` and say what is wrong, or what it holds."""
    try:
        found = solution.read(folder)
    except Faulty as faulty:
        fail(faulty.faults)
    show(found.warnings)
    kinds = {".bpmn": "process file", ".dmn": "decision file", ".form": "form"}
    counts = [
        _count(sum(resource.name.endswith(suffix) for resource in found.resources), kind)
        for suffix, kind in kinds.items()
    ]
    counts += [_count(len(found.workers), "worker"), _count(len(found.routes), "route")]
    console.print(
        f"[green]✓[/] {escape(found.title)}: {', '.join(counts)}; nothing is wrong.", highlight=False
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
