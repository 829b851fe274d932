"""A function's parameters, filled from a message by name and checked by type."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

import msgspec
import msgspec.inspect

from towpath.identity import Identity
from towpath.integration.errors import InvalidInput
from towpath.integration.exchange import Exchange, Message
from towpath.wire import Job

Function = Callable[..., Awaitable[Any]]

_GIVEN: dict[Any, Callable[[Exchange], Any]] = {
    Exchange: lambda exchange: exchange,
    Message: lambda exchange: exchange.message,
    Identity: lambda exchange: exchange.caller,
    Job: lambda exchange: exchange.job,
}
"""Parameters that are annotated so are handed over, not read from the body."""


class BindingError(ValueError):
    """A function whose parameters cannot be filled from a message."""


@dataclass(frozen=True, slots=True)
class Binding:
    """How to call ``function`` with an exchange."""

    function: Function
    given: tuple[tuple[str, type[Any], bool], ...]  # name, annotation, may be None
    data: type[msgspec.Struct]
    fallbacks: tuple[tuple[str, str], ...]  # camelCase name -> the parameter's own, snake_case

    @property
    def needs(self) -> frozenset[type[Any]]:
        """Annotations of handed-over parameters that may not be None."""
        return frozenset(kind for _, kind, optional in self.given if not optional)

    @property
    def names(self) -> tuple[str, ...]:
        """Names under which parameters are looked for in the body: what a job has to fetch."""
        own = [name for _, name in self.fallbacks]
        return (*self.data.__struct_encode_fields__, *own)

    def arguments(self, exchange: Exchange) -> dict[str, Any]:
        """Keyword arguments. Raises :class:`InvalidInput` naming the field that does not fit."""
        body = exchange.message.body
        if body is None:
            body = {}
        if not isinstance(body, Mapping):
            raise InvalidInput(f"The message is {type(body).__name__}; expected an object with named fields.")
        for camel, own in self.fallbacks:
            if camel not in body and own in body:
                body = {**body, camel: body[own]}
        try:
            # Path and query are text; "3" is let in for an int there, but not from JSON.
            record = msgspec.convert(body, self.data, strict=not exchange.properties.get("text", False))
        except msgspec.ValidationError as error:
            raise InvalidInput(str(error).replace("`$.", "`")) from None
        arguments = {name: getattr(record, name) for name in self.data.__struct_fields__}
        for name, kind, _ in self.given:
            arguments[name] = _GIVEN[kind](exchange)
        return arguments


def bind(function: Function) -> Binding:
    """Read ``function``'s signature. Raises :class:`BindingError` saying what is wrong with it."""
    if not inspect.iscoroutinefunction(function):
        raise BindingError("a route is an async function: write 'async def'.")
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # whatever an annotation raises is its author's to mend
        raise BindingError(f"its annotations cannot be read: {error}") from None
    given: list[tuple[str, type[Any], bool]] = []
    fields: list[Any] = []
    renames: dict[str, str] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise BindingError(f"parameter {name!r}: only named parameters can be filled.")
        if name not in hints:
            raise BindingError(f"parameter {name!r} has no type.")
        kind, optional = _unwrap(hints[name])
        if kind in _GIVEN:
            given.append((name, kind, optional))
            continue
        renames[name] = _camel(name)
        if isinstance(_described(hints[name]), msgspec.inspect.CustomType):
            raise BindingError(f"parameter {name!r} has a type that JSON cannot give: {hints[name]}.")
        default = {} if parameter.default is parameter.empty else {"default": parameter.default}
        fields.append((name, hints[name], msgspec.field(name=renames[name], **default)))
    try:
        data = msgspec.defstruct(f"{function.__name__}_input", fields, kw_only=True)
        msgspec.json.Decoder(data)  # refuses types that JSON cannot give
    except (TypeError, ValueError) as error:
        raise BindingError(f"its parameters cannot be read from JSON: {error}") from None
    fallbacks = tuple((camel, own) for own, camel in renames.items() if camel != own)
    return Binding(function, tuple(given), data, fallbacks)


def _described(annotation: Any) -> msgspec.inspect.Type | None:
    try:
        return msgspec.inspect.type_info(annotation)
    except (TypeError, ValueError):
        return None  # said with all fields together


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) in (Union, types.UnionType):
        members = [a for a in typing.get_args(annotation) if a is not type(None)]
        if len(members) == 1:
            return members[0], len(members) < len(typing.get_args(annotation))
    try:
        hash(annotation)
    except TypeError:
        return None, False
    return annotation, False


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail) if head else name
