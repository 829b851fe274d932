"""``[gateway]`` of ``towpath.toml``."""

from __future__ import annotations

from typing import Literal

import msgspec

MIB = 1024 * 1024
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class PlanSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[gateway.plans.NAME]``: how much one caller may ask.

    A caller may ask ``requests`` at once; they come back evenly over the period.
    """

    requests: int
    per: Literal["second", "minute", "hour", "day"] = "minute"

    @property
    def seconds(self) -> int:
        """Seconds in which ``requests`` come back."""
        return PERIODS[self.per]


class TlsSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[gateway.tls]``: PEM files; the certificate's holds its chain."""

    certificate: str
    key: str


class AccessLogSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[gateway.access_log]``: one JSON object a line."""

    to: Literal["file", "stdout", "off"] = "file"
    max_bytes: int = 64 * MIB  # a file that has grown beyond this is put aside
    keep: int = 5  # files put aside


def _plans() -> dict[str, PlanSettings]:
    return {"standard": PlanSettings(requests=600), "partner": PlanSettings(requests=6000)}


class GatewaySettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How Envoy is to behave. Times are seconds, sizes bytes."""

    plans: dict[str, PlanSettings] = msgspec.field(default_factory=_plans)
    default_plan: str = "standard"  # of a token whose ``plan`` is missing or not among the plans
    anonymous: PlanSettings = msgspec.field(default_factory=lambda: PlanSettings(requests=3000))
    callers: int = 10_000  # callers whose limits are remembered at once
    max_body: int = 10 * MIB
    max_upload: int = 15 * MIB  # routes that take documents; services themselves stop at 16 MiB
    max_headers: int = 60 * 1024
    cors_origins: list[str] = []
    tls: TlsSettings | None = None
    access_log: AccessLogSettings = msgspec.field(default_factory=AccessLogSettings)
    timeout: float = 30.0  # until an answer is complete, except on streams
    connect_timeout: float = 2.0
    idle_timeout: float = 300.0  # a connection or a plain request on which nothing moves
    max_connections: int = 4096  # to one upstream, each of connections, waiting and running requests
    max_clients: int = 20_000  # connections from callers
    workers: int = 1  # threads of Envoy; one serves some ten thousand requests a second
    clock_skew: int = 10  # tolerated between the issuer's clock and ours
    jwks_lifetime: int = 300  # until the issuer's keys are fetched again
    log_level: Literal["trace", "debug", "info", "warning", "error"] = "warning"
