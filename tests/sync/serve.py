"""The sync service as a program of its own, to be killed: ``serve.py '{"port": ..., ...}'``."""

from __future__ import annotations

import asyncio
import json
import sys

from towpath.client import HttpProcessClient
from towpath.frontend.sync import SyncSettings, create_app
from towpath.http import listen, serving
from towpath.identity import ClientCredentials, OidcVerifier


async def main(told: dict[str, str]) -> None:
    async with (
        ClientCredentials(told["issuer"], "towpath-services", told["secret"]) as tokens,
        OidcVerifier(told["issuer"]) as verifier,
        HttpProcessClient("http://127.0.0.1:1", tokens) as process,
    ):
        app = create_app(
            SyncSettings(retry_initial=0.02, retry_max=0.2),
            database_url=told["database"],
            process=process,
            verifier=verifier,
            tokens=tokens,
            facade_url=told["neighbour"],
            integration_url=told["neighbour"],
        )
        async with serving(app, listen("127.0.0.1", int(told["port"]))) as url:
            print(url, flush=True)
            await asyncio.Event().wait()


asyncio.run(main(json.loads(sys.argv[1])))
