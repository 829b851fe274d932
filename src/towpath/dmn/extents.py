"""Sets of values of an ordered kind: what a cell of a decision table accepts.

A *domain* is a kind of values that compare with each other, a *key* a value's place in its domain. A
*cut* ``(key, 0)`` lies just before a key and ``(key, 1)`` just after it, so that open and closed ends are
exact whatever the keys are.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from towpath.feel.temporal import Date, DateTime, DaysTime, Time, YearsMonths

Domain = str
Cut = tuple[Any, int]

NULL, BOOLEAN, NUMBER, STRING, DATE = "null", "boolean", "number", "string", "date"
LOCAL_TIME, ZONED_TIME = "time", "time with a zone"
LOCAL_DATE_TIME, ZONED_DATE_TIME = "date and time", "date and time with a zone"
MONTHS, DAYS = "years and months duration", "days and time duration"
UNNAMED = ""  # any domain that the cells in question do not name
# Equality is all that these have.
UNORDERED = frozenset({NULL, BOOLEAN})


def located(value: Any) -> tuple[Domain, Any] | None:
    """The value's domain and its key there; None for lists, contexts, ranges and functions.

    Two values of one domain are equal in FEEL where their keys are, and ordered as their keys are
    (``towpath.feel.operators``); values of two domains do not compare.
    """
    kind = type(value)
    if kind is str:
        return STRING, value
    if kind is int or kind is Decimal:
        return NUMBER, value
    if value is None:
        return NULL, 0
    if kind is bool:
        return BOOLEAN, value
    if kind is Date:
        return DATE, value.days
    if kind is DateTime:
        return LOCAL_DATE_TIME if value.zone is None else ZONED_DATE_TIME, value.nanos
    if kind is Time:
        return LOCAL_TIME if value.zone is None else ZONED_TIME, value.nanos
    if kind is YearsMonths:
        return MONTHS, value.months
    if kind is DaysTime:
        return DAYS, value.nanos
    return None


class Extent(NamedTuple):
    """A union of intervals of one domain: in or out (``inside``) before the first cut, then in turns."""

    inside: bool
    cuts: tuple[Cut, ...] = ()

    def __invert__(self) -> Extent:
        return Extent(not self.inside, self.cuts)

    def __or__(self, other: Extent) -> Extent:
        if not self.cuts:
            return self if self.inside else other
        if not other.cuts:
            return other if other.inside else self
        mine, theirs = set(self.cuts), set(other.cuts)
        first, second = self.inside, other.inside
        inside = result = first or second
        cuts = []
        for cut in sorted(mine | theirs):
            first ^= cut in mine
            second ^= cut in theirs
            if (first or second) is not inside:
                inside = not inside
                cuts.append(cut)
        return Extent(result, tuple(cuts))

    def __and__(self, other: Extent) -> Extent:
        return ~(~self | ~other)

    def intervals(self) -> Iterator[tuple[Cut | None, Cut | None]]:
        """The ends of each interval, from the lowest; None where it has no end."""
        ends: list[Cut | None] = [*self.cuts]
        if self.inside:
            ends.insert(0, None)
        if len(ends) % 2:
            ends.append(None)
        return zip(ends[::2], ends[1::2], strict=True)


ALL, NONE = Extent(True), Extent(False)


def point(key: Any) -> Extent:
    return Extent(False, ((key, 0), (key, 1)))


def between(low: Any, high: Any, low_included: bool, high_included: bool) -> Extent:
    start, end = (low, 0 if low_included else 1), (high, 1 if high_included else 0)
    return Extent(False, (start, end)) if start < end else NONE


def beyond(operator: str, key: Any) -> Extent:
    """The keys for which ``? operator key`` holds, for ``< <= > >=``."""
    below = operator[0] == "<"
    after = (operator == "<=") if below else (operator == ">")
    return Extent(below, ((key, int(after)),))
