"""Which rules of a decision table an input can match, found without running their cells.

Each column whose cells only compare the input with fixed values becomes, for every domain that its cells
name, a sorted list of cuts and between each two the set of rules that accept what lies there: an ``int``
with a bit per rule. The sets of all columns intersected leave the rules whose other cells must run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from towpath.feel.expression import Expression

from .cells import Cell, NotConstant, read_cell
from .extents import ALL, NULL, UNNAMED, Cut, Domain, Extent, located

MAX_BYTES = 16_000_000  # of sets of one table

Tests = Sequence[Expression | None]
Pending = tuple[int, Expression]  # an input, from 0, and the test that must run on it


class Regions(NamedTuple):
    """``rules[n]`` is the set of rules that accept something of what lies after ``n`` cuts."""

    cuts: tuple[Cut, ...]
    rules: tuple[int, ...]

    def at(self, key: Any) -> int:
        return self.rules[bisect_right(self.cuts, (key, 0))]


class Column(NamedTuple):
    """``domains`` are those that the cells name; ``elsewhere`` accepts a value of any other.

    A rule of ``opaque`` may accept anything; the cells of those of ``pending`` must run.
    """

    domains: dict[Domain, Regions]
    elsewhere: int
    opaque: int
    pending: int


class RuleIndex:
    """The index of a table's rules, each given as its cells. Immutable once made."""

    __slots__ = ("_all", "_columns", "_rows", "_tests")

    def __init__(self, rules: Sequence[Tests], max_bytes: int = MAX_BYTES) -> None:
        self._all = (1 << len(rules)) - 1
        self._columns: list[Column] = []
        # Cells of one text in one column are one expression: what it answers is known once it has run.
        self._tests: list[Tests] = []
        columns = list(zip(*rules, strict=True))
        for place, tests in enumerate(columns):
            texts: dict[str, Expression] = {}
            shared = [None if test is None else texts.setdefault(test.text, test) for test in tests]
            column, size = _column(shared, max_bytes // (len(columns) - place))
            max_bytes -= size
            self._columns.append(column)
            self._tests.append(shared)
        self._rows: dict[int, Sequence[Pending]] = {}
        for place, column in enumerate(self._columns):
            for index in _members(column.pending):
                test = self._tests[place][index]
                assert test is not None
                self._rows[index] = (*self._rows.get(index, ()), (place, test))

    def candidates(self, values: Sequence[Any]) -> Iterator[tuple[int, Sequence[Pending]]]:
        """The rules (from 0, in order) that may match, each with the cells that must still run."""
        rules = self._all
        if not rules:
            return  # and no columns either
        unread = []  # inputs that are in no domain
        for place, (value, column) in enumerate(zip(values, self._columns, strict=True)):
            found = located(value)
            if found is None:
                unread.append(place)
                continue
            domain, key = found
            regions = column.domains.get(domain)
            rules &= column.opaque | (column.elsewhere if regions is None else regions.at(key))
            if not rules:
                return
        rows = self._rows
        for index in _members(rules):
            row = rows.get(index, ())
            if unread:
                known = {place for place, _ in row}
                more = ((place, self._tests[place][index]) for place in unread if place not in known)
                row = sorted(
                    (*row, *((place, test) for place, test in more if test is not None)),
                    key=itemgetter(0),
                )
            yield index, row


def _members(rules: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    bits = format(rules, "b")[::-1]
    index = bits.find("1")
    while index >= 0:
        yield index
        index = bits.find("1", index + 1)


def _column(tests: Tests, max_bytes: int) -> tuple[Column, int]:
    """A column's sets and about how many bytes they take, at most ``max_bytes``.

    Sets that would take more are put together with their neighbours, and the column's cells run.
    """
    places: dict[str, list[int]] = {}  # the rules that have the same cell
    for index, test in enumerate(tests):
        places.setdefault("" if test is None else test.text, []).append(index)
    anything = _set(places.pop("", ()))
    opaque = 0
    cells: list[tuple[Cell, Sequence[int]]] = []
    for indices in places.values():
        test = tests[indices[0]]
        assert test is not None
        try:
            cells.append((read_cell(test), indices))
        except NotConstant:
            opaque |= _set(indices)
    domains = {NULL, *(domain for cell, _ in cells for domain, _, _ in cell.constants)}
    accepted = {domain: [cell.accepted(domain) for cell, _ in cells] for domain in domains}
    needed = sum(1 + len({cut for extent in extents for cut in extent.cuts}) for extents in accepted.values())
    width = len(tests) // 8 + 32
    most = max_bytes // width
    if most < 2 * len(domains):
        return Column({}, anything, anything ^ _all(tests), anything ^ _all(tests)), 0
    step = -(-needed // (most - len(domains))) if needed > most else 1
    owners = [indices for _, indices in cells]
    regions = {domain: _regions(extents, owners, anything, step) for domain, extents in accepted.items()}
    elsewhere = anything
    for cell, own in cells:
        if cell.accepted(UNNAMED) == ALL:
            elsewhere |= _set(own)
    pending = opaque if step == 1 else anything ^ _all(tests)
    return Column(regions, elsewhere, opaque, pending), width * sum(
        len(one.rules) for one in regions.values()
    )


def _all(tests: Tests) -> int:
    return (1 << len(tests)) - 1


def _set(indices: Sequence[int]) -> int:
    made = bytearray((max(indices, default=0) >> 3) + 1)
    for index in indices:
        made[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(made, "little")


def _regions(extents: Sequence[Extent], rules: Sequence[Sequence[int]], anything: int, step: int) -> Regions:
    """The sets between each ``step`` cuts; ``rules`` are those that accept each of the extents."""
    changes: dict[Cut, list[int]] = {}
    current = anything
    for extent, own in zip(extents, rules, strict=True):
        if extent.inside:
            current |= _set(own)
        for cut in extent.cuts:
            changes.setdefault(cut, []).extend(own)
    cuts, found, together = [], [], current
    for number, cut in enumerate(sorted(changes), 1):
        for index in changes[cut]:
            current ^= 1 << index
        if number % step:
            together |= current
        else:
            cuts.append(cut)
            found.append(together)
            together = current
    return Regions(tuple(cuts), (*found, together))
