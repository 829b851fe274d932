"""What one evaluation of a model carries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from towpath.feel.errors import Warning
from towpath.feel.runtime import MAX_WARNINGS, Runtime

if TYPE_CHECKING:
    from .graph import Element

MAX_RECORDS = 1000  # beyond which decisions of services leave none: a service may be called in a loop
MAX_HINTS = 300  # names among which what may have been meant is looked for

Path = tuple[str, ...]


@dataclass(slots=True)
class Journal:
    """What all parts of one evaluation write to.

    ``places`` tells in which element's text the warning of that index has its position; ``notes`` are
    the warnings that an input's value gave, for those who require it.
    """

    audit: list[dict[str, Any]] = field(default_factory=list)
    violation: str | None = None
    places: dict[int, str] = field(default_factory=dict)
    notes: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)

    def keep(self, record: dict[str, Any]) -> None:
        if len(self.audit) < MAX_RECORDS or "decisionService" not in record:
            self.audit.append(record)


class State:
    """The inputs, the values of what was evaluated so far, and the journal.

    ``record`` is the audit's entry of the decision that is being evaluated, ``service`` the name of the
    decision service that asked for it. ``paths`` tells where the inputs of imported models stand.
    """

    __slots__ = ("_ambient", "inputs", "journal", "paths", "record", "runtime", "service", "values")

    def __init__(
        self,
        runtime: Runtime,
        inputs: Mapping[str, Any],
        paths: Mapping[Any, tuple[Path, ...]] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.runtime = runtime
        self.inputs = inputs
        self.paths = paths or {}
        self.values: dict[Any, Any] = {}
        self.journal = journal or Journal()
        self.record: dict[str, Any] | None = None
        self.service: str | None = None
        self._ambient: dict[frozenset[str], dict[str, Any]] = {}

    @property
    def audit(self) -> list[dict[str, Any]]:
        return self.journal.audit

    @property
    def violation(self) -> str | None:
        return self.journal.violation

    @violation.setter
    def violation(self, message: str | None) -> None:
        self.journal.violation = self.journal.violation or message

    def within(self, runtime: Runtime) -> State:
        """This evaluation seen from a function: what it finds out is no part of the decision's record."""
        inner = State(runtime, self.inputs, self.paths, self.journal)
        inner.values = self.values
        return inner

    def given(self, element: Element) -> tuple[Any, bool]:
        """What the caller gave for an input, and whether anything was given.

        The input of an imported model is looked for under the import's name or the model's namespace,
        then under its own name.
        """
        for path in self.paths.get(element, ()):
            place: Any = self.inputs
            for part in (*path, element.name):
                if type(place) is not dict or part not in place:
                    break
                place = place[part]
            else:
                return place, True
        name = element.name if element.name in self.inputs else element.title
        return self.inputs.get(name), name in self.inputs

    def ambient(self, hidden: frozenset[str]) -> dict[str, Any]:
        """The given variables that are not ``hidden``; to be copied, never changed."""
        found = self._ambient.get(hidden)
        if found is None:
            found = {name: value for name, value in self.inputs.items() if name not in hidden}
            self._ambient[hidden] = found
        return found

    def warn(self, message: str, element: str = "") -> None:
        """A reason for a null that has no place in a text; ``element`` is what it is about."""
        warnings = self.runtime.warnings
        if len(warnings) < MAX_WARNINGS:
            if element:
                self.journal.places[len(warnings)] = element
            warnings.append(Warning(message, 1, 1))

    def attribute(self, first: int, element: str) -> None:
        """The warnings from the index ``first`` on are about the text of ``element``, unless known."""
        if element:
            for index in range(first, len(self.runtime.warnings)):
                self.journal.places.setdefault(index, element)

    def forget(self, first: int) -> None:
        """Take back the warnings from the index ``first`` on."""
        for index in range(first, len(self.runtime.warnings)):
            self.journal.places.pop(index, None)
        del self.runtime.warnings[first:]

    def told(self, first: int) -> list[dict[str, Any]]:
        """The warnings from the index ``first`` on, as the audit has them."""
        places = self.journal.places
        return [
            {
                "message": warning.message,
                "line": warning.line,
                "column": warning.column,
                "elementId": places.get(index),
            }
            for index, warning in enumerate(self.runtime.warnings[first:], first)
        ]


def hint(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that there is not."""
    others = islice((key for key in known if key != name), MAX_HINTS)
    close = difflib.get_close_matches(name, others, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
