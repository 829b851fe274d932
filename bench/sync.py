"""What synchronisation costs the server: push and pull of 1 kB documents, in CPU seconds.

``python -m bench.sync [--json] [--quick]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

DOCUMENTS, QUICK = 10_000, 1_000
BATCH = 100  # documents of one request, PouchDB's default


class _Tokens:
    """One person, whoever asks: who is calling is not what is measured."""

    async def token(self) -> str:
        return "bench"

    async def verify(self, token: str) -> Any:
        from towpath.identity import Identity

        return Identity(subject=token, roles=frozenset({"customer"}))


def _serve(folder: str, pipe: Connection) -> None:
    """The service in a process of its own; each message on ``pipe`` is answered with its CPU seconds."""
    from towpath.client import HttpProcessClient
    from towpath.frontend.sync import SyncSettings, create_app
    from towpath.http import listen, serving
    from towpath.storage.database import sqlite_url

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the feed's reader says that nobody is there

    async def main() -> None:
        tokens = _Tokens()
        async with HttpProcessClient("http://127.0.0.1:1", tokens) as process:
            app = create_app(
                SyncSettings(),
                database_url=sqlite_url(Path(folder) / "sync.db"),
                process=process,
                verifier=tokens,
                tokens=tokens,
                facade_url="http://127.0.0.1:1",
                integration_url="http://127.0.0.1:1",
            )
            async with serving(app, listen("127.0.0.1", 0)) as url:
                pipe.send(url)
                while await asyncio.to_thread(pipe.recv):
                    used = resource.getrusage(resource.RUSAGE_SELF)
                    pipe.send(used.ru_utime + used.ru_stime)

    asyncio.run(main())


async def _push(http: aiohttp.ClientSession, url: str, count: int) -> None:
    for start in range(0, count, BATCH):
        ids = [f"draft:{n:06}" for n in range(start, min(start + BATCH, count))]
        await _post(http, f"{url}/_my/_revs_diff", {id_: ["1-a"] for id_ in ids})
        docs = [{"_id": id_, "_rev": "1-a", "text": "x" * 1000} for id_ in ids]
        refused = await _post(http, f"{url}/_my/_bulk_docs", {"docs": docs, "new_edits": False})
        assert refused == []


async def _pull(http: aiohttp.ClientSession, url: str, count: int) -> None:
    since, got = 0, 0
    while True:
        async with http.get(f"{url}/_my/_changes?style=all_docs&limit={BATCH}&since={since}") as answer:
            page = await answer.json()
        if not page["results"]:
            break
        wanted = [{"id": row["id"], "rev": row["changes"][0]["rev"]} for row in page["results"]]
        found = await _post(http, f"{url}/_my/_bulk_get?revs=true&attachments=true", {"docs": wanted})
        got += sum("ok" in row["docs"][0] for row in found["results"])
        since = page["last_seq"]
    assert got == count


async def _post(http: aiohttp.ClientSession, url: str, body: Any) -> Any:
    async with http.post(url, json=body) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def _measure(url: str, count: int, cpu: Callable[[], float]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer bench"}) as http:
        for name, work in (("push", _push), ("pull", _pull)):
            before = cpu()
            await work(http, url, count)
            value = round(cpu() - before, 3)
            rows.append(
                {
                    "name": f"{name} {count} documents",
                    "value": value,
                    "unit": "CPU s",
                    "goal": None,
                    "ok": None,
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Pipe()
        server = Process(target=_serve, args=(folder, theirs), daemon=True)
        server.start()
        url = ours.recv()

        def cpu() -> float:
            ours.send(True)
            return float(ours.recv())

        rows = asyncio.run(_measure(url, QUICK if told.quick else DOCUMENTS, cpu))
        server.terminate()
        server.join()
    if told.json:
        json.dump({"rows": rows}, sys.stdout)
        print()
    else:
        for row in rows:
            print(f"{row['name']:<24}{row['value']:>10} {row['unit']}")


if __name__ == "__main__":
    main()
