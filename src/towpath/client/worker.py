"""Job workers: functions that do the work of service tasks.

A worker's parameters are named after the job's variables; what it returns becomes variables::

    @worker("estimate-damage", timeout=30.0)
    async def estimate(policy: dict[str, Any], damage: str | None = None) -> dict[str, Any]:
        return {"estimate": {"amount": 1200, "currency": "EUR"}}
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

import msgspec

from towpath.wire import Job, Variables

ATTRIBUTE = "__towpath_workers__"  # where the decorator keeps what collect_workers finds
FIRST_RETRIES = 3  # what a job has where its model says nothing

F = TypeVar("F", bound=Callable[..., Any])


class BpmnError(Exception):
    """A business error: the model's error boundary or error event sub-process with ``code`` catches it."""

    def __init__(self, code: str, message: str = "", variables: Variables | None = None) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.variables = variables or {}


class JobFailed(Exception):
    """The work could not be done.

    ``retries`` left (None: one fewer than before; 0 raises an incident at once); ``backoff`` in seconds until
    the next attempt (None: the worker's exponential backoff).
    """

    def __init__(
        self,
        message: str,
        *,
        retries: int | None = None,
        backoff: float | None = None,
        variables: Variables | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retries = retries
        self.backoff = backoff
        self.variables = variables or {}


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    variables: tuple[str, ...]  # the spellings under which the variable may go
    type: Any
    required: bool


@dataclass(slots=True)
class Worker:
    """A function that serves one job type.

    ``timeout``: seconds after which an unfinished job is offered to another worker. ``max_jobs``: how
    many run here at once. ``fetch``: the variables wanted (None: those the parameters name, or all where
    the function takes the :class:`Job` or ``**variables``). ``retries``: what the model gives the job at
    first; with it the attempt's number is known, and with that the backoff: ``backoff`` seconds, doubled
    with every attempt up to ``max_backoff``.

    Raises TypeError where the function cannot be a worker.
    """

    type: str
    function: Callable[..., Any]
    timeout: float = 60.0
    max_jobs: int = 32
    fetch: Sequence[str] | None = None
    retries: int = FIRST_RETRIES
    backoff: float = 1.0
    max_backoff: float = 300.0
    is_async: bool = field(init=False)
    file: str = field(init=False)
    line: int = field(init=False)
    _job_parameter: str | None = field(init=False, default=None, repr=False)
    _rest: bool = field(init=False, default=False, repr=False)
    _parameters: list[_Parameter] = field(init=False, default_factory=list, repr=False)

    def __post_init__(self) -> None:
        function = inspect.unwrap(self.function)
        self.is_async = inspect.iscoroutinefunction(self.function)
        code = getattr(function, "__code__", None)
        self.file = code.co_filename if code else "?"
        self.line = code.co_firstlineno if code else 0
        hints = _hints(function)
        for parameter in inspect.signature(function).parameters.values():
            hint = hints.get(parameter.name, Any)
            if parameter.kind is parameter.POSITIONAL_ONLY or parameter.kind is parameter.VAR_POSITIONAL:
                raise TypeError(
                    f"{self.file}:{self.line}: the worker {self.type!r} takes its variables by name; "
                    f"{parameter.name!r} cannot be given by name."
                )
            if parameter.kind is parameter.VAR_KEYWORD:
                self._rest = True
            elif hint is Job:
                self._job_parameter = parameter.name
            else:
                self._parameters.append(
                    _Parameter(
                        parameter.name, _spellings(parameter.name), hint, parameter.default is parameter.empty
                    )
                )

    @property
    def fetches(self) -> list[str] | None:
        """The names of the variables to ask for; None for all."""
        if self.fetch is not None:
            return list(self.fetch)
        if self._rest or self._job_parameter:
            return None
        # An empty list would mean "all" to Camunda-compatible servers, so one name is asked for in vain.
        return [name for p in self._parameters for name in p.variables] or ["__none__"]

    def arguments(self, job: Job) -> dict[str, Any]:
        """The keyword arguments for ``job``.

        Raises :class:`JobFailed` without retries where a variable is missing or of the wrong type: another
        attempt would see the same variables, so a person has to look at it.
        """
        arguments: dict[str, Any] = {}
        used: set[str] = set()
        for parameter in self._parameters:
            name = next((n for n in parameter.variables if n in job.variables), None)
            if name is None:
                if parameter.required:
                    raise JobFailed(
                        f"The worker {self.type!r} needs the variable {parameter.variables[-1]!r}, "
                        f"which is not visible at {job.element_id!r}. Set it, or map it as an input.",
                        retries=0,
                    )
                continue
            used.add(name)
            arguments[parameter.name] = self._convert(name, job.variables[name], parameter.type, job)
        if self._rest:
            arguments |= {k: v for k, v in job.variables.items() if k not in used and k not in arguments}
        if self._job_parameter:
            arguments[self._job_parameter] = job
        return arguments

    def _convert(self, name: str, value: Any, hint: Any, job: Job) -> Any:
        if hint is Any:
            return value
        try:
            return msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            raise JobFailed(
                f"The variable {name!r} at {job.element_id!r} is not what the worker {self.type!r} takes: "
                f"{error}.",
                retries=0,
            ) from None

    def result(self, value: Any) -> Variables:
        """What the function returned, as variables. Raises :class:`JobFailed` where it is no such thing."""
        if value is None:
            return {}
        plain = msgspec.to_builtins(value) if not isinstance(value, dict) else value
        if not isinstance(plain, dict):
            raise JobFailed(
                f"The worker {self.type!r} returned {type(value).__name__}; return a dict or None.",
                retries=0,
            )
        return plain

    def delay(self, job: Job) -> float:
        """Seconds until the attempt after this one."""
        attempt = max(self.retries - job.retries, 0)
        return float(min(self.backoff * 2**attempt, self.max_backoff))


def worker(
    type: str,
    *,
    timeout: float = 60.0,
    max_jobs: int = 32,
    fetch: Sequence[str] | None = None,
    retries: int = FIRST_RETRIES,
    backoff: float = 1.0,
    max_backoff: float = 300.0,
) -> Callable[[F], F]:
    """Make a function the worker of a job type; see :class:`Worker` for the settings.

    The function itself stays as it is, so that it can be called and tested as any other. Decorate twice to
    serve two types.
    """

    def register(function: F) -> F:
        made = Worker(type, function, timeout, max_jobs, fetch, retries, backoff, max_backoff)
        function.__dict__.setdefault(ATTRIBUTE, []).append(made)
        return function

    return register


def collect_workers(module: ModuleType) -> list[Worker]:
    """The workers that ``module`` defines, in the order of their lines."""
    found = [
        made
        for value in vars(module).values()
        for made in getattr(value, "__dict__", {}).get(ATTRIBUTE, ())
        if getattr(value, "__module__", None) == module.__name__
    ]
    unique = {id(made): made for made in found}  # a function may stand under two names
    return sorted(unique.values(), key=lambda made: (made.line, made.type))


def _spellings(parameter: str) -> tuple[str, ...]:
    """``policy_number`` also takes ``policyNumber``: the one is Python's way, the other JSON's."""
    head, *tail = parameter.rstrip("_").split("_")
    camel = head + "".join(part.capitalize() for part in tail)
    return (parameter,) if camel == parameter else (parameter, camel)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Resolved annotations. One that cannot be resolved (a name for type checkers only) counts as Any."""
    try:
        return get_type_hints(function)
    except (NameError, AttributeError, TypeError):
        return {}
