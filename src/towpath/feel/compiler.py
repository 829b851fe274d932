"""A syntax tree becomes one Python closure, compiled once.

A closure takes the frame: a list whose first element is the Runtime, the second the variables
(name -> FEEL value), and the rest the slots of the names that the text itself binds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from operator import add as python_add
from operator import ge, gt, le, lt, mul, sub
from typing import Any

from . import syntax as ast
from .answers import (
    TWICE_IN_CONTEXT,
    absent,
    between,
    calculation,
    comparison,
    entry,
    equality,
    negative,
    not_temporal,
    undecided,
)
from .compilation import RUNTIME, VARIABLES, Run, constant
from .errors import Unanswerable
from .invocation import Invocations
from .iteration import Iterations
from .operators import ARITHMETIC, negate
from .properties import property_of
from .types import is_instance, undefined_in
from .unary_tests import Tests
from .values import INT_LIMIT

_DIRECT: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_QUICK: Mapping[str, Callable[[int, int], int]] = {"+": python_add, "-": sub, "*": mul}


class Compiler(Iterations, Tests, Invocations):
    """Compiles one text."""

    # -- literals and names -------------------------------------------------------------------------

    def _literal(self, node: ast.Literal) -> Run:
        value = node.value
        return constant(value)

    def _unreadableliteral(self, node: ast.UnreadableLiteral) -> Run:
        text, at, reason = self.text, node.at, not_temporal(node.text)
        return lambda frame: frame[RUNTIME].warn(text, at, reason)

    def _name(self, node: ast.Name) -> Run:
        """The innermost binding; inside filters the item's own fields come first."""
        name = node.name
        slot, items = self.scope.find(name)
        run = self._variable(name, node.at) if slot is None else _slot_reader(slot)
        if not items:
            return run
        slots, outer = tuple(items), run
        if len(slots) == 1:
            return _item_reader(name, slots[0], outer)

        def read(frame: list[Any]) -> Any:
            for slot in slots:
                item = frame[slot]
                if type(item) is dict:
                    if name in item:
                        return item[name]
                elif name != "item":
                    found = property_of(item, name, None)
                    if found is not None:
                        return found
            return outer(frame)

        return read

    def _variable(self, name: str, at: int) -> Run:
        self.free.add(name)
        builtin, text = self.builtins.get(name), self.text

        def read(frame: list[Any]) -> Any:
            variables = frame[VARIABLES]
            if name in variables:
                return variables[name]
            return absent(frame[RUNTIME], variables, text, at, name, builtin)

        return read

    # -- operators ----------------------------------------------------------------------------------

    def _negation(self, node: ast.Negation) -> Run:
        operand, text, at = self.compile(node.operand), self.text, node.at
        if isinstance(node.operand, ast.Literal):
            with suppress(Unanswerable):
                return constant(negate(node.operand.value))
        return lambda frame: negative(frame[RUNTIME], text, at, operand(frame))

    def _arithmetic(self, node: ast.Arithmetic) -> Run:
        first = self.compile(node.first)
        if len(node.rest) == 1:
            operator, operand, at = node.rest[0]
            return self._binary(operator, first, self.compile(operand), at)
        text = self.text
        steps = tuple(
            (ARITHMETIC[operator], self.compile(operand), at) for operator, operand, at in node.rest
        )

        def chain(frame: list[Any]) -> Any:
            value, runtime = first(frame), frame[RUNTIME]
            for operation, operand, at in steps:
                value = calculation(runtime, text, at, operation, value, operand(frame))
                if value is None:
                    break
            return value

        return chain

    def _binary(self, operator: str, left: Run, right: Run, at: int) -> Run:
        operation, text = ARITHMETIC[operator], self.text
        quick = _QUICK.get(operator)
        if quick is None:
            return lambda frame: calculation(frame[RUNTIME], text, at, operation, left(frame), right(frame))

        def fast(frame: list[Any]) -> Any:
            a, b = left(frame), right(frame)
            if type(a) is int and type(b) is int:
                total = quick(a, b)
                if -INT_LIMIT < total < INT_LIMIT:
                    return total
            return calculation(frame[RUNTIME], text, at, operation, a, b)

        return fast

    def _logic(self, node: ast.Logic) -> Run:
        operands = tuple(self.compile(operand) for operand in node.operands)
        deciding = node.operator == "or"

        def run(frame: list[Any]) -> bool | None:
            result: bool | None = not deciding
            for operand in operands:
                value = operand(frame)
                if value is deciding:
                    return bool(deciding)
                if value is not True and value is not False:
                    result = None
            return result

        return run

    def _comparison(self, node: ast.Comparison) -> Run:
        left, right, operator = self.compile(node.left), self.compile(node.right), node.operator
        text, at = self.text, node.at
        if operator in ("=", "!="):
            wanted = operator == "="
            return lambda frame: equality(frame[RUNTIME], text, at, wanted, left(frame), right(frame))
        direct = _DIRECT[operator]

        def ordered(frame: list[Any]) -> bool | None:
            a, b = left(frame), right(frame)
            kind_a = type(a)
            if kind_a is type(b) and (kind_a is int or kind_a is Decimal or kind_a is str):
                return direct(a, b)
            return comparison(frame[RUNTIME], text, at, operator, a, b)

        return ordered

    def _between(self, node: ast.Between) -> Run:
        value, low, high = (self.compile(part) for part in (node.value, node.low, node.high))
        return lambda frame: between(value(frame), low(frame), high(frame))

    def _instanceof(self, node: ast.InstanceOf) -> Run:
        value, wanted, text, at = self.compile(node.value), node.type, self.text, node.at
        reason = undefined_in(wanted)
        if reason is None:
            return lambda frame: is_instance(value(frame), wanted)
        return lambda frame: frame[RUNTIME].warn(text, at, reason)

    # -- structures -----------------------------------------------------------------------------------

    def _listliteral(self, node: ast.ListLiteral) -> Run:
        items = tuple(self.compile(item) for item in node.items)
        return lambda frame: [item(frame) for item in items]

    def _contextliteral(self, node: ast.ContextLiteral) -> Run:
        depth = len(self.scope)
        entries = []
        for key, value in node.entries:
            slot = self.slot()
            if isinstance(value, ast.FunctionLiteral):
                self.scope.append((key, slot))
                run = self.function(value, slot)
            else:
                run = self.compile(value)
                self.scope.append((key, slot))
            entries.append((key, run, slot))
        self.scope.leave(depth)
        text, at = self.text, node.at
        if len({key for key, _, _ in entries}) < len(entries):
            return lambda frame: frame[RUNTIME].warn(text, at, TWICE_IN_CONTEXT)

        def build(frame: list[Any]) -> dict[str, Any]:
            context = {}
            for key, run, slot in entries:
                frame[slot] = context[key] = run(frame)
            return context

        return build

    def _path(self, node: ast.Path) -> Run:
        if isinstance(node.source, ast.Path):
            return self._long_path(node)
        source, name, text, at = self.compile(node.source), node.name, self.text, node.at

        def run(frame: list[Any]) -> Any:
            value = source(frame)
            if type(value) is dict and name in value:
                return value[name]
            return entry(frame[RUNTIME], text, at, value, name)

        return run

    def _long_path(self, node: ast.Path) -> Run:
        """``a.b.c`` in a loop: a path may be longer than calls may be nested."""
        steps = []
        start: ast.Node = node
        while isinstance(start, ast.Path):
            steps.append((start.name, start.at))
            start = start.source
        steps.reverse()
        source, text = self.compile(start), self.text

        def run(frame: list[Any]) -> Any:
            value = source(frame)
            for name, at in steps:
                if type(value) is dict and name in value:
                    value = value[name]
                else:
                    value = entry(frame[RUNTIME], text, at, value, name)
            return value

        return run

    def _if(self, node: ast.If) -> Run:
        """A chain of ``else if`` in a loop: it may be longer than calls may be nested."""
        branches = []
        last: ast.Node = node
        while isinstance(last, ast.If):
            branches.append((self.compile(last.condition), self.compile(last.then), last.at))
            last = last.otherwise
        otherwise, text = self.compile(last), self.text

        def run(frame: list[Any]) -> Any:
            for condition, then, at in branches:
                value = condition(frame)
                if value is True:
                    return then(frame)
                if value is not False and value is not None:
                    return undecided(frame[RUNTIME], text, at, value)
            return otherwise(frame)

        return run


def _item_reader(name: str, slot: int, outer: Run) -> Run:
    """A name within one filter: the item's field, or what the name means outside."""

    def read(frame: list[Any]) -> Any:
        item = frame[slot]
        if type(item) is dict:
            return item[name] if name in item else outer(frame)
        if name != "item":
            found = property_of(item, name, None)
            if found is not None:
                return found
        return outer(frame)

    return read


def _slot_reader(slot: int) -> Run:
    return lambda frame: frame[slot]
