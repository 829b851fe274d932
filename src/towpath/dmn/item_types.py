"""Item definitions (DMN 1.5, 7.3.2) as FEEL types, and JSON values as those types want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from lxml import etree

from towpath.feel.expression import Expression
from towpath.feel.runtime import Runtime
from towpath.feel.temporal import parse_date, parse_date_and_time, parse_feel_duration, parse_time
from towpath.feel.types import ANY, SIMPLE, Type

from .state import hint

# Names of older versions, of XML Schema and of Camunda 7.
_ALIASES: Mapping[str, Type] = {
    "any": ANY,
    **dict.fromkeys(("integer", "int", "long", "short", "float", "double", "decimal"), SIMPLE["number"]),
    "Number": SIMPLE["number"],
    "String": SIMPLE["string"],
    "Boolean": SIMPLE["boolean"],
    "datetime": SIMPLE["date and time"],
    "duration": ANY,
    # What editors write for a type that nobody chose.
    "<Undefined>": ANY,
    "Undefined": ANY,
}

_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_and_time,
    "days and time duration": parse_feel_duration,
    "years and months duration": parse_feel_duration,
}

Constraint = Callable[[etree._Element, str], Expression | None]
Report = Callable[..., None]


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

    ``imported`` holds the types of imported models by their name here (``prefix.name``), ``prefixes``
    the imports' names by namespace; ``constraint`` compiles the allowed values of a definition.
    """

    def __init__(
        self,
        definitions: etree._Element,
        imported: Mapping[str, Type],
        constraint: Constraint,
        report: Report,
        prefixes: Mapping[str, str] | None = None,
    ) -> None:
        self._imported = imported
        self._constraint = constraint
        self._report = report
        self._prefixes = prefixes or {}
        self._known: dict[str, Type] = {}
        self._elements: dict[str, etree._Element] = {}
        self._open: list[Type] = []  # the types that are being read
        self._aliasing: list[str] = []  # the definitions that are being read, each only a name for the next
        for item in children(definitions, "itemDefinition"):
            name = _plain(item.get("name"))
            if name in self._elements:
                report("duplicate-name", f"the type {name!r} is defined twice", item, "Rename one of them.")
            elif name:
                self._elements[name] = item
        self.named: dict[str, Type] = dict(imported)
        for name in self._elements:
            found = self.of(name)
            if found is not None:
                self.named[name] = found

    def defines(self, name: str) -> bool:
        """Whether the type is defined in this document."""
        return name in self._elements

    def of(self, reference: str | None, node: etree._Element | None = None) -> Type | None:
        """The type of a ``typeRef``; an empty one is Any. None where nothing is so called.

        ``node`` is where it stands: in DMN 1.1 references are qualified by its XML namespaces.
        """
        name = _plain(reference)
        if not name:
            return ANY
        if name in self._known:
            return self._known[name]
        if name in self._elements:
            return self._defined(name)
        if name in self._imported:
            return self._imported[name]
        prefix, colon, bare = name.partition(":")
        if colon and node is not None:
            model = self._prefixes.get(str(node.nsmap.get(prefix, "")))
            if model is not None:
                return self._imported.get(f"{model}.{bare}" if model else bare)
        bare = name.rpartition(":")[2]  # DMN 1.1 wrote ``feel:string``
        found = SIMPLE.get(bare) or _ALIASES.get(bare)
        return found or (self.of(bare) if bare != name else None)

    def required(self, reference: str | None, node: etree._Element) -> Type:
        """As ``of``; where nothing is so called that is a fault, and the type Any."""
        found = self.of(reference, node)
        if found is not None:
            return found
        known = (*self._elements, *self._imported, *SIMPLE)
        self._report(
            "type",
            f"there is no type {reference!r}{hint(str(reference), known)}",
            node,
            "Define it, or use a type of FEEL.",
        )
        return ANY

    def values_of(self, reference: str | None) -> str:
        """The text of a definition's allowed values, as far as it is defined here."""
        seen: set[str] = set()
        name = _plain(reference)
        while name in self._elements and name not in seen:
            seen.add(name)
            item = self._elements[name]
            for part in ("allowedValues", "typeConstraint"):
                text = _text(child(item, part))
                if text:
                    return text
            name = _plain(_reference(item))
        return ""

    def component_names(self) -> set[str]:
        """Every name that a component of a definition has."""
        return {
            _plain(element.get("name"))
            for item in self._elements.values()
            for element in item.iter()
            if isinstance(element.tag, str) and local(element) == "itemComponent" and element.get("name")
        }

    def _defined(self, name: str) -> Type:
        # What a definition finds where it refers to itself; it becomes the type itself in the end.
        self._known[name] = own = Type("Any", label=name)
        self._open.append(own)
        item = self._elements[name]
        if self._is_alias(item):
            self._aliasing.append(name)
            if _plain(_reference(item)) in self._aliasing:
                circle = " -> ".join((*self._aliasing, _plain(_reference(item))))
                self._report(
                    "type",
                    f"types are defined by each other in a circle: {circle}",
                    item,
                    "Break the circle.",
                )
                self._aliasing.pop()
                self._open.pop()
                return own
            found = self._definition(item)
            self._aliasing.pop()
        else:
            # A component may be of the type that it is in; it is not so that one type is the other.
            aliasing, self._aliasing = self._aliasing, []
            found = self._definition(item)
            self._aliasing = aliasing
        self._open.pop()
        if any(found is unfinished for unfinished in self._open):
            self._known[name] = found
            return found
        found = replace(found, label=name)
        for slot in fields(Type):
            object.__setattr__(own, slot.name, getattr(found, slot.name))
        return own

    def _is_alias(self, item: etree._Element) -> bool:
        return not children(item, "itemComponent", "functionItem") and not _is_collection(item)

    def _definition(self, item: etree._Element) -> Type:
        components = children(item, "itemComponent")
        function = child(item, "functionItem")
        if components:
            parts = tuple((_plain(part.get("name")), self._definition(part)) for part in components)
            base = Type("context", fields=parts)
        elif function is not None:
            parameters = tuple(
                self.required(part.get("typeRef"), part) for part in children(function, "parameters")
            )
            result = self.required(function.get("outputTypeRef"), function)
            base = Type("function", parameters=parameters, result=result)
        else:
            base = self.required(_reference(item), item)
        base = self._constrained(base, child(item, "allowedValues"))
        if _is_collection(item):
            base = Type("list", of=base)
        return self._constrained(base, child(item, "typeConstraint"))

    def _constrained(self, base: Type, element: etree._Element | None) -> Type:
        text = _text(element)
        if element is None or not text or text == "-":
            return base
        allowed = self._constraint(element, text)
        if allowed is None:
            return base
        return replace(base, allowed=AllowedValues(allowed, base.allowed))


def _is_collection(item: etree._Element) -> bool:
    return item.get("isCollection") in ("true", "1")


def _plain(name: str | None) -> str:
    return " ".join((name or "").split())


def _text(element: etree._Element | None) -> str:
    text = None if element is None else child(element, "text")
    return "" if text is None else (text.text or "").strip()


def _reference(item: etree._Element) -> str | None:
    """A definition's typeRef; DMN 1.1 allowed it as an attribute, too."""
    reference = child(item, "typeRef")
    return reference.text if reference is not None else item.get("typeRef")


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
        own = dict(wanted.fields)
        return {key: adopted(item, own[key]) if key in own else item for key, item in value.items()}
    return value
