"""Compiling what repeats: ``for``, quantifiers and filters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any

from . import syntax as ast
from .answers import at_index, unfiltered
from .compilation import RUNTIME, Compilation, Run, mentions
from .errors import FeelLimitError, Unanswerable
from .operators import is_number, negate
from .temporal import Date
from .values import INT_LIMIT, Range, kind


class Iterations(Compilation):
    """The part of the compiler that knows loops."""

    def _iterators(self, node: ast.For | ast.Quantified) -> tuple[tuple[int, Run, Run | None], ...]:
        compiled = []
        for name, source, end in node.iterators:
            run = self.compile(source)
            stop = None if end is None else self.compile(end)
            slot = self.slot()
            self.scope.append((name, slot))
            compiled.append((slot, run, stop))
        return tuple(compiled)

    def _for(self, node: ast.For) -> Run:
        depth = len(self.scope)
        iterators = self._iterators(node)
        partial = self.slot()
        self.scope.append(("partial", partial))
        body = self.compile(node.body)
        self.scope.leave(depth)
        reads_partial = mentions(node.body, "partial")
        slot, source, stop = iterators[0]
        simple = len(iterators) == 1 and stop is None and not reads_partial
        text, at = self.text, node.at

        def run(frame: list[Any]) -> list[Any] | None:
            results: list[Any] = []
            runtime = frame[RUNTIME]
            limit = runtime.limits.items
            try:
                if simple:
                    items = domain(runtime, source(frame))
                    runtime.spend(len(items))
                    for item in items:
                        frame[slot] = item
                        results.append(body(frame))
                    return results
                for _ in _bindings(frame, iterators):
                    if reads_partial:
                        runtime.spend(len(results) // 64)
                        frame[partial] = results.copy()
                    results.append(body(frame))
                    if len(results) > limit:
                        runtime.check_items(len(results))
            except Unanswerable as reason:
                frame[RUNTIME].warn(text, at, str(reason))
                return None
            return results

        return run

    def _quantified(self, node: ast.Quantified) -> Run:
        depth = len(self.scope)
        iterators = self._iterators(node)
        condition = self.compile(node.condition)
        self.scope.leave(depth)
        deciding, text, at = not node.every, self.text, node.at

        def run(frame: list[Any]) -> bool | None:
            result: bool | None = not deciding
            try:
                for _ in _bindings(frame, iterators):
                    value = condition(frame)
                    if value is deciding:
                        return bool(deciding)
                    if value is not True and value is not False:
                        result = None
            except Unanswerable as reason:
                frame[RUNTIME].warn(text, at, str(reason))
                return None
            return result

        return run

    def _filter(self, node: ast.Filter) -> Run:
        source, text, at = self.compile(node.source), self.text, node.at
        slot = self.slot()
        depth = len(self.scope)
        self.scope.append(("item", slot))
        self.scope.append((None, slot))
        predicate = self.compile(node.predicate)
        self.scope.leave(depth)

        index = fixed_index(node.predicate)
        if index is not None:

            def picked(frame: list[Any]) -> Any:
                value = source(frame)
                if value is None:
                    return None
                items = value if type(value) is list else [value]
                return at_index(frame[RUNTIME], text, at, items, index)

            return picked

        def run(frame: list[Any]) -> Any:
            value = source(frame)
            if value is None:
                return None
            items = value if type(value) is list else [value]
            runtime = frame[RUNTIME]
            if not items:
                # Whether this is an index only the predicate's value tells.
                frame[slot] = None
                runtime.muted += 1
                try:
                    outcome = predicate(frame)
                finally:
                    runtime.muted -= 1
                return None if type(outcome) in (int, Decimal) else []
            runtime.spend(len(items))
            kept = []
            for item in items:
                frame[slot] = item
                outcome = predicate(frame)
                if outcome is True:
                    kept.append(item)
                elif outcome is not False and outcome is not None:
                    return unfiltered(runtime, text, at, items, outcome)
            return kept

        return run


def fixed_index(predicate: ast.Node) -> int | Decimal | None:
    """The number that a filter's predicate is, where it is written as one."""
    negative = isinstance(predicate, ast.Negation)
    literal = predicate.operand if isinstance(predicate, ast.Negation) else predicate
    if isinstance(literal, ast.Literal) and is_number(literal.value):
        number: int | Decimal = negate(literal.value) if negative else literal.value
        return number
    return None


def _bindings(frame: list[Any], iterators: tuple[tuple[int, Run, Run | None], ...]) -> Iterator[None]:
    """Put every combination of the iterators' values into the frame, the last one fastest."""
    spend = frame[RUNTIME].spend
    (slot, run, stop), inner = iterators[0], iterators[1:]
    for value in _domain(frame, run(frame), stop):
        spend(1)
        frame[slot] = value
        if inner:
            yield from _bindings(frame, inner)
        else:
            yield


def _domain(frame: list[Any], start: Any, stop: Run | None) -> Iterable[Any]:
    """What an iterator goes over; raises Unanswerable where it is nothing to go over."""
    if stop is not None:
        return steps(frame[RUNTIME], start, stop(frame), downwards=True)
    return domain(frame[RUNTIME], start)


def domain(runtime: Any, value: Any) -> list[Any]:
    """The items of a list or range, or the one value; raises Unanswerable."""
    if type(value) is list:
        return value
    if isinstance(value, Range):
        if value.start is None or value.end is None:
            raise Unanswerable("a range without an end cannot be gone through")
        values = steps(runtime, value.start, value.end, downwards=False)
        skip_first, skip_last = not value.start_included, not value.end_included
        return [
            step
            for step in values
            if not (skip_first and step == value.start) and not (skip_last and step == value.end)
        ]
    if value is None:
        raise Unanswerable("null cannot be gone through")
    return [value]


def steps(runtime: Any, start: Any, end: Any, *, downwards: bool) -> Collection[Any]:
    """The whole numbers or dates from one to another; raises Unanswerable where there are none."""
    low, high = _ordinal(start), _ordinal(end)
    if low is None or high is None or (type(start) is Date) is not (type(end) is Date):
        raise Unanswerable(f"cannot go from {kind(start)} to {kind(end)} step by step")
    if low > high and not downwards:
        raise Unanswerable("the range ends before it starts")
    count = abs(high - low) + 1
    if count > runtime.limits.items:
        length = count if count < INT_LIMIT else f"more than {INT_LIMIT}"
        raise FeelLimitError(f"a range of {length} steps; at most {runtime.limits.items} are gone through")
    numbers = range(low, high + 1) if low <= high else range(low, high - 1, -1)
    return _Days(numbers) if type(start) is Date else numbers


class _Days(Collection[Date]):
    """Dates by their day numbers, made as they are asked for."""

    def __init__(self, days: range) -> None:
        self.days = days

    def __len__(self) -> int:
        return len(self.days)

    def __iter__(self) -> Iterator[Date]:
        return map(Date.from_days, self.days)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Date) and value.days in self.days


def _ordinal(value: Any) -> int | None:
    if type(value) is int:
        return value
    # Above, a number and the next have the same 34 digits.
    if type(value) is Decimal and abs(value) < INT_LIMIT and value == value.to_integral_value():
        return int(value)
    return value.days if type(value) is Date else None
