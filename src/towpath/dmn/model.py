"""A decision model, ready to evaluate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from towpath.feel.convert import clock, from_json, to_json
from towpath.feel.errors import FeelLimitError, Unanswerable
from towpath.feel.runtime import DEFAULT_LIMITS, Limits, Runtime
from towpath.feel.temporal import DateTime
from towpath.feel.types import Type
from towpath.feel.values import Function

from .graph import DecisionNode, Element, Knowledge, Service
from .item_types import adopted
from .state import State


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
    evaluated decision, the required ones first: ``decisionId``, ``decisionName``, ``decisionType``,
    ``inputs`` [{id, name, value}], ``matchedRules`` [{ruleId, ruleIndex (from 1), outputs [{id, name,
    value}]}], ``output`` and ``warnings`` [{message, line, column}]. ``value`` is the output as FEEL's own.
    """

    output: Any
    failed: bool = False
    message: str = ""
    audit: list[dict[str, Any]] = field(default_factory=list)
    value: Any = None


class Model:
    """``decisions`` are those of the model itself by id; ``namespace`` is what imports call it by."""

    def __init__(
        self, id: str, name: str, namespace: str, elements: Mapping[str, Element], types: Mapping[str, Type]
    ) -> None:
        self.id = id
        self.name = name
        self.namespace = namespace
        self.elements = elements
        self.types = types
        self.decisions: Mapping[str, Decision] = {
            element.id: Decision(element.id, element.title)
            for element in elements.values()
            if isinstance(element, DecisionNode)
        }

    def evaluate(
        self,
        decision_id: str,
        variables: Mapping[str, Any],
        *,
        now: dt.datetime | int | DateTime | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Evaluation:
        """Evaluate a decision, with what it requires, on JSON (or FEEL) values by name.

        ``decision_id`` may also be the decision's name, or the name of a decision service or of a
        business knowledge model, whose parameters are then taken from ``variables``. Raises KeyError
        where there is nothing so called; everything else is told by the Evaluation.
        """
        element = self._invocable(decision_id)
        runtime = Runtime(clock(now), limits)
        state = State(runtime, {name: from_json(value) for name, value in variables.items()})
        try:
            value = _value(element, state)
        except FeelLimitError as error:
            return Evaluation(None, True, str(error), state.audit)
        except RecursionError:
            return Evaluation(None, True, "the evaluation is nested too deeply", state.audit)
        if state.violation is not None:
            return Evaluation(None, True, state.violation, state.audit)
        return Evaluation(to_json(value), audit=state.audit, value=value)

    def _invocable(self, name: str) -> Element:
        found = self.elements.get(name)
        if found is None:
            for kind in (DecisionNode, Service, Knowledge):
                for element in self.elements.values():
                    title = element.title if isinstance(element, DecisionNode) else element.name
                    if isinstance(element, kind) and title == name:
                        return element
            raise KeyError(name)
        return found


def _value(element: Element, state: State) -> Any:
    """A decision's value; or a service's or knowledge model's, called with the inputs by name."""
    value = element.value(state)
    if not isinstance(value, Function) or not isinstance(element, Service | Knowledge):
        return value
    parameters = element.parameters()
    try:
        arguments = [adopted(state.inputs.get(name), wanted) for name, wanted in parameters]
        return value.call(state.runtime, arguments)
    except Unanswerable as reason:
        state.warn(str(reason))
        return None
