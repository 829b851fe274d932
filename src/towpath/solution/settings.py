"""``towpath.toml``: what a solution is called, what runs where, and who may do what."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from towpath.console.settings import ConsoleSettings
from towpath.facade.settings import FacadeSettings
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.sync.settings import SyncSettings
from towpath.gateway.settings import GatewaySettings
from towpath.identity.settings import IdentitySettings
from towpath.integration.settings import IntegrationSettings
from towpath.process.settings import ProcessSettings

SERVICES = ("identity", "process", "facade", "sync", "notify", "integration", "console")
"""The services that Towpath itself serves, in the order in which they start; the gateway is Envoy."""


class NameSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``[solution]``: ``name`` is for machines, ``title`` for people."""

    name: str = ""
    title: str = ""


class ServicesSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``[services]``: the address that each service listens on; port 0 picks a free one.

    ``urls`` says where the others find a service that does not run on ``host``, for ``towpath serve``.
    """

    host: str = "127.0.0.1"
    gateway: int = 8080
    gateway_admin: int = 8079
    identity: int = 8081
    process: int = 8082
    facade: int = 8083
    sync: int = 8084
    notify: int = 8085
    integration: int = 8086
    console: int = 8087
    urls: dict[str, str] = field(default_factory=dict)

    def port(self, service: str) -> int:
        """The configured port of ``service``."""
        port: int = getattr(self, service)
        return port


class StorageSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``[storage]``: ``documents`` is a folder, or an s3://, gs:// or az:// URL."""

    documents: str | None = None


class WorkersSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``[workers]``: job types that workers outside this solution serve, so that a check knows them."""

    external: list[str] = field(default_factory=list)


class BackendSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[backends]]``: a program started with the solution, in the solution's folder.

    It is given ``--host``, ``--port``, ``--state`` (and ``--http-port``), and is up once it prints a line
    that begins with ``ready``. In ``command``, ``{python}`` is the interpreter that runs Towpath.
    """

    name: str
    command: list[str]
    port: int
    http_port: int | None = None
    ready_timeout: float = 60.0  # seconds


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole of ``towpath.toml``."""

    solution: NameSettings = field(default_factory=NameSettings)
    services: ServicesSettings = field(default_factory=ServicesSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    workers: WorkersSettings = field(default_factory=WorkersSettings)
    backends: list[BackendSettings] = field(default_factory=list)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    process: ProcessSettings = field(default_factory=ProcessSettings)
    facade: FacadeSettings = field(default_factory=FacadeSettings)
    sync: SyncSettings = field(default_factory=SyncSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    integration: IntegrationSettings = field(default_factory=IntegrationSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)


Raw = dict[str, Any]
