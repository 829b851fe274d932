"""The values of test cases in the TCK's format (``testCases.xsd``), and when one is the expected one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from towpath.feel.operators import equals, is_number
from towpath.feel.temporal import (
    Date,
    parse_any,
    parse_date,
    parse_date_and_time,
    parse_feel_duration,
    parse_time,
)
from towpath.feel.types import ANY, Type
from towpath.feel.values import DECIMAL, Function, whole

from .item_types import child, children

_TOLERANCE = Decimal("1e-8")  # within which the TCK compares numbers
_ZONE = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


class Untyped(str):
    """The text of a value that does not say its type, or that its type does not allow."""

    __slots__ = ()

    def readings(self) -> list[Any]:
        """All that the text can mean, itself first."""
        bare = self.strip()
        readings: list[Any] = [str(self)]
        if not bare:
            return [*readings, None]
        if bare == "null":
            readings.append(None)
        for parse in (_boolean, _number, parse_any):
            try:
                found = parse(bare)
            except ValueError:
                continue
            if found is not None:
                readings.append(found)
        return readings


def _boolean(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text)


def _number(text: str) -> int | Decimal:
    """Raises ValueError where the text is no number of FEEL, such as INF and NaN."""
    try:
        number = DECIMAL.create_decimal(text)
    except ArithmeticError:
        raise ValueError(text) from None
    if not number.is_finite():
        raise ValueError(text)
    return whole(number)


def _date(text: str) -> Date | None:
    """XML Schema's dates may have a zone, which FEEL's have not."""
    return parse_date(_ZONE.sub("", text))


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(
        [
            *("decimal", "double", "float", "integer", "int", "long", "short", "byte", "number"),
            *("nonNegativeInteger", "nonPositiveInteger", "positiveInteger", "negativeInteger"),
            *("unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
        ],
        _number,
    ),
    **dict.fromkeys(["duration", "dayTimeDuration", "yearMonthDuration"], parse_feel_duration),
    "boolean": _boolean,
    "date": _date,
    "time": parse_time,
    "dateTime": parse_date_and_time,
    "dateTimeStamp": parse_date_and_time,
}


def value_of(node: etree._Element) -> Any:
    """The FEEL value that a ``valueType`` element holds; null where it holds nothing."""
    if _is_nil(node):
        return None
    single, items, components = child(node, "value"), child(node, "list"), children(node, "component")
    if single is not None:
        return _single(single)
    if items is not None:
        return None if _is_nil(items) else [value_of(item) for item in children(items, "item")]
    if len(components) == 1 and components[0].get("name") is None and _is_nil(components[0]):
        return None
    if components:
        return {str(part.get("name")): value_of(part) for part in components if part.get("name") is not None}
    return None


def _is_nil(node: etree._Element) -> bool:
    return str(node.get(f"{_INSTANCE}nil")).strip() in ("true", "1")


def _single(node: etree._Element) -> Any:
    if _is_nil(node):
        return None
    text = "".join(map(str, node.itertext()))
    kind = str(node.get(f"{_INSTANCE}type") or "").strip().rpartition(":")[2]
    if not kind or kind in ("anyType", "anySimpleType", "anyAtomicType", "untypedAtomic"):
        return Untyped(text)
    parse = _PARSERS.get(kind)
    if parse is None:  # a string, or one of the types derived from it
        return text
    try:
        found = parse(text.strip())
    except ValueError:
        found = None
    return Untyped(text) if found is None else found


def is_empty(node: etree._Element) -> bool:
    """Whether a ``valueType`` element says nothing: the schema's way to write a context without entries."""
    return not _is_nil(node) and not children(node, "value", "list", "component")


def typed(value: Any, wanted: Type = ANY) -> Any:
    """An input's value, with untyped text read as the input's type in the model wants it."""
    if isinstance(value, Untyped):
        parse = {"number": _number, "boolean": _boolean}.get(wanted.name)
        try:
            found = None if parse is None else parse(value.strip())
        except ValueError:
            found = None
        return str(value) if found is None else found
    if isinstance(value, list):
        return [typed(item, wanted.of or ANY) for item in value]
    if isinstance(value, dict):
        fields = dict(wanted.fields)
        return {key: typed(item, fields.get(key, ANY)) for key, item in value.items()}
    return value


def agree(expected: Any, actual: Any) -> bool:
    """Whether two values are the same to the TCK: numbers within 1e-8, contexts by their entries."""
    if isinstance(expected, Untyped):
        return any(agree(reading, actual) for reading in expected.readings())
    if isinstance(actual, Function):
        return False
    if is_number(expected) and is_number(actual):
        return abs(Decimal(expected) - Decimal(actual)) <= _TOLERANCE
    if type(expected) is not type(actual):
        return False
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(agree, expected, actual))
    if isinstance(expected, dict):
        return expected.keys() == actual.keys() and all(
            agree(value, actual[key]) for key, value in expected.items()
        )
    return expected is None or equals(expected, actual) is True
