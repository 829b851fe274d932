"""A syntax tree becomes one Python closure, compiled once.

A closure takes the frame: a list whose first element is the Runtime, the second the variables
(name -> FEEL value), and the rest the slots of the names that the text itself binds.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from operator import add as python_add
from operator import ge, gt, le, lt, mul, sub
from typing import Any

from . import syntax as ast
from .errors import Unanswerable
from .functions import Closure
from .iteration import Iterations
from .operators import ARITHMETIC, compare, contains, equals, member, negate, order
from .properties import property_of
from .types import is_instance, undefined_in
from .values import INT_LIMIT, Function, Range, kind

Run = Callable[[list[Any]], Any]
_DIRECT: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_QUICK: Mapping[str, Callable[[int, int], int]] = {"+": python_add, "-": sub, "*": mul}
RUNTIME, VARIABLES, FIRST_SLOT = 0, 1, 2


class Compiler(Iterations):
    """Compiles one text. ``free`` gathers the variables it reads; ``size`` is the frame's length."""

    def __init__(self, text: str, builtins: Mapping[str, Function], shadowing: frozenset[str]) -> None:
        self.text = text
        self.builtins = builtins
        self.shadowing = shadowing
        self.size = FIRST_SLOT
        self.free: set[str] = set()
        # What is in scope, innermost last: a name's slot, or (None, slot) for a filter's item.
        self.scope: list[tuple[str | None, int]] = []

    def slot(self) -> int:
        self.size += 1
        return self.size - 1

    def compile(self, node: ast.Node) -> Run:
        method: Callable[[Any], Run] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)

    def warn(self, frame: list[Any], at: int, message: str) -> None:
        frame[RUNTIME].warn(self.text, at, message)

    # -- literals and names -------------------------------------------------------------------------

    def _literal(self, node: ast.Literal) -> Run:
        value = node.value
        return _constant(value)

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
                self.warn(frame, at, _unknown("variable", name, _known(frame)))
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
            return _constant(value)
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

    # -- tests --------------------------------------------------------------------------------------

    def _in(self, node: ast.In) -> Run:
        value = self.compile(node.value)
        tests = self.tests(node.tests, dialect=False)

        def run(frame: list[Any]) -> bool | None:
            return tests(frame, value(frame))

        return run

    def _unarytests(self, node: ast.UnaryTests) -> Run:
        """A whole cell: the input is the variable ``?``."""
        tests = self.tests(node, dialect=True)
        self.free.add("?")

        def run(frame: list[Any]) -> bool | None:
            return tests(frame, frame[VARIABLES].get("?"))

        return run

    def tests(self, node: ast.UnaryTests, *, dialect: bool) -> Callable[[list[Any], Any], bool | None]:
        """A disjunction of tests as ``(frame, value) -> boolean or null``."""
        slot = self.slot()
        self.scope.append(("?", slot))
        tests = tuple(self._test(test, dialect) for test in node.tests)
        self.scope.pop()
        negated = node.negated

        def run(frame: list[Any], value: Any) -> bool | None:
            if not tests:
                return True
            frame[slot] = value
            result: bool | None = False
            for test in tests:
                outcome = test(frame, value)
                if outcome is True:
                    return not negated
                if outcome is None:
                    result = None
            return result if result is None else result is not negated

        return run

    def _test(self, node: ast.Node, dialect: bool) -> Callable[[list[Any], Any], bool | None]:
        if isinstance(node, ast.OperatorTest):
            operator, operand = node.operator, self.compile(node.operand)
            return lambda frame, value: compare(operator, value, operand(frame))
        if isinstance(node, ast.RangeLiteral):
            low, high = self.compile(node.low), self.compile(node.high)
            low_included, high_included = node.low_included, node.high_included

            def within(frame: list[Any], value: Any) -> bool | None:
                start, end = low(frame), high(frame)
                if start is None or end is None:
                    return None
                return contains(Range(start, end, low_included, high_included), value)

            return within
        run = self.compile(node)
        asks = dialect and _mentions_input(node)

        def test(frame: list[Any], value: Any) -> bool | None:
            candidate = run(frame)
            if asks and (candidate is None or type(candidate) is bool):
                return candidate
            if dialect and candidate is True and type(value) is not bool:
                return True
            return member(value, candidate)

        return test

    def _operatortest(self, node: ast.OperatorTest) -> Run:
        """``(< 5)`` as a value is a range that is open at one end."""
        operand, operator, at = self.compile(node.operand), node.operator, node.at

        def run(frame: list[Any]) -> Range | None:
            value = operand(frame)
            if value is None:
                self.warn(frame, at, "a range's end is null")
                return None
            if operator in ("<", "<="):
                return Range(None, value, False, operator == "<=", operator)
            if operator in (">", ">="):
                return Range(value, None, operator == ">=", False, operator)
            return Range(value, value, True, True, operator)

        return run

    def _rangeliteral(self, node: ast.RangeLiteral) -> Run:
        low, high, at = self.compile(node.low), self.compile(node.high), node.at
        low_included, high_included = node.low_included, node.high_included

        def run(frame: list[Any]) -> Range | None:
            start, end = low(frame), high(frame)
            if order(start, end) is None and not (start is None or end is None):
                self.warn(frame, at, f"a range cannot go from {kind(start)} to {kind(end)}")
                return None
            return Range(start, end, low_included, high_included)

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

    # -- functions ------------------------------------------------------------------------------------

    def _invocation(self, node: ast.Invocation) -> Run:
        function = self._function_of(node)
        positional = tuple(self.compile(argument) for argument in node.positional)
        named = tuple((name, self.compile(argument)) for name, argument in node.named)
        repeated = len({name for name, _ in named}) < len(named)
        at, what = node.at, _described(node.function)
        # These ask whether there is something: that there is nothing is no news to the modeller.
        quiet = what in ("is defined", "get or else")

        def quietly(frame: list[Any]) -> Any:
            runtime = frame[RUNTIME]
            runtime.muted += 1
            try:
                return run(frame)
            finally:
                runtime.muted -= 1

        def run(frame: list[Any]) -> Any:
            callee = function(frame)
            if not isinstance(callee, Function):
                if callee is not None or what is None:
                    self.warn(frame, at, f"{kind(callee)} is no function")
                elif what:
                    known = [*self.builtins, *_known(frame)]
                    self.warn(frame, at, _unknown("function", what, known))
                return None
            runtime = frame[RUNTIME]
            try:
                if not named:
                    return callee.call(runtime, [argument(frame) for argument in positional])
                if repeated:
                    raise Unanswerable("an argument is named twice")
                return callee.call_named(runtime, {name: argument(frame) for name, argument in named})
            except Unanswerable as reason:
                self.warn(frame, at, str(reason))
                return None

        return quietly if quiet else run

    def _function_of(self, node: ast.Invocation) -> Run:
        function = node.function
        if isinstance(function, ast.Name):
            name = function.name
            if all(bound not in (None, name) for bound, _ in self.scope) and name not in self.shadowing:
                builtin = self.builtins.get(name)
                if builtin is not None:
                    return _constant(builtin)
                self.free.add(name)
                return lambda frame: frame[VARIABLES].get(name)
        return self.compile(function)

    def _functionliteral(self, node: ast.FunctionLiteral) -> Run:
        depth = len(self.scope)
        parameters = []
        for name, wanted in node.parameters:
            slot = self.slot()
            self.scope.append((name, slot))
            parameters.append((name, wanted, slot))
        body = self.compile(node.body)
        del self.scope[depth:]
        made, external = tuple(parameters), node.external

        def make(frame: list[Any]) -> Function | None:
            if external:
                context = body(frame)
                return frame[RUNTIME].external(made, context) if type(context) is dict else None
            return Closure(made, body, frame.copy())

        return make


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


def _known(frame: list[Any]) -> Iterable[str]:
    known: Iterable[str] | None = frame[RUNTIME].known
    return frame[VARIABLES] if known is None else known


def _constant(value: Any) -> Run:
    return lambda _: value


def _slot_reader(slot: int) -> Run:
    return lambda frame: frame[slot]


def _described(node: ast.Node) -> str | None:
    return node.name if isinstance(node, ast.Name) else None


def _unknown(what: str, name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, [key for key in known if key != name], n=1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    return f"{what} {name!r} not found{hint}"


def _mentions_input(node: Any) -> bool:
    """Whether ``?`` occurs in a part of the tree."""
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Name) and part.name == "?":
            return True
        if isinstance(part, ast.Node):
            pending.extend(getattr(part, field) for field in part.__dataclass_fields__)
        elif isinstance(part, tuple):
            pending.extend(part)
    return False
