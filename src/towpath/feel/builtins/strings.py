"""Functions on strings (DMN 1.5, 10.3.4.3, and Camunda's)."""

from __future__ import annotations

import base64
import uuid as _uuid
from typing import Any

from .. import patterns
from ..errors import Unanswerable
from ..operators import Number
from ..sizes import check_string
from ..values import kind
from .signature import builtin


@builtin("substring", "string: string, start position: number, length: number =")
def substring(string: str, start: Number, length: Number | None = None) -> str:
    first = int(start)
    if first == 0 or abs(first) > len(string):
        raise Unanswerable(f"position {start} is outside of a string of {len(string)} characters")
    begin = first - 1 if first > 0 else len(string) + first
    if length is None:
        return string[begin:]
    if int(length) < 1:
        raise Unanswerable("the length is less than 1")
    return string[begin : begin + int(length)]


@builtin("string length", "string: string")
def string_length(string: str) -> int:
    return len(string)


@builtin("upper case", "string: string")
def upper_case(string: str) -> str:
    return string.upper()


@builtin("lower case", "string: string")
def lower_case(string: str) -> str:
    return string.lower()


@builtin("substring before", "string: string, match: string")
def substring_before(string: str, match: str) -> str:
    return string[: string.find(match)] if match in string else ""


@builtin("substring after", "string: string, match: string")
def substring_after(string: str, match: str) -> str:
    return string[string.find(match) + len(match) :] if match in string else ""


@builtin("contains", "string: string, match: string")
def contains(string: str, match: str) -> bool:
    return match in string


@builtin("starts with", "string: string, match: string")
def starts_with(string: str, match: str) -> bool:
    return string.startswith(match)


@builtin("ends with", "string: string, match: string")
def ends_with(string: str, match: str) -> bool:
    return string.endswith(match)


@builtin("matches", "input: string, pattern: string, flags: string =")
def matches(text: str, pattern: str, flags: str | None = None) -> bool:
    return patterns.matches(text, pattern, flags or "")


@builtin("replace", "input: string, pattern: string, replacement: string, flags: string =")
def replace(text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    return patterns.replaced(text, pattern, replacement, flags or "")


@builtin("split", "string: string, delimiter: string")
def split(string: str, delimiter: str) -> list[str]:
    return patterns.split_by(string, delimiter)


@builtin("extract", "input: string, pattern: string", origin="Camunda")
def extract(text: str, pattern: str) -> list[str]:
    return patterns.extracted(text, pattern)


@builtin("string join", "list: list, delimiter: string =")
def string_join(items: list[Any], delimiter: str | None = None) -> str:
    texts = []
    for place, item in enumerate(items, 1):
        if item is not None:
            if not isinstance(item, str):
                raise Unanswerable(f"item {place} is {kind(item)}, not a string")
            texts.append(item)
    check_string(sum(map(len, texts)) + len(delimiter or "") * len(texts))
    return (delimiter or "").join(texts)


@builtin("string join", "list: list, delimiter: string ?, prefix: string, suffix: string", origin="Camunda")
def string_join_between(items: list[Any], delimiter: str | None, prefix: str, suffix: str) -> str:
    joined = string_join(items, delimiter)
    check_string(len(prefix) + len(joined) + len(suffix))
    return prefix + joined + suffix


@builtin("trim", "string: string", origin="Camunda")
def trim(string: str) -> str:
    return string.strip()


@builtin("is blank", "string: string", origin="Camunda")
def is_blank(string: str) -> bool:
    return not string.strip()


@builtin("to base64", "value: string", origin="Camunda")
def to_base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


@builtin("uuid", "", runtime=True, origin="Camunda")
def uuid(runtime: Any) -> str:
    """A random UUID (version 4), from the caller's random source."""
    if runtime.random is None:
        raise Unanswerable("this evaluation has no random source")
    return str(_uuid.UUID(int=runtime.random.getrandbits(128), version=4))
