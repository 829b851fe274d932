"""What travels through a route: a message, and beside it what only the route may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from towpath.identity import Identity
from towpath.wire import Job


@dataclass(slots=True)
class Message:
    """What was received, or what the route has made of it.

    ``body`` holds JSON values (or bytes, for formats that a step unmarshals). ``headers`` hold data of the
    remote party and nothing else: names in lower case, let in by an allow-list, and never read by a
    connector to decide where a message goes. Control data belongs in :attr:`Exchange.properties`;
    mixing the two is what made remote headers steer Camel's endpoints.
    """

    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One message on its way through one route.

    ``key`` is stable over redelivery: the job's key, the caller's Idempotency-Key, or a key of its own.
    Pass it to back ends so that they can tell a repetition. ``attempt`` counts from 1.
    """

    message: Message
    key: str
    endpoint: str  # the URI that took the message in
    properties: dict[str, Any] = field(default_factory=dict)
    caller: Identity | None = None
    job: Job | None = None
    attempt: int = 0
