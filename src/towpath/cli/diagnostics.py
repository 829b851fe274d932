"""Where something is wrong in a FEEL text: the message, the line of the text, and a caret below the place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.text import Text

from towpath.cli.output import errors
from towpath.feel import FeelError, FeelSyntaxError, Warning
from towpath.feel.errors import excerpt


def show(error: FeelError) -> None:
    """What was wrong, and where in a text that is no FEEL."""
    if not isinstance(error, FeelSyntaxError):
        show_error(str(error))
        return
    line = Text.assemble(
        ("error: ", "red"), error.message, (f" (line {error.line}, column {error.column})", "dim")
    )
    errors.print(line, soft_wrap=True)
    _show_place(error.text, error.line, error.column)
    if error.hint:
        errors.print(Text.assemble(("hint: ", "cyan"), error.hint), soft_wrap=True)


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
        _show_place(text, warning.line, warning.column)


def _show_place(text: str, line: int, column: int) -> None:
    shown, caret = excerpt(text, line, column).split("\n")
    errors.print(Text.assemble(shown, "\n", (caret, "bold red")), soft_wrap=True)
