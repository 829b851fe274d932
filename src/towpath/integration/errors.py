"""How routes and back ends fail. A business fault is :class:`towpath.client.BpmnError` and not here."""

from __future__ import annotations

from towpath.client import BpmnError

__all__ = [
    "BackendError",
    "BackendTimeout",
    "BackendUnavailable",
    "BpmnError",
    "ConfigurationError",
    "Exhausted",
    "InvalidInput",
]


class InvalidInput(Exception):
    """The message does not fit the route's parameters; sending it again cannot help."""


class ConfigurationError(Exception):
    """A connection that is missing from towpath.toml, or holds what its connector does not know."""


class BackendError(Exception):
    """A back end answered with a failure. ``backend`` is the connection's name, ``status`` its own code."""

    def __init__(
        self, backend: str, detail: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{backend}: {detail}")
        self.backend = backend
        self.detail = detail
        self.status = status
        self.retry_after = retry_after  # seconds that the back end asked us to wait


class BackendUnavailable(BackendError, ConnectionError):
    """The back end could not be reached, or said that it cannot answer now: worth a retry."""


class BackendTimeout(BackendError, TimeoutError):
    """The back end did not answer in time. Whether it did the work is unknown: retry with a key."""


class Exhausted(Exception):
    """A route failed for good: no retry is left, or none would help. ``cause`` is the last failure."""

    def __init__(self, route: str, cause: BaseException, attempts: int) -> None:
        tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"The route {route} failed after {tries}: {describe(cause)}")
        self.route = route
        self.cause = cause
        self.attempts = attempts


def describe(error: BaseException) -> str:
    """The failure in one line, with its type where the text alone says too little."""
    text = " ".join(str(error).split())
    if isinstance(error, BackendError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
