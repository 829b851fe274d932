"""Compiling functions and calls of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import syntax as ast
from .answers import QUIET, TWICE_IN_CALL, invocation, named_invocation, uncallable
from .compilation import RUNTIME, VARIABLES, Compilation, Run, constant, names_in
from .externals import external_function
from .functions import DefinedFunction
from .inference import type_of
from .runtime import Runtime
from .types import ANY
from .values import Function


class Invocations(Compilation):
    """The part of the compiler that knows functions."""

    def _invocation(self, node: ast.Invocation) -> Run:
        function = self._function_of(node)
        positional = tuple(self.compile(argument) for argument in node.positional)
        named = tuple((name, self.compile(argument)) for name, argument in node.named)
        repeated = len({name for name, _ in named}) < len(named)
        text, at, builtins = self.text, node.at, self.builtins
        name = node.function.name if isinstance(node.function, ast.Name) else None

        def run(frame: list[Any]) -> Any:
            callee, runtime = function(frame), frame[RUNTIME]
            if not isinstance(callee, Function):
                return uncallable(runtime, frame[VARIABLES], text, at, callee, name, builtins)
            if not named:
                arguments = [argument(frame) for argument in positional]
                return invocation(runtime, text, at, callee, arguments)
            if repeated:
                return runtime.warn(text, at, TWICE_IN_CALL)
            given = {name: argument(frame) for name, argument in named}
            return named_invocation(runtime, text, at, callee, given)

        def quietly(frame: list[Any]) -> Any:
            runtime = frame[RUNTIME]
            runtime.muted += 1
            try:
                return run(frame)
            finally:
                runtime.muted -= 1

        return quietly if name in QUIET else run

    def _function_of(self, node: ast.Invocation) -> Run:
        function = node.function
        if isinstance(function, ast.Name):
            name = function.name
            if not self.scope.may_bind(name) and name not in self.shadowing:
                builtin = self.builtins.get(name)
                if builtin is not None:
                    return constant(builtin)
                self.free.add(name)
                return lambda frame: frame[VARIABLES].get(name)
        return self.compile(function)

    def _functionliteral(self, node: ast.FunctionLiteral) -> Run:
        return self.function(node)

    def function(self, node: ast.FunctionLiteral, own: int | None = None) -> Run:
        """``own`` is the slot of the function's own name, if it has one: it may call itself."""
        depth = len(self.scope)
        slots = []
        for name, _ in node.parameters:
            slots.append(self.slot())
            self.scope.append((name, slots[-1]))
        body = self.compile(node.body)
        self.scope.leave(depth)
        # A function may outlive the frame, which may be large: it keeps what it may read.
        reached = tuple(dict.fromkeys(self.scope.reached(names_in(node.body))))
        parameters = node.parameters
        result = type_of(node, {}).result or ANY

        def external(frame: list[Any]) -> Function | None:
            context = body(frame)
            return external_function(parameters, context) if type(context) is dict else None

        def make(frame: list[Any]) -> DefinedFunction:
            kept = [(slot, frame[slot]) for slot in reached]
            variables, size = frame[VARIABLES], len(frame)

            def answer(runtime: Runtime, arguments: Sequence[Any]) -> Any:
                inner: list[Any] = [None] * size
                inner[RUNTIME], inner[VARIABLES] = runtime, variables
                for slot, value in kept:
                    inner[slot] = value
                if own is not None:
                    inner[own] = made
                for slot, argument in zip(slots, arguments, strict=True):
                    inner[slot] = argument
                return body(inner)

            made = DefinedFunction(parameters, answer, result)
            return made

        return external if node.external else make
