"""``towpath feel``: what it imports at first is what an expression without a fault needs, and starts fast."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from typing import Any

import typer

from towpath.cli import variables as given
from towpath.cli.values import encoded, raw, width, written
from towpath.feel import DateTime, FeelError, FeelSyntaxError, Result, compile
from towpath.feel.expression import Dialect


def command(
    text: str | None,
    *,
    contexts: Sequence[str],
    assignments: Sequence[str],
    unary: str | None,
    now: str | None,
    as_json: bool,
    as_raw: bool,
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
        result = evaluated(text, variables, dialect, moment)
        answer = _answer(result, as_json=as_json, as_raw=as_raw)
    except FeelError as error:
        if as_json:
            print(encoded({"error": _described(error)}))
        else:
            from towpath.cli import diagnostics

            diagnostics.show(error)
        raise typer.Exit(1) from None
    if result.warnings and not as_json:
        from towpath.cli import diagnostics

        diagnostics.show_warnings(result.warnings, text)
    print(answer)


def evaluated(text: str, variables: dict[str, Any], dialect: Dialect, moment: DateTime | None) -> Result:
    """Raises FeelError. Without a moment it is now, by the machine's clock."""
    expression = compile(text, names=variables, dialect=dialect)
    return expression.evaluate(variables, now=moment or given.local_now(), source=random.SystemRandom())


def _answer(result: Result, *, as_json: bool, as_raw: bool) -> str:
    if as_json:
        warnings = [warning._asdict() for warning in result.warnings]
        return encoded({"value": result.value, "warnings": warnings})
    if as_raw:
        return raw(result.value)
    return written(result.value, width())


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
