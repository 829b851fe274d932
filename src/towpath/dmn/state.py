"""What one evaluation of a model carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.feel.errors import Warning
from towpath.feel.runtime import Runtime


class Violation(Exception):
    """A decision table's hit policy is broken by its rules; the evaluation fails."""


class State:
    """The inputs, the values of what was evaluated so far, and the audit.

    ``record`` is the audit's entry of the decision that is being evaluated.
    """

    __slots__ = ("audit", "inputs", "record", "runtime", "values", "violation")

    def __init__(self, runtime: Runtime, inputs: Mapping[str, Any]) -> None:
        self.runtime = runtime
        self.inputs = inputs
        self.values: dict[Any, Any] = {}
        self.audit: list[dict[str, Any]] = []
        self.record: dict[str, Any] | None = None
        self.violation: str | None = None

    def within(self, runtime: Runtime) -> State:
        """This evaluation seen from a function: what it finds out is no part of the decision's record."""
        inner = State(runtime, self.inputs)
        inner.values = self.values
        return inner

    def warn(self, message: str) -> None:
        """A reason for a null that has no place in a text."""
        if len(self.runtime.warnings) < 100:
            self.runtime.warnings.append(Warning(message, 1, 1))
