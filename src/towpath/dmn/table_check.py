"""What a check finds in one decision table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from towpath.feel.operators import equals
from towpath.feel.types import Type

from .answers import Answer, fixed_answer
from .axes import Reading, axis_of
from .boxes import Box, Boxes, Exhausted, Work, members, tidied
from .cells import Cell, NotConstant, constant_of
from .extents import located
from .findings import Finding, FindingKind, Severity
from .tables import DecisionTable

MOST = 300  # gaps that are counted
TIDIED = 100  # gaps that are looked through for what they share
NAMED = 6  # rules that a sentence names
LENGTH = 70  # characters of a test in a sentence

Found = tuple[tuple[int, ...], Box | None]  # rules, from 0, and the values that they are about


class TableCheck:
    """The checks of one table, in the decision (or knowledge model) ``decision``.

    ``declared`` are the types of what the inputs look at, where they are known. ``work`` makes the bound
    of each search.
    """

    def __init__(
        self,
        decision: str,
        table: DecisionTable,
        declared: Sequence[Type | None] | None = None,
        work: Callable[[], Work] = Work,
    ) -> None:
        self.decision = decision
        self.table = table
        self.work = work
        self.axes = [
            axis_of(
                clause, [rule.tests[place] for rule in table.rules], declared[place] if declared else None
            )
            for place, clause in enumerate(table.inputs)
        ]
        self.full: Box = tuple(axis.full for axis in self.axes)
        readings = [
            [axis.read(test) for axis, test in zip(self.axes, rule.tests, strict=True)]
            for rule in table.rules
        ]
        self.readings: list[list[Reading]] = readings
        # What a rule surely matches, and what it may match at most.
        self.certain = [_box(reading.certain for reading in row) for row in readings]
        self.possible = [_box(reading.possible for reading in row) for row in readings]

    def findings(self, shown: int | None) -> Iterator[Finding]:
        """Errors first; at most ``shown`` of a kind, and how many more there are."""
        policy = self.table.hit_policy
        certain = Boxes(self.full, self.certain)
        if policy == "UNIQUE":
            yield from self._told("overlap", "error", self._overlaps(certain), self._say_overlap, shown)
        elif policy == "ANY":
            yield from self._told("conflict", "error", self._conflicts(certain), self._say_conflict, shown)
            yield from self._undecided_outputs(certain)
        if policy in ("FIRST", "PRIORITY"):
            yield from self._told("masked", "warning", self._masked(certain), self._say_masked, shown)
        elif policy != "UNIQUE":
            severity: Severity = "info" if policy == "ANY" else "warning"
            yield from self._told("duplicate", severity, self._duplicates(), self._say_duplicate, shown)
        if all(output.default is None for output in self.table.outputs):
            yield from self._told(
                "gap", "warning", self._gaps(None if shown is None else MOST), self._say_gap, shown
            )
        cells, unchecked = self._cells(), self._unchecked()
        yield from islice(cells, shown)
        if more := sum(1 for _ in cells):
            yield self._finding("empty", "warning", f"{more} more cells test for values that cannot be")
        yield from islice(unchecked, shown)
        if more := sum(1 for _ in unchecked):
            yield self._finding("unchecked", "info", f"{more} more reasons why cells are not looked into")

    # -- telling ------------------------------------------------------------------------------------

    def _finding(
        self,
        kind: FindingKind,
        severity: Severity,
        message: str,
        rules: Sequence[int] = (),
        region: tuple[tuple[str, str], ...] = (),
    ) -> Finding:
        first = self.table.rules[rules[0]] if rules else None
        return Finding(
            kind=kind,
            severity=severity,
            message=message,
            decision=self.decision,
            table=self.table.id,
            rules=tuple(index + 1 for index in rules),
            rule_ids=tuple(self.table.rules[index].id for index in rules),
            region=region,
            line=self.table.line if first is None or first.line is None else first.line,
            element=self.table.id if first is None else first.id,
        )

    def _told(
        self,
        kind: FindingKind,
        severity: Severity,
        found: Iterator[Found],
        sentence: Callable[[tuple[int, ...], str], str],
        shown: int | None,
    ) -> Iterator[Finding]:
        count = 0
        try:
            for rules, box in found:
                count += 1
                if shown is None or count <= shown:
                    region = () if box is None else self._region(box)
                    yield self._finding(kind, severity, sentence(rules, _where(region)), rules, region)
        except Exhausted:
            yield self._finding(
                "unchecked",
                "info",
                f"the search for {_PLURAL[kind]} was given up after {self.work().limit} steps: "
                "there may be more than those told",
            )
        if shown is not None and count > shown:
            some = "at least " if kind == "gap" and count == MOST else ""
            more = count - shown
            yield self._finding(
                kind, severity, f"{some}{more} more {kind if more == 1 else _PLURAL[kind]} of this table"
            )

    def _region(self, box: Box) -> tuple[tuple[str, str], ...]:
        return tuple(
            (axis.name, axis.test(mask))
            for axis, mask in zip(self.axes, box, strict=True)
            if mask != axis.full
        )

    def _say_overlap(self, rules: tuple[int, ...], where: str) -> str:
        same = self.certain[rules[0]] == self.certain[rules[1]]
        conditions = " have the same conditions, they" if same else ""
        return f"{_rules(rules)}{conditions} both match{where}, but only one rule may (UNIQUE)"

    def _say_conflict(self, rules: tuple[int, ...], where: str) -> str:
        return f"{_rules(rules)} both match{where}, with different outputs (ANY)"

    def _say_masked(self, rules: tuple[int, ...], _: str) -> str:
        others = _rules(rules[1:])
        verb = "matches" if len(rules) == 2 else "match"
        if self.table.hit_policy == "FIRST":
            return f"rule {rules[0] + 1} is never reached: {others} {verb} first in all its cases (FIRST)"
        return (
            f"rule {rules[0] + 1} never decides: {others} {verb} in all its cases and "
            f"{'comes' if len(rules) == 2 else 'come'} before it (PRIORITY)"
        )

    def _say_duplicate(self, rules: tuple[int, ...], _: str) -> str:
        return f"rule {rules[0] + 1} says the same as rule {rules[1] + 1}"

    def _say_gap(self, _: tuple[int, ...], where: str) -> str:
        return f"no rule matches{where}"

    # -- searches -----------------------------------------------------------------------------------

    def _overlaps(self, certain: Boxes) -> Iterator[Found]:
        for index, box in enumerate(self.certain):
            for other in members(certain.touching(box) >> index + 1):
                yield (index, index + 1 + other), _common(box, self.certain[index + 1 + other])

    def _conflicts(self, certain: Boxes) -> Iterator[Found]:
        answers = [self._answer(index) for index in range(len(self.table.rules))]
        for (first, second), box in self._overlaps(certain):
            a, b = answers[first], answers[second]
            if a is not None and b is not None and equals(a.values, b.values) is not True:
                yield (first, second), box

    def _answer(self, index: int) -> Answer | None:
        """What a rule answers, where that is fixed."""
        return fixed_answer(self.table.rules[index].outputs, self.table.outputs)

    def _texts(self, index: int) -> tuple[str, ...]:
        cells = self.table.rules[index].outputs
        return tuple("null" if cell is None else cell.text.strip() for cell in cells)

    def _undecided_outputs(self, certain: Boxes) -> Iterator[Finding]:
        """Rules of an ANY table that overlap and whose outputs are reckoned."""
        reckoned = {index for index in range(len(self.table.rules)) if self._answer(index) is None}
        unknown: set[int] = set()
        for (first, second), _ in self._overlaps(certain) if reckoned else ():
            if (first in reckoned or second in reckoned) and self._texts(first) != self._texts(second):
                unknown.update((first, second))
        if unknown:
            rules = sorted(unknown)
            message = f"whether {_rules(rules)} agree where they overlap depends on computed outputs"
            yield self._finding("unchecked", "info", message, rules)

    def _masked(self, certain: Boxes) -> Iterator[Found]:
        """Rules that others precede in all that they may match."""
        work = self.work()
        before = 0
        for index in self._precedence():
            box = self.possible[index]
            if any(box) or not box:
                single = certain.containing(box) & before
                if single:
                    yield (index, next(members(single))), box
                elif certain.outside(box, before, work) is None:
                    yield (index, *self._needed(certain, box, before, work)), box
            before |= 1 << index

    def _precedence(self) -> list[int]:
        """The rules whose place is known, those that win first."""
        rules = range(len(self.table.rules))
        if self.table.hit_policy == "FIRST":
            return list(rules)
        try:
            priorities = [[constant_of(value) for value in output.values] for output in self.table.outputs]
        except NotConstant:
            return []
        ranks: dict[int, list[int]] = {}
        for index in rules:
            answer = self._answer(index)
            if answer is not None:
                ranks[index] = [
                    next(
                        (place for place, other in enumerate(allowed) if equals(value, other) is True),
                        len(allowed),
                    )
                    for value, allowed in zip(answer.values, priorities, strict=True)
                ]
        return sorted(ranks, key=ranks.__getitem__)

    def _needed(self, certain: Boxes, box: Box, among: int, work: Work) -> Iterable[int]:
        """Those of the rules that cover a box which cannot be spared."""
        among &= certain.touching(box)
        for index in reversed(list(members(among))):
            without = among & ~(1 << index)
            if certain.outside(box, without, work) is None:
                among = without
        return members(among)

    def _duplicates(self) -> Iterator[Found]:
        seen: dict[Any, int] = {}
        for index, box in enumerate(self.certain):
            if box != self.possible[index] or not (any(box) or not box):
                continue
            answer = self._answer(index)
            outputs = (
                self._texts(index) if answer is None else tuple(located(value) for value in answer.values)
            )
            first = seen.setdefault((box, answer is None, outputs), index)
            if first != index:
                yield (index, first), box

    def _gaps(self, most: int | None) -> Iterator[Found]:
        """At most so many; those that the fewest inputs bound come first."""
        boxes: list[Box] = []
        given_up: Exhausted | None = None
        try:
            boxes.extend(islice(Boxes(self.full, self.possible).gaps(self.work()), most))
        except Exhausted as reason:
            given_up = reason
        boxes.sort(key=self._bounded)
        if len(boxes) <= TIDIED:
            with suppress(Exhausted):
                boxes = tidied(self.full, boxes, self.work())
        for box in boxes:
            yield (), box
        if given_up is not None:
            raise given_up

    def _bounded(self, box: Box) -> tuple[int, Sequence[bool]]:
        """How many inputs a box bounds, and which it leaves free."""
        free = [mask == full for mask, full in zip(box, self.full, strict=True)]
        return len(free) - sum(free), free

    # -- cells --------------------------------------------------------------------------------------

    def _cells(self) -> Iterator[Finding]:
        """Cells that no value meets, and those that test for one that is not allowed."""
        for place, axis in enumerate(self.axes):
            for text, cell in axis.cells.items():
                if not isinstance(cell, Cell):
                    continue
                rules = [
                    index
                    for index, rule in enumerate(self.table.rules)
                    if (test := rule.tests[place]) is not None and test.text == text
                ]
                written = " ".join(text.split())
                if not axis.accepted(cell):
                    yield self._finding(
                        "empty",
                        "warning",
                        f"no value of {axis.name} meets {_short(written)}, in {_rules(rules)}",
                        rules,
                        ((axis.name, written),),
                    )
                    continue
                for single in () if axis.vague else cell.tests:
                    atoms = axis.accepted(Cell([single], False, ()))
                    if atoms and not atoms & axis.full:
                        value = axis.test(atoms)
                        yield self._finding(
                            "outside",
                            "warning",
                            f"{axis.name} is never {_short(value)}, which {_rules(rules)} "
                            f"{'tests' if len(rules) == 1 else 'test'}: its allowed values leave it out",
                            rules,
                            ((axis.name, value),),
                        )

    def _unchecked(self) -> Iterator[Finding]:
        for place, axis in enumerate(self.axes):
            reasons: dict[str, list[int]] = {}
            for index, row in enumerate(self.readings):
                if row[place].reason:
                    reasons.setdefault(row[place].reason, []).append(index)
            for reason, rules in reasons.items():
                what = f"what {axis.name} is tested for in {_rules(rules)} is not looked into: {reason}"
                yield self._finding("unchecked", "info", what, rules)
            if axis.vague and axis.cells:
                yield self._finding(
                    "unchecked",
                    "info",
                    f"which values {axis.name} may have is not looked into: {axis.vague}",
                )


_PLURAL: dict[FindingKind, str] = {
    "gap": "gaps",
    "overlap": "overlaps",
    "conflict": "conflicts",
    "masked": "masked rules",
    "duplicate": "duplicates",
}


def _box(masks: Iterable[int]) -> Box:
    """The masks as a box; one that is empty in an input is so in all."""
    box = tuple(masks)
    return box if all(box) else (0,) * len(box)


def _common(a: Box, b: Box) -> Box:
    return tuple(x & y for x, y in zip(a, b, strict=True))


def _rules(rules: Sequence[int]) -> str:
    if len(rules) == 1:
        return f"rule {rules[0] + 1}"
    names = [str(index + 1) for index in rules]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    return f"rules {', '.join(names[:-1])} and {names[-1]}"


def _where(region: Sequence[tuple[str, str]]) -> str:
    if not region:
        return ", whatever the input"
    return " where " + " and ".join(f"{name} is {_short(test)}" for name, test in region)


def _short(test: str) -> str:
    return test if len(test) <= LENGTH else f"{test[: LENGTH - 3]}..."
