"""Large instances in pages: a step copies, and a snapshot writes, only the pages that change.

Element instances that wait in great numbers are put on pages, by their keys, with the keys of what they
own. A step that asks for one takes it from its page; the maps of a step are dictionaries in every other
way. Small instances have no pages.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, MutableMapping, ValuesView
from typing import Any, TypeVar, overload

from towpath.engine.state import ACTIVE, PAGE_BITS, ElementInstance, Instance, Page, Parked

V = TypeVar("V")
D = TypeVar("D")

NEAR = 256  # element instances that a state may have without pages: copying so many costs about 2 us
BESIDE = 32  # that it may have outside its pages, once it has some


class Pages:
    """The pages of one step: those it changes are its own."""

    __slots__ = ("_own", "pages")

    def __init__(self, pages: dict[int, Page]) -> None:
        self.pages = pages.copy()
        self._own: set[int] = set()

    def parked(self, key: int) -> Parked | None:
        """What is on the page of ``key``; not to be changed."""
        page = self.pages.get(key >> PAGE_BITS)
        return page.parked if page is not None else None

    def edit(self, key: int) -> Parked:
        """What is on the page of ``key``, to be changed."""
        number = key >> PAGE_BITS
        if number in self._own:
            return self.pages[number].parked
        self._own.add(number)
        page = self.pages.get(number)
        parked = Parked() if page is None else Parked(page.parked.elements.copy(), page.parked.owners.copy())
        self.pages[number] = Page(parked)
        return parked

    def filled(self) -> dict[int, Page]:
        """The pages that hold something."""
        for number in self._own:
            parked = self.pages[number].parked
            if not parked.elements and not parked.owners:
                del self.pages[number]
        return self.pages


class Paged(dict[int, V]):
    """A map of which some entries are on pages. Each is taken from its page when it is first read."""

    __slots__ = ("_field", "_pages")

    def __init__(self, near: dict[int, V], pages: Pages, field: str) -> None:
        super().__init__(near)
        self._pages = pages
        self._field = field

    def __missing__(self, key: int) -> V:
        pages, field = self._pages, self._field
        page = pages.pages.get(key >> PAGE_BITS)
        if page is None or key not in getattr(page.parked, field):
            raise KeyError(key)
        found: V = getattr(pages.edit(key), field).pop(key)
        self[key] = found
        return found

    def near(self) -> dict[int, V]:
        """The entries that are on no page."""
        return dict(super().items())  # a copy of all would take every entry from its page

    def take_all(self) -> None:
        """Take every entry from its page."""
        for number, page in list(self._pages.pages.items()):
            if getattr(page.parked, self._field):
                parked = getattr(self._pages.edit(number << PAGE_BITS), self._field)
                self.update(parked)
                parked.clear()

    @overload
    def get(self, key: int, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: int, default: V, /) -> V: ...
    @overload
    def get(self, key: int, default: D, /) -> V | D: ...
    def get(self, key: int, default: Any = None, /) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def pop(self, key: int, *default: Any) -> Any:
        self.get(key)
        return super().pop(key, *default)

    def __delitem__(self, key: int) -> None:
        self[key]  # comes here from its page
        super().__delitem__(key)

    def __contains__(self, key: object) -> bool:
        if super().__contains__(key):
            return True
        parked = self._pages.parked(key) if isinstance(key, int) else None
        return parked is not None and key in getattr(parked, self._field)

    def __len__(self) -> int:
        self.take_all()
        return super().__len__()

    def __iter__(self) -> Iterator[int]:
        self.take_all()
        return super().__iter__()

    def keys(self) -> KeysView[int]:  # type: ignore[override]
        self.take_all()
        return super().keys()

    def values(self) -> ValuesView[V]:  # type: ignore[override]
        self.take_all()
        return super().values()

    def items(self) -> ItemsView[int, V]:  # type: ignore[override]
        self.take_all()
        return super().items()


def at_hand(entries: MutableMapping[int, V]) -> Iterable[V]:
    """The values that are on no page: all, where there are no pages."""
    return entries.near().values() if isinstance(entries, Paged) else entries.values()


def settle(instance: Instance, pages: Pages | None) -> None:
    """Leave ``instance`` as a state is kept: plain maps, and what waits in great numbers on pages."""
    elements, owners = instance.elements, instance.owners
    if isinstance(elements, Paged):
        elements = instance.elements = elements.near()
    if isinstance(owners, Paged):
        owners = instance.owners = owners.near()
    if len(elements) > (NEAR if pages is None else min(BESIDE, NEAR)):
        pages = pages or Pages({})
        _park(instance, elements, owners, pages)
    if pages is not None:
        instance.pages = pages.filled()


def _park(
    instance: Instance, elements: dict[int, ElementInstance], owners: dict[int, int], pages: Pages
) -> None:
    pending = set(instance.pending)
    waiting = [key for key, found in elements.items() if _waits(found) and found.scope and key not in pending]
    for key in waiting:
        pages.edit(key).elements[key] = elements.pop(key)
    parked = set(waiting)
    for key in [key for key, owner in owners.items() if owner in parked]:
        pages.edit(key).owners[key] = owners.pop(key)


def _waits(found: ElementInstance) -> bool:
    """Whether it is left alone until something happens to it, or inside it."""
    return found.phase == ACTIVE and found.taken is None and found.loop is None and found.incident is None
