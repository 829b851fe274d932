"""Boxed expressions (DMN 1.5, 10.2.2): each is read once and evaluated against a scope.

A scope is a dict of FEEL values by name. What a boxed expression answers is what its counterpart in
FEEL text answers (10.3.2.6 to 10.3.2.14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from towpath.feel.errors import Unanswerable
from towpath.feel.expression import Expression
from towpath.feel.externals import external_function
from towpath.feel.functions import DefinedFunction
from towpath.feel.iteration import domain
from towpath.feel.properties import PROPERTIES
from towpath.feel.types import ANY, NotConforming, Type, coerce
from towpath.feel.values import Function, kind

from .state import State

Scope = Mapping[str, Any]


def conformed(state: State, value: Any, wanted: Type, what: str, element: str = "") -> Any:
    """The value as its type wants it, or null with a warning (DMN 1.5, 10.3.2.9.4)."""
    if wanted is ANY:
        return value
    try:
        return coerce(value, wanted)
    except NotConforming as reason:
        state.warn(f"{what} is null: {reason}", element)
        return None


class Boxed:
    """Common to all: ``evaluate`` answers a FEEL value; ``element`` is the id to tell in warnings."""

    kind = "expression"
    element: str = ""

    def evaluate(self, state: State, scope: Scope) -> Any:
        raise NotImplementedError


@dataclass(slots=True)
class Unreadable(Boxed):
    """What could not be read stands for null, where a model is read leniently."""

    message: str
    kind = "unspecified"

    def evaluate(self, state: State, _: Scope) -> Any:
        state.warn(self.message, self.element)
        return None


@dataclass(slots=True)
class Nothing(Boxed):
    """An empty cell: null without a warning."""

    kind = "unspecified"

    def evaluate(self, _: State, __: Scope) -> None:
        return None


@dataclass(slots=True)
class Typed(Boxed):
    """An expression whose value is to be of a type."""

    boxed: Boxed
    type: Type
    kind: str = "expression"

    def evaluate(self, state: State, scope: Scope) -> Any:
        value = self.boxed.evaluate(state, scope)
        return conformed(state, value, self.type, "the expression's value", self.element)


@dataclass(slots=True)
class LiteralExpression(Boxed):
    expression: Expression
    type: Type = ANY
    kind = "literalExpression"

    def evaluate(self, state: State, scope: Scope) -> Any:
        warnings = state.runtime.warnings
        before = len(warnings)
        value = self.expression.run(state.runtime, scope)
        if self.type is not ANY:
            value = conformed(state, value, self.type, "the expression's value", self.element)
        if len(warnings) > before:
            state.attribute(before, self.element)
        return value


@dataclass(slots=True)
class Context(Boxed):
    """Entries see those before them; a last entry without a name is the context's value."""

    entries: Sequence[tuple[str | None, Boxed, Type]]
    kind = "context"

    def evaluate(self, state: State, scope: Scope) -> Any:
        inner = dict(scope)
        context: dict[str, Any] = {}
        for name, boxed, wanted in self.entries:
            before = len(state.runtime.warnings)
            value = boxed.evaluate(state, inner)
            state.attribute(before, boxed.element)
            value = conformed(state, value, wanted, f"the entry {name!r}", self.element)
            if name is None:
                return value
            if name in context:
                state.warn(f"the entry {name!r} occurs twice", self.element)
                return None
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
    """A list of contexts; every row has a cell for every column."""

    columns: Sequence[tuple[str, Type]]
    rows: Sequence[Sequence[Boxed]]
    kind = "relation"

    def evaluate(self, state: State, scope: Scope) -> list[dict[str, Any]]:
        return [
            {
                name: conformed(
                    state, cell.evaluate(state, scope), wanted, f"the column {name!r}", self.element
                )
                for (name, wanted), cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]


@dataclass(slots=True)
class FunctionDefinition(Boxed):
    """``recursive`` tells that the function sees itself by its name."""

    parameters: tuple[tuple[str, Type], ...]
    body: Boxed
    language: str = "FEEL"
    result: Type = ANY
    name: str = "function"
    recursive: bool = False
    kind = "functionDefinition"

    def evaluate(self, state: State, scope: Scope) -> Function | None:
        # What comes later into the scope is none of the function's.
        own = dict(scope)
        function = self.function(state, own)
        if self.recursive:
            own[self.name] = function
        return function

    def function(self, state: State, scope: Scope) -> Function | None:
        """The function, which looks into ``scope`` when it is called."""
        if self.language == "Java":
            described = self.body.evaluate(state, scope)
            return self._typed(state, external_function(self.parameters, {"java": described}))
        if self.language != "FEEL":
            state.warn(f"functions of kind {self.language} are not evaluated", self.element)
            return None
        names = [name for name, _ in self.parameters]
        body = self.body

        def call(runtime: Any, arguments: Sequence[Any]) -> Any:
            called = state.within(runtime)
            before = len(runtime.warnings)
            value = body.evaluate(called, {**scope, **dict(zip(names, arguments, strict=True))})
            if len(runtime.warnings) > before:
                called.attribute(before, body.element)
            return conformed(called, value, self.result, f"the result of {self.name}", self.element)

        return DefinedFunction(self.parameters, call, self.result, self.name)

    def _typed(self, state: State, function: DefinedFunction) -> Function:
        if self.result is ANY:
            return function

        def call(runtime: Any, arguments: Sequence[Any]) -> Any:
            value = function.body(runtime, arguments)
            return conformed(
                state.within(runtime), value, self.result, f"the result of {self.name}", self.element
            )

        return DefinedFunction(self.parameters, call, self.result, self.name)


@dataclass(slots=True)
class Invocation(Boxed):
    function: Boxed
    bindings: Sequence[tuple[str, Boxed, Type]]
    kind = "invocation"

    def evaluate(self, state: State, scope: Scope) -> Any:
        function = self.function.evaluate(state, scope)
        if not isinstance(function, Function):
            state.warn(f"what is invoked is {kind(function)}, no function", self.element)
            return None
        arguments = {
            name: conformed(
                state, boxed.evaluate(state, scope), wanted, f"the argument {name!r}", self.element
            )
            for name, boxed, wanted in self.bindings
        }
        try:
            if len(arguments) < len(self.bindings):
                raise Unanswerable("an argument is named twice")
            return function.call_named(state.runtime, arguments)
        except Unanswerable as reason:
            state.warn(str(reason), self.element)
            return None


@dataclass(slots=True)
class Conditional(Boxed):
    """As FEEL's ``if``: null is false."""

    condition: Boxed
    then: Boxed
    otherwise: Boxed
    kind = "conditional"

    def evaluate(self, state: State, scope: Scope) -> Any:
        condition = self.condition.evaluate(state, scope)
        if condition is not None and type(condition) is not bool:
            state.warn(f"the condition is {kind(condition)}, not boolean", self.element)
            return None
        return (self.then if condition else self.otherwise).evaluate(state, scope)


@dataclass(slots=True)
class Iterator(Boxed):
    """``for``, ``some`` or ``every``; ``partial`` tells that the body reads the results so far."""

    quantifier: str
    variable: str
    source: Boxed
    body: Boxed
    partial: bool = False
    kind = "iterator"

    def evaluate(self, state: State, scope: Scope) -> Any:
        try:
            items = domain(state.runtime, self.source.evaluate(state, scope))
        except Unanswerable as reason:
            state.warn(str(reason), self.element)
            return None
        inner = dict(scope)
        return (
            self._mapped(state, items, inner)
            if self.quantifier == "for"
            else self._tested(state, items, inner)
        )

    def _mapped(self, state: State, items: list[Any], inner: dict[str, Any]) -> list[Any]:
        results: list[Any] = []
        for item in items:
            state.runtime.spend(1)
            if self.partial:
                state.runtime.spend(len(results) // 64)
                inner["partial"] = results.copy()
            inner[self.variable] = item
            results.append(self.body.evaluate(state, inner))
        return results

    def _tested(self, state: State, items: list[Any], inner: dict[str, Any]) -> bool | None:
        deciding = self.quantifier == "some"
        outcome: bool | None = not deciding
        for item in items:
            state.runtime.spend(1)
            inner[self.variable] = item
            value = self.body.evaluate(state, inner)
            if value is deciding:
                return bool(deciding)
            if type(value) is not bool:
                outcome = None
        return outcome


@dataclass(slots=True)
class Filter(Boxed):
    """As FEEL's ``list[match]``: the match sees ``item``, and the item's own entries by their names."""

    source: Boxed
    match: Boxed
    kind = "filter"

    def evaluate(self, state: State, scope: Scope) -> Any:
        value = self.source.evaluate(state, scope)
        if value is None:
            return None
        items = value if type(value) is list else [value]
        if not items:
            return self._nothing(state, scope)
        kept = []
        for item in items:
            state.runtime.spend(1)
            outcome = self.match.evaluate(state, {**scope, "item": item, **_entries(item)})
            if outcome is True:
                kept.append(item)
            elif outcome is not False and outcome is not None:
                if kind(outcome) == "number":
                    return self._at(state, items, outcome)
                state.warn(f"the filter is {kind(outcome)}, not boolean or number", self.element)
                return None
        return kept

    def _nothing(self, state: State, scope: Scope) -> list[Any] | None:
        """Of an empty list: whether the match is an index only its value tells."""
        state.runtime.muted += 1
        warned = len(state.runtime.warnings)
        try:
            outcome = self.match.evaluate(state, {**scope, "item": None})
        finally:
            state.runtime.muted -= 1
            state.forget(warned)
        return None if kind(outcome) == "number" else []

    def _at(self, state: State, items: list[Any], index: Any) -> Any:
        whole = int(index)
        if whole != index or whole == 0 or abs(whole) > len(items):
            state.warn(f"index {index} is outside of a list of {len(items)}", self.element)
            return None
        return items[whole - 1 if whole > 0 else whole]


def _entries(item: Any) -> dict[str, Any]:
    """What a filter's match sees of an item by name: a context's entries, or a date's properties."""
    if type(item) is dict:
        return item
    readers = PROPERTIES.get(type(item))
    if readers is None:
        return {}
    found = {name: read(item) for name, read in readers.items()}
    return {name: value for name, value in found.items() if value is not None}
