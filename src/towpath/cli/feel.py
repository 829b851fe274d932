"""``towpath feel``: what it imports at first is what an expression without a fault needs, and starts fast."""

from __future__ import annotations

import random
import sys
from collections.abc import Collection, Sequence
from enum import Enum
from typing import Any

import typer

from towpath.cli import variables as given
from towpath.cli.values import encoded, raw, width, written
from towpath.feel import DateTime, FeelError, FeelSyntaxError, Result, compile, format
from towpath.feel.expression import Dialect

_WIDTH = 100  # columns of a text that is not for a terminal


class Form(Enum):
    """What is printed: the value as FEEL, a string without its quotes, JSON, or the text laid out."""

    FEEL = "feel"
    RAW = "raw"
    JSON = "json"
    LAYOUT = "layout"


def command(
    text: str | None,
    *,
    contexts: Sequence[str],
    assignments: Sequence[str],
    unary: str | None,
    now: str | None,
    form: Form,
) -> None:
    """Evaluate ``text``, or what standard input holds; at a terminal without either, ask for expressions."""
    wanted = [source for source in (text, *contexts) if source is not None and given.from_stdin(source)]
    if len(wanted) > 1:
        raise given.Unusable("only one of expression and contexts can be read from standard input.")
    moment = None if now is None else given.moment(now)
    variables = given.read(contexts, assignments, "--context")
    dialect: Dialect = "expression"
    if unary is not None:
        dialect = "unary-tests"
        variables["?"] = given.value(unary, "--unary")
    if text is None and not wanted and sys.stdin.isatty():
        from towpath.cli import prompt

        prompt.run(variables, dialect, moment)
        return
    if text is None and wanted:
        raise given.Unusable("the expression is missing: standard input is read as a context.")
    if text is None or given.from_stdin(text):
        text = sys.stdin.read()
    try:
        if form is Form.LAYOUT:
            print(_laid_out(text, variables, dialect))
            return
        result = evaluated(text, variables, dialect, moment)
        answer = _answer(result, form)
    except FeelError as error:
        if form is Form.JSON:
            print(encoded({"error": _described(error)}))
        else:
            from towpath.cli import diagnostics

            diagnostics.show(error)
        raise typer.Exit(1) from None
    if result.warnings and form is not Form.JSON:
        from towpath.cli import diagnostics

        diagnostics.show_warnings(result.warnings, text)
    print(answer)


def evaluated(text: str, variables: dict[str, Any], dialect: Dialect, moment: DateTime | None) -> Result:
    """Raises FeelError. Without a moment it is now, by the machine's clock."""
    expression = compile(text, names=variables, dialect=dialect)
    return expression.evaluate(variables, now=moment or given.local_now(), source=random.SystemRandom())


def _answer(result: Result, form: Form) -> str:
    if form is Form.JSON:
        warnings = [warning._asdict() for warning in result.warnings]
        return encoded({"value": result.value, "warnings": warnings})
    if form is Form.RAW:
        return raw(result.value)
    return written(result.value, width())


def _laid_out(text: str, names: Collection[str], dialect: Dialect) -> str:
    columns = width()
    return format(text.strip(), names=names, dialect=dialect, width=_WIDTH if columns is None else columns)


def _described(error: FeelError) -> dict[str, Any]:
    if not isinstance(error, FeelSyntaxError):
        return {"message": str(error)}
    return {
        "message": error.message,
        "line": error.line,
        "column": error.column,
        "expected": list(error.expected),
        "hint": error.hint,
    }
