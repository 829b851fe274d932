"""What every connector is.

To add one: a module with an :class:`Options` struct (the keys its connection may have in
``towpath.toml``), a :class:`Connector` subclass with its operations, and a function of the protocol's name
that routes call. An operation raises :class:`BackendUnavailable` or :class:`BackendTimeout` where a retry
may help and :class:`BackendError` where none will; it never lets a library's own exception out, never reads
a message's headers to decide where to go, and puts no address, password or payload into an error.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from towpath.faults import Fault
from towpath.integration.errors import ConfigurationError
from towpath.integration.routes import declare


class Options(Struct, kw_only=True, forbid_unknown_fields=True):
    """Keys of ``[integration.connections.NAME]`` that all connectors know. ``timeout`` in seconds."""

    url: str
    timeout: float = 5.0


_CONNECTORS = "towpath.integration.connectors"
O = TypeVar("O", bound=Options)  # noqa: E741 (the one type parameter of its class)


class Connector(Generic[O]):
    """A named connection of the solution, declared in a routes file and opened with the service."""

    protocol: ClassVar[str]
    options_type: type[O]

    def __init__(self, name: str) -> None:
        self.name = name
        frame = sys._getframe(1)
        while frame.f_back and frame.f_globals.get("__name__", "").startswith(_CONNECTORS):
            frame = frame.f_back  # out to the routes file
        self.file, self.line = frame.f_code.co_filename, frame.f_lineno
        self._options: O | None = None
        declare(self)

    @property
    def options(self) -> O:
        """The connection's options. Raises :class:`ConfigurationError` before it is opened."""
        if self._options is None:
            raise ConfigurationError(f"The connection {self.name!r} is not open: no service runs its routes.")
        return self._options

    def read(self, connections: Mapping[str, dict[str, Any]]) -> O:
        """Its options out of towpath.toml. Raises :class:`ConfigurationError`."""
        table = f"[integration.connections.{self.name}]"
        if self.name not in connections:
            raise ConfigurationError(f"towpath.toml has no {table}.")
        try:
            options = msgspec.convert(connections[self.name], self.options_type)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"{table} of towpath.toml: {error} ({self.protocol} connection)."
            ) from None
        self.check(options)
        return options

    def check(self, options: O) -> None:
        """Refuse options that cannot work, without going to the network. Raises ConfigurationError."""

    def refuse(self, reason: str) -> ConfigurationError:
        """An error that names the connection."""
        return ConfigurationError(f"[integration.connections.{self.name}] of towpath.toml: {reason}")

    async def open(self, connections: Mapping[str, dict[str, Any]]) -> None:
        """Take the options. Nothing is connected before it is used: a back end may come up later."""
        self._options = self.read(connections)

    async def close(self) -> None:
        """Give back what is held. The connector can be opened again."""
        self._options = None

    def fault(self, connections: Mapping[str, dict[str, Any]]) -> Fault | None:
        """What is wrong with its connection in towpath.toml, told at the line that asks for it."""
        try:
            self.read(connections)
        except ConfigurationError as error:
            return Fault(message=str(error), rule="integration.connection", file=self.file, line=self.line)
        return None
