"""A solution: the folder a team keeps in git, read and checked as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from towpath.client import Worker
from towpath.faults import Fault, Faulty
from towpath.integration import Route
from towpath.solution import check, code, toml
from towpath.solution.settings import SERVICES, Raw, Settings
from towpath.wire import Resource

MODELS = {"processes": ".bpmn", "decisions": ".dmn", "forms": ".form"}
"""The folders of what is deployed, and how its files end."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A solution that was read; everything in it can be used."""

    root: Path
    raw: Raw  # towpath.toml with its placeholders
    text: str
    settings: Settings
    resources: list[Resource] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    warnings: tuple[Fault, ...] = ()

    @property
    def name(self) -> str:
        return self.settings.solution.name or self.root.name

    @property
    def title(self) -> str:
        return self.settings.solution.title or self.name

    def at_ports(self, ports: dict[str, int]) -> Settings:
        """The settings with ``ports`` (``services.facade``, ``backends.payments``...) put in.

        Placeholders such as ``{backends.payments.port}`` get the ports too.
        """
        raw = toml.substitute(with_ports(self.raw, ports), placeholders(self.raw, ports))
        settings, faults = toml.convert(raw, self.text)
        if faults:
            raise Faulty(faults)
        return settings


def read(root: Path) -> Solution:
    """Read and check the solution in the folder ``root``. Raises :class:`Faulty` with every fault."""
    raw, text, faults = toml.load(root)
    if faults:
        raise Faulty(faults)
    resolved = toml.substitute(raw, placeholders(raw, {}))
    settings, faults = toml.convert(resolved, text)
    faults += toml.unresolved(resolved, text)
    files = [
        Resource(name=file.name, content=file.read_bytes())
        for folder, suffix in MODELS.items()
        for file in sorted((root / folder).glob(f"*{suffix}"))
    ]
    parts = code.load(root)
    faults += parts.faults
    faults += check.solution(root, text, settings, parts)
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        raise Faulty(faults)
    return Solution(
        root=root,
        raw=raw,
        text=text,
        settings=settings,
        resources=files,
        workers=parts.workers,
        routes=parts.routes,
        warnings=tuple(faults),
    )


def placeholders(raw: Raw, ports: dict[str, int]) -> dict[str, str]:
    """What each placeholder stands for, with ``ports`` in place of the configured ones."""
    values: dict[str, str] = {}
    services = raw.get("services")
    configured = services if isinstance(services, dict) else {}
    defaults = Settings().services
    for name in ("gateway", *SERVICES):
        port = ports.get(f"services.{name}", configured.get(name, defaults.port(name)))
        values[f"services.{name}.port"] = str(port)
    for backend in _backends(raw):
        for key in ("port", "http_port"):
            port = ports.get(f"backends.{backend['name']}.{key}", backend.get(key))
            if port is not None:
                values[f"backends.{backend['name']}.{key}"] = str(port)
    return values


def with_ports(raw: Raw, ports: dict[str, int]) -> Raw:
    """``raw`` with the ports themselves replaced."""
    services = dict(raw.get("services") or {})
    for name, port in ports.items():
        kind, _, rest = name.partition(".")
        if kind == "services":
            services[rest] = port
    backends = []
    for backend in _backends(raw):
        changed = {
            key: ports[f"backends.{backend['name']}.{key}"]
            for key in ("port", "http_port")
            if f"backends.{backend['name']}.{key}" in ports
        }
        backends.append(backend | changed)
    result = {**raw, "services": services}
    if backends:
        result["backends"] = backends
    return result


def _backends(raw: Raw) -> list[Raw]:
    backends = raw.get("backends")
    if not isinstance(backends, list):
        return []
    return [b for b in backends if isinstance(b, dict) and isinstance(b.get("name"), str)]
