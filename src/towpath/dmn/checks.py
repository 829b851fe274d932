"""Static checks of decision tables: overlaps, gaps, and rules that can never be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from towpath.feel.expression import Expression
from towpath.feel.operators import order
from towpath.feel.syntax import Literal, RangeLiteral, UnaryTests

from .boxed import Boxed
from .findings import Finding
from .graph import DecisionNode, Knowledge
from .model import Model
from .tables import DecisionTable


def check(model: Model) -> tuple[Finding, ...]:
    """All that the checks find in the model's decision tables, wherever they stand, in order."""
    findings: list[Finding] = []
    for element in model.elements.values():
        if isinstance(element, DecisionNode):
            logic: Boxed | None = element.expression
        else:
            logic = element.definition if isinstance(element, Knowledge) else None
        for table in tables_of(logic):
            findings.extend(check_table(element.id, table))
    return tuple(findings)


def tables_of(part: Any) -> Iterator[DecisionTable]:
    """The decision tables inside a boxed expression."""
    if isinstance(part, DecisionTable):
        yield part
    elif isinstance(part, Boxed):
        for name in getattr(part, "__dataclass_fields__", ()):
            yield from tables_of(getattr(part, name))
    elif isinstance(part, list | tuple):
        for item in part:
            yield from tables_of(item)


def check_table(decision: str, table: DecisionTable) -> list[Finding]:
    """What is to be said of one table: the cells that no value meets."""
    findings = []
    for number, rule in enumerate(table.rules, 1):
        for clause, test in zip(table.inputs, rule.tests, strict=True):
            if test is not None and _is_empty(test):
                findings.append(
                    Finding(
                        kind="empty",
                        severity="warning",
                        message=f"no {clause.name} meets {test.text.strip()} in rule {number}",
                        decision=decision,
                        table=table.id,
                        rules=(number,),
                        rule_ids=(rule.id,),
                        region=((clause.name, test.text.strip()),),
                        line=rule.line,
                        element=rule.id,
                    )
                )
    return findings


def _is_empty(test: Expression) -> bool:
    node = test.node
    if not isinstance(node, UnaryTests) or node.negated or len(node.tests) != 1:
        return False
    extent = node.tests[0]
    if not isinstance(extent, RangeLiteral):
        return False
    low, high = extent.low, extent.high
    if not isinstance(low, Literal) or not isinstance(high, Literal):
        return False
    sign = order(low.value, high.value)
    return sign is not None and (
        sign > 0 or (sign == 0 and not (extent.low_included and extent.high_included))
    )
