"""The syntax tree of FEEL. ``at`` is the offset in the text that a warning points to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .types import Type


@dataclass(slots=True, frozen=True)
class Node:
    at: int


@dataclass(slots=True, frozen=True)
class Literal(Node):
    """A number, string, boolean, null or at-literal, as its value."""

    value: Any


@dataclass(slots=True, frozen=True)
class UnreadableLiteral(Literal):
    """An at-literal whose ``text`` is no temporal value: null, and the reader is told why."""

    text: str


@dataclass(slots=True, frozen=True)
class Name(Node):
    name: str


@dataclass(slots=True, frozen=True)
class Negation(Node):
    operand: Node


@dataclass(slots=True, frozen=True)
class Arithmetic(Node):
    """Operands of one precedence, from left to right: ``first`` then ``(operator, operand, at)``."""

    first: Node
    rest: tuple[tuple[str, Node, int], ...]


@dataclass(slots=True, frozen=True)
class Logic(Node):
    """``and`` or ``or`` over two or more operands."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(slots=True, frozen=True)
class Comparison(Node):
    operator: str
    left: Node
    right: Node


@dataclass(slots=True, frozen=True)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(slots=True, frozen=True)
class In(Node):
    value: Node
    tests: UnaryTests


@dataclass(slots=True, frozen=True)
class UnaryTests(Node):
    """A disjunction of tests on the value named ``?``; no tests at all stand for ``-``."""

    tests: tuple[Node, ...]
    negated: bool = False


@dataclass(slots=True, frozen=True)
class OperatorTest(Node):
    """``< 5`` and its like, as a test or (in parentheses) as a range."""

    operator: str
    operand: Node


@dataclass(slots=True, frozen=True)
class RangeLiteral(Node):
    low: Node
    high: Node
    low_included: bool
    high_included: bool


@dataclass(slots=True, frozen=True)
class Path(Node):
    source: Node
    name: str


@dataclass(slots=True, frozen=True)
class Filter(Node):
    source: Node
    predicate: Node


@dataclass(slots=True, frozen=True)
class Invocation(Node):
    function: Node
    positional: tuple[Node, ...]
    named: tuple[tuple[str, Node], ...]


@dataclass(slots=True, frozen=True)
class ListLiteral(Node):
    items: tuple[Node, ...]


@dataclass(slots=True, frozen=True)
class ContextLiteral(Node):
    entries: tuple[tuple[str, Node], ...]


@dataclass(slots=True, frozen=True)
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True, frozen=True)
class For(Node):
    """Each iterator is ``(name, source, end)``; ``end`` where it was written ``source..end``."""

    iterators: tuple[tuple[str, Node, Node | None], ...]
    body: Node


@dataclass(slots=True, frozen=True)
class Quantified(Node):
    every: bool
    iterators: tuple[tuple[str, Node, Node | None], ...]
    condition: Node


@dataclass(slots=True, frozen=True)
class InstanceOf(Node):
    value: Node
    type: Type


@dataclass(slots=True, frozen=True)
class FunctionLiteral(Node):
    parameters: tuple[tuple[str, Type], ...]
    body: Node
    external: bool = False


def walk(node: Node, enters: Callable[[Node], bool] | None = None) -> Iterator[Node]:
    """``node`` and all nodes inside it, in no order; where ``enters`` says no, nothing that is inside.

    Without recursion: a chain of operators may be deeper than Python's stack.
    """
    pending: list[Any] = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, Node):
            yield part
            if enters is None or enters(part):
                pending.extend(getattr(part, field) for field in part.__dataclass_fields__)
        elif isinstance(part, tuple):
            pending.extend(part)
