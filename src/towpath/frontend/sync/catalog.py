"""Which business resource a process is, as the facade's catalog says."""

from __future__ import annotations

import time

from towpath.frontend.sync.upstream import Upstream

TRUSTED = 30.0  # seconds


class Catalog:
    """The facade's resources by name and by process."""

    def __init__(self, facade: Upstream) -> None:
        self._facade = facade
        self._by_process: dict[str, str] = {}
        self._names: list[str] = []
        self._until = 0.0

    async def _read(self) -> None:
        found = await self._facade.call("GET", "/catalog", None)
        resources = found["resources"]
        self._names = [str(resource["name"]) for resource in resources]
        self._by_process = {str(r.get("process") or r["name"]): str(r["name"]) for r in resources}
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
