"""The source of a function while it is written, and what is known of the values in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .. import syntax as ast
from ..scope import Scope
from ..values import Function


class Truth:
    """Stands for the kind of what is true, false or null."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value in generated code: ``atom`` is the name that holds it.

    ``kind`` is its Python type where that is certain (or Truth), ``value`` is itself where ``constant``.
    """

    atom: str
    kind: type | None = None
    constant: bool = False
    value: Any = None


NULL = Value("None", None, constant=True)
_INLINE = {None: "None", True: "True", False: "False"}


class Source:
    """Lines, the constants they need, and the names in scope.

    ``scope`` holds the values of what the text binds.
    """

    def __init__(self, text: str, builtins: Mapping[str, Function], shadowing: frozenset[str]) -> None:
        self.text = text
        self.builtins = builtins
        self.shadowing = shadowing
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {"T": text}
        self.scope: Scope[Value] = Scope()
        self.depth = 0
        self._count = 0

    def value(self, node: ast.Node) -> Value:
        """Write what computes a node; the answer holds its value."""
        method: Callable[[Any], Value] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)

    def function(self, node: ast.FunctionLiteral, own: str | None = None) -> Value:
        """Write a function literal; ``own`` is its own name, if it has one: it may call itself."""
        raise NotImplementedError

    # -- writing --------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append(" " * self.depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(f"{head}:")
        self.depth += 1
        yield
        self.depth -= 1

    def fresh(self, prefix: str = "t") -> str:
        """A name that nothing has yet."""
        self._count += 1
        return f"{prefix}{self._count}"

    def bind(self, value: Any) -> str:
        """The name of a constant."""
        name = self.fresh("k")
        self.constants[name] = value
        return name

    def constant(self, value: Any) -> Value:
        if value is None or value is True or value is False:
            return Value(_INLINE[value], type(value) if value is not None else None, True, value)
        return Value(self.bind(value), type(value), True, value)

    def assigned(self, expression: str, kind: type | None = None) -> Value:
        """Write an assignment to a new name."""
        name = self.fresh()
        self.line(f"{name} = {expression}")
        return Value(name, kind)

    def chosen(self, condition: str | None, quick: str, otherwise: str) -> str:
        """An expression that is ``quick`` under a condition (see ``all_of``), or else ``otherwise``."""
        if condition is None:
            return otherwise
        return f"{quick} if {condition} else {otherwise}" if condition else quick


# -- conditions on kinds: "" is always true, None never ---------------------------------------------------


def is_a(value: Value, *kinds: type) -> str | None:
    """The condition that a value is exactly of one of some kinds."""
    if value.kind in kinds:
        return ""
    if value.constant or (value.kind is not None and value.kind is not Truth):
        return None
    if value.kind is Truth:
        return f"{value.atom} is not None" if bool in kinds else None
    tests = [f"type({value.atom}) is {kind.__name__}" for kind in kinds]
    return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"


def is_number(value: Value) -> str | None:
    return is_a(value, int, Decimal)


def all_of(*conditions: str | None) -> str | None:
    """All of some conditions."""
    if any(condition is None for condition in conditions):
        return None
    return " and ".join(condition for condition in conditions if condition)
