"""Writes calls and function literals.

A call of a built-in whose arguments are just what its signature wants, and not large, goes to the built-in's
body; any other goes through ``Function.call``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .. import syntax as ast
from ..answers import QUIET, TWICE_IN_CALL
from ..builtins.signature import Builtin, Parameter, Signature
from ..compilation import names_in
from ..costs import SHARES, is_short
from ..inference import type_of
from ..temporal import Date, DateTime, DaysTime, Time, YearsMonths
from ..types import ANY
from ..values import Range
from .source import NULL, Source, Truth, Value, all_of, is_a

_KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, Decimal),
    "string": (str,),
    "boolean": (bool,),
    "list": (list,),
    "context": (dict,),
    "range": (Range,),
    "date": (Date,),
    "time": (Time,),
    "date and time": (DateTime,),
    "days and time duration": (DaysTime,),
    "years and months duration": (YearsMonths,),
    "duration": (DaysTime, YearsMonths),
    "temporal": (Date, Time, DateTime),
    "date or date and time": (Date, DateTime),
    "comparable": (int, Decimal, str, Date, Time, DateTime, DaysTime, YearsMonths),
}
_LASTING = frozenset({int, Decimal, str, bool, Date, Time, DateTime, DaysTime, YearsMonths})


class Invocations(Source):
    """The part of the generator that knows functions."""

    def _invocation(self, node: ast.Invocation) -> Value:
        name = node.function.name if isinstance(node.function, ast.Name) else None
        if name not in QUIET:
            return self._call(node, name)
        self.line("R.muted += 1")
        with self.block("try"):
            value = self._call(node, name)
            self.line("pass")  # where the value is a constant
        with self.block("finally"):
            self.line("R.muted -= 1")
        return value

    def _call(self, node: ast.Invocation, name: str | None) -> Value:
        callee = node.function
        if isinstance(callee, ast.FunctionLiteral) and self._fits(callee, node):
            return self._immediate(callee, node)
        if name is not None and self._is_global(name):
            builtin = self.builtins.get(name)
            if isinstance(builtin, Builtin):
                return self._builtin(builtin, node)
            function = self.assigned(f"V.get({self.bind(name)})")
        else:
            function = self.value(callee)
        result = self.fresh()
        with self.block(f"if isinstance({function.atom}, Function)"):
            self.line(f"{result} = {self._dynamic(function.atom, node)}")
        known = f"{function.atom}, {self.constant(name).atom}, {self.bind(self.builtins)}"
        self.line(f"else: {result} = uncallable(R, V, T, {node.at}, {known})")
        return Value(result)

    def _is_global(self, name: str) -> bool:
        """Whether a name cannot mean anything that the text or the caller binds."""
        return name not in self.shadowing and not self.scope.may_bind(name)

    def _dynamic(self, function: str, node: ast.Invocation) -> str:
        """A call through ``Function.call``; writes the arguments."""
        if not node.named:
            arguments = ", ".join([self.value(argument).atom for argument in node.positional])
            return f"invocation(R, T, {node.at}, {function}, [{arguments}])"
        if len({name for name, _ in node.named}) < len(node.named):
            return f"R.warn(T, {node.at}, {self.bind(TWICE_IN_CALL)})"
        named = ", ".join([f"{self.bind(name)}: {self.value(part).atom}" for name, part in node.named])
        return f"named_invocation(R, T, {node.at}, {function}, {{{named}}})"

    # -- built-ins ----------------------------------------------------------------------------------

    def _builtin(self, builtin: Builtin, node: ast.Invocation) -> Value:
        fits = [signature for signature in builtin.signatures if signature.takes(len(node.positional))]
        if node.named or not fits:
            return self.assigned(self._dynamic(self.bind(builtin), node))
        arguments = [self.value(argument) for argument in node.positional]
        constant = _constant(builtin, fits, arguments)
        if constant is not None:
            return self.constant(constant)
        return self._direct(builtin, fits, arguments, node.at)

    def _direct(
        self, builtin: Builtin, fits: Sequence[Signature], arguments: Sequence[Value], at: int
    ) -> Value:
        """Call the body of the first signature that fits, where the arguments need no conversion."""
        first = fits[0]
        atoms = ", ".join(argument.atom for argument in arguments)
        otherwise = f"invocation(R, T, {at}, {self.bind(builtin)}, [{atoms}])"
        condition = all_of(
            *(_fitting(first.parameter(index), argument) for index, argument in enumerate(arguments))
        )
        if condition is None:
            return self.assigned(otherwise)
        result = self.fresh()
        own = ", ".join(filter(None, ("R" if first.runtime else "", atoms)))
        with self.block(f"if {condition}" if condition else "if True"):
            self.line(f"try: {result} = {self.bind(first.body)}({own})")
            self.line(f"except Misfit: {result} = {otherwise}")
            self.line(f"except Unanswerable as e: {result} = unanswered(R, T, {at}, {self.bind(builtin)}, e)")
            answers = first.body.__annotations__.get("return", "Any")
            if answers in ("str", "str | None", "Any"):
                self.line(f"if type({result}) is str and len({result}) > LARGE: paid(R, {result})")
        if condition:
            self.line(f"else: {result} = {otherwise}")
        certain = len(fits) == 1 and answers in ("bool", "bool | None")
        return Value(result, Truth if certain else None)

    # -- functions of the text ------------------------------------------------------------------------

    def _fits(self, callee: ast.FunctionLiteral, node: ast.Invocation) -> bool:
        plain = not callee.external and all(wanted is ANY for _, wanted in callee.parameters)
        return plain and not node.named and len(node.positional) == len(callee.parameters)

    def _immediate(self, callee: ast.FunctionLiteral, node: ast.Invocation) -> Value:
        """A literal that is called where it stands needs no function."""
        arguments = [self.value(argument) for argument in node.positional]
        depth, result = len(self.scope), self.fresh()
        for (name, _), argument in zip(callee.parameters, arguments, strict=True):
            self.scope.append((name, argument))
        self.line("R.enter()")
        with self.block("try"):
            self.line(f"{result} = {self.value(callee.body).atom}")
        with self.block("finally"):
            self.line("R.leave()")
        self.scope.leave(depth)
        return Value(result)

    def _functionliteral(self, node: ast.FunctionLiteral) -> Value:
        return self.function(node)

    def function(self, node: ast.FunctionLiteral, own: str | None = None) -> Value:
        """What it may read of its surroundings is kept as it is now: as defaults of the Python function."""
        depth = len(self.scope)
        if node.external:
            if own is not None:
                self.scope.append((own, NULL))
            self.scope.extend((name, NULL) for name, _ in node.parameters)
            context = self.value(node.body).atom
            self.scope.leave(depth)
            made = f"external_function({self.bind(node.parameters)}, {context})"
            return self.assigned(f"{made} if type({context}) is dict else None")
        reached = self.scope.reached(sorted(names_in(node.body)))
        seen = dict.fromkeys(value.atom for value in reached if not value.constant)
        function, itself = self.fresh("f"), self.fresh()
        if own is not None:
            self.line(f"{itself} = [None]")
            seen[itself] = None
        seen["V"] = None
        kept = ", ".join(f"{atom}={atom}" for atom in seen)
        with self.block(f"def {function}(R, A, {kept})"):
            if own is not None:
                self.scope.append((own, self.assigned(f"{itself}[0]")))
            for index, (name, _) in enumerate(node.parameters):
                self.scope.append((name, self.assigned(f"A[{index}]")))
            self.line(f"return {self.value(node.body).atom}")
        self.scope.leave(depth)
        result = self.bind(type_of(node, {}).result or ANY)
        made = self.assigned(f"DefinedFunction({self.bind(node.parameters)}, {function}, {result})").atom
        if own is not None:
            self.line(f"{itself}[0] = {made}")
        return Value(made)


def _fitting(parameter: Parameter, argument: Value) -> str | None:
    """The condition that an argument is passed on as it is."""
    if parameter.type == "any":
        return _is_short(argument, (object,))
    nullable = parameter.nullable or parameter.optional
    if argument == NULL:
        return "" if nullable else None
    kinds = _KINDS.get(parameter.type)
    condition = None if kinds is None else all_of(is_a(argument, *kinds), _is_short(argument, kinds))
    return f"({argument.atom} is None or {condition})" if condition and nullable else condition


def _is_short(argument: Value, kinds: tuple[type, ...]) -> str | None:
    """The condition that a built-in takes no steps for an argument of one of some kinds."""
    if argument.constant:
        return "" if is_short(argument.value) else None
    if argument.kind is not None:
        kinds = (argument.kind,)
    if all(kind in SHARES for kind in kinds):
        return f"len({argument.atom}) <= LARGE"
    large = object in kinds or any(kind in SHARES for kind in kinds)
    return f"is_short({argument.atom})" if large else ""


def _constant(builtin: Builtin, fits: Sequence[Signature], arguments: Sequence[Value]) -> Any:
    """What a call with constant arguments always answers; None where that is not known or not lasting."""
    if any(signature.runtime for signature in fits) or not all(value.constant for value in arguments):
        return None
    try:
        value = builtin.call(None, [argument.value for argument in arguments])
    except Exception:  # said when the call is reached, if it ever is
        return None
    return value if type(value) in _LASTING else None
