"""The route engine: attempts, timeouts, retries, dead letters. Endpoints hand exchanges in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog

from towpath.faults import Faulty
from towpath.integration.connectors.base import Connector
from towpath.integration.counters import Counters
from towpath.integration.deadletters import DeadLetters
from towpath.integration.errors import (
    BackendError,
    BpmnError,
    Exhausted,
    InvalidInput,
    describe,
)
from towpath.integration.exchange import Exchange, Message
from towpath.integration.routes import Route
from towpath.integration.settings import IntegrationSettings, current

log = structlog.get_logger()


def check_connections(routes: Sequence[Route], settings: IntegrationSettings) -> None:
    """Every connection that ``routes`` ask for is in towpath.toml, or raises :class:`Faulty`."""
    faults = [fault for c in connectors_of(routes) if (fault := c.fault(settings.connections))]
    if faults:
        raise Faulty(faults)


def connectors_of(routes: Sequence[Route]) -> list[Connector[Any]]:
    """The connectors of ``routes``, each once."""
    return list({id(c): c for route in routes for c in route.connectors}.values())


class Engine:
    """Runs exchanges through routes.

    The steps decide what is done; the engine alone decides how often and for how long.
    """

    def __init__(
        self, routes: Sequence[Route], settings: IntegrationSettings, letters: DeadLetters | None = None
    ) -> None:
        self.routes = {route.id: route for route in routes}
        self.counters = {route.id: Counters(route.id) for route in routes}
        self.letters = letters
        self._settings = settings

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The routes' connectors are open while the block runs. Raises :class:`Faulty`."""
        check_connections(list(self.routes.values()), self._settings)
        async with contextlib.AsyncExitStack() as opened:
            for connector in connectors_of(list(self.routes.values())):
                opened.push_async_callback(connector.close)
                await connector.open(self._settings.connections)
            yield

    async def run(self, route: Route, exchange: Exchange) -> Any:
        """The body that the route leaves.

        Raises :class:`BpmnError` for a business fault, :class:`InvalidInput` for a message that does not fit,
        and :class:`Exhausted` where the route failed for good; then the exchange
        is in the dead letters, if the route keeps them.
        """
        counters = self.counters[route.id]
        counters.in_flight += 1
        begun = time.perf_counter()
        outcome = "canceled"
        received = exchange.message
        token = current.set(self._settings)
        try:
            await self._deliver(route, exchange, counters)
            outcome = "completed"
        except BpmnError:
            outcome = "business_error"
            raise
        except InvalidInput:
            outcome = "invalid"
            raise
        except Exhausted as failure:
            outcome = "failed"
            await self._gave_up(route, exchange, received, failure, counters)
            raise
        finally:
            current.reset(token)
            counters.in_flight -= 1
            counters.ended(outcome, time.perf_counter() - begun)
        if exchange.job is not None and route.dead_letter and self.letters is not None:
            try:
                await self.letters.settle(route.id, exchange.key)
            except Exception:  # what the route did is done, and must not be done again for a letter's sake
                log.exception("dead letter not settled", route=route.id, key=exchange.key)
        return exchange.message.body

    async def _deliver(self, route: Route, exchange: Exchange, counters: Counters) -> None:
        if route.total_timeout is None:
            await self._attempts(route, exchange, counters)
            return
        try:
            async with asyncio.timeout(route.total_timeout):
                await self._attempts(route, exchange, counters)
        except TimeoutError:
            late = TimeoutError(f"not done within {route.total_timeout:g} s in all")
            raise Exhausted(route.id, late, exchange.attempt) from None

    async def _attempts(self, route: Route, exchange: Exchange, counters: Counters) -> None:
        received = exchange.message
        waits = route.retry.waits()
        while True:
            exchange.attempt += 1
            # Every attempt begins with the message as it was received, whatever the last one made of it.
            exchange.message = Message(received.body, dict(received.headers))
            try:
                await self._attempt(route, exchange)
                return
            except (BpmnError, InvalidInput):
                raise
            except Exception as error:  # the engine is what decides about every failure of a step
                wait = next(waits, None) if isinstance(error, route.retry.on) else None
                if wait is None:
                    raise Exhausted(route.id, error, exchange.attempt) from error
                if isinstance(error, BackendError) and error.retry_after is not None:
                    wait = max(wait, min(error.retry_after, route.retry.maximum))
                log.info("route retries", route=route.id, attempt=exchange.attempt, error=describe(error))
            counters.retried()
            await asyncio.sleep(wait)

    async def _attempt(self, route: Route, exchange: Exchange) -> None:
        scope = asyncio.timeout(route.timeout)
        try:
            async with scope:
                await route.step.run(exchange)
        except TimeoutError:
            if scope.expired():
                raise TimeoutError(f"not done within {route.timeout:g} s") from None
            raise

    async def _gave_up(
        self, route: Route, exchange: Exchange, received: Message, failure: Exhausted, counters: Counters
    ) -> None:
        counters.last_error = describe(failure.cause)
        expected = isinstance(failure.cause, (BackendError, TimeoutError, ConnectionError))
        log.error(
            "route failed",
            route=route.id,
            key=exchange.key,
            attempts=failure.attempts,
            error=counters.last_error,
            exc_info=None if expected else failure.cause,
        )
        if route.dead_letter and self.letters is not None:
            try:
                await self.letters.keep(exchange, received, failure)
            except Exception:  # the caller is to hear of the route's failure, not of this one
                log.exception("dead letter not kept", route=route.id, key=exchange.key)
            else:
                counters.dead_lettered += 1
