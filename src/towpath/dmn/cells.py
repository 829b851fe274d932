"""The cells of a decision table as sets of values, where they depend on nothing but the input.

FEEL's tests are three-valued. A test's ``Outcome`` in a domain says for which keys it is true and for
which it is false; for the others it is null. This is the meaning that ``towpath.feel.compiler`` gives
to unary tests (DMN 1.5, 10.3.1.2, grammar rules 7 to 17), told ahead of the values. What it does not tell
is the warning that a comparison of two kinds makes (``? > 5`` of a string).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from towpath.feel.builtins import STANDARD
from towpath.feel.errors import FeelLimitError, Unanswerable
from towpath.feel.expression import Expression
from towpath.feel.operators import ARITHMETIC, negate
from towpath.feel.runtime import Runtime
from towpath.feel.syntax import (
    Arithmetic,
    Between,
    Comparison,
    In,
    Invocation,
    ListLiteral,
    Literal,
    Logic,
    Name,
    Negation,
    Node,
    OperatorTest,
    RangeLiteral,
    UnaryTests,
)

from .extents import ALL, BOOLEAN, NONE, NULL, UNORDERED, Domain, Extent, between, beyond, located, point

# Built-ins that make a value of a text, and nothing else.
_MAKERS = frozenset({"date", "time", "date and time", "duration", "number"})


_MORE = "it is more than a comparison with fixed values"
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class NotConstant(Exception):
    """A cell, or a part of one, that depends on more than the input; the text says on what."""


class Outcome(NamedTuple):
    true: Extent
    false: Extent


_UNKNOWN = Outcome(NONE, NONE)
_NEVER = Outcome(NONE, ALL)
_ALWAYS = Outcome(ALL, NONE)

Test = Callable[[Domain], Outcome]
Constants = list[tuple[Domain, Any, Any]]  # domain, key, value


class Cell(NamedTuple):
    """A disjunction of tests, or what none of them may meet (``not(...)``).

    ``constants`` are the values that the tests name, as ``(domain, key, value)``.
    """

    tests: Sequence[Test]
    negated: bool
    constants: Sequence[tuple[Domain, Any, Any]]

    def accepted(self, domain: Domain) -> Extent:
        """The keys of a domain for which the cell is true."""
        if not self.tests:
            return ALL
        outcome = _any(self.tests)(domain)
        return outcome.false if self.negated else outcome.true


def read_cell(expression: Expression) -> Cell:
    """The cell's meaning; raises NotConstant."""
    tests = expression.node
    if not isinstance(tests, UnaryTests):
        raise NotConstant("it is no test")
    _check_reads(expression)
    constants: Constants = []
    return Cell([_test(node, constants) for node in tests.tests], tests.negated, constants)


def constant_of(expression: Expression) -> Any:
    """The value of an expression that reads nothing; raises NotConstant."""
    _check_reads(expression)
    return constant(expression.node)


def _check_reads(expression: Expression) -> None:
    """Refuse what reads variables: they may even stand where a built-in's name does."""
    if expression.names:
        raise NotConstant(f"it reads {', '.join(sorted(expression.names))}")


def constant(node: Node) -> Any:
    """The value of a part of such an expression; raises NotConstant."""
    if isinstance(node, Literal):
        return node.value
    try:
        if isinstance(node, Negation):
            return negate(constant(node.operand))
        if isinstance(node, Arithmetic):
            value = constant(node.first)
            for operator, operand, _ in node.rest:
                value = ARITHMETIC[operator](value, constant(operand))
            return value
        if isinstance(node, Invocation) and isinstance(node.function, Name) and not node.named:
            name = node.function.name
            if name in _MAKERS and all(isinstance(argument, Literal) for argument in node.positional):
                return STANDARD[name].call(Runtime(), [constant(argument) for argument in node.positional])
    except (Unanswerable, FeelLimitError) as reason:
        raise NotConstant(str(reason)) from None
    raise NotConstant(_MORE)


def _place(value: Any, constants: Constants) -> tuple[Domain, Any]:
    found = located(value)
    if found is None:
        raise NotConstant("it compares with more than a simple value")
    constants.append((*found, value))
    return found


def _test(node: Node, constants: Constants) -> Test:
    """One of a cell's tests."""
    condition = _condition(node, constants)
    if condition is not None:
        return condition
    if isinstance(node, OperatorTest | RangeLiteral | ListLiteral):
        return _member(node, constants)
    value = constant(node)
    same = _equal(value, constants)
    if value is True:
        # A condition that holds is met by whatever is not compared with it.
        return lambda domain: same(domain) if domain == BOOLEAN else _ALWAYS
    return same


def _condition(node: Node, constants: Constants) -> Test | None:
    """A condition that asks about ``?`` itself, such as ``? > 5 and ? < 9``; None for another node."""
    if isinstance(node, Comparison):
        if _is_input(node.left):
            return _member(OperatorTest(node.at, node.operator, node.right), constants)
        if _is_input(node.right):
            return _member(OperatorTest(node.at, _MIRRORED[node.operator], node.left), constants)
    elif isinstance(node, Between) and _is_input(node.value):
        return _within(RangeLiteral(node.at, node.low, node.high, True, True), constants)
    elif isinstance(node, In) and _is_input(node.value):
        return _any([_member(test, constants) for test in node.tests.tests])
    elif isinstance(node, Logic):
        parts = [_required(_condition(operand, constants)) for operand in node.operands]
        return _any(parts) if node.operator == "or" else _not(_any([_not(part) for part in parts]))
    elif isinstance(node, Invocation) and isinstance(node.function, Name) and not node.named:
        arguments = node.positional
        if node.function.name == "not" and len(arguments) == 1:
            return _not(_required(_condition(arguments[0], constants)))
        if node.function.name == "list contains" and len(arguments) == 2 and _is_input(arguments[1]):
            items = arguments[0]
            if isinstance(items, ListLiteral):
                found = _any([_equal(constant(item), constants) for item in items.items])
                return lambda domain: _decided(found(domain).true)
    return None


def _is_input(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "?"


def _required(condition: Test | None) -> Test:
    if condition is None:
        raise NotConstant(_MORE)
    return condition


def _any(tests: Sequence[Test]) -> Test:
    """A disjunction, as ``or`` and a cell's commas have it: false where all are, null where none is true."""
    if len(tests) == 1:
        return tests[0]

    def test(domain: Domain) -> Outcome:
        accepted, refused = NONE, ALL
        for one in tests:
            outcome = one(domain)
            accepted |= outcome.true
            refused &= outcome.false
        return Outcome(accepted, refused)

    return test


def _not(test: Test) -> Test:
    return lambda domain: Outcome(*reversed(test(domain)))


def _decided(accepted: Extent) -> Outcome:
    return Outcome(accepted, ~accepted)


def _member(node: Node, constants: Constants, *, listed: bool = False) -> Test:
    """Whether the input is (in) what a tree stands for; ``listed`` among the items of a list."""
    if isinstance(node, OperatorTest):
        value = constant(node.operand)
        if listed and value is None:
            raise NotConstant("a range's end is null")
        if node.operator == "=":
            return _equal(value, constants)
        if node.operator == "!=":
            return _not(_equal(value, constants))
        return _ordered(beyond, value, node.operator, constants)
    if isinstance(node, RangeLiteral):
        return _within(node, constants)
    if isinstance(node, ListLiteral):
        items = [_member(item, constants, listed=True) for item in node.items]

        def among(domain: Domain) -> Outcome:
            accepted = NONE
            for item in items:
                accepted |= item(domain).true
            return _decided(accepted)

        return among
    return _equal(constant(node), constants)


def _equal(value: Any, constants: Constants) -> Test:
    own, key = _place(value, constants)
    same = _decided(point(key))

    def test(domain: Domain) -> Outcome:
        if domain == own:
            return same
        # Nothing but null equals null; other kinds do not compare.
        return _NEVER if NULL in (domain, own) else _UNKNOWN

    return test


def _ordered(
    extent: Callable[[str, Any], Extent],
    value: Any,
    operator: str,
    constants: Constants,
) -> Test:
    own, key = _place(value, constants)
    if own in UNORDERED:
        raise NotConstant(f"nothing is {operator} {own}")
    return _only(own, _decided(extent(operator, key)))


def _within(node: RangeLiteral, constants: Constants) -> Test:
    own, low = _place(constant(node.low), constants)
    other, high = _place(constant(node.high), constants)
    if own != other or own in UNORDERED:
        raise NotConstant(f"a range from {own} to {other} has no order")
    return _only(own, _decided(between(low, high, node.low_included, node.high_included)))


def _only(own: Domain, outcome: Outcome) -> Test:
    return lambda domain: outcome if domain == own else _UNKNOWN
