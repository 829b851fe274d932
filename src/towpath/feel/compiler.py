"""A syntax tree becomes one Python closure, compiled once.

A closure takes the frame: a list whose first element is the Runtime, the second the variables
(name -> FEEL value), and the rest the slots of the names that the text itself binds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import add as python_add
from operator import ge, gt, le, lt, mul, sub
from typing import Any

from . import syntax as ast
from .compilation import VARIABLES, Run, constant, known_names, unknown
from .errors import Unanswerable
from .functions import Closure
from .invocation import Invocations
from .iteration import Iterations
from .operators import ARITHMETIC, compare, equals, negate, order
from .properties import property_of
from .types import is_instance, undefined_in
from .unary_tests import Tests
from .values import INT_LIMIT, kind

_DIRECT: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_QUICK: Mapping[str, Callable[[int, int], int]] = {"+": python_add, "-": sub, "*": mul}


class Compiler(Iterations, Tests, Invocations):
    """Compiles one text."""

    # -- literals and names -------------------------------------------------------------------------

    def _literal(self, node: ast.Literal) -> Run:
        value = node.value
        return constant(value)

    def _name(self, node: ast.Name) -> Run:
        """The innermost binding; inside filters the item's own fields come first."""
        name = node.name
        items: list[int] = []
        run: Run | None = None
        for bound, slot in reversed(self.scope):
            if bound is None:
                items.append(slot)
            elif bound == name:
                run = _slot_reader(slot)
                break
        if run is None:
            run = self._variable(name, node.at)
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
        builtin = self.builtins.get(name)

        def read(frame: list[Any]) -> Any:
            variables = frame[VARIABLES]
            if name in variables:
                return variables[name]
            if builtin is None:
                self.warn(frame, at, unknown("variable", name, known_names(frame)))
            return builtin

        return read

    # -- operators ----------------------------------------------------------------------------------

    def _negation(self, node: ast.Negation) -> Run:
        operand, at = self.compile(node.operand), node.at

        def run(frame: list[Any]) -> Any:
            try:
                return negate(operand(frame))
            except Unanswerable as reason:
                self.warn(frame, at, str(reason))
                return None

        if isinstance(node.operand, ast.Literal):
            try:
                value = negate(node.operand.value)
            except Unanswerable:
                return run
            return constant(value)
        return run

    def _arithmetic(self, node: ast.Arithmetic) -> Run:
        run = self.compile(node.first)
        if len(node.rest) == 1:
            operator, operand, at = node.rest[0]
            return self._binary(operator, run, self.compile(operand), at)
        steps = tuple(
            (ARITHMETIC[operator], self.compile(operand), at) for operator, operand, at in node.rest
        )
        first = run

        def chain(frame: list[Any]) -> Any:
            value = first(frame)
            for operation, operand, at in steps:
                try:
                    value = operation(value, operand(frame))
                except Unanswerable as reason:
                    self.warn(frame, at, str(reason))
                    return None
            return value

        return chain

    def _binary(self, operator: str, left: Run, right: Run, at: int) -> Run:
        operation = ARITHMETIC[operator]

        def run(frame: list[Any]) -> Any:
            try:
                return operation(left(frame), right(frame))
            except Unanswerable as reason:
                self.warn(frame, at, str(reason))
                return None

        quick = _QUICK.get(operator)
        if quick is None:
            return run

        def fast(frame: list[Any]) -> Any:
            a, b = left(frame), right(frame)
            if type(a) is int and type(b) is int:
                total = quick(a, b)
                if -INT_LIMIT < total < INT_LIMIT:
                    return total
            try:
                return operation(a, b)
            except Unanswerable as reason:
                self.warn(frame, at, str(reason))
                return None

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
        left, right, operator, at = self.compile(node.left), self.compile(node.right), node.operator, node.at

        def explain(frame: list[Any], a: Any, b: Any) -> None:
            if a is not None and b is not None:
                self.warn(frame, at, f"cannot compare {kind(a)} and {kind(b)}")

        if operator in ("=", "!="):
            wanted = operator == "="

            def same(frame: list[Any]) -> bool | None:
                a, b = left(frame), right(frame)
                result = equals(a, b)
                if result is None:
                    explain(frame, a, b)
                    return None
                return result is wanted

            return same

        direct = _DIRECT[operator]

        def ordered(frame: list[Any]) -> bool | None:
            a, b = left(frame), right(frame)
            kind_a = type(a)
            if kind_a is type(b) and (kind_a is int or kind_a is Decimal or kind_a is str):
                return direct(a, b)
            result = compare(operator, a, b)
            if result is None:
                explain(frame, a, b)
            return result

        return ordered

    def _between(self, node: ast.Between) -> Run:
        value, low, high = (self.compile(part) for part in (node.value, node.low, node.high))

        def run(frame: list[Any]) -> bool | None:
            middle = value(frame)
            below, above = order(low(frame), middle), order(middle, high(frame))
            if below is None or above is None:
                decided = (below is not None and below > 0) or (above is not None and above > 0)
                return False if decided else None
            return bool(below <= 0 and above <= 0)

        return run

    def _instanceof(self, node: ast.InstanceOf) -> Run:
        value, wanted, at = self.compile(node.value), node.type, node.at
        undefined = undefined_in(wanted)
        if undefined is None:
            return lambda frame: is_instance(value(frame), wanted)
        reason = undefined

        def unknown(frame: list[Any]) -> None:
            self.warn(frame, at, reason)

        return unknown

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
                self.scope.append((key, slot))  # a function may call itself
            run = self.compile(value)
            self.scope.append((key, slot))
            entries.append((key, run, slot))
        del self.scope[depth:]
        duplicate = len({key for key, _, _ in entries}) < len(entries)
        at = node.at

        def build(frame: list[Any]) -> dict[str, Any] | None:
            if duplicate:
                self.warn(frame, at, "a key of this context occurs twice")
                return None
            context = {}
            for key, run, slot in entries:
                value = run(frame)
                if type(value) is Closure and value.frame is not None:
                    value.frame[slot] = value  # a function of a context may call itself
                frame[slot] = context[key] = value
            return context

        return build

    def _path(self, node: ast.Path) -> Run:
        source, name, at = self.compile(node.source), node.name, node.at

        def run(frame: list[Any]) -> Any:
            value = source(frame)
            if type(value) is dict and name in value:
                return value[name]
            return property_of(value, name, lambda message: self.warn(frame, at, message))

        return run

    def _if(self, node: ast.If) -> Run:
        condition, then, otherwise = (
            self.compile(part) for part in (node.condition, node.then, node.otherwise)
        )
        at = node.at

        def run(frame: list[Any]) -> Any:
            value = condition(frame)
            if value is True:
                return then(frame)
            if value is not False and value is not None:
                self.warn(frame, at, f"the condition is {kind(value)}, not boolean")
                return None
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
