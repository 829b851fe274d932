"""What the text itself binds, while it is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Bound = TypeVar("Bound")


class Scope(Generic[Bound]):
    """Bindings, innermost last: a name's value, or (None, value) for an item whose fields count as names.

    A name is found at once however many there are: a context binds each of its keys.
    """

    __slots__ = ("_bindings", "_places")

    def __init__(self) -> None:
        self._bindings: list[tuple[str | None, Bound]] = []
        self._places: dict[str | None, list[int]] = {}  # where each name is bound

    def __len__(self) -> int:
        return len(self._bindings)

    def __iter__(self) -> Iterator[tuple[str | None, Bound]]:
        return iter(self._bindings)

    def append(self, binding: tuple[str | None, Bound]) -> None:
        self._places.setdefault(binding[0], []).append(len(self._bindings))
        self._bindings.append(binding)

    def extend(self, bindings: Iterable[tuple[str | None, Bound]]) -> None:
        for binding in bindings:
            self.append(binding)

    def leave(self, depth: int) -> None:
        """Forget all but the first ``depth`` bindings."""
        while len(self._bindings) > depth:
            name, _ = self._bindings.pop()
            self._places[name].pop()

    def find(self, name: str) -> tuple[Bound | None, list[Bound]]:
        """What the name is bound to, or None, and the items bound inside of that, innermost first."""
        places = self._places.get(name)
        place = places[-1] if places else -1
        items = []
        for filtered in reversed(self._places.get(None, ())):
            if filtered < place:
                break
            items.append(self._bindings[filtered][1])
        return (None if place < 0 else self._bindings[place][1]), items

    def reached(self, names: Iterable[str]) -> list[Bound]:
        """What these names may be looked up in: their bindings, and the items of all filters."""
        reached = [self._bindings[place][1] for place in self._places.get(None, ())]
        for name in names:
            places = self._places.get(name)
            if places:
                reached.append(self._bindings[places[-1]][1])
        return reached

    def may_bind(self, name: str) -> bool:
        """Whether the text may mean something of its own by the name."""
        return bool(self._places.get(name) or self._places.get(None))
