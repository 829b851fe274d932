"""Boxed expressions (DMN 1.5, 10.2.2): each is read once and evaluated against a scope.

A scope is a dict of FEEL values by name. ``names`` in the constructors are those that the scope will
have, which the parser of the texts inside must know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from towpath.feel.errors import Unanswerable
from towpath.feel.expression import Expression
from towpath.feel.externals import external_function
from towpath.feel.functions import NativeFunction
from towpath.feel.iteration import domain
from towpath.feel.types import ANY, NotConforming, Type, coerce
from towpath.feel.values import Function, Range, kind

from .state import State

Scope = Mapping[str, Any]


def conformed(state: State, value: Any, wanted: Type, what: str) -> Any:
    """The value as its type wants it, or null with a warning (DMN 1.5, 10.3.2.9.4)."""
    if wanted is ANY:
        return value
    try:
        return coerce(value, wanted)
    except NotConforming as reason:
        state.warn(f"{what} is null: {reason}")
        return None


class Boxed:
    """Common to all: ``evaluate`` answers a FEEL value."""

    kind = "expression"

    def evaluate(self, state: State, scope: Scope) -> Any:
        raise NotImplementedError


@dataclass(slots=True)
class Unreadable(Boxed):
    """What could not be read stands for null, where a model is read leniently."""

    message: str
    kind = "unspecified"

    def evaluate(self, state: State, _: Scope) -> Any:
        state.warn(self.message)
        return None


@dataclass(slots=True)
class LiteralExpression(Boxed):
    expression: Expression
    type: Type = ANY
    kind = "literalExpression"

    def evaluate(self, state: State, scope: Scope) -> Any:
        value = self.expression.run(state.runtime, scope)
        return conformed(state, value, self.type, "the expression's value")


@dataclass(slots=True)
class Context(Boxed):
    """Entries see those before them; an entry without a name is the context's value."""

    entries: Sequence[tuple[str | None, Boxed, Type]]
    kind = "context"

    def evaluate(self, state: State, scope: Scope) -> Any:
        inner = dict(scope)
        context: dict[str, Any] = {}
        for name, boxed, wanted in self.entries:
            value = conformed(state, boxed.evaluate(state, inner), wanted, f"the entry {name!r}")
            if name is None:
                return value
            context[name] = inner[name] = value
        return context


@dataclass(slots=True)
class ListOf(Boxed):
    items: Sequence[Boxed]
    kind = "list"

    def evaluate(self, state: State, scope: Scope) -> list[Any]:
        return [item.evaluate(state, scope) for item in self.items]


@dataclass(slots=True)
class Relation(Boxed):
    columns: Sequence[tuple[str, Type]]
    rows: Sequence[Sequence[Boxed]]
    kind = "relation"

    def evaluate(self, state: State, scope: Scope) -> list[dict[str, Any]]:
        return [
            {
                name: conformed(state, cell.evaluate(state, scope), wanted, f"the column {name!r}")
                for (name, wanted), cell in zip(self.columns, row, strict=False)
            }
            for row in self.rows
        ]


@dataclass(slots=True)
class FunctionDefinition(Boxed):
    parameters: tuple[tuple[str, Type], ...]
    body: Boxed
    language: str = "FEEL"
    result: Type = ANY
    name: str = "function"
    kind = "functionDefinition"

    def evaluate(self, state: State, scope: Scope) -> Function | None:
        if self.language == "Java":
            described = self.body.evaluate(state, scope)
            return external_function(self.parameters, {"java": described})
        if self.language != "FEEL":
            state.warn(f"functions of kind {self.language} are not evaluated")
            return None
        names = [name for name, _ in self.parameters]

        def call(runtime: Any, arguments: list[Any]) -> Any:
            called = state.within(runtime)
            value = self.body.evaluate(called, {**scope, **dict(zip(names, arguments, strict=True))})
            state.violation = state.violation or called.violation
            return conformed(called, value, self.result, f"the result of {self.name}")

        return NativeFunction(self.name, self.parameters, call, self.result)


@dataclass(slots=True)
class Invocation(Boxed):
    function: Boxed
    bindings: Sequence[tuple[str, Boxed, Type]]
    kind = "invocation"

    def evaluate(self, state: State, scope: Scope) -> Any:
        function = self.function.evaluate(state, scope)
        if not isinstance(function, Function):
            state.warn(f"what is invoked is {kind(function)}, no function")
            return None
        arguments = {
            name: conformed(state, boxed.evaluate(state, scope), wanted, f"the argument {name!r}")
            for name, boxed, wanted in self.bindings
        }
        try:
            return function.call_named(state.runtime, arguments)
        except Unanswerable as reason:
            state.warn(str(reason))
            return None


@dataclass(slots=True)
class Conditional(Boxed):
    condition: Boxed
    then: Boxed
    otherwise: Boxed
    kind = "conditional"

    def evaluate(self, state: State, scope: Scope) -> Any:
        condition = self.condition.evaluate(state, scope)
        if condition is not None and type(condition) is not bool:
            state.warn(f"the condition is {kind(condition)}, not boolean")
            return None
        return (self.then if condition else self.otherwise).evaluate(state, scope)


@dataclass(slots=True)
class Iterator(Boxed):
    """``for``, ``some`` or ``every``."""

    quantifier: str
    variable: str
    source: Boxed
    body: Boxed
    kind = "iterator"

    def evaluate(self, state: State, scope: Scope) -> Any:
        try:
            items = domain(state.runtime, self.source.evaluate(state, scope))
        except Unanswerable as reason:
            state.warn(str(reason))
            return None
        inner = dict(scope)
        results: list[Any] = []
        for item in items:
            state.runtime.spend(1 + len(results) // 64)
            inner[self.variable] = item
            if self.quantifier == "for":
                inner["partial"] = results.copy()
            results.append(self.body.evaluate(state, inner))
        if self.quantifier == "for":
            return results
        deciding = self.quantifier == "some"
        if deciding in [result for result in results if isinstance(result, bool)]:
            return deciding
        return None if any(not isinstance(result, bool) for result in results) else not deciding


@dataclass(slots=True)
class Filter(Boxed):
    source: Boxed
    match: Boxed
    kind = "filter"

    def evaluate(self, state: State, scope: Scope) -> Any:
        value = self.source.evaluate(state, scope)
        if value is None or isinstance(value, Range):
            return None
        items = value if type(value) is list else [value]
        kept = []
        for item in items:
            state.runtime.spend(1)
            fields = item if type(item) is dict else {}
            outcome = self.match.evaluate(state, {**scope, "item": item, **fields})
            if type(outcome) is bool:
                if outcome:
                    kept.append(item)
            elif outcome is not None:
                index = int(outcome) if kind(outcome) == "number" else 0
                if index == 0 or abs(index) > len(items):
                    return None
                return items[index - 1 if index > 0 else index]
        return kept
