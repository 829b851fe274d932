"""The services that ``towpath serve`` knows."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The services that run on their own."""

    PROCESS = "process"
    FACADE = "facade"
    SYNC = "sync"
    NOTIFY = "notify"
    INTEGRATION = "integration"
    CONSOLE = "console"
    GATEWAY = "gateway"
    IDENTITY = "identity"
    WORKERS = "workers"
