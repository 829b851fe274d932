"""Runs test cases in the format of the public DMN TCK (``testCases.xsd``) on this engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from towpath.faults import Faulty
from towpath.feel.operators import equals, is_number
from towpath.feel.temporal import parse_date, parse_date_and_time, parse_feel_duration, parse_time
from towpath.feel.values import whole

from .item_types import child, children
from .model import Model
from .reader import read

_TOLERANCE = Decimal("1e-8")  # within which the TCK compares numbers
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@dataclass(frozen=True, slots=True)
class Case:
    """One test case's outcome. ``valued`` tells that a value (not only null) is expected."""

    folder: str
    file: str
    id: str
    passed: bool
    valued: bool
    reason: str = ""


@dataclass(slots=True)
class Score:
    """All outcomes; ``str`` is the summary line."""

    cases: list[Case] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return sum(case.passed for case in self.cases)

    @property
    def valued(self) -> int:
        return sum(case.valued for case in self.cases)

    @property
    def valued_passed(self) -> int:
        return sum(case.valued and case.passed for case in self.cases)

    def __str__(self) -> str:
        return (
            f"passed {self.passed} of {len(self.cases)} ({self.valued_passed} of {self.valued} with a value)"
        )


def run(folder: Path) -> Score:
    """Run every test file below ``folder``."""
    score = Score()
    for file in sorted(folder.rglob("*.xml")):
        if file.with_suffix("").name.rpartition("-test-")[1]:
            score.cases.extend(_file_cases(file))
    return score


def _file_cases(file: Path) -> Iterator[Case]:
    root = etree.fromstring(file.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    name = child(root, "modelName")
    path = file.parent / str(name.text if name is not None else "").strip()
    model: Model | None = None
    problem = ""
    try:
        documents = {}
        for other in file.parent.glob("*.dmn"):
            if other != path:
                namespace = etree.fromstring(other.read_bytes()).get("namespace")
                documents[str(namespace)] = other.read_bytes()
        model = read(path.read_bytes(), path.name, imports=documents, lenient=True)
    except (Faulty, OSError) as error:
        problem = str(error)
    for case in children(root, "testCase"):
        yield _case(file, case, model, problem)


def _case(file: Path, case: etree._Element, model: Model | None, problem: str) -> Case:
    inputs = {str(node.get("name")): value_of(node) for node in children(case, "inputNode")}
    valued, reasons = False, []
    for node in children(case, "resultNode"):
        expected_node = child(node, "expected")
        expected = None if expected_node is None else value_of(expected_node)
        valued = valued or expected is not None
        if model is None:
            reasons.append(problem)
            continue
        asked = str(node.get("name"))
        if case.get("type") in ("bkm", "decisionService"):
            asked = str(case.get("invocableName") or asked)
        try:
            evaluation = model.evaluate(asked, inputs, now=dt.datetime.now(dt.UTC))
        except KeyError:
            reasons.append(f"there is no {asked!r}")
            continue
        if not agree(expected, evaluation.value):
            why = [str(warning["message"]) for record in evaluation.audit for warning in record["warnings"]]
            reasons.append(f"{asked}: expected {expected!r}, got {evaluation.value!r} {why[:2]}")
    return Case(file.parent.name, file.name, str(case.get("id")), not reasons, valued, "; ".join(reasons))


def value_of(node: etree._Element) -> Any:
    """The FEEL value that a ``valueType`` element holds."""
    single, items, components = child(node, "value"), child(node, "list"), children(node, "component")
    if single is not None:
        return _single(single)
    if items is not None:
        return None if items.get(_NIL) == "true" else [value_of(item) for item in children(items, "item")]
    if components:
        return {str(part.get("name")): value_of(part) for part in components if part.get("name") is not None}
    return None


def _single(node: etree._Element) -> Any:
    if node.get(_NIL) == "true":
        return None
    text = node.text or ""
    kind = str(node.get(_TYPE) or "string").rpartition(":")[2]
    if kind in ("decimal", "double", "integer", "int", "long", "float"):
        return whole(Decimal(text.strip()))
    if kind == "boolean":
        return text.strip() == "true"
    parse = {
        "date": parse_date,
        "time": parse_time,
        "dateTime": parse_date_and_time,
        "duration": parse_feel_duration,
        "dayTimeDuration": parse_feel_duration,
        "yearMonthDuration": parse_feel_duration,
    }.get(kind)
    return text if parse is None else parse(text.strip())


def agree(expected: Any, actual: Any) -> bool:
    """Whether two values are the same to the TCK: numbers within 1e-8, contexts by their entries."""
    if is_number(expected) and is_number(actual):
        return abs(Decimal(expected) - Decimal(actual)) < _TOLERANCE
    if type(expected) is not type(actual):
        return False
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(agree, expected, actual))
    if isinstance(expected, dict):
        return expected.keys() == actual.keys() and all(
            agree(value, actual[key]) for key, value in expected.items()
        )
    return expected is None or equals(expected, actual) is True
