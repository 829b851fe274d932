"""Which business resource a process is, as the facade's catalog says."""

from __future__ import annotations

import time
from typing import Any

from towpath.frontend.upstream import Upstream

TRUSTED = 30.0  # seconds
FILES = "files"  # where the start form has no field for files


class Catalog:
    """The facade's resources by name and by process."""

    def __init__(self, facade: Upstream) -> None:
        self._facade = facade
        self._by_process: dict[str, str] = {}
        self._names: list[str] = []
        self._singulars: dict[str, str] = {}
        self._file_fields: dict[str, str] = {}
        self._until = 0.0

    async def _read(self) -> None:
        found = await self._facade.call("GET", "/catalog", None)
        resources = found["resources"]
        self._names = [str(resource["name"]) for resource in resources]
        self._by_process = {str(r.get("process") or r["name"]): str(r["name"]) for r in resources}
        self._singulars = {str(r["name"]): str(r.get("singular") or r["name"]) for r in resources}
        self._file_fields = {str(r["name"]): _file_field(r.get("startForm")) for r in resources}
        self._until = time.monotonic() + TRUSTED

    async def names(self) -> list[str]:
        """The resources there are. Raises Unreachable."""
        if time.monotonic() >= self._until:
            await self._read()
        return self._names

    async def of_processes(self, process_ids: set[str]) -> dict[str, str]:
        """Process id -> resource, of those that are resources. Raises Unreachable."""
        if time.monotonic() >= self._until or not process_ids <= self._by_process.keys():
            await self._read()  # something may have been deployed meanwhile
        return {id_: self._by_process[id_] for id_ in process_ids if id_ in self._by_process}

    async def singular(self, resource: str) -> str:
        """What one of the resource is called. Raises Unreachable."""
        if resource not in self._singulars:
            await self._read()
        return self._singulars.get(resource, resource)

    async def file_field(self, resource: str) -> str:
        """The field of the resource's start form that takes files. Raises Unreachable."""
        if resource not in self._file_fields or time.monotonic() >= self._until:
            await self._read()
        return self._file_fields.get(resource, FILES)


def _file_field(form: Any) -> str:
    """The key of the first form-js component that picks files."""
    waiting = list(form.get("components", ())) if isinstance(form, dict) else []
    while waiting:
        component = waiting.pop(0)
        if component.get("type") == "filepicker":
            return str(component.get("key") or FILES)
        waiting += component.get("components", ())
    return FILES
