"""Static checks of decision tables: what no rule answers, and what several do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from towpath.feel.syntax import Name, Node, Path
from towpath.feel.types import Type

from .boxed import Boxed
from .findings import Finding
from .graph import DecisionNode, Knowledge
from .model import Model
from .table_check import TableCheck
from .tables import DecisionTable

SHOWN = 20  # findings of one kind in one table


def check(model: Model, *, shown: int | None = SHOWN) -> tuple[Finding, ...]:
    """All that the checks find in the model's decision tables, wherever they stand, in the document's order.

    Of one kind at most ``shown`` findings are told of each table, and one more says how many are left;
    None shows them all. What is told is so: a cell that reads more than its input, or allowed values
    that cannot be read ahead, are left out of account and named in a finding ``unchecked``. Null counts
    as a value of an input only where a cell names it.
    """
    findings: list[Finding] = []
    for element in model.elements.values():
        if isinstance(element, DecisionNode):
            logic: Boxed | None = element.expression
            types = {part.element.name: part.element.type for part in element.requirements if not part.prefix}
        elif isinstance(element, Knowledge) and element.definition is not None:
            logic = element.definition.body
            types = dict(element.definition.parameters)
        else:
            continue
        for table in tables_of(logic):
            # Inside another boxed expression a name may stand for something nearer.
            known = types if table is logic else {}
            declared = [_type_of(clause.expression.node, known) for clause in table.inputs]
            findings.extend(TableCheck(element.id, table, declared).findings(shown))
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


def _type_of(node: Node, known: dict[str, Type]) -> Type | None:
    """The declared type of a variable or of a part of one."""
    if isinstance(node, Name):
        return known.get(node.name)
    if isinstance(node, Path):
        source = _type_of(node.source, known)
        return None if source is None else dict(source.fields).get(node.name)
    return None
