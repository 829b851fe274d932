"""Compiling functions and calls of them."""

from __future__ import annotations

from typing import Any

from . import syntax as ast
from .compilation import RUNTIME, VARIABLES, Compilation, Run, constant, known_names, unknown
from .errors import Unanswerable
from .functions import Closure
from .values import Function, kind


class Invocations(Compilation):
    """The part of the compiler that knows functions."""

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
                    known = [*self.builtins, *known_names(frame)]
                    self.warn(frame, at, unknown("function", what, known))
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
                    return constant(builtin)
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


def _described(node: ast.Node) -> str | None:
    return node.name if isinstance(node, ast.Name) else None
