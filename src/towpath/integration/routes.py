"""The one route model, and ``@route``, the Python way to write it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from towpath.faults import Fault, Faulty
from towpath.identity import Identity
from towpath.integration.binding import BindingError, Function, bind
from towpath.integration.endpoints import Endpoint, HttpEndpoint, JobEndpoint, parse_endpoint
from towpath.integration.retry import NEVER, Retry
from towpath.integration.steps import Call, Step
from towpath.wire import Job

if TYPE_CHECKING:
    from towpath.integration.connectors.base import Connector

TIMEOUT = 10.0  # seconds for one attempt, where a route does not say
CONCURRENCY = 100  # exchanges of one route in flight on one node, where a route does not say

F = TypeVar("F", bound=Function)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """From endpoints through steps. Immutable; every way to write a route compiles to this."""

    id: str
    endpoints: tuple[Endpoint, ...]
    step: Step
    timeout: float  # seconds for one attempt
    total_timeout: float | None  # seconds for all attempts and the waits between them
    retry: Retry
    dead_letter: bool
    concurrency: int
    headers: frozenset[str]  # names that are let in beside the usual ones, in lower case
    variables: tuple[str, ...] | None  # what a job fetches; None: everything
    connectors: tuple[Connector[Any], ...]
    summary: str
    file: str
    line: int

    @property
    def job_types(self) -> tuple[str, ...]:
        """Job types that the route works on."""
        return tuple(e.type for e in self.endpoints if isinstance(e, JobEndpoint))

    @property
    def http_endpoints(self) -> tuple[HttpEndpoint, ...]:
        """HTTP operations that the route answers."""
        return tuple(e for e in self.endpoints if isinstance(e, HttpEndpoint))

    def longest(self) -> float:
        """The most seconds that an exchange can be on its way."""
        needed = self.retry.attempts * self.timeout + self.retry.longest()
        return needed if self.total_timeout is None else min(needed, self.total_timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A decorated function, not yet compiled: its annotations may name what the module defines later."""

    function: Function
    uris: tuple[str, ...]
    options: dict[str, Any]
    users: bool
    file: str
    line: int


@dataclass(slots=True)
class Registry:
    """What the modules of a solution declare while they are imported."""

    declarations: list[Declaration] = field(default_factory=list)
    connectors: list[Connector[Any]] = field(default_factory=list)

    def routes(self) -> list[Route]:
        """Compile what was declared. Raises :class:`Faulty` with everything that is wrong."""
        faults: list[Fault] = []
        routes: list[Route] = []
        taken: dict[str, Declaration] = {}
        names: dict[str, Declaration] = {}
        for declaration in self.declarations:
            name = declaration.function.__name__
            first = names.setdefault(name, declaration)
            if first is not declaration:
                faults.append(_fault(declaration, f"there is another in {first.file}:{first.line}.", "id"))
            try:
                route = _compile(declaration, tuple(self.connectors))
            except Faulty as error:
                faults += error.faults
                continue
            routes.append(route)
            for endpoint in route.endpoints:
                first = taken.setdefault(endpoint.identity, declaration)
                if first is not declaration:
                    where = f"{first.file}:{first.line} ({first.function.__name__})"
                    faults.append(
                        _fault(declaration, f"{endpoint.uri!r} is already taken by {where}.", "taken")
                    )
        if faults:
            raise Faulty(faults)
        return routes


_registry: ContextVar[Registry | None] = ContextVar("towpath_integration_registry", default=None)


@contextlib.contextmanager
def collecting() -> Iterator[Registry]:
    """Collect what is declared inside the block; ``registry.routes()`` then compiles it."""
    registry = Registry()
    token = _registry.set(registry)
    try:
        yield registry
    finally:
        _registry.reset(token)


def declare(connector: Connector[Any]) -> None:
    """Make ``connector`` known to the load that is under way, if there is one."""
    registry = _registry.get()
    if registry is not None:
        registry.connectors.append(connector)


def route(
    *endpoints: str,
    timeout: float = TIMEOUT,
    total_timeout: float | None = None,
    retry: Retry = NEVER,
    dead_letter: bool = False,
    users: bool = False,
    concurrency: int = CONCURRENCY,
    headers: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Make an async function a route.

    ``endpoints``: ``"job:TYPE"`` and ``"http:METHOD /path"``. ``timeout``: seconds for one attempt;
    ``total_timeout``: for all of them. ``dead_letter``: keep an exchange that failed for good, so that it
    can be looked at and sent again. ``users``: people may call its HTTP operations, not only services.
    ``concurrency``: exchanges in flight on one node; more over HTTP are refused with 429. ``headers``: names
    of request headers to let in. The function itself is left as it is, so a test can call it.
    """
    frame = sys._getframe(1)
    place = frame.f_code.co_filename, frame.f_lineno
    options = {
        "timeout": timeout,
        "total_timeout": total_timeout,
        "retry": retry,
        "dead_letter": dead_letter,
        "concurrency": concurrency,
        "headers": frozenset(name.lower() for name in headers),
    }

    def decorate(function: F) -> F:
        registry = _registry.get()
        if registry is not None:
            registry.declarations.append(
                Declaration(
                    function=function,
                    uris=endpoints,
                    options=options,
                    users=users,
                    file=place[0],
                    line=place[1],
                )
            )
        return function

    return decorate


def _fault(declaration: Declaration, message: str, rule: str) -> Fault:
    return Fault(
        message=f"Route {declaration.function.__name__}: {message}",
        rule=f"integration.route-{rule}",
        file=declaration.file,
        line=declaration.line,
    )


def _compile(declaration: Declaration, connectors: tuple[Connector[Any], ...]) -> Route:
    faults: list[Fault] = []
    endpoints: list[Endpoint] = []
    options = declaration.options
    if not declaration.uris:
        faults.append(_fault(declaration, "it has no endpoint, so nothing would ever reach it.", "endpoint"))
    for uri in declaration.uris:
        try:
            endpoints.append(parse_endpoint(uri, users=declaration.users))
        except ValueError as error:
            faults.append(_fault(declaration, str(error), "endpoint"))
    if options["timeout"] <= 0 or (options["total_timeout"] or 1) <= 0 or options["concurrency"] < 1:
        faults.append(_fault(declaration, "timeouts and concurrency are more than 0.", "option"))
    if declaration.users and endpoints and not any(isinstance(e, HttpEndpoint) for e in endpoints):
        faults.append(_fault(declaration, "users=True needs an http: endpoint.", "option"))
    try:
        binding = bind(declaration.function)
    except BindingError as error:
        raise Faulty([*faults, _fault(declaration, str(error), "function")]) from None
    faults += [_fault(declaration, text, "function") for text in _unfit(binding.needs, endpoints)]
    for endpoint in endpoints:
        unknown = set(getattr(endpoint, "parameters", ())) - set(binding.names)
        faults += [
            _fault(declaration, f"the path's {name!r} is no parameter of the function.", "function")
            for name in sorted(unknown)
        ]
    if faults:
        raise Faulty(faults)
    handed_over = any(kind.__name__ in ("Exchange", "Message", "Job") for _, kind, _ in binding.given)
    return Route(
        id=declaration.function.__name__,
        endpoints=tuple(endpoints),
        step=Call(binding),
        variables=None if handed_over and not binding.names else binding.names,
        connectors=connectors,
        summary=(declaration.function.__doc__ or "").strip().partition("\n")[0],
        file=declaration.file,
        line=declaration.line,
        **options,
    )


def _unfit(needs: frozenset[type[Any]], endpoints: list[Endpoint]) -> Iterator[str]:
    if Identity in needs and any(isinstance(e, JobEndpoint) for e in endpoints):
        yield "a job has no caller: annotate 'Identity | None'."
    if Job in needs and any(isinstance(e, HttpEndpoint) for e in endpoints):
        yield "an HTTP call has no job: annotate 'Job | None'."
