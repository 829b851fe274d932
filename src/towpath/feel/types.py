"""FEEL's types: what ``instance of`` asks, and what a DMN ``typeRef`` makes of a value.

DMN 1.5, 10.3.2.9 (conformance) and 10.3.2.9.4 (implicit conversions).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .calendar import UTC
from .temporal import Date, DateTime
from .values import Function, Range, kind


class NotConforming(Exception):
    """A value that does not conform to a type; the text says which part."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type: ``name`` is number, string, ..., Any, Null, list, context, range, function or unknown.

    ``of`` is the element type of a list or range; ``fields`` those of a context; ``parameters`` and
    ``result`` those of a function (None: anything). ``allowed`` is an item definition's constraint
    on a value (or, on a list's elements, it stands in ``of``).
    """

    name: str
    of: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()
    parameters: tuple[Type, ...] | None = None
    result: Type | None = None
    allowed: Callable[[Any], bool] | None = None
    label: str = ""

    def __str__(self) -> str:
        if self.label:
            return self.label
        if self.of is not None:
            return f"{self.name}<{self.of}>"
        if self.fields:
            return f"context<{', '.join(f'{name}: {of}' for name, of in self.fields)}>"
        if self.parameters is not None:
            return f"function<{', '.join(map(str, self.parameters))}>->{self.result or 'Any'}"
        return self.name


ANY = Type("Any")
NULL = Type("Null")
NUMBER = Type("number")
STRING = Type("string")
BOOLEAN = Type("boolean")

SIMPLE: Mapping[str, Type] = {
    "Any": ANY,
    "Null": NULL,
    "number": NUMBER,
    "string": STRING,
    "boolean": BOOLEAN,
    "date": Type("date"),
    "time": Type("time"),
    "date and time": Type("date and time"),
    "dateTime": Type("date and time"),
    "days and time duration": Type("days and time duration"),
    "dayTimeDuration": Type("days and time duration"),
    "years and months duration": Type("years and months duration"),
    "yearMonthDuration": Type("years and months duration"),
    "list": Type("list"),
    "context": Type("context"),
    "function": Type("function"),
    "range": Type("range"),
}


# What those who come from other languages write.
_FAMILIAR: Mapping[str, str] = {
    "integer": "number",
    "int": "number",
    "long": "number",
    "double": "number",
    "float": "number",
    "decimal": "number",
    "text": "string",
    "str": "string",
    "bool": "boolean",
    "datetime": "date and time",
    "timestamp": "date and time",
    "duration": "days and time duration",
    "array": "list",
    "object": "context",
    "map": "context",
}


def unknown_type(name: str) -> Type:
    """What stands for a type that nobody has defined: no value is of it."""
    return Type("unknown", label=name)


def undefined_in(wanted: Type) -> str | None:
    """What to say of the first part of a type that nobody has defined; None where all is known."""
    if wanted.name == "unknown":
        near = difflib.get_close_matches(wanted.label, SIMPLE, n=1)
        meant = _FAMILIAR.get(wanted.label.lower()) or (near[0] if near else None)
        return f"there is no type {wanted.label!r}" + (f", did you mean {meant!r}?" if meant else "")
    if wanted.label:
        return None  # a defined type, which may be a part of itself
    parts = [wanted.of, wanted.result, *(of for _, of in wanted.fields), *(wanted.parameters or ())]
    return next(filter(None, (undefined_in(part) for part in parts if part is not None)), None)


def is_instance(value: Any, wanted: Type) -> bool:
    """Whether a value is of a type; null is of the type Null only."""
    name = wanted.name
    if value is None:
        return name == "Null"
    if name == "Any":
        return True
    if wanted.allowed is not None and not wanted.allowed(value):
        return False
    if kind(value) != name:
        return False
    if name == "list" and wanted.of is not None:
        return all(_conforms(item, wanted.of) for item in value)
    if name == "context" and wanted.fields:
        return all(field in value and _conforms(value[field], of) for field, of in wanted.fields)
    if name == "range" and wanted.of is not None:
        assert isinstance(value, Range)
        ends = [end for end in (value.start, value.end) if end is not None]
        return bool(ends) and all(is_instance(end, wanted.of) for end in ends)
    if name == "function" and wanted.parameters is not None:
        assert isinstance(value, Function)
        return _function_conforms(value, wanted)
    return True


def _conforms(value: Any, wanted: Type) -> bool:
    """As ``is_instance``, but null conforms to every type (as it does inside lists and contexts)."""
    return value is None or is_instance(value, wanted)


def _function_conforms(function: Function, wanted: Type) -> bool:
    assert wanted.parameters is not None
    # Parameters are contravariant: what the type promises to pass, the function must take.
    if not any(
        all(subsumes(mine, theirs) for mine, theirs in zip(own, wanted.parameters, strict=True))
        for own in function.parameter_types(len(wanted.parameters))
    ):
        return False
    # Where a function's text does not tell what it answers, nothing speaks against it.
    return wanted.result is None or subsumes(wanted.result, function.result_type or ANY, unknown=True)


def subsumes(general: Type, special: Type, *, unknown: bool = False) -> bool:
    """Whether every value of ``special`` is one of ``general``.

    With ``unknown``, an ``Any`` in ``special`` stands for a type that is not known, and may be that of
    ``general``.
    """
    if general.name == "Any" or special.name == "Null" or (unknown and special.name == "Any"):
        return True
    if general.name != special.name:
        return False
    if general.of is not None:
        return subsumes(general.of, special.of, unknown=unknown) if special.of is not None else unknown
    if general.fields and not (unknown and not special.fields):
        fields = dict(special.fields)
        return all(
            name in fields and subsumes(of, fields[name], unknown=unknown) for name, of in general.fields
        )
    if general.parameters is not None:
        if special.parameters is None or len(special.parameters) != len(general.parameters):
            return False
        if not all(subsumes(s, g) for g, s in zip(general.parameters, special.parameters, strict=True)):
            return False
        return subsumes(general.result or ANY, special.result or ANY, unknown=unknown)
    return True


def coerce(value: Any, wanted: Type) -> Any:
    """The value as the type wants it, with FEEL's implicit conversions (DMN 1.5, 10.3.2.9.4).

    A list of one where one is wanted is its item; one where a list is wanted is a list of it; a date
    where a date and time is wanted is its midnight in UTC. Conversions are of the whole value, never of
    what is inside a list or context. Raises NotConforming.
    """
    if value is None or wanted.name == "Any" or is_instance(value, wanted):
        return value
    if type(value) is list and len(value) == 1 and _conforms(value[0], wanted):
        return value[0]
    if wanted.name == "list" and is_instance([value], wanted):
        return [value]
    if type(value) is Date and wanted.name == "date and time":
        midnight = DateTime(value, 0, UTC)
        if is_instance(midnight, wanted):
            return midnight
    raise NotConforming(_difference(value, wanted))


def _difference(value: Any, wanted: Type) -> str:
    """Why a value does not conform to a type."""
    found = kind(value)
    if wanted.name == "unknown":
        return str(undefined_in(wanted))
    if found != wanted.name:
        return f"{found} where {wanted} is wanted"
    for name, of in wanted.fields:
        if name not in value:
            return f"the field {name!r} of {wanted} is missing"
        if not _conforms(value[name], of):
            return f"the field {name!r}: {_difference(value[name], of)}"
    if found == "list" and wanted.of is not None:
        for number, item in enumerate(value, 1):
            if not _conforms(item, wanted.of):
                return f"item {number}: {_difference(item, wanted.of)}"
    if wanted.allowed is not None and not wanted.allowed(value):
        return f"the value is not among those that {wanted} allows"
    return f"{found} does not conform to {wanted}"
