"""A fault: one thing wrong with something a person wrote, told so that they can mend it.

Readers of models and solutions collect every fault instead of stopping at the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was wrong, where, and what to do.

    ``rule`` is a short stable name (``bpmn.sequence-flow-target``) for filters and documentation.
    ``line`` and ``column`` count from 1; ``element`` is the model's element id.
    """

    message: str
    rule: str
    remedy: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    element: str | None = None
    element_name: str | None = None
    severity: str = "error"  # or "warning"

    def in_file(self, file: str) -> Fault:
        """The same fault, said to be in ``file``."""
        return replace(self, file=file)

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        element = ""
        if self.element:
            element = f" {self.element}"
            if self.element_name:
                element += f" ({self.element_name!r})"
        head = f"{place}:{element} " if place else f"{element.strip()} " if element else ""
        tail = f" {self.remedy}" if self.remedy else ""
        message, newline, excerpt = self.message.partition("\n")
        return f"{head}{message}{tail} [{self.rule}]{newline}{excerpt}"


class Faulty(ValueError):
    """Something could not be used; ``faults`` holds everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)
