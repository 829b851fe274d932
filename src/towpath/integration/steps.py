"""The steps that a route's messages go through. Functions and YAML compile to the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from towpath.integration.binding import Binding
from towpath.integration.exchange import Exchange, Message


class Step(Protocol):
    """One step: changes the exchange in place, or raises.

    A step may be run again with the message as the route received it; what it keeps between runs
    belongs in a store, never in itself.
    """

    async def run(self, exchange: Exchange) -> None: ...


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Steps one after the other."""

    steps: tuple[Step, ...]

    async def run(self, exchange: Exchange) -> None:
        for step in self.steps:
            await step.run(exchange)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the solution: parameters from the message, its result the new body."""

    binding: Binding

    async def run(self, exchange: Exchange) -> None:
        result = await self.binding.function(**self.binding.arguments(exchange))
        exchange.message = Message(msgspec.to_builtins(result, str_keys=True))
