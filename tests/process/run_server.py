"""Serves a process server in a process of its own, to be killed: ``run_server.py STATE``. Prints its URL."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from towpath.http import listen, serving
from towpath.process import ProcessSettings, create_app, open_server
from towpath.storage.documents import DocumentStore


async def main(state: Path) -> None:
    documents = DocumentStore.open(str(state / "documents"))
    async with (
        open_server(ProcessSettings(long_poll=500), state=state, documents=documents) as server,
        serving(create_app(server, None), listen("127.0.0.1", 0)) as url,
    ):
        print(url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
