"""What a part of a text answers once the values in it are known, with a warning where that is null.

Both stages of an expression call these, the closures and the generated code, and so mean the same.
Each takes the runtime, the text, and the offset in it that a warning points to.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .costs import paid, pay_whole
from .errors import Unanswerable
from .operators import compare, equal_parts, equals, member, negate, order
from .properties import property_of
from .runtime import Runtime
from .sizes import check_size, shortened
from .values import Function, Range, kind

TWICE_IN_CONTEXT = "a key of this context occurs twice"
TWICE_IN_CALL = "an argument is named twice"
# These ask whether there is something: that there is nothing is no news to the modeller.
QUIET = frozenset({"is defined", "get or else"})

# -- names ------------------------------------------------------------------------------------------


def absent(
    runtime: Runtime,
    variables: Mapping[str, Any],
    text: str,
    at: int,
    name: str,
    builtin: Function | None,
) -> Function | None:
    """A name that is no variable: a built-in function, or null."""
    if builtin is None:
        runtime.warn(text, at, _unknown("variable", name, _known(runtime, variables)))
    return builtin


def uncallable(
    runtime: Runtime,
    variables: Mapping[str, Any],
    text: str,
    at: int,
    value: Any,
    name: str | None,
    builtins: Iterable[str],
) -> None:
    """A call of what is no function; ``name`` is what the text calls it, if it is a name."""
    if value is not None or name is None:
        runtime.warn(text, at, f"{kind(value)} is no function")
    elif name:
        runtime.warn(text, at, _unknown("function", name, [*builtins, *_known(runtime, variables)]))


def _known(runtime: Runtime, variables: Mapping[str, Any]) -> Iterable[str]:
    return variables if runtime.known is None else runtime.known


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [key for key in known if key != name], n=1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    return f"{what} {name!r} not found{hint}"


def not_temporal(written: str) -> str:
    """Why an at-literal is null."""
    return f"@{shortened(written)} is no date, time, date and time or duration"


# -- operators --------------------------------------------------------------------------------------


def negative(runtime: Runtime, text: str, at: int, value: Any) -> Any:
    try:
        return negate(value)
    except Unanswerable as reason:
        runtime.warn(text, at, str(reason))
        return None


def calculation(
    runtime: Runtime, text: str, at: int, operation: Callable[[Any, Any], Any], a: Any, b: Any
) -> Any:
    """The value of an arithmetic operation; only where it fails is it null."""
    try:
        return paid(runtime, operation(a, b))
    except Unanswerable as reason:
        runtime.warn(text, at, str(reason))
        return None


def comparison(runtime: Runtime, text: str, at: int, operator: str, a: Any, b: Any) -> bool | None:
    result = compare(operator, a, b)
    if result is None and a is not None and b is not None:
        runtime.warn(text, at, f"cannot compare {kind(a)} and {kind(b)}")
    return result


def equality(runtime: Runtime, text: str, at: int, wanted: bool, a: Any, b: Any) -> bool | None:
    """``a = b`` where ``wanted``, else ``a != b``."""
    if type(a) is type(b) and (type(a) is list or type(a) is dict):
        pay_whole(runtime, a)
        check_size(b)
        result = equal_parts(a, b)
    else:
        result = equals(a, b)
    if result is None:
        if a is not None and b is not None:
            runtime.warn(text, at, f"cannot compare {kind(a)} and {kind(b)}")
        return None
    return result is wanted


def between(value: Any, low: Any, high: Any) -> bool | None:
    below, above = order(low, value), order(value, high)
    if below is None or above is None:
        decided = (below is not None and below > 0) or (above is not None and above > 0)
        return False if decided else None
    return below <= 0 and above <= 0


def undecided(runtime: Runtime, text: str, at: int, value: Any) -> None:
    """What an ``if`` answers whose condition is neither true nor false nor null."""
    runtime.warn(text, at, f"the condition is {kind(value)}, not boolean")


# -- tests and ranges -------------------------------------------------------------------------------


def judgement(runtime: Runtime, value: Any, candidate: Any, cell: bool, asks: bool) -> bool | None:
    """Whether a value passes the test that ``candidate`` is the value of.

    In a decision table's ``cell`` a test may be a condition of its own, which ``asks`` (has ``?`` in
    it) or is merely true.
    """
    if asks and (candidate is None or type(candidate) is bool):
        return candidate
    if cell and candidate is True and type(value) is not bool:
        return True
    return membership(runtime, value, candidate)


def membership(runtime: Runtime, value: Any, candidate: Any) -> bool | None:
    """``value in candidate``."""
    if type(candidate) is list:
        pay_whole(runtime, candidate)
    return member(value, candidate)


def open_range(runtime: Runtime, text: str, at: int, operator: str, end: Any) -> Range | None:
    """``(< 5)`` as a value: a range that is open at one end."""
    if end is None:
        runtime.warn(text, at, "a range's end is null")
        return None
    if operator in ("<", "<="):
        return Range(None, end, False, operator == "<=", operator)
    if operator in (">", ">="):
        return Range(end, None, operator == ">=", False, operator)
    return Range(end, end, True, True, operator)


def closed_range(
    runtime: Runtime, text: str, at: int, start: Any, end: Any, start_included: bool, end_included: bool
) -> Range | None:
    if order(start, end) is None and not (start is None or end is None):
        runtime.warn(text, at, f"a range cannot go from {kind(start)} to {kind(end)}")
        return None
    return Range(start, end, start_included, end_included)


# -- structures -------------------------------------------------------------------------------------


def entry(runtime: Runtime, text: str, at: int, value: Any, name: str) -> Any:
    """``value.name``."""
    return property_of(value, name, lambda message: runtime.warn(text, at, message))


def at_index(runtime: Runtime, text: str, at: int, items: list[Any], index: int | Decimal) -> Any:
    """``items[index]``, which counts from 1, or from the end where it is negative."""
    whole = int(index)
    if whole != index:
        runtime.warn(text, at, f"{index} is no index")
        return None
    if whole == 0 or abs(whole) > len(items):
        runtime.warn(text, at, f"index {index} is outside of a list of {len(items)}")
        return None
    return items[whole - 1 if whole > 0 else whole]


def unfiltered(runtime: Runtime, text: str, at: int, items: list[Any], outcome: Any) -> Any:
    """What a filter answers whose predicate is neither true nor false nor null: an item, by its index."""
    if type(outcome) is int or type(outcome) is Decimal:
        return at_index(runtime, text, at, items, outcome)
    runtime.warn(text, at, f"the filter is {kind(outcome)}, not boolean or number")
    return None


# -- calls ------------------------------------------------------------------------------------------


def invocation(runtime: Runtime, text: str, at: int, function: Function, arguments: Sequence[Any]) -> Any:
    try:
        return function.call(runtime, arguments)
    except Unanswerable as reason:
        runtime.warn(text, at, str(reason))
        return None


def unanswered(runtime: Runtime, text: str, at: int, builtin: Function, reason: Unanswerable) -> None:
    """What a built-in answers whose body has no answer."""
    runtime.warn(text, at, f"{builtin.name}(): {reason}")


def named_invocation(
    runtime: Runtime, text: str, at: int, function: Function, arguments: dict[str, Any]
) -> Any:
    try:
        return function.call_named(runtime, arguments)
    except Unanswerable as reason:
        runtime.warn(text, at, str(reason))
        return None
