"""Names that a text reads and does not bind itself."""

from __future__ import annotations

from typing import Any

from towpath.feel import syntax as ast
from towpath.feel.expression import Expression


def unbound(expression: Expression) -> frozenset[str]:
    """The names that an expression reads, without those inside a filter: there a name may be an item's."""
    if "[" not in expression.text:
        return expression.names
    return expression.names & _outside_filters(expression.node)


def _outside_filters(node: Any) -> set[str]:
    found: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Name):
            found.add(part.name)
        elif isinstance(part, ast.Filter):
            pending.append(part.source)
        elif isinstance(part, ast.Node):
            pending.extend(getattr(part, field) for field in part.__dataclass_fields__)
        elif isinstance(part, tuple):
            pending.extend(part)
    return found
