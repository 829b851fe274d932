"""The inputs of a decision table, cut into atoms: values that none of its cells tells apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from towpath.feel.expression import Expression
from towpath.feel.temporal import DAY_NANOS
from towpath.feel.types import Type
from towpath.feel.values import text

from .cells import Cell, NotConstant, read_cell
from .extents import (
    BOOLEAN,
    DATE,
    DAYS,
    LOCAL_DATE_TIME,
    LOCAL_TIME,
    MONTHS,
    NULL,
    NUMBER,
    STRING,
    UNNAMED,
    ZONED_DATE_TIME,
    ZONED_TIME,
    Cut,
    Domain,
    Extent,
)
from .item_types import AllowedValues
from .tables import Input

# What values of a type are; of those with a zone and those without, only what the cells speak of.
_DOMAINS: Mapping[str, tuple[Domain, ...]] = {
    "number": (NUMBER,),
    "string": (STRING,),
    "boolean": (BOOLEAN,),
    "date": (DATE,),
    "time": (LOCAL_TIME, ZONED_TIME),
    "date and time": (LOCAL_DATE_TIME, ZONED_DATE_TIME),
    "years and months duration": (MONTHS,),
    "days and time duration": (DAYS,),
}
_WHOLE = frozenset({DATE, LOCAL_TIME, ZONED_TIME, LOCAL_DATE_TIME, ZONED_DATE_TIME, MONTHS, DAYS})
_POINTS: Mapping[Domain, Mapping[Any, Any]] = {BOOLEAN: {False: False, True: True}, NULL: {0: None}}
_TYPE_NAMES = {ZONED_TIME: "time", ZONED_DATE_TIME: "date and time"}

FEW = 4  # values that are listed, rather than those that are not meant


@dataclass(frozen=True, slots=True)
class Reading:
    """What the cells of one text accept, as atoms: all of ``certain``, and nothing outside ``possible``.

    The two differ where the text depends on more than the input (``reason``).
    """

    certain: int
    possible: int
    reason: str = ""


@dataclass(slots=True)
class Span:
    """The atoms of one domain: each lies between two neighbouring cuts, and the first is ``first``."""

    domain: Domain
    cuts: Sequence[Cut]
    first: int
    missing: int = 0  # atoms that hold no value at all

    def ends(self) -> Iterator[tuple[int, Cut | None, Cut | None]]:
        """Each atom with its ends."""
        ends = [None, *self.cuts, None]
        for place, (low, high) in enumerate(pairwise(ends)):
            yield self.first + place, low, high

    def atoms(self, extent: Extent) -> int:
        """The atoms inside an extent whose cuts are all among these."""
        places = {cut: place for place, cut in enumerate(self.cuts, 1)}
        found = 0
        for low, high in extent.intervals():
            start = 0 if low is None else places[low]
            end = len(self.cuts) + 1 if high is None else places[high]
            found |= (1 << end) - (1 << start)
        return found << self.first


@dataclass(slots=True)
class Axis:
    """One input. ``full`` are the atoms that it can take, ``natural`` those that its type has.

    ``reason`` says why nothing is known of the column; then it is one atom, that no cell surely accepts.
    ``vague`` says why the allowed values are not known.
    """

    name: str
    spans: Sequence[Span] = ()
    full: int = 1
    natural: int = 1
    reason: str = ""
    vague: str = ""
    values: Mapping[tuple[Domain, Any], Any] = field(default_factory=dict)
    cells: Mapping[str, Cell | str] = field(default_factory=dict)  # a cell, or why it is none

    def read(self, test: Expression | None) -> Reading:
        """What a cell accepts of the values that the input can take."""
        if test is None:
            return Reading(self.full, self.full)
        cell = self.cells.get(test.text, self.reason)
        if isinstance(cell, str):
            return Reading(0, self.full, cell)
        found = self.accepted(cell) & self.full
        if self.vague:
            # Any of the atoms may be one that the input never takes.
            return Reading(found if found == self.full else 0, self.full if found else 0, "")
        return Reading(found, found)

    def accepted(self, cell: Cell) -> int:
        """The atoms that a cell accepts, whether allowed or not."""
        found = 0
        for span in self.spans:
            found |= span.atoms(cell.accepted(span.domain))
        return found & self.natural

    def test(self, atoms: int) -> str:
        """Unary tests that hold for these atoms and no others that the input can take."""
        positive = self._parts(atoms)
        ordered = [span for span in self.spans if span.domain != NULL]
        rest = self.full & ~atoms
        if len(ordered) == 1 and ordered[0].domain != BOOLEAN and rest:
            negative = self._parts(rest)
            listed = all(is_point for _, is_point in positive)
            shorter = not listed or len(positive) > max(FEW, len(negative))
            if shorter and all(is_point for _, is_point in negative):
                return f"not({', '.join(part for part, _ in negative)})"
        return ", ".join(part for part, _ in positive)

    def _parts(self, atoms: int) -> list[tuple[str, bool]]:
        """The tests of a disjunction, and of each whether it is a single value."""
        parts: list[tuple[str, bool]] = []
        mixed = len([span for span in self.spans if span.domain != NULL]) > 1
        several = len(self.spans) > 1
        for span in self.spans:
            own = atoms & self._of(span)
            if not own:
                continue
            if span.domain in _POINTS:
                for atom, low, _ in span.ends():
                    if own >> atom & 1 and low is not None:
                        value = text(_POINTS[span.domain][low[0]], inner=True)
                        # A bare ``true`` is met by null, and by all that is no boolean.
                        parts.append(("? = true" if several and value == "true" else value, True))
            elif mixed and own == self._of(span) & self.natural:
                parts.append((f"? instance of {_TYPE_NAMES.get(span.domain, span.domain)}", False))
            else:
                parts.extend(self._runs(span, own))
        return parts

    def _of(self, span: Span) -> int:
        return ((1 << len(span.cuts) + 1) - 1) << span.first

    def _runs(self, span: Span, own: int) -> Iterator[tuple[str, bool]]:
        """The intervals that neighbouring atoms make."""
        start: Cut | None = None
        end: Cut | None = None
        running = False
        below = True  # nothing that holds a value lies below
        for atom, low, high in span.ends():
            if span.missing >> atom & 1:
                continue
            if own >> atom & 1:
                if not running:
                    start, running = (None if below else low), True
                end = high
            elif running:
                yield self._interval(span.domain, start, end)
                running = False
            below = False
        if running:
            yield self._interval(span.domain, start, None)

    def _interval(self, domain: Domain, low: Cut | None, high: Cut | None) -> tuple[str, bool]:
        def written(cut: Cut) -> str:
            return text(self.values[domain, cut[0]], inner=True)

        if low is None and high is None:
            return f"? instance of {_TYPE_NAMES.get(domain, domain)}", False
        if low is None:
            assert high is not None
            return f"{'<=' if high[1] else '<'} {written(high)}", False
        if high is None:
            return f"{'>' if low[1] else '>='} {written(low)}", False
        if low[1] == 0 and (high == (low[0], 1) or (domain in _WHOLE and high == (low[0] + 1, 0))):
            return written(low), True
        return f"{'(' if low[1] else '['}{written(low)}..{written(high)}{']' if high[1] else ')'}", False


def axis_of(clause: Input, tests: Sequence[Expression | None], declared: Type | None = None) -> Axis:
    """The axis of an input whose cells are ``tests``; ``declared`` is the type of what it looks at."""
    cells: dict[str, Cell | str] = {}
    for test in tests:
        if test is not None and test.text not in cells:
            cells[test.text] = _cell(test)
    types = [clause.type]
    if declared is not None and clause.type.name in ("Any", declared.name):
        types.append(declared)
    allowed, vague = _allowed(clause.allowed, types)
    read = [cell for cell in (*cells.values(), *allowed) if isinstance(cell, Cell)]
    mentioned = {domain for cell in read for domain, _, _ in cell.constants}
    domains, reason = _domains(next((of.name for of in types if of.name != "Any"), "Any"), mentioned)
    if reason:
        return Axis(clause.name, reason=reason)
    named = (of for cell in cells.values() if isinstance(cell, Cell) for of, _, _ in cell.constants)
    if NULL in named:
        domains.append(NULL)
    values = {(domain, key): value for cell in read for domain, key, value in cell.constants}
    spans: list[Span] = []
    size = 0
    full = natural = 0
    for domain in domains:
        cuts = {cut for cell in read for test in cell.tests for cut in test(domain).true.cuts}
        cuts.update((key, side) for key in _POINTS.get(domain, ()) for side in (0, 1))
        span = Span(domain, sorted(cuts), size)
        size += len(cuts) + 1
        spans.append(span)
        own = 0
        for atom, low, high in span.ends():
            if _holds_values(domain, low, high):
                own |= 1 << atom
            else:
                span.missing |= 1 << atom
        natural |= own
        for cell in allowed if domain != NULL else ():
            own &= span.atoms(cell.accepted(domain))
        full |= own
    if not full:
        return Axis(clause.name, reason="its allowed values leave nothing of its type")
    return Axis(clause.name, spans, full, natural, "", vague, values, cells)


def _cell(test: Expression) -> Cell | str:
    try:
        return read_cell(test)
    except NotConstant as reason:
        return str(reason)


def _allowed(values: Expression | None, types: Sequence[Type]) -> tuple[list[Cell], str]:
    """The tests that every value of the input meets, and why there may be more."""
    tests = [] if values is None else [values]
    vague = ""
    for of in types:
        condition = of.allowed
        while isinstance(condition, AllowedValues):
            tests.append(condition.tests)
            condition = condition.base
        if condition is not None:
            vague = "they are not known"
    cells = []
    for test in tests:
        cell = _cell(test)
        if isinstance(cell, str):
            vague = cell
        else:
            cells.append(cell)
    return cells, vague


def _domains(name: str, mentioned: set[Domain]) -> tuple[list[Domain], str]:
    """The domains of an input's values, or why they cannot be told."""
    named = mentioned - {NULL}
    if name == "Any":
        domains = sorted(named) or [UNNAMED]
    elif name in _DOMAINS:
        possible = _DOMAINS[name]
        domains = [domain for domain in possible if domain in named] or [possible[0]]
    else:
        return [], f"its type is {name}"
    if {LOCAL_TIME, ZONED_TIME} <= set(domains) or {LOCAL_DATE_TIME, ZONED_DATE_TIME} <= set(domains):
        return [], "its cells speak of times with a zone and without"
    return domains, ""


def _holds_values(domain: Domain, low: Cut | None, high: Cut | None) -> bool:
    """Whether anything lies between two cuts."""
    if domain in _POINTS:
        return low is not None and high is not None and low[0] == high[0]
    if domain == STRING and high == ("", 0):
        return False
    if domain == LOCAL_TIME and (high == (0, 0) or low == (DAY_NANOS - 1, 1)):
        return False
    if low is None or high is None or low[1] == 0 or high[1] == 1:
        return True
    # An open interval: of whole numbers it may hold none.
    if domain in _WHOLE:
        return bool(high[0] - low[0] > 1)
    return domain != STRING or bool(high[0] != low[0] + "\0")
