"""What ``[integration]`` of ``towpath.toml`` may hold, and how a route reads its own values."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from msgspec import Struct, field

from towpath.integration.errors import ConfigurationError


class IntegrationSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``[integration]``.

    ``connections``: by name, ``{url = "...", ...}``; which further keys there are is said by the connector
    that the routes use it with. ``values``: free text values for routes, such as which of two platforms is
    in use. ``max_body``: bytes of a request body.
    """

    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    max_body: int = 1024 * 1024


current: ContextVar[IntegrationSettings | None] = ContextVar("towpath_integration_settings", default=None)


class Settings:
    """The solution's own values, for the route that is running."""

    def value(self, name: str, default: str | None = None) -> str:
        """``[integration.values]``'s ``name``.

        Raises :class:`ConfigurationError` where it is neither set nor has a ``default``, and outside of a
        running route.
        """
        running = current.get()
        if running is None:
            raise ConfigurationError(f"The value {name!r} was asked for outside of a running route.")
        value = running.values.get(name, default)
        if value is None:
            raise ConfigurationError(f"[integration.values] of towpath.toml has no {name!r}.")
        return value


settings = Settings()
