"""Functions on contexts and on any value (DMN 1.5, 10.3.4.9, and Camunda's)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from ..convert import from_json, to_json
from ..errors import FeelLimitError, Unanswerable
from ..values import text
from .signature import builtin


@builtin("get value", "m: context, key: string")
def get_value(context: dict[str, Any], key: str) -> Any:
    return context.get(key)


@builtin("get value", "context: context, keys: list", origin="Camunda")
def get_value_at(context: dict[str, Any], keys: list[Any]) -> Any:
    found: Any = context
    for key in keys:
        if not isinstance(key, str):
            raise Unanswerable("a key is not a string")
        found = found.get(key) if isinstance(found, dict) else None
    return found


@builtin("get entries", "m: context")
def get_entries(context: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries: list")
def context_of(entries: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or "key" not in entry or "value" not in entry:
            raise Unanswerable("an entry is not a context of key and value")
        if not isinstance(entry["key"], str):
            raise Unanswerable("a key is not a string")
        if entry["key"] in made:
            raise Unanswerable(f"the key {entry['key']!r} occurs twice")
        made[entry["key"]] = entry["value"]
    return made


@builtin("context put", "context: context, key: string, value: any")
def context_put(context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**context, key: value}


@builtin("context put", "context: context, keys: list, value: any")
def context_put_at(context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    if not keys or not isinstance(keys[0], str):
        raise Unanswerable("the keys are no list of strings")
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = context.get(keys[0])
    if inner is not None and not isinstance(inner, dict):
        raise Unanswerable(f"the entry {keys[0]!r} is no context")
    return {**context, keys[0]: context_put_at(inner or {}, keys[1:], value)}


@builtin("context merge", "contexts: list")
def context_merge(contexts: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for context in contexts:
        if not isinstance(context, dict):
            raise Unanswerable("an item is no context")
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


@builtin("to json", "value: any", origin="Camunda")
def to_json_text(value: Any) -> str:
    return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"), default=_number)


def _number(value: Any) -> Any:
    # json knows no Decimal; a number that a float keeps is written as it is.
    if isinstance(value, Decimal) and Decimal(repr(float(value))) == value:
        return float(value)
    return text(value)


@builtin("from json", "value: string", origin="Camunda")
def from_json_text(value: str) -> Any:
    try:
        return from_json(json.loads(value, parse_float=Decimal))
    except (ValueError, ArithmeticError) as error:
        raise Unanswerable("the text is no JSON") from error
    except RecursionError:
        raise FeelLimitError("the JSON is nested too deeply") from None
