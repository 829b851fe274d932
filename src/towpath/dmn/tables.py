"""Decision tables (DMN 1.5, clause 8): rules, hit policies and aggregation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from towpath.feel.convert import to_json
from towpath.feel.errors import Unanswerable
from towpath.feel.expression import Expression
from towpath.feel.operators import add, equals, order
from towpath.feel.types import ANY, Type

from .answers import Answer, Output, fixed_answer
from .boxed import Boxed, Scope, conformed
from .index import RuleIndex
from .item_types import adopted
from .state import State

POLICIES = {
    "U": "UNIQUE",
    "A": "ANY",
    "P": "PRIORITY",
    "F": "FIRST",
    "C": "COLLECT",
    "R": "RULE ORDER",
    "O": "OUTPUT ORDER",
}
AGGREGATIONS = ("SUM", "COUNT", "MIN", "MAX")


@dataclass(slots=True)
class Input:
    id: str
    name: str
    expression: Expression
    type: Type = ANY
    allowed: Expression | None = None
    line: int | None = None


@dataclass(slots=True)
class Rule:
    """One row: ``tests`` per input (None: anything), ``outputs`` per output (None: null).

    ``line`` is the row's place in the document, ``cells`` the ids of its entries, inputs first.
    """

    id: str
    tests: Sequence[Expression | None]
    outputs: Sequence[Expression | None]
    line: int | None = None
    cells: Sequence[str] = ()

    def cell(self, place: int) -> str:
        """The id of an entry, or else of the rule."""
        return (self.cells[place] if place < len(self.cells) else "") or self.id


@dataclass(slots=True)
class DecisionTable(Boxed):
    inputs: Sequence[Input]
    outputs: Sequence[Output]
    rules: Sequence[Rule]
    hit_policy: str = "UNIQUE"
    aggregation: str | None = None
    id: str = ""
    line: int | None = None
    kind = "decisionTable"
    _index: RuleIndex | None = field(default=None, init=False, repr=False, compare=False)
    _fixed: dict[int, Answer | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def evaluate(self, state: State, scope: Scope) -> Any:
        values = self._input_values(state, scope)
        if values is None:
            return None
        state.runtime.spend(len(self.rules))
        matched = []
        for index in self._matches(state, scope, values):
            matched.append(index)
            if self.hit_policy == "FIRST":
                break
        answers = [self._answer(state, scope, index) for index in matched]
        if state.record is not None:
            state.record["matchedRules"].extend(
                {
                    "ruleId": self.rules[index].id,
                    "ruleIndex": index + 1,
                    "outputs": [
                        {"id": output.id, "name": output.name, "value": value}
                        for output, value in zip(self.outputs, answer.json(), strict=True)
                    ],
                }
                for index, answer in zip(matched, answers, strict=True)
            )
        if not matched:
            return self._default(state, scope)
        return self._decided(state, scope, [index + 1 for index in matched], answers)

    def _matches(self, state: State, scope: Scope, values: Sequence[Any]) -> Iterator[int]:
        """The rules (from 0, in order) that the input values meet.

        A cell that only compares its input with fixed values is looked up. The others run in the rules
        that are left then, the same test once; so a cell's warning appears only where it was needed.
        """
        if self._index is None:
            # Two threads may both make it; what they make is the same.
            self._index = RuleIndex([rule.tests for rule in self.rules])
        runtime = state.runtime
        scopes: dict[int, Scope] = {}
        known: dict[tuple[int, Expression], bool] = {}
        for index, pending in self._index.candidates(values):
            for cell in pending:
                holds = known.get(cell)
                if holds is None:
                    place, test = cell
                    seen = scopes.get(place)
                    if seen is None:
                        # What a cell sees is the same in every rule: the scope, and its input as ``?``.
                        seen = scopes[place] = {**scope, "?": values[place]}
                    warned = len(runtime.warnings)
                    holds = test.run(runtime, seen) is True
                    if len(runtime.warnings) > warned:
                        state.attribute(warned, self.rules[index].cell(place))
                    if runtime.random is None:
                        known[cell] = holds
                if not holds:
                    break
            else:
                yield index

    def _input_values(self, state: State, scope: Scope) -> list[Any] | None:
        values = []
        for clause in self.inputs:
            warned = len(state.runtime.warnings)
            raw = adopted(clause.expression.run(state.runtime, scope), clause.type)
            value = conformed(state, raw, clause.type, f"the input {clause.name!r}", clause.id)
            state.attribute(warned, clause.id)
            values.append(value)
            if state.record is not None:
                state.record["inputs"].append({"id": clause.id, "name": clause.name, "value": to_json(value)})
            if clause.allowed is not None and value is not None:
                allowed = clause.allowed.run(state.runtime, {**scope, "?": value})
                if allowed is not True:
                    state.warn(f"the input {clause.name!r} is not among its allowed values", clause.id)
                    return None
        return values

    def _output(
        self, state: State, scope: Scope, output: Output, cell: Expression | None, element: str
    ) -> Any:
        warned = len(state.runtime.warnings)
        value = None if cell is None else cell.run(state.runtime, scope)
        value = conformed(state, value, output.type, f"the output {output.name!r}", element)
        state.attribute(warned, element)
        return value

    def _default(self, state: State, scope: Scope) -> Any:
        if any(output.default is not None for output in self.outputs):
            result = [
                self._output(state, scope, output, output.default, output.id) for output in self.outputs
            ]
            many = self.hit_policy in ("RULE ORDER", "OUTPUT ORDER") or (
                self.hit_policy == "COLLECT" and self.aggregation is None
            )
            return [self._named(result)] if many else self._named(result)
        if self.hit_policy == "COLLECT" and self.aggregation == "COUNT":
            return 0
        return None

    def _named(self, result: Sequence[Any]) -> Any:
        """The one output's value, or a context of them all."""
        if len(self.outputs) == 1:
            return result[0]
        return {output.name: value for output, value in zip(self.outputs, result, strict=True)}

    def _answer(self, state: State, scope: Scope, index: int) -> Answer:
        """What a rule answers; kept where it is the same for every input."""
        fixed = self._fixed.get(index)
        if fixed is not None:
            return fixed
        rule = self.rules[index]
        if index not in self._fixed:
            fixed = self._fixed[index] = fixed_answer(rule.outputs, self.outputs)
            if fixed is not None:
                return fixed
        return Answer(
            [
                self._output(state, scope, output, cell, rule.cell(place))
                for place, (output, cell) in enumerate(
                    zip(self.outputs, rule.outputs, strict=True), len(rule.tests)
                )
            ]
        )

    def _decided(self, state: State, scope: Scope, rules: list[int], answers: list[Answer]) -> Any:
        policy = self.hit_policy
        if policy == "FIRST":
            return self._named(answers[0].values)
        if policy == "UNIQUE":
            if len(answers) > 1:
                return self._violated(state, f"rules {_listed(rules)} match, where only one may (UNIQUE)")
            return self._named(answers[0].values)
        if policy == "ANY":
            if any(equals(answer.values, answers[0].values) is not True for answer in answers[1:]):
                return self._violated(state, f"rules {_listed(rules)} match with different outputs (ANY)")
            return self._named(answers[0].values)
        if policy in ("PRIORITY", "OUTPUT ORDER"):
            answers = self._by_priority(state, scope, answers)
            if policy == "PRIORITY":
                return self._named(answers[0].values)
        values = [self._named(answer.values) for answer in answers]
        return values if self.aggregation is None else self._aggregated(state, values)

    def _violated(self, state: State, message: str) -> None:
        state.warn(message)
        state.violation = message

    def _by_priority(self, state: State, scope: Scope, answers: list[Answer]) -> list[Answer]:
        priorities = [[value.run(state.runtime, scope) for value in output.values] for output in self.outputs]

        def rank(answer: Answer) -> list[int]:
            ranks = []
            for value, allowed in zip(answer.values, priorities, strict=True):
                places = [place for place, other in enumerate(allowed) if equals(value, other) is True]
                ranks.append(places[0] if places else len(allowed))
            return ranks

        return sorted(answers, key=rank)

    def _aggregated(self, state: State, values: list[Any]) -> Any:
        if self.aggregation == "COUNT":
            return len(values)
        try:
            total = values[0]
            for value in values[1:]:
                if self.aggregation == "SUM":
                    total = add(total, value)
                    continue
                sign = order(value, total)
                if sign is None:
                    state.warn("the outputs cannot be compared")
                    return None
                if sign < 0 if self.aggregation == "MIN" else sign > 0:
                    total = value
        except Unanswerable as reason:
            state.warn(str(reason))
            return None
        return total


def _listed(rules: list[int]) -> str:
    return f"{', '.join(map(str, rules[:-1]))} and {rules[-1]}"
