"""Names that a text reads and does not bind itself."""

from __future__ import annotations

from collections.abc import Iterator

from towpath.feel import syntax as ast
from towpath.feel.expression import Expression


def unbound(expression: Expression) -> frozenset[str]:
    """The names that an expression reads, without those inside a filter: there a name may be an item's."""
    if "[" not in expression.text:
        return expression.names
    return expression.names & {part.name for part in _outside_filters(expression.node)}


def _outside_filters(node: ast.Node) -> Iterator[ast.Name]:
    for part in ast.walk(node, lambda part: not isinstance(part, ast.Filter)):
        if isinstance(part, ast.Name):
            yield part
        elif isinstance(part, ast.Filter):
            yield from _outside_filters(part.source)
