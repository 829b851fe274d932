"""What a check of a decision table finds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal[
    "gap",  # values for which no rule matches
    "overlap",  # values for which several rules of a UNIQUE table match
    "conflict",  # values for which rules of an ANY table match with different outputs
    "masked",  # a rule of a FIRST or PRIORITY table that others always precede
    "duplicate",  # a rule that says again what another says
    "empty",  # a cell that no value meets
    "outside",  # a cell that only tests for what the input does not allow
    "unchecked",  # what could not be looked into, and why
]
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a modeller should look at.

    ``decision`` is the id of the decision (or business knowledge model) whose logic holds the table,
    ``table`` the table's id, ``element`` the id of the rule or table it is about, ``line`` its place
    in the document. ``rules`` count from 1, and ``rule_ids`` are theirs. ``region`` tells the values in
    question: ``(input, unary tests)`` for each input that is bounded, such as ``("amount",
    "[500..1000)")``; without any it is every value. An ``error`` makes an evaluation fail there.
    """

    kind: FindingKind
    severity: Severity
    message: str
    decision: str
    table: str
    rules: tuple[int, ...] = ()
    rule_ids: tuple[str, ...] = ()
    region: tuple[tuple[str, str], ...] = ()
    line: int | None = None
    element: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line is not None else ""
        table = f"{self.decision} ({self.table})" if self.table not in ("", self.decision) else self.decision
        return f"{place}{self.severity}: {table}: {self.message} [{self.kind}]"
