"""Names that a text reads although nothing in its scope is so called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from towpath.feel import syntax as ast
from towpath.feel.builtins import STANDARD
from towpath.feel.expression import Expression
from towpath.feel.names import NameTable
from towpath.feel.parser import Parser
from towpath.feel.types import Type

_BUILTINS = NameTable(STANDARD)


def unbound(expression: Expression, names: Iterable[str], types: Mapping[str, Type]) -> frozenset[str]:
    """The names that an expression reads and ``names`` has not.

    Those inside a filter are left out: there a name may be an entry of the item.
    """
    known = frozenset(names)
    unknown = expression.names - known
    if not unknown or "[" not in expression.text:
        return unknown
    parser = Parser(expression.text, known, _BUILTINS, types)
    tests = expression.dialect == "unary-tests"
    return unknown & _outside_filters(parser.parse_unary_tests() if tests else parser.parse_expression())


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
