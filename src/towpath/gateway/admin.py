"""Envoy's admin interface, on loopback: is it ready, which configuration has it, reopen the logs."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp

from towpath.gateway.envoy import EnvoyFailedError

POLL = 0.02  # seconds between looks
# Statistics of the resources that come by files.
_STATISTIC = {"cds": "cluster_manager.cds", "rds": "http.gateway.rds.routes", "sds": "sds.certificate"}


class Admin:
    """Asks Envoy at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0))

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text; status 0 where Envoy does not answer."""
        try:
            async with self._session.get(self.url + path) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0, ""

    async def ready(self) -> bool:
        """Whether Envoy has its first configuration and takes requests."""
        return (await self.get("/ready"))[0] == 200

    async def reopen_logs(self) -> None:
        """Have Envoy open its log files by name again, after one was put aside."""
        async with self._session.post(self.url + "/reopen_logs") as answer:
            answer.raise_for_status()

    async def rejected(self, kind: str) -> int:
        """How often Envoy did not take a file of this kind since it started."""
        statistics = await self._statistics(f"{_STATISTIC[kind]}.update_rejected")
        return int(sum(statistics.values()))

    async def taken(self, kind: str, version: str, *, rejected: int, timeout: float = 10.0) -> None:
        """Wait until Envoy has taken ``version`` of a kind. Raises EnvoyFailedError."""
        end = time.monotonic() + timeout
        name = f"{_STATISTIC[kind]}.version_text"
        while version not in (await self._statistics(name)).values():
            if await self.rejected(kind) > rejected:
                raise EnvoyFailedError(f"Envoy did not take the new {kind.upper()} file; its log says why.")
            if time.monotonic() > end:
                raise EnvoyFailedError(f"Envoy did not take the new {kind.upper()} file in {timeout:g} s.")
            await asyncio.sleep(POLL)

    async def _statistics(self, name: str) -> dict[str, Any]:
        status, text = await self.get(f"/stats?format=json&filter=^.*{name.replace('.', '[.]')}$")
        if status != 200:
            return {}
        return {s["name"]: s["value"] for s in json.loads(text)["stats"] if "name" in s}

    async def close(self) -> None:
        await self._session.close()
