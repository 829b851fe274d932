"""How a built-in says what it takes, and how a call is matched to it.

A signature is written ``"string: string, start position: number, length: number = "``: names with
the types of DMN 1.5, 10.3.4. ``=`` marks what may be left out, ``?`` after a type what may be null,
``*`` after the last type that it repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..costs import paid, pay
from ..errors import Unanswerable
from ..temporal import DateTime
from ..types import ANY, BOOLEAN, NUMBER, SIMPLE, STRING, Type
from ..values import Function, kind

# Types that stand for several kinds.
_UNIONS: dict[str, frozenset[str]] = {
    "date or date and time": frozenset({"date", "date and time"}),
    "temporal": frozenset({"date", "time", "date and time"}),
    "duration": frozenset({"days and time duration", "years and months duration"}),
    "comparable": frozenset(
        {
            "number",
            "string",
            "date",
            "time",
            "date and time",
            "days and time duration",
            "years and months duration",
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    nullable: bool
    optional: bool
    repeated: bool

    def fitted(self, value: Any) -> Any:
        """The argument with FEEL's implicit conversions; raises Unanswerable."""
        wanted = self.type
        if value is None:
            if self.nullable or wanted == "any":
                return None
            raise Misfit(f"the argument {self.name!r} is null")
        if wanted == "any":
            return value
        found = kind(value)
        if found == wanted:
            return value
        if wanted == "list":
            return [value]
        union = _UNIONS.get(wanted)
        if union is not None and found in union:
            return value
        if found == "list" and len(value) == 1 and value[0] is not None:
            return self.fitted(value[0])
        if wanted == "date and time" and found == "date":
            return DateTime(value, 0)
        raise Misfit(f"the argument {self.name!r} is {found} where {wanted} is wanted")


def _parameters(signature: str) -> tuple[Parameter, ...]:
    parameters = []
    for part in filter(None, (part.strip() for part in signature.split(","))):
        name, _, wanted = (piece.strip() for piece in part.partition(":"))
        optional = wanted.endswith("=")
        wanted = wanted.rstrip("= ")
        repeated = wanted.endswith("*")
        wanted = wanted.rstrip("*").rstrip()
        nullable = wanted.endswith("?")
        parameters.append(Parameter(name, wanted.rstrip("? "), nullable, optional, repeated))
    return tuple(parameters)


class Misfit(Unanswerable):
    """An argument is not of the type that a signature wants; another signature may want it."""


class Signature:
    """One way to call a built-in, where it comes from, and the Python function that answers it."""

    __slots__ = ("body", "least", "most", "origin", "parameters", "runtime")

    def __init__(self, text: str, body: Callable[..., Any], runtime: bool, origin: str) -> None:
        self.parameters = _parameters(text)
        self.body = body
        self.runtime = runtime
        self.origin = origin
        self.least = sum(not parameter.optional for parameter in self.parameters)
        repeats = bool(self.parameters) and self.parameters[-1].repeated
        self.most = 10_000 if repeats else len(self.parameters)

    def parameter(self, index: int) -> Parameter:
        """The parameter that the argument at ``index`` is for; the last one may repeat."""
        return self.parameters[min(index, len(self.parameters) - 1)]

    def takes(self, count: int) -> bool:
        return self.least <= count <= self.most

    def takes_names(self, names: set[str]) -> bool:
        own = {parameter.name for parameter in self.parameters}
        required = {parameter.name for parameter in self.parameters if not parameter.optional}
        return names <= own and required <= names

    def call(self, runtime: Any, arguments: Sequence[Any]) -> Any:
        fitted: list[Any] = []
        for index, argument in enumerate(arguments):
            parameter = self.parameter(index)
            if argument is None and parameter.optional:
                fitted.append(None)
            else:
                fitted.append(parameter.fitted(argument))
        return self.body(runtime, *fitted) if self.runtime else self.body(*fitted)

    def call_named(self, runtime: Any, arguments: dict[str, Any]) -> Any:
        last = max(
            (index for index, parameter in enumerate(self.parameters) if parameter.name in arguments),
            default=-1,
        )
        values = [arguments.get(parameter.name) for parameter in self.parameters[: last + 1]]
        if len(self.parameters) == 1 and self.parameters[0].repeated and type(values[0]) is list:
            values = values[0]  # by name, all of them are given as one list
        return self.call(runtime, values)

    def __str__(self) -> str:
        return ", ".join(parameter.name for parameter in self.parameters)


class Builtin(Function):
    """A function of the standard library, with all its signatures. ``origin`` is its source."""

    __slots__ = ("_by_count", "origin", "signatures")

    def __init__(self, name: str, origin: str) -> None:
        super().__init__(name)
        self.origin = origin
        self.signatures: list[Signature] = []
        self._by_count: dict[int, tuple[Signature, ...]] = {}

    def parameter_types(self, count: int) -> list[tuple[Type, ...]]:
        return [
            tuple(SIMPLE.get(signature.parameter(index).type, ANY) for index in range(count))
            for signature in self.signatures
            if signature.takes(count)
        ]

    def call(self, runtime: Any, arguments: Sequence[Any]) -> Any:
        count = len(arguments)
        fits = self._by_count.get(count)
        if fits is None:
            fits = tuple(signature for signature in self.signatures if signature.takes(count))
            self._by_count[count] = fits
        if not fits:
            raise Unanswerable(f"{self.name}() does not take {count} arguments; it takes {self._usage()}")
        pay(runtime, arguments)
        misfit: Misfit | None = None
        for signature in fits:
            try:
                return paid(runtime, signature.call(runtime, arguments))
            except Misfit as error:
                misfit = misfit or error
            except Unanswerable as error:
                raise Unanswerable(f"{self.name}(): {error}") from None
        raise Unanswerable(f"{self.name}(): {misfit}")

    def call_named(self, runtime: Any, arguments: dict[str, Any]) -> Any:
        names = set(arguments)
        pay(runtime, arguments.values())
        misfit: Misfit | None = None
        for signature in self.signatures:
            if signature.takes_names(names):
                try:
                    return paid(runtime, signature.call_named(runtime, arguments))
                except Misfit as error:
                    misfit = misfit or error
                except Unanswerable as error:
                    raise Unanswerable(f"{self.name}(): {error}") from None
        if misfit is not None:
            raise Unanswerable(f"{self.name}(): {misfit}")
        raise Unanswerable(self._misnamed(names))

    def _misnamed(self, names: set[str]) -> str:
        known = {parameter.name for signature in self.signatures for parameter in signature.parameters}
        unknown = ", ".join(map(repr, sorted(names - known)))
        if unknown:
            return f"{self.name}() has no parameter {unknown}; it takes {self._usage()}"
        given = ", ".join(map(repr, sorted(names)))
        return f"{self.name}() does not take just {given}; it takes {self._usage()}"

    def _usage(self) -> str:
        return " or ".join(dict.fromkeys(f"({signature})" for signature in self.signatures))


STANDARD: dict[str, Builtin] = {}

# What the Python function of a built-in says that it answers, as FEEL's type; others may answer anything.
_RESULTS: dict[str, Type] = {
    "bool": BOOLEAN,
    "str": STRING,
    "int": NUMBER,
    "Decimal": NUMBER,
    "Number": NUMBER,
    "Date": SIMPLE["date"],
    "Time": SIMPLE["time"],
    "DateTime": SIMPLE["date and time"],
    "YearsMonths": SIMPLE["years and months duration"],
    "DaysTime": SIMPLE["days and time duration"],
    "Range": SIMPLE["range"],
    "list": SIMPLE["list"],
    "dict": SIMPLE["context"],
}


def _answered(body: Callable[..., Any]) -> Type:
    annotation = str(body.__annotations__.get("return", "Any"))
    return _RESULTS.get(annotation.removesuffix(" | None").partition("[")[0], ANY)


_Body = TypeVar("_Body", bound=Callable[..., Any])


def builtin(
    name: str, signature: str, *, runtime: bool = False, origin: str = "DMN"
) -> Callable[[_Body], _Body]:
    """Register a function under ``name``; with ``runtime`` it is given the evaluation first."""

    def register(body: _Body) -> _Body:
        function = STANDARD.setdefault(name, Builtin(name, origin))
        function.signatures.append(Signature(signature, body, runtime, origin))
        answered = {_answered(other.body) for other in function.signatures}
        function.result_type = answered.pop() if len(answered) == 1 else ANY
        return body

    return register
