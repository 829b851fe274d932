"""What a route has done: for Prometheus, and for ``GET /routes``."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram

SECONDS = Histogram(
    "towpath_route_seconds",
    "Time of an exchange in a route, retries and the waits between them included.",
    ["route", "outcome"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
RETRIES = Counter("towpath_route_retries_total", "Attempts after the first.", ["route"])
IN_FLIGHT = Gauge("towpath_route_in_flight", "Exchanges on their way.", ["route"])

OUTCOMES = ("completed", "business_error", "invalid", "failed", "canceled")


@dataclass(slots=True)
class Counters:
    """Counts since the service started, of one route on this node."""

    route: str
    in_flight: int = 0
    retries: int = 0
    dead_lettered: int = 0
    last_error: str | None = None
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    _seconds: dict[str, Histogram] = field(init=False, repr=False)
    _retries: Counter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Looking a labelled child up costs more than counting in it, so it is done once.
        self._seconds = {outcome: SECONDS.labels(self.route, outcome) for outcome in OUTCOMES}
        self._retries = RETRIES.labels(self.route)
        IN_FLIGHT.labels(self.route).set_function(lambda: self.in_flight)

    def ended(self, outcome: str, seconds: float) -> None:
        """An exchange left the route."""
        self.outcomes[outcome] += 1
        self._seconds[outcome].observe(seconds)

    def retried(self) -> None:
        """Another attempt begins."""
        self.retries += 1
        self._retries.inc()
