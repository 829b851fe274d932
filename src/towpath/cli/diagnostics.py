"""Where something is wrong in a FEEL text: the message, the line of the text, and a caret below the place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text

from towpath.cli.output import errors
from towpath.cli.values import harmless
from towpath.feel import FeelError, FeelSyntaxError, Warning

_BEFORE = 60  # characters of a long line that are shown before the place
_SHOWN = 110  # characters of a long line that are shown


def excerpt(text: str, line: int, column: int) -> Text:
    """The line and, below it, a caret at the column; long lines are cut on both sides."""
    lines = text.split("\n")
    found = lines[line - 1] if 0 < line <= len(lines) else ""
    start = max(0, column - 1 - _BEFORE)
    before = harmless(found[start : column - 1].replace("\t", " "))
    after = harmless(found[column - 1 : start + _SHOWN].replace("\t", " "))
    head = "  … " if start else "  "
    return Text.assemble(
        (head, "dim"),
        before,
        after,
        ("…" if len(found) > start + _SHOWN else "", "dim"),
        "\n",
        " " * cell_len(head + before),
        ("^", "bold red"),
    )


def show(error: FeelError) -> None:
    """What was wrong, and where in a text that is no FEEL."""
    if not isinstance(error, FeelSyntaxError):
        show_error(str(error))
        return
    line = Text.assemble(
        ("error: ", "red"), error.message, (f" (line {error.line}, column {error.column})", "dim")
    )
    errors.print(line, soft_wrap=True)
    errors.print(excerpt(error.text, error.line, error.column), soft_wrap=True)


def show_error(message: str) -> None:
    """An error without a place."""
    errors.print(Text.assemble(("error: ", "red"), message), soft_wrap=True)


def show_warnings(warnings: Iterable[Warning], text: str) -> None:
    """Each reason for a null once, in the order in which they came up."""
    for warning, times in Counter(warnings).items():
        often = f", {times} times" if times > 1 else ""
        line = Text.assemble(
            ("warning: ", "yellow"),
            warning.message,
            (f" (line {warning.line}, column {warning.column}{often})", "dim"),
        )
        errors.print(line, soft_wrap=True)
        errors.print(excerpt(text, warning.line, warning.column), soft_wrap=True)
