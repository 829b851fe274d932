"""The elements of a requirement graph (DMN 1.5, clause 6), and how each gets its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from towpath.feel.convert import to_json
from towpath.feel.functions import NativeFunction
from towpath.feel.types import ANY, Type

from .boxed import Boxed, FunctionDefinition, Scope, conformed
from .item_types import adopted
from .state import State


@dataclass(eq=False, slots=True)
class Element:
    """``name`` is the variable's, under which others see the value."""

    id: str
    name: str
    type: Type = ANY

    def value(self, state: State) -> Any:
        """The element's value in this evaluation, reckoned once."""
        if self not in state.values:
            state.values[self] = self.reckoned(state)
        return state.values[self]

    def reckoned(self, state: State) -> Any:
        raise NotImplementedError


@dataclass(eq=False, slots=True)
class Requirement:
    """What an element needs, and (where it is of another model) that model's name here."""

    element: Element
    prefix: tuple[str, ...] = ()


def scope_of(state: State, requirements: Sequence[Requirement], hidden: frozenset[str]) -> dict[str, Any]:
    """The variables that an element sees: those that no input data declares, and what it requires."""
    scope: dict[str, Any] = {name: value for name, value in state.inputs.items() if name not in hidden}
    for requirement in requirements:
        place = scope
        for prefix in requirement.prefix:
            inner = place.get(prefix)
            place[prefix] = inner = dict(inner) if isinstance(inner, dict) else {}
            place = inner
        place[requirement.element.name] = requirement.element.value(state)
    return scope


@dataclass(eq=False, slots=True)
class InputData(Element):
    """A value from outside."""

    def reckoned(self, state: State) -> Any:
        value = adopted(state.inputs.get(self.name), self.type)
        return conformed(state, value, self.type, f"the input {self.name!r}")


@dataclass(eq=False, slots=True)
class DecisionNode(Element):
    """A decision; ``hidden`` are the names of the model's input data."""

    title: str = ""
    expression: Boxed | None = None
    requirements: list[Requirement] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()

    def reckoned(self, state: State) -> Any:
        scope = scope_of(state, self.requirements, self.hidden)
        outer, before = state.record, len(state.runtime.warnings)
        record: dict[str, Any] = {
            "decisionId": self.id,
            "decisionName": self.title,
            "decisionType": "unspecified" if self.expression is None else self.expression.kind,
            "inputs": [],
            "matchedRules": [],
            "output": None,
            "warnings": [],
        }
        state.record = record
        value = None
        if self.expression is not None:
            value = self.expression.evaluate(state, scope)
            value = conformed(state, value, self.type, f"the decision {self.title!r}")
        record["output"] = to_json(value)
        record["warnings"] = [
            {"message": warning.message, "line": warning.line, "column": warning.column}
            for warning in state.runtime.warnings[before:]
        ]
        state.audit.append(record)
        state.record = outer
        return value


@dataclass(eq=False, slots=True)
class Knowledge(Element):
    """A business knowledge model: a function of the model."""

    definition: FunctionDefinition | None = None
    requirements: list[Requirement] = field(default_factory=list)

    def parameters(self) -> tuple[tuple[str, Type], ...]:
        return () if self.definition is None else self.definition.parameters

    def reckoned(self, state: State) -> Any:
        if self.definition is None:
            return None
        scope: dict[str, Any] = {}
        function = self.definition.evaluate(state, scope)
        # Filled afterwards: a knowledge model may call itself, and what it requires may need it.
        state.values[self] = scope[self.name] = function
        # A function does not see the evaluation's inputs.
        bare = State(state.runtime, {})
        bare.values = state.values
        scope.update(scope_of(bare, self.requirements, frozenset()))
        return function


@dataclass(eq=False, slots=True)
class Service(Element):
    """A decision service: a function of its inputs (DMN 1.5, 10.4)."""

    outputs: list[DecisionNode] = field(default_factory=list)
    input_data: list[InputData] = field(default_factory=list)
    input_decisions: list[DecisionNode] = field(default_factory=list)
    kind: ClassVar[str] = "decisionService"

    def parameters(self) -> tuple[tuple[str, Type], ...]:
        return tuple((item.name, item.type) for item in (*self.input_data, *self.input_decisions))

    def reckoned(self, _: State) -> NativeFunction:
        def call(runtime: Any, arguments: list[Any]) -> Any:
            return self.invoked(runtime, arguments)

        return NativeFunction(self.name, self.parameters(), call, None)

    def invoked(self, runtime: Any, arguments: list[Any]) -> Any:
        """The one output decision's value, or a context of all."""
        state = State(runtime, {})
        for element, argument in zip((*self.input_data, *self.input_decisions), arguments, strict=True):
            state.values[element] = argument
        values = {decision.name: decision.value(state) for decision in self.outputs}
        value = next(iter(values.values())) if len(values) == 1 else values
        return conformed(state, value, self.type, f"the decision service {self.name!r}")


__all__ = ["DecisionNode", "Element", "InputData", "Knowledge", "Requirement", "Scope", "Service"]
