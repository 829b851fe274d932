"""A decision model, ready to evaluate."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from towpath.faults import Fault
from towpath.feel.convert import clock, from_json, to_json
from towpath.feel.errors import FeelLimitError, Unanswerable
from towpath.feel.runtime import DEFAULT_LIMITS, Limits, Runtime
from towpath.feel.temporal import DateTime
from towpath.feel.types import Type
from towpath.feel.values import Function

from .graph import DecisionNode, Element, InputData, Knowledge, Service, evaluate_all, order_of
from .item_types import adopted
from .state import Path, State

MAX_PATHS = 200  # by which imported models are looked for


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that can be asked for."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a decision answered, and how it came to it.

    ``output`` is a JSON value. ``failed`` tells that the decision could not be made (a limit was
    reached, or a table's rules break its hit policy) and ``message`` why. ``audit`` has one entry per
    evaluated decision, the required ones first:

    - ``decisionId``, ``decisionName``, ``decisionType`` (the kind of its expression),
    - ``decisionService``: the service's name, where one asked for it,
    - ``inputs`` [{id, name, value}]: a table's inputs, or of other decisions what they require,
    - ``matchedRules`` [{ruleId, ruleIndex (from 1), outputs [{id, name, value}]}],
    - ``output``,
    - ``warnings`` [{message, line, column, elementId}]: the position is in that element's text.

    ``value`` is the output as FEEL's own; of a failed decision it has null where the rules failed.
    """

    output: Any
    failed: bool = False
    message: str = ""
    audit: list[dict[str, Any]] = field(default_factory=list)
    value: Any = None


class Model:
    """Immutable, and safe to share among threads.

    ``decisions`` are those of the model itself by id; ``namespace`` is what imports call it by;
    ``imports`` are the models it imports with their names here; ``warnings`` what was questionable
    when it was read. ``elements`` are by id, ``types`` by name; of those ``exported_types`` are what
    importers see.
    """

    def __init__(
        self,
        id: str,
        name: str,
        namespace: str,
        elements: Mapping[str, Element],
        types: Mapping[str, Type],
        *,
        exported_types: Mapping[str, Type],
        imports: Sequence[tuple[str, Model]] = (),
        vocabulary: frozenset[str] = frozenset(),
        warnings: Sequence[Fault] = (),
    ) -> None:
        self.id = id
        self.name = name
        self.namespace = namespace
        self.elements = elements
        self.types = types
        self.exported_types = exported_types
        self.imports = tuple(imports)
        self.vocabulary = vocabulary
        self.warnings = tuple(warnings)
        self.decisions: Mapping[str, Decision] = {
            element.id: Decision(element.id, element.title)
            for element in elements.values()
            if isinstance(element, DecisionNode)
        }
        self._paths = self._input_paths()
        self._own = self._own_names()
        self._named = self._by_name()
        self._orders: dict[Element, tuple[Element, ...]] = {}

    def evaluate(
        self,
        decision_id: str,
        variables: Mapping[str, Any],
        *,
        now: dt.datetime | int | DateTime | None = None,
        limits: Limits = DEFAULT_LIMITS,
        source: random.Random | None = None,
    ) -> Evaluation:
        """Evaluate a decision, with what it requires, on JSON (or FEEL) values by name.

        ``decision_id`` may also be the decision's name, or the name of a decision service or of a
        business knowledge model, whose parameters are then taken from ``variables``; what an imported
        model has is called ``import.name``. An imported model's inputs are found in ``variables`` as
        ``{import: {name: value}}`` or ``{namespace: {name: value}}``, or else by their bare name.
        ``now`` is what ``now()`` answers (an int is ms since the epoch), ``source`` what ``uuid()`` and
        ``random number()`` draw from; without them these are null.
        Raises KeyError where there is nothing so called; everything else is told by the Evaluation.
        """
        element = self._invocable(decision_id)
        inputs = {name: from_json(value) for name, value in variables.items()}
        state = State(Runtime(clock(now), limits, source), inputs, self._paths)
        try:
            value = self._value(element, state)
            output = None if state.violation is not None else to_json(value)
        except FeelLimitError as error:
            return Evaluation(None, True, str(error), state.audit)
        except RecursionError:
            return Evaluation(None, True, "the evaluation is nested too deeply", state.audit)
        if state.violation is not None:
            return Evaluation(None, True, state.violation, state.audit, value)
        return Evaluation(output, audit=state.audit, value=value)

    def parameters(self, decision_id: str) -> dict[str, Type]:
        """The variables that an evaluation of this takes, by name, with their types.

        Of a decision these are the inputs that it requires, directly or not. Raises KeyError.
        """
        element = self._invocable(decision_id)
        if isinstance(element, Service | Knowledge):
            return dict(element.parameters())
        return {needed.name: needed.type for needed in self._order(element) if isinstance(needed, InputData)}

    def _invocable(self, name: str) -> Element:
        found = self.elements.get(name) or self._named.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def _order(self, element: Element) -> tuple[Element, ...]:
        found = self._orders.get(element)
        if found is None:
            found = self._orders[element] = order_of([element])
        return found

    def _value(self, element: Element, state: State) -> Any:
        """A decision's value; or a service's or knowledge model's, called with the inputs by name."""
        evaluate_all(state, self._order(element))
        value = state.values[element]
        if isinstance(element, Service):
            arguments = [_argument(state, item) for item in element.inputs()]
            # Asked for directly, it sees what no input declares, as its decisions do when asked.
            inner = State(state.runtime, state.inputs, state.paths, state.journal)
            return element.invoked(inner, element.fitted(state, arguments))
        if isinstance(element, Knowledge) and isinstance(value, Function):
            arguments = [adopted(state.inputs.get(name), wanted) for name, wanted in element.parameters()]
            try:
                return value.call(state.runtime, arguments)
            except Unanswerable as reason:
                state.warn(str(reason), element.id)
                return None
        return value

    def _input_paths(self) -> dict[Element, tuple[Path, ...]]:
        """Where the inputs of imported models stand among the variables."""
        found: dict[Element, list[Path]] = {}
        pending: list[tuple[Path, Model]] = [
            ((prefix,) if prefix else (), model) for prefix, model in self.imports
        ]
        for path, model in pending:
            for element in model.elements.values():
                if isinstance(element, InputData | DecisionNode):
                    paths = found.setdefault(element, [(model.namespace,)])
                    if path and path not in paths:
                        paths.append(path)
            if len(pending) < MAX_PATHS:
                pending.extend(
                    ((*path, prefix) if prefix else path, other) for prefix, other in model.imports
                )
        return {element: tuple(paths) for element, paths in found.items()}

    def _own_names(self) -> dict[str, Element]:
        """What can be asked for by name: decisions before services before knowledge models."""
        found: dict[str, Element] = {}
        for kind in (DecisionNode, Service, Knowledge):
            for element in self.elements.values():
                if isinstance(element, kind):
                    found.setdefault(element.title, element)
                    found.setdefault(element.name, element)
        for prefix, model in self.imports:
            if not prefix:
                found = {**model._own, **found}
        return found

    def _by_name(self) -> dict[str, Element]:
        found = dict(self._own)
        for prefix, model in self.imports:
            for name, element in model._own.items() if prefix else ():
                found.setdefault(f"{prefix}.{name}", element)
        return found


def _argument(state: State, element: Element) -> Any:
    value, _ = state.given(element)
    return adopted(value, element.type)
