"""What compiling any part of a text shares: the names in scope, the frame's slots, and warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import syntax as ast
from .scope import Scope
from .values import Function

Run = Callable[[list[Any]], Any]
RUNTIME, VARIABLES, FIRST_SLOT = 0, 1, 2


class Compilation:
    """Of one text. ``free`` gathers the variables it reads; ``size`` is the frame's length."""

    def __init__(self, text: str, builtins: Mapping[str, Function], shadowing: frozenset[str]) -> None:
        self.text = text
        self.builtins = builtins
        self.shadowing = shadowing
        self.size = FIRST_SLOT
        self.free: set[str] = set()
        self.scope: Scope[int] = Scope()  # the slots of what the text binds

    def slot(self) -> int:
        self.size += 1
        return self.size - 1

    def compile(self, node: ast.Node) -> Run:
        method: Callable[[Any], Run] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)


def constant(value: Any) -> Run:
    return lambda _: value


def mentions(node: ast.Node, name: str) -> bool:
    """Whether a name occurs in a part of the tree."""
    return any(isinstance(part, ast.Name) and part.name == name for part in ast.walk(node))


def names_in(node: ast.Node) -> set[str]:
    """Every name that occurs in a part of the tree, whatever it means there."""
    return {part.name for part in ast.walk(node) if isinstance(part, ast.Name)}
