"""What can be known of an expression's type from its text alone (DMN 1.5, 10.3.2.9: the type of a function
is that of its parameters and its body).

It is used to ask what a function answers without calling it. Where the text does not tell, it is ``Any``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import syntax as ast
from .types import ANY, BOOLEAN, NULL, NUMBER, SIMPLE, STRING, Type
from .values import Range, kind

_BOOLEAN_NODES = (
    ast.Between,
    ast.In,
    ast.InstanceOf,
    ast.Logic,
    ast.Comparison,
    ast.Quantified,
    ast.UnaryTests,
)


def type_of(node: ast.Node, names: Mapping[str, Type]) -> Type:
    """The type of ``node``'s value unless it is null; ``names`` are the types of what is bound around it."""
    if isinstance(node, ast.Literal):
        return _of_value(node.value)
    if isinstance(node, ast.Name):
        return names.get(node.name, ANY)
    if isinstance(node, _BOOLEAN_NODES):
        return BOOLEAN
    if isinstance(node, ast.Negation):
        return type_of(node.operand, names)
    if isinstance(node, ast.Arithmetic):
        operands = [type_of(part, names) for part in (node.first, *(operand for _, operand, _ in node.rest))]
        return (
            operands[0] if all(part in (NUMBER, STRING) and part == operands[0] for part in operands) else ANY
        )
    if isinstance(node, ast.If):
        return _common([type_of(node.then, names), type_of(node.otherwise, names)])
    if isinstance(node, ast.ListLiteral):
        return Type("list", of=_common([type_of(item, names) for item in node.items]))
    if isinstance(node, ast.For):
        return SIMPLE["list"]
    if isinstance(node, ast.ContextLiteral):
        return _of_context(node, names)
    if isinstance(node, ast.RangeLiteral):
        return Type("range", of=_common([type_of(node.low, names), type_of(node.high, names)]))
    if isinstance(node, ast.OperatorTest):
        return Type("range", of=type_of(node.operand, names))
    if isinstance(node, ast.FunctionLiteral):
        own = dict(node.parameters)
        result = ANY if node.external else type_of(node.body, {**names, **own})
        return Type("function", parameters=tuple(own.values()), result=result)
    return ANY


def _of_value(value: Any) -> Type:
    if value is None:
        return NULL
    return SIMPLE["range"] if isinstance(value, Range) else SIMPLE[kind(value)]


def _of_context(node: ast.ContextLiteral, names: Mapping[str, Type]) -> Type:
    inner = dict(names)
    for key, value in node.entries:
        inner[key] = type_of(value, inner)
    return Type("context", fields=tuple((key, inner[key]) for key, _ in node.entries))


def _common(parts: list[Type]) -> Type:
    """The type of all parts; null is of every type."""
    known = [part for part in parts if part != NULL]
    if not known:
        return NULL if parts else ANY
    return known[0] if all(part == known[0] for part in known) else ANY
