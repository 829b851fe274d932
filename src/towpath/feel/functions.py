"""Functions that FEEL text or a decision model defines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .errors import Unanswerable
from .types import ANY, NotConforming, Type, coerce
from .values import Function


class DefinedFunction(Function):
    """A function literal, a model's knowledge or an external function.

    ``body`` gets the runtime and the arguments; one that does not conform to its parameter's type is null.
    ``result`` is what is known of the type that it answers.
    """

    __slots__ = ("body", "parameters")

    def __init__(
        self,
        parameters: tuple[tuple[str, Type], ...],
        body: Callable[[Any, Sequence[Any]], Any],
        result: Type | None = None,
        name: str = "",
    ) -> None:
        super().__init__(name or f"function({', '.join(parameter for parameter, _ in parameters)})")
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
        """The result; a parameter that is not named is null, a name that is no parameter Unanswerable."""
        names = [name for name, _ in self.parameters]
        unknown = sorted(set(arguments) - set(names))
        if unknown:
            raise Unanswerable(f"no parameter {', '.join(map(repr, unknown))}; there are {', '.join(names)}")
        for name in names:
            if name not in arguments:
                runtime.note(f"the argument {name!r} is missing")
        return self.call(runtime, [arguments.get(name) for name in names])


def fitted(runtime: Any, name: str, argument: Any, wanted: Type) -> Any:
    """An argument as its parameter's type wants it, or null with a warning (DMN 1.5, 10.3.2.9.4)."""
    try:
        return coerce(argument, wanted)
    except NotConforming as reason:
        runtime.note(f"the argument {name!r} is null: {reason}")
        return None
