"""Functions on lists (DMN 1.5, 10.3.4.4, and Camunda's)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from ..errors import Unanswerable
from ..operators import Number, add, calculated, divide, equals, is_number, multiply, order, subtract
from ..sizes import check_items, check_size
from ..temporal import DateTime, Time
from ..values import DECIMAL, Function, Range, kind, whole
from .signature import builtin

_NUMBERS: set[type] = {int, Decimal}


def _numbers(items: list[Any]) -> list[Number]:
    if _kinds(items) <= _NUMBERS:
        return items
    for place, item in enumerate(items, 1):
        if not is_number(item):
            raise Unanswerable(f"item {place} is {kind(item)}, not a number")
    return items


@builtin("list contains", "list: list, element: any")
def list_contains(items: list[Any], element: Any) -> bool:
    return any(equals(item, element) is True for item in items)


@builtin("count", "list: list")
def count(items: list[Any]) -> int:
    return len(items)


def _kinds(items: list[Any]) -> set[type]:
    return set(map(type, items))


def _extreme(items: list[Any], sign: int) -> Any:
    if not items:
        return None
    kinds = _kinds(items)
    if kinds <= _NUMBERS or kinds == {str}:
        return max(items) if sign > 0 else min(items)
    best = items[0]
    if order(best, best) is None:
        raise Unanswerable(f"{kind(best)} has no order")
    for item in items[1:]:
        relation = order(item, best)
        if relation is None:
            raise Unanswerable(f"cannot compare {kind(item)} and {kind(best)}")
        if relation * sign > 0:
            best = item
    return best


@builtin("min", "list: list")
def minimum(items: list[Any]) -> Any:
    return _extreme(items, -1)


@builtin("min", "c: any *")
def minimum_of(*items: Any) -> Any:
    return _extreme(list(items), -1)


@builtin("max", "list: list")
def maximum(items: list[Any]) -> Any:
    return _extreme(items, 1)


@builtin("max", "c: any *")
def maximum_of(*items: Any) -> Any:
    return _extreme(list(items), 1)


@builtin("sum", "list: list")
def total(items: list[Any]) -> Any:
    if not items:
        return None
    if _kinds(items) == {int}:  # added exactly, and rounded once
        return whole(DECIMAL.create_decimal(sum(items)))
    result: Any = 0
    for item in _numbers(items):
        result = add(result, item)
    return result


@builtin("sum", "n: number *")
def total_of(*items: Any) -> Any:
    return total(list(items))


@builtin("product", "list: list")
def product(items: list[Any]) -> Number | None:
    result: Any = 1
    for item in _numbers(items):
        result = multiply(result, item)
    return result if items else None


@builtin("product", "n: number *")
def product_of(*items: Any) -> Number | None:
    return product(list(items))


@builtin("mean", "list: list")
def mean(items: list[Any]) -> Any:
    return divide(total(items), len(items)) if items else None


@builtin("mean", "n: number *")
def mean_of(*items: Any) -> Any:
    return mean(list(items))


@builtin("median", "list: list")
def median(items: list[Any]) -> Any:
    if not items:
        return None
    ordered = sorted(_numbers(items))
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return divide(add(ordered[middle - 1], ordered[middle]), 2)


@builtin("median", "n: number *")
def median_of(*items: Any) -> Any:
    return median(list(items))


@builtin("stddev", "list: list")
def stddev(items: list[Any]) -> Any:
    """The standard deviation of a sample."""
    if len(_numbers(items)) < 2:
        raise Unanswerable("fewer than two numbers have no deviation")
    middle = mean(items)
    squares = total([multiply(subtract(item, middle), subtract(item, middle)) for item in items])
    return whole(Decimal(calculated(DECIMAL.sqrt, divide(squares, len(items) - 1))))


@builtin("stddev", "n: number *")
def stddev_of(*items: Any) -> Any:
    return stddev(list(items))


@builtin("mode", "list: list")
def mode(items: list[Any]) -> list[Number]:
    counts: dict[Number, int] = {}
    for item in _numbers(items):
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(item for item, times in counts.items() if times == most)


@builtin("mode", "n: number *")
def mode_of(*items: Any) -> list[Number]:
    return mode(list(items))


def _decided(items: Sequence[Any], deciding: bool) -> bool:
    """``deciding`` where it occurs; raises Unanswerable where something else is no boolean."""
    if any(item is deciding for item in items):
        return deciding
    for place, item in enumerate(items, 1):
        if not isinstance(item, bool):
            raise Unanswerable(f"item {place} is {kind(item)}, not a boolean")
    return not deciding


@builtin("all", "list: list")
def every(items: list[Any]) -> bool:
    return _decided(items, False)


@builtin("all", "b: any *")
def every_of(*items: Any) -> bool:
    return _decided(items, False)


@builtin("any", "list: list")
def some(items: list[Any]) -> bool:
    return _decided(items, True)


@builtin("any", "b: any *")
def some_of(*items: Any) -> bool:
    return _decided(items, True)


@builtin("sublist", "list: list, start position: number, length: number =")
def sublist(items: list[Any], start: Number, length: Number | None = None) -> list[Any]:
    begin = _index(items, start)
    if length is None:
        return items[begin:]
    if int(length) < 1 or begin + int(length) > len(items):
        raise Unanswerable("the length is outside of the list")
    return items[begin : begin + int(length)]


def _index(items: list[Any], position: Number) -> int:
    place = int(position)
    if place != position or place == 0 or abs(place) > len(items):
        raise Unanswerable(f"position {position} is outside of a list of {len(items)}")
    return place - 1 if place > 0 else len(items) + place


@builtin("append", "list: list, item: any *")
def append(items: list[Any], *added: Any) -> list[Any]:
    check_items(len(items) + len(added))
    return [*items, *added]


@builtin("concatenate", "list: list *")
def concatenate(*lists: list[Any]) -> list[Any]:
    check_items(sum(map(len, lists)))
    return [item for items in lists for item in items]


@builtin("insert before", "list: list, position: number, newItem: any")
def insert_before(items: list[Any], position: Number, added: Any) -> list[Any]:
    index = _index(items, position)
    check_items(len(items) + 1)
    return [*items[:index], added, *items[index:]]


@builtin("remove", "list: list, position: number")
def remove(items: list[Any], position: Number) -> list[Any]:
    index = _index(items, position)
    return [*items[:index], *items[index + 1 :]]


@builtin("list replace", "list: list, position: number, newItem: any")
def list_replace(items: list[Any], position: Number, added: Any) -> list[Any]:
    index = _index(items, position)
    return [*items[:index], added, *items[index + 1 :]]


@builtin("list replace", "list: list, match: function, newItem: any", runtime=True)
def list_replace_matching(runtime: Any, items: list[Any], match: Function, added: Any) -> list[Any]:
    replaced = []
    for item in items:
        outcome = match.call(runtime, [item, added])
        if not isinstance(outcome, bool):
            raise Unanswerable("the match function does not answer a boolean")
        replaced.append(added if outcome else item)
    return replaced


@builtin("reverse", "list: list")
def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


@builtin("index of", "list: list, match: any")
def index_of(items: list[Any], match: Any) -> list[int]:
    return [index for index, item in enumerate(items, 1) if equals(item, match) is True]


def _identity(value: Any) -> Any:
    """What two values have in common just when they are equal (``=``); it can be hashed."""
    kind = type(value)
    if kind is int or kind is Decimal or kind is str:
        return value
    if kind is list:
        return list, tuple(map(_identity, value))
    if kind is dict:
        return dict, frozenset((key, _identity(item)) for key, item in value.items())
    if kind is Range:
        ends = _identity(value.start), _identity(value.end)
        return Range, *ends, value.start_included, value.end_included, value.unary
    if kind is Time or kind is DateTime:
        return kind, value.zone is None, value.nanos
    return kind, value


def _distinct(items: list[Any]) -> list[Any]:
    """Each value once, in the order of their first occurrence."""
    check_size(items)
    first: dict[Any, Any] = {}
    for item in items:
        first.setdefault(_identity(item), item)
    return list(first.values())


@builtin("distinct values", "list: list")
def distinct_values(items: list[Any]) -> list[Any]:
    return _distinct(items)


@builtin("union", "list: list *")
def union(*lists: list[Any]) -> list[Any]:
    return _distinct(concatenate(*lists))


@builtin("duplicate values", "list: list", origin="Camunda")
def duplicate_values(items: list[Any]) -> list[Any]:
    """The values that occur more than once, each once."""
    check_size(items)
    times = Counter(map(_identity, items))
    return [item for item in _distinct(items) if times[_identity(item)] > 1]


@builtin("flatten", "list: list")
def flatten(items: list[Any]) -> list[Any]:
    check_size(items)
    flat: list[Any] = []
    pending = [iter(items)]
    while pending:
        for item in pending[-1]:
            if type(item) is list:
                pending.append(iter(item))
                break
            flat.append(item)
        else:
            pending.pop()
    check_items(len(flat))
    return flat


@builtin("sort", "list: list, precedes: function", runtime=True)
def sort(runtime: Any, items: list[Any], precedes: Function) -> list[Any]:
    def relation(a: Any, b: Any) -> int:
        first = precedes.call(runtime, [a, b])
        if not isinstance(first, bool):
            raise Unanswerable("the precedes function does not answer a boolean")
        if first:
            return -1
        return 1 if precedes.call(runtime, [b, a]) is True else 0

    return sorted(items, key=cmp_to_key(relation))


@builtin("sort", "list: list", origin="Camunda")
def sort_naturally(items: list[Any]) -> list[Any]:
    def relation(a: Any, b: Any) -> int:
        sign = order(a, b)
        if sign is None:
            raise Unanswerable(f"cannot compare {kind(a)} and {kind(b)}")
        return sign

    return sorted(items, key=cmp_to_key(relation))


@builtin("partition", "list: list, size: number", origin="Camunda")
def partition(items: list[Any], size: Number) -> list[list[Any]]:
    length = int(size)
    if length < 1:
        raise Unanswerable("the size is less than 1")
    return [items[start : start + length] for start in range(0, len(items), length)]


@builtin("is empty", "list: list", origin="Camunda")
def is_empty(items: list[Any]) -> bool:
    return not items
