"""The variables that a command is given: JSON or FEEL, from files, standard input or the command line."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from towpath.feel import DateTime, FeelError, compile
from towpath.feel.convert import clock, date_time, from_json
from towpath.feel.temporal import parse_date_and_time


class Unusable(typer.BadParameter):
    """What was given cannot be used; the command ends with status 2."""


def read(sources: Sequence[str], assignments: Sequence[str], option: str) -> dict[str, Any]:
    """All variables as FEEL values by name; what comes later replaces what came before.

    A source is a file, ``-`` for standard input, or the context itself (``{"x": 1}``). An assignment is
    ``name=value``; its value may read the variables before it. Raises Unusable, naming the ``option``.
    """
    variables: dict[str, Any] = {}
    for source in sources:
        variables.update(_context(source, option))
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise Unusable(
                f"{assignment!r} is not NAME=VALUE; write for example amount=250.", param_hint="--var"
            )
        variables[name.strip()] = _value(value, variables, f"--var {name.strip()}")
    return variables


def from_stdin(source: str) -> bool:
    return source == "-"


def _context(source: str, option: str) -> dict[str, Any]:
    if from_stdin(source):
        text, place = sys.stdin.read(), "standard input"
    elif source.lstrip().startswith("{"):
        text, place = source, "the text"
    else:
        try:
            text, place = Path(source).read_text(encoding="utf-8-sig"), source
        except UnicodeDecodeError:
            raise Unusable(f"{source} is not UTF-8 text.", param_hint=option) from None
        except OSError as error:
            raise Unusable(f"{source}: {error.strerror or error}.", param_hint=option) from None
    found = _json(text)
    if found is _NOT_JSON:
        if place.endswith(".json"):
            raise Unusable(f"{place} is not JSON: {_fault_of_json(text)}.", param_hint=option)
        found = _value(text, {}, option)
    if not isinstance(found, dict):
        raise Unusable(
            f'{place} does not hold an object with the variables, such as {{"x": 1}}.', param_hint=option
        )
    return found


_NOT_JSON: Any = object()


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _loaded(text: str) -> Any:
    return from_json(json.loads(text, parse_float=Decimal, parse_constant=_no_number))


def _json(text: str) -> Any:
    try:
        return _loaded(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _fault_of_json(text: str) -> str:
    try:
        _loaded(text)
    except RecursionError:
        return "it is nested too deeply"
    except ValueError as error:
        return str(error)
    return "nothing is wrong with it"


def value(text: str, option: str) -> Any:
    """One value, from JSON or FEEL text. Raises Unusable, naming the ``option``."""
    return _value(text, {}, option)


def _value(text: str, variables: Mapping[str, Any], option: str) -> Any:
    found = _json(text)
    if found is not _NOT_JSON:
        return found
    try:
        result = compile(text, names=variables).evaluate(variables, now=local_now())
    except FeelError as error:
        raise Unusable(f"neither JSON nor FEEL: {error}", param_hint=option) from None
    if result.warnings:
        reason = result.warnings[0].message
        hint = "" if " " in text.strip() else f" Write a string in quotes: '\"{text.strip()}\"'."
        raise Unusable(f"{reason}.{hint if 'not found' in reason else ''}", param_hint=option)
    return result.value


def local_now() -> DateTime:
    """This machine's clock, with its offset."""
    return date_time(dt.datetime.now().astimezone())


def moment(text: str | None) -> DateTime:
    """What ``--now`` says; the machine's clock where it was not given. A local time is in its zone."""
    if text is None:
        return local_now()
    found = parse_date_and_time(text.strip())
    if found is None:
        raise Unusable(
            f"{text!r} is no date and time; write for example 2026-11-22T10:00:00Z.", param_hint="--now"
        )
    if found.zone is None:
        try:
            local = dt.datetime.fromisoformat(str(found)).astimezone()
        except (ValueError, OverflowError):
            raise Unusable(f"{text!r} has no offset, such as Z or +01:00.", param_hint="--now") from None
        found = clock(local)
        assert found is not None
    return found
