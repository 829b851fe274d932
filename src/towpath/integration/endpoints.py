"""Endpoint URIs: where a route takes its messages from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RESERVED = ("/health", "/metrics", "/routes", "/dead-letters", "/schema")
"""What the service itself answers; no route may take it over."""

_SEGMENT = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}|[A-Za-z0-9._~-]+")
_JOB_TYPE = re.compile(r"[^\s?#]+")


@dataclass(frozen=True, slots=True)
class JobEndpoint:
    """``job:TYPE``: the route is a worker for the process server's jobs of that type."""

    scheme: ClassVar[str] = "job"
    type: str

    @property
    def uri(self) -> str:
        return f"job:{self.type}"

    @property
    def identity(self) -> str:
        """Equal for two endpoints that would take each other's messages."""
        return self.uri


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """``http:METHOD /path/{parameter}``: the route is an HTTP operation.

    ``users``: people may call it (through the gateway's ``/data``), not only services.
    """

    scheme: ClassVar[str] = "http"
    method: str
    path: str
    users: bool = False

    @property
    def uri(self) -> str:
        return f"http:{self.method} {self.path}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path's parameters."""
        return tuple(m[1] for m in _SEGMENT.finditer(self.path) if m[1])

    @property
    def identity(self) -> str:
        """Equal for two endpoints that would take each other's messages."""
        return f"http:{self.method} {self.shape}"

    @property
    def shape(self) -> str:
        """The path without its parameters' names."""
        return re.sub(r"{[^}]*}", "{}", self.path)


Endpoint = JobEndpoint | HttpEndpoint


def parse_endpoint(uri: str, *, users: bool = False) -> Endpoint:
    """The endpoint that ``uri`` names. Raises ValueError, saying what was expected."""
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in ("job", "http"):
        raise ValueError(f"{uri!r} is no endpoint: expected 'job:TYPE' or 'http:METHOD /path'.")
    target, _, query = rest.partition("?")
    for option, _ in parse_qsl(query, keep_blank_values=True):
        raise ValueError(f"{uri!r} has the unknown option {option!r}: a {scheme}: endpoint has none.")
    if scheme == "job":
        if not _JOB_TYPE.fullmatch(target):
            raise ValueError(f"{uri!r} names no job type: expected 'job:TYPE'.")
        return JobEndpoint(target)
    return _http(uri, target, users)


def _http(uri: str, target: str, users: bool) -> HttpEndpoint:
    method, _, path = target.partition(" ")
    if method not in METHODS:
        raise ValueError(f"{uri!r} has no HTTP method: expected one of {', '.join(METHODS)}, then the path.")
    segments = path.split("/")
    if segments[0] or not all(_SEGMENT.fullmatch(s) for s in segments[1:]):
        raise ValueError(f"{uri!r} has no usable path: expected /words and /{{parameters}}.")
    if f"/{segments[1]}" in RESERVED:
        raise ValueError(f"{uri!r}: /{segments[1]} belongs to the integration service itself.")
    names = [s for s in segments if s.startswith("{")]
    if len(names) != len(set(names)):
        raise ValueError(f"{uri!r} names a path parameter twice.")
    return HttpEndpoint(method, path, users)
