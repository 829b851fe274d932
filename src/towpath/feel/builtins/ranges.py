"""Allen's relations of points and ranges (DMN 1.5, 10.3.4.10)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from ..errors import Unanswerable
from ..operators import contains, order
from ..values import Range, kind
from .signature import builtin

_Body = TypeVar("_Body", bound=Callable[..., bool])


def _order(a: Any, b: Any) -> int:
    sign = order(a, b)
    if sign is None:
        raise Unanswerable(f"cannot compare {kind(a)} and {kind(b)}")
    return sign


def _holds(extent: Range, point: Any) -> bool:
    found = contains(extent, point)
    if found is None:
        raise Unanswerable(f"cannot compare {kind(point)} with the range")
    return found


def _relation(name: str, signature: str) -> Callable[[_Body], _Body]:
    """Register a relation. ``(!= 5)`` is no stretch of values, so it has none to anything."""

    def register(body: _Body) -> _Body:
        @wraps(body)
        def related(*arguments: Any) -> bool:
            if any(type(argument) is Range and argument.unary == "!=" for argument in arguments):
                raise Unanswerable("(!= ...) has neither start nor end")
            return bool(body(*arguments))

        builtin(name, signature)(related)
        return body

    return register


def _start(a: Range, b: Range) -> int:
    """How the starts of two ranges lie: an open start is just after its value."""
    if a.start is None or b.start is None:
        return (a.start is not None) - (b.start is not None)
    return _order(a.start, b.start) or (not a.start_included) - (not b.start_included)


def _end(a: Range, b: Range) -> int:
    """How the ends lie: an open end is just before its value."""
    if a.end is None or b.end is None:
        return (b.end is not None) - (a.end is not None)
    return _order(a.end, b.end) or a.end_included - b.end_included


def _ends_before(a: Range, b: Range) -> bool:
    """Whether every point of ``a`` is before every point of ``b``."""
    if a.end is None or b.start is None:
        return False
    sign = _order(a.end, b.start)
    return sign < 0 or (sign == 0 and not (a.end_included and b.start_included))


@_relation("before", "point1: comparable, point2: comparable")
def before_points(point1: Any, point2: Any) -> bool:
    return _order(point1, point2) < 0


@_relation("before", "point: comparable, range: range")
def before_point_range(point: Any, extent: Range) -> bool:
    return _ends_before(Range(point, point, True, True), extent)


@_relation("before", "range: range, point: comparable")
def before_range_point(extent: Range, point: Any) -> bool:
    return _ends_before(extent, Range(point, point, True, True))


@_relation("before", "range1: range, range2: range")
def before_ranges(range1: Range, range2: Range) -> bool:
    return _ends_before(range1, range2)


@_relation("after", "point1: comparable, point2: comparable")
def after_points(point1: Any, point2: Any) -> bool:
    return _order(point1, point2) > 0


@_relation("after", "point: comparable, range: range")
def after_point_range(point: Any, extent: Range) -> bool:
    return _ends_before(extent, Range(point, point, True, True))


@_relation("after", "range: range, point: comparable")
def after_range_point(extent: Range, point: Any) -> bool:
    return _ends_before(Range(point, point, True, True), extent)


@_relation("after", "range1: range, range2: range")
def after_ranges(range1: Range, range2: Range) -> bool:
    return _ends_before(range2, range1)


@_relation("meets", "range1: range, range2: range")
def meets(range1: Range, range2: Range) -> bool:
    if range1.end is None or range2.start is None:
        return False
    return _order(range1.end, range2.start) == 0 and range1.end_included and range2.start_included


@_relation("met by", "range1: range, range2: range")
def met_by(range1: Range, range2: Range) -> bool:
    return meets(range2, range1)


@_relation("overlaps", "range1: range, range2: range")
def overlaps(range1: Range, range2: Range) -> bool:
    return not _ends_before(range1, range2) and not _ends_before(range2, range1)


@_relation("overlaps before", "range1: range, range2: range")
def overlaps_before(range1: Range, range2: Range) -> bool:
    return overlaps(range1, range2) and _start(range1, range2) < 0 and _end(range1, range2) <= 0


@_relation("overlaps after", "range1: range, range2: range")
def overlaps_after(range1: Range, range2: Range) -> bool:
    return overlaps_before(range2, range1)


@_relation("finishes", "point: comparable, range: range")
def finishes_point(point: Any, extent: Range) -> bool:
    return extent.end is not None and _order(point, extent.end) == 0 and extent.end_included


@_relation("finishes", "range1: range, range2: range")
def finishes(range1: Range, range2: Range) -> bool:
    return _end(range1, range2) == 0 and _start(range1, range2) >= 0


@_relation("finished by", "range: range, point: comparable")
def finished_by_point(extent: Range, point: Any) -> bool:
    return finishes_point(point, extent)


@_relation("finished by", "range1: range, range2: range")
def finished_by(range1: Range, range2: Range) -> bool:
    return finishes(range2, range1)


@_relation("includes", "range: range, point: comparable")
def includes_point(extent: Range, point: Any) -> bool:
    return _holds(extent, point)


@_relation("includes", "range1: range, range2: range")
def includes(range1: Range, range2: Range) -> bool:
    return _start(range1, range2) <= 0 and _end(range1, range2) >= 0


@_relation("during", "point: comparable, range: range")
def during_point(point: Any, extent: Range) -> bool:
    return _holds(extent, point)


@_relation("during", "range1: range, range2: range")
def during(range1: Range, range2: Range) -> bool:
    return includes(range2, range1)


@_relation("starts", "point: comparable, range: range")
def starts_point(point: Any, extent: Range) -> bool:
    return extent.start is not None and _order(point, extent.start) == 0 and extent.start_included


@_relation("starts", "range1: range, range2: range")
def starts(range1: Range, range2: Range) -> bool:
    return _start(range1, range2) == 0 and _end(range1, range2) <= 0


@_relation("started by", "range: range, point: comparable")
def started_by_point(extent: Range, point: Any) -> bool:
    return starts_point(point, extent)


@_relation("started by", "range1: range, range2: range")
def started_by(range1: Range, range2: Range) -> bool:
    return starts(range2, range1)


@_relation("coincides", "point1: comparable, point2: comparable")
def coincides_points(point1: Any, point2: Any) -> bool:
    return _order(point1, point2) == 0


@_relation("coincides", "range1: range, range2: range")
def coincides(range1: Range, range2: Range) -> bool:
    return _start(range1, range2) == 0 and _end(range1, range2) == 0
