"""Runs test cases in the format of the public DMN TCK (``testCases.xsd``) on this engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from towpath.faults import Faulty
from towpath.feel.types import ANY
from towpath.feel.values import text

from .files import read_file
from .graph import DecisionNode, Element, InputData, Knowledge, Service
from .item_types import child, children
from .model import Evaluation, Model
from .tck_values import agree, is_empty, typed, value_of

_NAMESPACE = "http://www.omg.org/spec/DMN/20160719/testcase"
_KINDS: Mapping[str, type[Element]] = {
    "decision": DecisionNode,
    "bkm": Knowledge,
    "decisionService": Service,
}
_REASONS = 3  # shown of a failure
_SHOWN = 300  # characters of a value in the report of a failure


@dataclass(frozen=True, slots=True)
class Failure:
    """One wrong result: what was asked for, both values as FEEL text, and the evaluation's own reasons."""

    asked: str
    expected: str
    got: str
    why: str

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"{self.asked}: expected {self.expected}, got {self.got}{why}"


@dataclass(frozen=True, slots=True)
class Case:
    """One test case's outcome.

    ``folder`` is relative to the folder that was run. ``valued`` tells that a value (not only null) is
    expected. A case passes without ``failures``.
    """

    folder: str
    file: str
    id: str
    valued: bool
    failures: tuple[Failure, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def reason(self) -> str:
        return "; ".join(map(str, self.failures))


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


def run(folder: Path, *, matching: str = "") -> Score:
    """Run every test case below ``folder``; see ``cases``."""
    return Score(list(cases(folder, matching=matching)))


def cases(folder: Path, *, matching: str = "") -> Iterator[Case]:
    """The outcome of every test case below ``folder``, at any depth, as they are run.

    Test files are those whose root is ``testCases`` of the TCK; other XML is passed over. A test file that
    cannot be read counts as one failed case, and the cases of a model that cannot be read as failed: nothing
    that is in a folder raises. ``matching`` keeps the cases that have the text, in any case of letters, in
    ``folder/file#id``. Raises NotADirectoryError where there is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    for file in sorted(folder.rglob("*.xml")):
        place = file.parent.relative_to(folder).as_posix()
        try:
            root = _parsed(file)
        except (etree.XMLSyntaxError, OSError) as error:
            if _matches(matching, place, file, ""):
                yield Case(place, file.name, "", False, (Failure(file.name, "test cases", "", str(error)),))
            continue
        if root.tag == f"{{{_NAMESPACE}}}testCases":
            yield from _TestFile(place, file, root).outcomes(matching)


def _parsed(file: Path) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(file.read_bytes(), parser)


def _matches(wanted: str, place: str, file: Path, id: str) -> bool:
    return wanted.casefold() in f"{place}/{file.name}#{id}".casefold()


class _TestFile:
    """A file of test cases with the models of its folder."""

    def __init__(self, place: str, file: Path, root: etree._Element) -> None:
        self.place = place
        self.file = file
        self.root = root
        self.now = dt.datetime.now(dt.UTC)
        self.model: Model | None = None
        self.problem = ""

    def outcomes(self, matching: str) -> Iterator[Case]:
        own = [
            case
            for case in children(self.root, "testCase")
            if _matches(matching, self.place, self.file, _id(case))
        ]
        if own:
            self._read()
        for case in own:
            yield self._case(case)

    def _read(self) -> None:
        path = self._model_path(sorted(self.file.parent.glob("*.dmn")))
        if path is None:
            self.problem = "the file names no model, and there is not just one beside it"
            return
        try:
            self.model = read_file(path, lenient=True)
        except Faulty as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"{path.name}: {error.strerror or error}"

    def _model_path(self, models: list[Path]) -> Path | None:
        named = child(self.root, "modelName")
        name = "" if named is None else (named.text or "").strip()
        if name:
            return self.file.parent / name
        stem = self.file.stem.rpartition("-test-")[0]
        of_stem = [path for path in models if path.stem == stem]
        return (of_stem or models)[0] if len(of_stem or models) == 1 else None

    def _case(self, case: etree._Element) -> Case:
        given = _inputs(case)
        valued, failures = False, []
        for node in children(case, "resultNode"):
            expected_node = child(node, "expected")
            expected = None if expected_node is None else value_of(expected_node)
            valued = valued or expected is not None
            if expected is None and expected_node is not None and is_empty(expected_node):
                wanted: list[Any] = [None, {}]
            elif node.get("errorResult") in ("true", "1"):
                wanted = [expected, None]
            else:
                wanted = [expected]
            failure = self._result(case, node, given, wanted)
            if failure is not None:
                failures.append(failure)
        return Case(self.place, self.file.name, _id(case), valued, tuple(failures))

    def _result(
        self, case: etree._Element, node: etree._Element, given: _Inputs, wanted: list[Any]
    ) -> Failure | None:
        """None where the result is one of the wanted."""
        name, asked = str(node.get("name")), _asked(case, node)
        expected = _shown(wanted[0])
        namespace = node.get("namespace") or case.get("namespace") or self.root.get("namespace")
        model = self._model_of(namespace)
        if model is None:
            return Failure(asked, expected, "nothing", self.problem)
        element = _element(model, asked, str(case.get("type") or "decision"))
        try:
            evaluation = model.evaluate(
                asked if element is None else element.id, given.values_for(model), now=self.now
            )
        except KeyError:
            return Failure(asked, expected, "nothing", f"the model has no {asked!r}")
        except Exception as error:  # a fault of this engine is a failed case, and no end of the run
            return Failure(asked, expected, "an error", f"{type(error).__name__}: {error}")
        value = evaluation.value
        values = [value]
        if isinstance(element, Service) and len(element.outputs) > 1 and isinstance(value, dict):
            # Of a service with several decisions the one may be meant whose name the result has.
            values += [value[name]] if name in value else []
        if any(agree(one, found) for one in wanted for found in values):
            return None
        return Failure(name, expected, _shown(value), _why(evaluation, model))

    def _model_of(self, namespace: str | None) -> Model | None:
        """The model under test or, where the namespace is that of an imported one, that."""
        models = [] if self.model is None else [self.model]
        for model in models:
            if model.namespace == namespace:
                return model
            models.extend(other for _, other in model.imports if other not in models)
        return self.model


def _id(case: etree._Element) -> str:
    return str(case.get("id") or case.get("name") or "")


def _asked(case: etree._Element, node: etree._Element) -> str:
    """The name of what is evaluated for a result."""
    if case.get("type") in ("bkm", "decisionService"):
        return str(case.get("invocableName") or node.get("name"))
    return str(node.get("name"))


def _element(model: Model, name: str, kind: str) -> Element | None:
    """What has the name in the model: of the kind, or else of another kind, or else by its id."""
    wanted = _KINDS.get(kind, DecisionNode)
    same = [
        element
        for element in model.elements.values()
        if not isinstance(element, InputData) and _bare(name) in (_bare(element.title), _bare(element.name))
    ]
    return next((e for e in same if isinstance(e, wanted)), same[0] if same else model.elements.get(name))


def _bare(name: str) -> str:
    return " ".join(name.split())


class _Inputs:
    """A case's inputs: ``own`` by name, and those that say a namespace by it and their name."""

    def __init__(self) -> None:
        self.own: dict[str, Any] = {}
        self.of_namespace: dict[tuple[str, str], Any] = {}

    def values_for(self, model: Model) -> dict[str, Any]:
        """The variables to evaluate the model with."""
        types = {e.name: e.type for e in model.elements.values() if isinstance(e, InputData)}
        values = {name: typed(value, types.get(name, ANY)) for name, value in self.own.items()}
        for (namespace, name), value in self.of_namespace.items():
            if namespace == model.namespace:
                values[name] = typed(value, types.get(name, ANY))
            else:
                # Where two models call an input the same, its namespace tells them apart.
                values.setdefault(namespace, {})[name] = typed(value)
                values.setdefault(name, typed(value))
        for name in self.own:
            prefix, dot, inner = name.partition(".")
            if dot and name not in types and isinstance(values.setdefault(prefix, {}), dict):
                values[prefix] = {inner.strip(): values[name], **values[prefix]}
        return values


def _inputs(case: etree._Element) -> _Inputs:
    found = _Inputs()
    for node in children(case, "inputNode"):
        name, namespace = str(node.get("name")), node.get("namespace")
        if namespace:
            found.of_namespace[namespace, name] = value_of(node)
        else:
            found.own[name] = value_of(node)
    return found


def _shown(value: Any) -> str:
    written = text(typed(value), inner=True)
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"


def _why(evaluation: Evaluation, model: Model) -> str:
    """The evaluation's own reasons and what is questionable about the model, the first few."""
    reasons = [evaluation.message] if evaluation.failed else []
    reasons += [str(warning["message"]) for record in evaluation.audit for warning in record["warnings"]]
    reasons += [str(fault) for fault in model.warnings]
    return "; ".join(list(dict.fromkeys(reasons))[:_REASONS])


__all__ = ["Case", "Failure", "Score", "agree", "cases", "run"]
