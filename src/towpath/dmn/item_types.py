"""Item definitions (DMN 1.5, 7.3.2) as FEEL types, and JSON values as those types want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from towpath.feel.expression import Expression
from towpath.feel.runtime import Runtime
from towpath.feel.temporal import parse_date, parse_date_and_time, parse_feel_duration, parse_time
from towpath.feel.types import ANY, SIMPLE, Type

# Names of older versions and of Camunda 7.
_ALIASES: Mapping[str, Type] = {
    "any": ANY,
    "integer": SIMPLE["number"],
    "long": SIMPLE["number"],
    "double": SIMPLE["number"],
    "Number": SIMPLE["number"],
    "String": SIMPLE["string"],
    "Boolean": SIMPLE["boolean"],
    "duration": ANY,
}

_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_and_time,
    "days and time duration": parse_feel_duration,
    "years and months duration": parse_feel_duration,
}

Constraint = Callable[[etree._Element, str], Expression | None]


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """Whether a value meets an item definition's ``tests``, and those that its base type has."""

    tests: Expression
    base: Callable[[Any], bool] | None = None

    def __call__(self, value: Any) -> bool:
        if self.base is not None and not self.base(value):
            return False
        return self.tests.run(Runtime(), {"?": value}) is True


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def line_of(element: etree._Element) -> int | None:
    """The line of the document, from 1."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else None


def children(element: etree._Element, *names: str) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str) and local(child) in names]


def child(element: etree._Element, name: str) -> etree._Element | None:
    found = children(element, name)
    return found[0] if found else None


class ItemTypes:
    """The types of one model: ``of(typeRef)`` answers the type or None where there is none.

    ``imported`` holds the types of imported models by their name there, ``prefix.name``;
    ``constraint`` compiles the allowed values of a definition.
    """

    def __init__(
        self, definitions: etree._Element, imported: Mapping[str, Type], constraint: Constraint
    ) -> None:
        self._elements = {
            str(item.get("name")): item
            for item in children(definitions, "itemDefinition")
            if item.get("name")
        }
        self._imported = imported
        self._constraint = constraint
        self._known: dict[str, Type | None] = {}
        self.named: dict[str, Type] = dict(imported)
        for name in self._elements:
            found = self.of(name)
            if found is not None:
                self.named[name] = found

    def of(self, reference: str | None) -> Type | None:
        """The type of a ``typeRef``; an empty one is Any. None where nothing is so called."""
        if not reference:
            return ANY
        name = " ".join(reference.split())
        if name in self._known:
            return self._known[name]
        if name in self._elements:
            self._known[name] = ANY  # what a definition finds where it refers to itself
            self._known[name] = found = replace(self._definition(self._elements[name]), label=name)
            return found
        if name in self._imported:
            return self._imported[name]
        # DMN 1.1 wrote ``feel:string``.
        bare = name.rpartition(":")[2]
        return SIMPLE.get(bare) or _ALIASES.get(bare) or (self.of(bare) if bare != name else None)

    def component_names(self) -> set[str]:
        """Every name that a component of a definition has."""
        return {
            str(element.get("name"))
            for item in self._elements.values()
            for element in item.iter()
            if isinstance(element.tag, str) and local(element) == "itemComponent" and element.get("name")
        }

    def _definition(self, item: etree._Element) -> Type:
        components = children(item, "itemComponent")
        function = child(item, "functionItem")
        reference = child(item, "typeRef")
        if components:
            fields = tuple((str(part.get("name")), self._definition(part)) for part in components)
            base = Type("context", fields=fields)
        elif function is not None:
            parameters = tuple(
                self.of(part.get("typeRef")) or ANY for part in children(function, "parameters")
            )
            base = Type(
                "function", parameters=parameters, result=self.of(function.get("outputTypeRef")) or ANY
            )
        else:
            base = self.of(reference.text if reference is not None else item.get("typeRef")) or ANY
        base = self._constrained(base, child(item, "allowedValues"))
        if item.get("isCollection") == "true":
            base = Type("list", of=base)
        return self._constrained(base, child(item, "typeConstraint"))

    def _constrained(self, base: Type, element: etree._Element | None) -> Type:
        text = child(element, "text") if element is not None else None
        if text is None or not (text.text or "").strip():
            return base
        allowed = self._constraint(text, text.text or "")
        if allowed is None:
            return base
        return replace(base, allowed=AllowedValues(allowed, base.allowed))


def adopted(value: Any, wanted: Type) -> Any:
    """A JSON value with the strings parsed that the type wants as dates, times or durations."""
    if wanted is ANY or value is None:
        return value
    if isinstance(value, str):
        parse = _FROM_TEXT.get(wanted.name)
        if parse is not None:
            parsed = parse(value)
            return value if parsed is None else parsed
        if wanted.name == "list" and wanted.of is not None:
            return adopted(value, wanted.of)
        return value
    if type(value) is list and wanted.of is not None:
        return [adopted(item, wanted.of) for item in value]
    if type(value) is list and len(value) == 1 and wanted.name != "list":
        return [adopted(value[0], wanted)]
    if type(value) is dict and wanted.fields:
        fields = dict(wanted.fields)
        return {key: adopted(item, fields[key]) if key in fields else item for key, item in value.items()}
    return value
