"""Functions on contexts and on any value (DMN 1.5, 10.3.4.9, and Camunda's)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from ..convert import from_json, to_json
from ..errors import FeelLimitError, Unanswerable
from ..sizes import check_size, check_string, shortened
from ..values import kind, number_text
from .signature import builtin


@builtin("get value", "context: context, key: string", origin="Camunda")
@builtin("get value", "m: context, key: string")
def get_value(context: dict[str, Any], key: str) -> Any:
    if key not in context:
        raise Unanswerable(f"no entry {shortened(key)}")
    return context[key]


@builtin("get value", "context: context, keys: list", origin="Camunda")
def get_value_at(context: dict[str, Any], keys: list[Any]) -> Any:
    found: Any = context if keys else None
    for key in keys:
        if not isinstance(key, str):
            raise Unanswerable("a key is not a string")
        if not isinstance(found, dict) or key not in found:
            raise Unanswerable(f"no entry {shortened(key)}")
        found = found[key]
    return found


@builtin("get entries", "context: context", origin="Camunda")
@builtin("get entries", "m: context")
def get_entries(context: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries: list")
def context_of(entries: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for place, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or "key" not in entry or "value" not in entry:
            raise Unanswerable(f"entry {place} is no context of key and value")
        if not isinstance(entry["key"], str):
            raise Unanswerable(f"the key of entry {place} is {kind(entry['key'])}, not a string")
        if entry["key"] in made:
            raise Unanswerable(f"the key {entry['key']!r} occurs twice")
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put", "context: context, key: string, value: any")
def context_put(context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**context, key: value}


@builtin("context put", "context: context, keys: list, value: any")
def context_put_at(context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    """A new context; contexts that are missing on the way are made, as Camunda has it."""
    if not keys or not all(isinstance(key, str) for key in keys):
        raise Unanswerable("the keys are no list of strings")
    outer = [context]
    for key in keys[:-1]:
        inner = outer[-1].get(key, {})
        if not isinstance(inner, dict):
            raise Unanswerable(f"the entry {key!r} is {kind(inner)}, not a context")
        outer.append(inner)
    made = value
    for key, around in zip(reversed(keys), reversed(outer), strict=True):
        made = {**around, key: made}
    return made  # type: ignore[no-any-return]


@builtin("context merge", "contexts: list")
def context_merge(contexts: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for place, context in enumerate(contexts, 1):
        if not isinstance(context, dict):
            raise Unanswerable(f"item {place} is {kind(context)}, not a context")
        merged.update(context)
    return merged


@builtin("is defined", "value: any", origin="Camunda")
def is_defined(value: Any) -> bool:
    return value is not None


@builtin("get or else", "value: any, default: any", origin="Camunda")
def get_or_else(value: Any, default: Any) -> Any:
    return default if value is None else value


@builtin("assert", "value: any, condition: any, cause: string =", origin="Camunda")
def asserted(value: Any, condition: Any, cause: str | None = None) -> Any:
    if condition is not True:
        raise Unanswerable(cause or "the assertion does not hold")
    return value


@builtin(
    "fromAi", "value: any, description: any =, type: any =, schema: any =, options: any =", origin="Camunda"
)
def from_ai(value: Any, *_: Any) -> Any:
    """The value itself: the rest tells an AI agent's connector what to fill in."""
    return value


@builtin("is", "value1: any, value2: any")
def same(value1: Any, value2: Any) -> bool:
    """The same kind and the same value, with the same zone: sharper than ``=``."""
    check_size(value1)
    check_size(value2)
    return _same(value1, value2)


def _same(a: Any, b: Any) -> bool:
    if kind(a) != kind(b):
        return False
    if type(a) is list:
        return len(a) == len(b) and all(map(_same, a, b))
    if type(a) is dict:
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    return bool(a == b)


@builtin("to json", "value: any", origin="Camunda")
def to_json_text(value: Any) -> str:
    pieces: list[str] = []
    _write(to_json(value), pieces)
    check_string(sum(map(len, pieces)))
    return "".join(pieces)


def _write(value: Any, pieces: list[str]) -> None:
    """JSON text with all digits of a number, which the json module has not."""
    if type(value) is list or type(value) is dict:
        opening, closing = "[]" if type(value) is list else "{}"
        pieces.append(opening)
        for index, item in enumerate(value):
            if index:
                pieces.append(",")
            if type(value) is dict:
                pieces.append(f"{json.dumps(item, ensure_ascii=False)}:")
                item = value[item]
            _write(item, pieces)
        pieces.append(closing)
    elif isinstance(value, int | Decimal) and type(value) is not bool:
        pieces.append(number_text(value))
    else:
        pieces.append(json.dumps(value, ensure_ascii=False))


@builtin("from json", "value: string", origin="Camunda")
def from_json_text(value: str) -> Any:
    try:
        return from_json(json.loads(value, parse_float=Decimal, parse_int=_integer, parse_constant=_refuse))
    except ValueError as error:
        raise Unanswerable(f"the text is no JSON: {error}") from error
    except RecursionError:
        raise FeelLimitError("the JSON is nested too deeply") from None


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= 34 else Decimal(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")
