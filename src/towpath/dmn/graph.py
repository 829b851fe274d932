"""The elements of a requirement graph (DMN 1.5, clause 6), and how each gets its value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from towpath.feel.convert import to_json
from towpath.feel.functions import DefinedFunction
from towpath.feel.types import ANY, Type
from towpath.feel.values import Function

from .boxed import Boxed, FunctionDefinition, Scope, conformed
from .item_types import adopted
from .state import State, hint


@dataclass(eq=False, slots=True)
class Element:
    """``name`` is the variable's, under which others see the value; ``title`` the element's own."""

    id: str
    name: str
    type: Type = ANY
    title: str = ""

    def reckoned(self, state: State) -> Any:
        """The value, where those of all requirements are in ``state.values``."""
        raise NotImplementedError


@dataclass(eq=False, slots=True)
class Requirement:
    """What an element needs, and (where it is of another model) that model's name here.

    ``aliases`` are more names for the value. Camunda knows a required decision's result by its id.
    """

    element: Element
    prefix: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def first_names(self) -> tuple[str, ...]:
        """The names that this puts into scope."""
        return (self.prefix[0],) if self.prefix else (self.element.name, *self.aliases)


def order_of(roots: Iterable[Element], given: Collection[Element] = ()) -> tuple[Element, ...]:
    """The elements to evaluate, each after what it requires; ``given`` have their values already.

    Not recursive: a chain of requirements may be longer than Python's stack. Only knowledge models may
    require each other in a circle; they come in any order.
    """
    ordered: list[Element] = []
    seen: set[Element] = set(given)
    pending: list[tuple[Element, bool]] = [(root, False) for root in reversed(list(roots))]
    while pending:
        element, complete = pending.pop()
        if complete:
            ordered.append(element)
        elif element not in seen:
            seen.add(element)
            pending.append((element, True))
            if isinstance(element, DecisionNode | Knowledge):
                pending.extend((needed.element, False) for needed in reversed(element.requirements))
    return tuple(ordered)


def evaluate_all(state: State, ordered: Iterable[Element]) -> None:
    """Give every element its value in ``state.values``, once."""
    todo = [element for element in ordered if element not in state.values]
    knowledge: list[tuple[Knowledge, dict[str, Any]]] = []
    for element in todo:
        if isinstance(element, Knowledge):
            scope: dict[str, Any] = {}
            state.values[element] = element.function(state, scope)
            knowledge.append((element, scope))
        elif isinstance(element, Service):
            state.values[element] = element.reckoned(state)
    for element, scope in knowledge:
        # Filled afterwards: a knowledge model may call itself, and what it requires may need it.
        # A function does not see the evaluation's inputs.
        scope[element.name] = state.values[element]
        bind(state, scope, element.requirements)
    for element in todo:
        if not isinstance(element, Knowledge | Service):
            state.values[element] = element.reckoned(state)


def bind(state: State, scope: dict[str, Any], requirements: Sequence[Requirement]) -> None:
    """Put what is required into a scope; what an imported model has is in a context of its name."""
    for requirement in requirements:
        # Nothing is there of what a lenient reader took although it is required in a circle.
        value = state.values.get(requirement.element)
        place = scope
        for prefix in requirement.prefix:
            inner = place.get(prefix)
            place[prefix] = inner = dict(inner) if isinstance(inner, dict) else {}
            place = inner
        place[requirement.element.name] = value
        for alias in requirement.aliases:
            place[alias] = value


@dataclass(eq=False, slots=True)
class InputData(Element):
    """A value from outside."""

    def reckoned(self, state: State) -> Any:
        before = len(state.runtime.warnings)
        value, present = state.given(self)
        if not present:
            state.warn(
                f"no value is given for the input {self.name!r}{hint(self.name, state.inputs)}", self.id
            )
        value = conformed(state, adopted(value, self.type), self.type, f"the input {self.name!r}", self.id)
        if len(state.runtime.warnings) > before:
            state.journal.notes[self] = state.told(before)
        return value


@dataclass(eq=False, slots=True)
class DecisionNode(Element):
    """A decision; ``hidden`` are the names of the model's input data."""

    expression: Boxed | None = None
    requirements: list[Requirement] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()

    def reckoned(self, state: State) -> Any:
        scope = dict(state.ambient(self.hidden))
        bind(state, scope, self.requirements)
        record: dict[str, Any] = {
            "decisionId": self.id,
            "decisionName": self.title,
            "decisionType": "unspecified" if self.expression is None else self.expression.kind,
            "inputs": [],
            "matchedRules": [],
            "output": None,
            "warnings": [],
        }
        if state.service is not None:
            record["decisionService"] = state.service
        if record["decisionType"] != "decisionTable":
            record["inputs"] = self._inputs(state)
        outer, before = state.record, len(state.runtime.warnings)
        state.record = record
        value = None
        try:
            if self.expression is not None:
                value = self.expression.evaluate(state, scope)
                state.attribute(before, self.expression.element)
                value = conformed(state, value, self.type, f"the decision {self.title!r}", self.id)
            record["output"] = to_json(value)
        finally:
            notes = state.journal.notes
            inherited = [notes.get(requirement.element, ()) for requirement in self.requirements]
            record["warnings"] = [note for noted in inherited for note in noted] + state.told(before)
            state.journal.keep(record)
            state.record = outer
        return value

    def _inputs(self, state: State) -> list[dict[str, Any]]:
        """The required values, as the audit has them; a table tells its own."""
        return [
            {"id": needed.element.id, "name": needed.element.name, "value": to_json(value)}
            for needed in self.requirements
            if not isinstance(value := state.values.get(needed.element), Function)
        ]


@dataclass(eq=False, slots=True)
class Knowledge(Element):
    """A business knowledge model: a function of the model."""

    definition: FunctionDefinition | None = None
    requirements: list[Requirement] = field(default_factory=list)

    def parameters(self) -> tuple[tuple[str, Type], ...]:
        return () if self.definition is None else self.definition.parameters

    def function(self, state: State, scope: Scope) -> Function | None:
        return None if self.definition is None else self.definition.function(state, scope)


@dataclass(eq=False, slots=True)
class Service(Element):
    """A decision service: a function of its inputs (DMN 1.5, 10.4), input data first."""

    outputs: list[DecisionNode] = field(default_factory=list)
    input_data: list[InputData] = field(default_factory=list)
    input_decisions: list[DecisionNode] = field(default_factory=list)
    order: tuple[Element, ...] | None = None

    def inputs(self) -> tuple[Element, ...]:
        return (*self.input_data, *self.input_decisions)

    def parameters(self) -> tuple[tuple[str, Type], ...]:
        return tuple((item.name, item.type) for item in self.inputs())

    def reckoned(self, state: State) -> DefinedFunction:
        def call(runtime: Any, arguments: Sequence[Any]) -> Any:
            # What the decisions inside are worth here is nobody else's business.
            return self.invoked(State(runtime, {}, journal=state.journal), arguments)

        return DefinedFunction(self.parameters(), call, self.type, self.name)

    def fitted(self, state: State, arguments: Sequence[Any]) -> list[Any]:
        """Arguments as the inputs' types want them."""
        return [
            conformed(state, argument, wanted, f"the input {name!r}", self.id)
            for (name, wanted), argument in zip(self.parameters(), arguments, strict=True)
        ]

    def invoked(self, state: State, arguments: Sequence[Any]) -> Any:
        """The one output decision's value, or a context of all, for inputs that conform."""
        inputs = self.inputs()
        state.values.update(zip(inputs, arguments, strict=True))
        state.service = self.name
        if self.order is None:
            self.order = order_of(self.outputs, inputs)
        evaluate_all(state, self.order)
        values = {decision.name: state.values[decision] for decision in self.outputs}
        value = next(iter(values.values())) if len(values) == 1 else values or None
        return conformed(state, value, self.type, f"the decision service {self.name!r}", self.id)


__all__ = [
    "DecisionNode",
    "Element",
    "InputData",
    "Knowledge",
    "Requirement",
    "Service",
    "bind",
    "evaluate_all",
    "order_of",
]
