"""What a rule of a decision table answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from towpath.feel.convert import to_json
from towpath.feel.expression import Expression
from towpath.feel.types import ANY, NotConforming, Type, coerce

from .cells import NotConstant, constant_of


@dataclass(slots=True)
class Output:
    """``values`` are the allowed values in their order of priority; ``default`` where no rule matches."""

    id: str
    name: str
    type: Type = ANY
    values: Sequence[Expression] = ()
    default: Expression | None = None


class Answer:
    """``values`` per output."""

    __slots__ = ("_json", "values")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self._json: Sequence[Any] | None = None

    def json(self) -> Sequence[Any]:
        """The values as JSON."""
        if self._json is None:
            self._json = [to_json(value) for value in self.values]
        return self._json


def fixed_answer(cells: Sequence[Expression | None], outputs: Sequence[Output]) -> Answer | None:
    """What a rule answers whose output cells are simple values; None where they are more."""
    values = []
    for cell, output in zip(cells, outputs, strict=True):
        try:
            value = None if cell is None else coerce(constant_of(cell), output.type)
        except (NotConstant, NotConforming):
            return None
        if type(value) is list:
            return None  # each evaluation has its own
        values.append(value)
    return Answer(values)
