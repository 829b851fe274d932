"""The table ``[console]`` of ``towpath.toml``."""

from __future__ import annotations

import msgspec


class ConsoleSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``event_wait``: how long a page's long poll waits for news, in ms; gateways commonly cut at 60 s.

    ``element_limit``: how many element instances of one process instance the operator's page is given.
    """

    event_wait: int = 20_000
    element_limit: int = 2_000
