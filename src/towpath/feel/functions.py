"""Functions that FEEL text or a decision model defines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .errors import Unanswerable
from .types import ANY, NotConforming, Type, coerce
from .values import Function


def bound(names: Sequence[str], arguments: dict[str, Any]) -> list[Any]:
    """Named arguments in the order of the parameters; raises Unanswerable where one is unknown."""
    unknown = set(arguments) - set(names)
    if unknown:
        raise Unanswerable(
            f"no parameter {', '.join(map(repr, sorted(unknown)))}; there are {', '.join(names)}"
        )
    missing = [name for name in names if name not in arguments]
    if missing:
        raise Unanswerable(f"the argument {missing[0]!r} is missing")
    return [arguments[name] for name in names]


class Closure(Function):
    """A function literal; ``body`` gets the runtime and the coerced arguments, and knows its surroundings."""

    __slots__ = ("body", "parameters")

    def __init__(
        self,
        parameters: tuple[tuple[str, Type], ...],
        body: Callable[[Any, Sequence[Any]], Any],
        result: Type = ANY,
    ) -> None:
        super().__init__(f"function({', '.join(name for name, _ in parameters)})")
        self.result_type = result
        self.parameters = parameters
        self.body = body

    def parameter_types(self, count: int) -> list[tuple[Type, ...]]:
        own = tuple(wanted for _, wanted in self.parameters)
        return [own] if len(own) == count else []

    def call(self, runtime: Any, arguments: Sequence[Any]) -> Any:
        if len(arguments) != len(self.parameters):
            raise Unanswerable(f"{self.name} takes {len(self.parameters)} arguments, not {len(arguments)}")
        given = [
            argument if wanted is ANY else fitted(runtime, name, argument, wanted)
            for (name, wanted), argument in zip(self.parameters, arguments, strict=True)
        ]
        runtime.enter()
        try:
            return self.body(runtime, given)
        finally:
            runtime.leave()

    def call_named(self, runtime: Any, arguments: dict[str, Any]) -> Any:
        return self.call(runtime, bound([name for name, _ in self.parameters], arguments))


def fitted(runtime: Any, name: str, argument: Any, wanted: Type) -> Any:
    """An argument as its parameter's type wants it, or null with a warning (DMN 1.5, 10.3.2.9.4)."""
    try:
        return coerce(argument, wanted)
    except NotConforming as reason:
        runtime.note(f"the argument {name!r} is null: {reason}")
        return None


class NativeFunction(Function):
    """A function whose body is Python: a model's knowledge or an external function.

    ``body`` gets the runtime and the arguments; one that does not conform to its type is null.
    """

    __slots__ = ("body", "parameters")

    def __init__(
        self,
        name: str,
        parameters: tuple[tuple[str, Type], ...],
        body: Callable[[Any, list[Any]], Any],
        result: Type | None = None,
    ) -> None:
        super().__init__(name)
        self.parameters = parameters
        self.body = body
        self.result_type = result

    def parameter_types(self, count: int) -> list[tuple[Type, ...]]:
        own = tuple(wanted for _, wanted in self.parameters)
        return [own] if len(own) == count else []

    def call(self, runtime: Any, arguments: Sequence[Any]) -> Any:
        if len(arguments) != len(self.parameters):
            raise Unanswerable(f"{self.name} takes {len(self.parameters)} arguments, not {len(arguments)}")
        given = [
            argument if wanted is ANY else fitted(runtime, name, argument, wanted)
            for (name, wanted), argument in zip(self.parameters, arguments, strict=True)
        ]
        runtime.enter()
        try:
            return self.body(runtime, given)
        finally:
            runtime.leave()

    def call_named(self, runtime: Any, arguments: dict[str, Any]) -> Any:
        return self.call(runtime, bound([name for name, _ in self.parameters], arguments))
