"""What the commands print, and how they fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from towpath.faults import Fault

console = Console()
errors = Console(stderr=True)


def show(faults: Sequence[Fault]) -> None:
    """One fault after the other on standard error: where, what, what to do."""
    for fault in faults:
        line = Text()
        place = fault.file or ""
        if fault.line is not None:
            place += f":{fault.line}"
            if fault.column is not None:
                place += f":{fault.column}"
        if place:
            line.append(place, "bold")
            line.append(": ")
        line.append(
            "warning: " if fault.severity == "warning" else "error: ",
            "yellow" if fault.severity == "warning" else "red",
        )
        if fault.element:
            line.append(fault.element, "cyan")
            line.append(f" ({fault.element_name}): " if fault.element_name else ": ")
        message, _, excerpt = fault.message.partition("\n")
        line.append(message)
        if fault.remedy:
            line.append(f" {fault.remedy}", "dim")
        line.append(f" [{fault.rule}]", "dim")
        if excerpt:
            line.append(f"\n{excerpt}")
        errors.print(line, soft_wrap=True)


def fail(faults: Sequence[Fault]) -> NoReturn:
    """Show ``faults`` and end with status 1."""
    show(faults)
    count = sum(fault.severity == "error" for fault in faults)
    errors.print(f"{count} fault{'' if count == 1 else 's'}.", style="red")
    raise typer.Exit(1)
