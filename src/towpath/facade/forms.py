"""form-js forms as JSON Schema, and what is wrong with a submission.

https://github.com/bpmn-io/form-js (schema version 18). What form-js evaluates with FEEL (conditions,
computed options, computed limits) is not known here; a field under a condition is never required.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

SHOWN_ONLY = frozenset(
    {"text", "html", "image", "button", "iframe", "separator", "spacer", "documentPreview"}
)
DATE = r"^\d{4}-\d{2}-\d{2}$"
TIME = r"^\d{2}:\d{2}"
DATE_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
PHONE = r"^\+?[0-9][0-9 ()/.-]{3,30}$"

Schema = dict[str, Any]
FieldError = dict[str, str]


@dataclass(frozen=True, slots=True)
class FileField:
    """A filepicker: its files become a variable that holds a list of document references."""

    key: str
    label: str
    accept: tuple[str, ...]
    multiple: bool
    required: bool

    def accepts(self, file_name: str, content_type: str) -> bool:
        """As HTML's ``accept``: extensions, media types, or ranges like ``image/*``."""
        if not self.accept:
            return True
        kind = content_type.split(";")[0].strip().lower()
        return any(
            file_name.lower().endswith(wanted)
            if wanted.startswith(".")
            else kind.startswith(wanted[:-1])
            if wanted.endswith("/*")
            else kind == wanted
            for wanted in self.accept
        )


@dataclass(slots=True)
class Form:
    """A form as the facade uses it. ``document`` is the form-js schema as it was deployed."""

    document: dict[str, Any]
    schema: Schema
    files: dict[str, FileField]
    labels: dict[str, str]
    fixed: frozenset[str] = frozenset()  # read-only or disabled: shown, and never taken from a submission
    _validator: Draft202012Validator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._validator = Draft202012Validator(self.schema)

    def errors(self, data: dict[str, Any]) -> list[FieldError]:
        """What is wrong with ``data``, a field each; empty where all is well.

        Empty texts and nulls count as not given, as in a form that was not filled in.
        """
        problems: list[FieldError] = []
        for error in self._validator.iter_errors(_given(data)):
            problems.extend(self._told(error))
        return sorted(problems, key=lambda problem: problem["field"])

    def taken(self, data: dict[str, Any]) -> dict[str, Any]:
        """``data`` without what the form only shows."""
        return {name: value for name, value in data.items() if name not in self.fixed}

    def _told(self, error: Any) -> Iterator[FieldError]:
        place = [str(part) for part in error.absolute_path]
        if error.validator == "required":
            # jsonschema tells of each missing member apart, and names it only in its message.
            for name in error.validator_value:
                if error.message.startswith(f"{name!r} "):
                    yield self._error([*place, name], "is required")
        elif error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for name in error.instance:
                if name not in known:
                    yield self._error([*place, name], "is not a field of the form")
        else:
            yield self._error(place, _reason(error))

    def _error(self, place: list[str], reason: str) -> FieldError:
        name = ".".join(place)
        return {"field": name, "message": f"{self.labels.get(name, name) or 'The data'} {reason}."}


def compile_form(text: str) -> Form:
    """The form in ``text`` (form-js JSON). Raises ValueError where it is none."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("A form is a JSON object.")
    reading = _Reading()
    schema = reading.object(document.get("components", []), ())
    schema["title"] = str(document.get("id") or "form")
    return Form(document, schema, reading.files, reading.labels, frozenset(reading.fixed))


class _Reading:
    def __init__(self) -> None:
        self.files: dict[str, FileField] = {}
        self.labels: dict[str, str] = {}
        self.fixed: set[str] = set()

    def object(self, components: list[dict[str, Any]], place: tuple[str, ...]) -> Schema:
        """The components of one level as an object schema."""
        schema: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
        self._add(schema, components, place)
        return schema

    def _add(self, schema: Schema, components: list[dict[str, Any]], place: tuple[str, ...]) -> None:
        for component in components:
            kind = component.get("type")
            if kind == "group":
                path = _path(component.get("path"))
                inner = _descend(schema, path)
                self._add(inner, component.get("components", []), (*place, *path))
            elif kind == "dynamiclist" and component.get("path"):
                *parents, name = _path(component["path"])
                items = self.object(component.get("components", []), (*place, *parents, name, "*"))
                _descend(schema, parents)["properties"][name] = {"type": "array", "items": items}
            elif component.get("key") and kind not in SHOWN_ONLY:
                self._field(schema, component, place)

    def _field(self, schema: Schema, component: dict[str, Any], place: tuple[str, ...]) -> None:
        *parents, name = _path(component["key"])
        full = ".".join((*place, *parents, name))
        label = str(component.get("label") or component.get("dateLabel") or full)
        self.labels[full] = label
        required = bool(_rules(component).get("required")) and not component.get("conditional")
        if component["type"] == "filepicker":
            accept = tuple(part.strip().lower() for part in str(component.get("accept") or "").split(","))
            self.files[full] = FileField(
                full, label, tuple(filter(None, accept)), bool(component.get("multiple")), required
            )
            return
        target = _descend(schema, parents)
        shown_only = bool(component.get("readonly") or component.get("disabled"))
        if shown_only and not place and not parents:
            self.fixed.add(name)
        property_ = {} if shown_only else _type_of(component)
        property_["title"] = label
        if component.get("description"):
            property_["description"] = str(component["description"])
        target["properties"][name] = property_
        if required and not shown_only:
            target.setdefault("required", []).append(name)


def _type_of(component: dict[str, Any]) -> Schema:
    """One field's schema, without what all have in common."""
    rules = _rules(component)
    match component["type"]:
        case "textfield" | "textarea":
            return _text(rules)
        case "number":
            return _number(component, rules)
        case "checkbox":
            # A required checkbox is one that has to be ticked.
            return {"type": "boolean", "const": True} if rules.get("required") else {"type": "boolean"}
        case "radio" | "select":
            options = _options(component)
            return {"enum": options} if options else {}
        case "checklist" | "taglist":
            options = _options(component)
            return {"type": "array", "items": {"enum": options} if options else {}, "uniqueItems": True}
        case "datetime":
            pattern = {"date": DATE, "time": TIME}.get(component.get("subtype", "date"), DATE_TIME)
            return {"type": "string", "pattern": pattern}
        case _:
            return {}


def _text(rules: dict[str, Any]) -> Schema:
    schema: Schema = {"type": "string"}
    for name in ("minLength", "maxLength"):
        if _is_number(rules.get(name)):
            schema[name] = int(rules[name])
    pattern = rules.get("pattern")
    if rules.get("validationType") == "email":
        schema |= {"format": "email", "pattern": EMAIL}
    elif rules.get("validationType") == "phone":
        schema["pattern"] = PHONE
    elif isinstance(pattern, str) and pattern:
        try:
            re.compile(pattern)
        except re.error:
            return schema  # JavaScript's dialect where it differs: the form itself still checks it
        schema["pattern"] = pattern
    return schema


def _number(component: dict[str, Any], rules: dict[str, Any]) -> Schema:
    if component.get("serializeToString"):
        return {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
    schema: Schema = {"type": "integer" if component.get("decimalDigits") == 0 else "number"}
    for name, keyword in (("min", "minimum"), ("max", "maximum")):
        if _is_number(rules.get(name)):
            number = float(rules[name])
            schema[keyword] = int(number) if number.is_integer() else number
    return schema


def _rules(component: dict[str, Any]) -> dict[str, Any]:
    rules = component.get("validate")
    return rules if isinstance(rules, dict) else {}


def _options(component: dict[str, Any]) -> list[Any]:
    """The values offered; none where they come from a variable or an expression."""
    values = component.get("values")
    if not isinstance(values, list):
        return []
    return [option["value"] for option in values if isinstance(option, dict) and "value" in option]


def _is_number(value: Any) -> bool:
    """Limits may be FEEL texts, which are the form's own affair; numbers may be written as texts."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _path(value: Any) -> list[str]:
    return [part for part in str(value or "").split(".") if part]


def _descend(schema: Schema, path: list[str]) -> Schema:
    for name in path:
        schema = schema["properties"].setdefault(
            name, {"type": "object", "properties": {}, "additionalProperties": False}
        )
    return schema


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _given(inner) for name, inner in value.items() if inner is not None and inner != ""}
    if isinstance(value, list):
        return [_given(inner) for inner in value]
    return value


def _reason(error: Any) -> str:
    limit = error.validator_value
    match error.validator:
        case "type":
            wanted = limit if isinstance(limit, str) else " or ".join(limit)
            return f"must be {'an' if wanted[0] in 'aeio' else 'a'} {wanted}"
        case "minLength":
            return f"must have at least {limit} characters"
        case "maxLength":
            return f"must have at most {limit} characters"
        case "minimum":
            return f"must be at least {limit}"
        case "maximum":
            return f"must be at most {limit}"
        case "pattern":
            return f"must match {limit}"
        case "enum":
            return "must be one of " + ", ".join(json.dumps(option, ensure_ascii=False) for option in limit)
        case "const":
            return "has to be ticked"
        case "uniqueItems":
            return "must not name anything twice"
        case _:
            return "is not valid"
