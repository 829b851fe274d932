"""Rules as boxes: which share a point, and what they leave uncovered.

Each input of a table is a finite list of atoms, values that no rule tells apart; a set of atoms is an
``int`` with a bit for each, and a box one such set per input. Sets of boxes are such ints too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Box = tuple[int, ...]

MAX_WORK = 3_000_000  # atoms and boxes looked at in one search: a few seconds

MAX_INPUTS = 200  # a search goes as deep as there are inputs


class Exhausted(Exception):
    """A search took more steps than it may."""


class Work:
    """What a search may still spend."""

    def __init__(self, limit: int = MAX_WORK) -> None:
        self.left = self.limit = limit

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise Exhausted


def tidied(full: Box, boxes: Sequence[Box], work: Work) -> list[Box]:
    """Boxes that cover the same, without those that others cover together.

    Where a box is bounded anyway, it leaves out what those before it cover. Raises Exhausted.
    """
    known, kept = Boxes(full, boxes), (1 << len(boxes)) - 1
    for index in reversed(range(len(boxes))):
        others = kept & ~(1 << index)
        if known.outside(boxes[index], others, work) is None:
            kept = others
    told: list[Box] = []
    for index in members(kept):
        box, before = boxes[index], kept & ((1 << index) - 1)
        for place, mask in enumerate(box):
            if mask == full[place]:
                continue
            for atom in members(mask):
                part = (*box[:place], 1 << atom, *box[place + 1 :])
                if known.outside(part, before, work) is None:
                    box = (*box[:place], box[place] & ~(1 << atom), *box[place + 1 :])
        told.append(box)
    return told


def members(bits: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    text = format(bits, "b")[::-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


class Boxes:
    """Boxes within the box ``full``, known by their order."""

    def __init__(self, full: Box, boxes: Iterable[Box]) -> None:
        self.full = full
        self.boxes: list[Box] = []
        # Per input: the boxes that hold an atom, and those that share one with, or hold all of, a set.
        self._holding: list[list[int]] = [[0] * mask.bit_length() for mask in full]
        self._touching: list[dict[int, int]] = [{} for _ in full]
        self._containing: list[dict[int, int]] = [{} for _ in full]
        for box in boxes:
            self.add(box)
        # The inputs that tell the boxes apart best come first: soon few boxes are left to look at.
        shares = [sum(box[place].bit_count() for box in self.boxes) for place in range(len(full))]
        sizes = [mask.bit_count() or 1 for mask in full]
        self._order = sorted(range(len(full)), key=lambda place: shares[place] / sizes[place])

    @property
    def every(self) -> int:
        return (1 << len(self.boxes)) - 1

    def add(self, box: Box) -> None:
        bit = 1 << len(self.boxes)
        self.boxes.append(box)
        for mask, holding, touching, containing in zip(
            box, self._holding, self._touching, self._containing, strict=True
        ):
            for atom in members(mask):
                holding[atom] |= bit
            for other in touching:
                if other & mask:
                    touching[other] |= bit
            for other in containing:
                if not other & ~mask:
                    containing[other] |= bit

    def touching(self, box: Box, *, but: int = -1) -> int:
        """The boxes that share a point with ``box``; whatever they are in the input ``but``."""
        found = self.every
        for place, mask in enumerate(box):
            if place != but and found:
                known = self._touching[place]
                if mask not in known:
                    holding, touched = self._holding[place], 0
                    for atom in members(mask):
                        touched |= holding[atom]
                    known[mask] = touched
                found &= known[mask]
        return found

    def _contained(self, place: int, mask: int) -> int:
        """The boxes that hold all of a set of atoms of one input."""
        known = self._containing[place]
        if mask not in known:
            holding, found = self._holding[place], self.every
            for atom in members(mask):
                found &= holding[atom]
            known[mask] = found
        return known[mask]

    def containing(self, box: Box) -> int:
        """The boxes that hold all of ``box``."""
        found = self.every
        for place, mask in enumerate(box):
            found &= self._contained(place, mask)
        return found

    def outside(
        self, box: Box, among: int, work: Work, known: set[tuple[int, int]] | None = None
    ) -> Box | None:
        """A part of ``box`` that none of the boxes ``among`` touches; None where they cover it all.

        ``known`` keeps what was found to be covered, for more searches in the same box. Raises
        Exhausted.
        """
        order, width = self._order, len(box)
        if width > MAX_INPUTS:
            raise Exhausted
        covered: set[tuple[int, int]] = set() if known is None else known
        whole = [self.every] * (width + 1)  # the boxes that hold all of it from one level on
        for level in range(width - 1, -1, -1):
            whole[level] = whole[level + 1] & self._contained(order[level], box[order[level]])
        found = [0] * width

        def search(level: int, alive: int) -> bool:
            if not alive:
                for place in order[level:]:
                    found[place] = box[place]
                return True
            if alive & whole[level] or (level, alive) in covered:
                return False
            place = order[level]
            parts = self._parts(place, box[place], alive, work)
            for left in sorted(parts, key=int.bit_count):
                if search(level + 1, left):
                    found[place] = parts[left]
                    return True
            covered.add((level, alive))
            return False

        return tuple(found) if search(0, among & self.touching(box)) else None

    def _parts(self, place: int, mask: int, alive: int, work: Work) -> dict[int, int]:
        """The atoms of one input by the boxes that hold them."""
        parts: dict[int, int] = {}
        if alive.bit_count() ** 2 < mask.bit_count():
            split = [(0, mask)]
            for index in members(alive):
                own, bit = self.boxes[index][place], 1 << index
                work.spend(len(split))
                split = [
                    (boxes | bit if inside else boxes, part)
                    for boxes, atoms in split
                    for inside, part in ((True, atoms & own), (False, atoms & ~own))
                    if part
                ]
            return dict(split)
        holding = self._holding[place]
        work.spend(mask.bit_count())
        for atom in members(mask):
            boxes = alive & holding[atom]
            parts[boxes] = parts.get(boxes, 0) | 1 << atom
        return parts

    def gaps(self, work: Work) -> Iterator[Box]:
        """What no box covers, as boxes that are as large as they can be and may share points.

        They are found one by one; what was found counts as covered from then on. Raises Exhausted.
        """
        rules = len(self.boxes)
        known: set[tuple[int, int]] = set()
        while (hole := self.outside(self.full, self.every, work, known)) is not None:
            largest = self._widened(hole, (1 << rules) - 1, work)
            yield largest
            self.add(largest)

    def _widened(self, hole: Box, among: int, work: Work) -> Box:
        """A hole between the boxes ``among``, as large as it can be; inputs that can be free go first."""
        box = list(hole)
        waiting = {place for place, mask in enumerate(hole) if mask != self.full[place]}
        while waiting:
            best, widest, share = -1, 0, -1.0
            for place in waiting:
                touching = self.touching(tuple(box), but=place) & among
                work.spend(touching.bit_count())
                blocked = 0
                for index in members(touching):
                    blocked |= self.boxes[index][place]
                wide = self.full[place] & ~blocked
                if wide.bit_count() / self.full[place].bit_count() > share:
                    best, widest = place, wide
                    share = wide.bit_count() / self.full[place].bit_count()
            box[best] = widest
            waiting.remove(best)
        return tuple(box)
