"""One service of a solution, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from towpath.client import HttpProcessClient
from towpath.http import listen, serving
from towpath.process import create_app
from towpath.solution import secrets, services
from towpath.solution.blueprint import base_url
from towpath.solution.settings import SERVICES
from towpath.solution.solution import Solution


@asynccontextmanager
async def one_service(
    role: str, solution: Solution, *, state: Path, host: str | None, port: int | None, auth: bool
) -> AsyncIterator[str | None]:
    """Serve ``role`` while the block runs; gives its base URL, or None where it has none (workers).

    Its neighbours are where ``[services]`` says. Raises OSError where the address is taken.
    """
    await asyncio.to_thread(state.mkdir, parents=True, exist_ok=True)
    settings = solution.settings
    where = settings.services
    kept = secrets.load(state, settings.identity)
    urls = {name: where.urls.get(name, base_url(where.host, where.port(name))) for name in SERVICES}
    public = where.urls.get("gateway", base_url(where.host, where.gateway))
    issuer_url = urls["identity"] if settings.identity.is_local else settings.identity.issuer
    async with AsyncExitStack() as stack:
        verifier = services.verifier(settings, issuer_url)
        stack.push_async_callback(verifier.close)
        tokens = services.tokens(settings, issuer_url, kept.service)
        stack.push_async_callback(tokens.close)
        context = services.Context(
            solution=solution,
            settings=settings,
            state=state,
            secrets=kept,
            urls=urls,
            public_url=public,
            verifier=verifier,
            tokens=tokens,
        )
        if role == "gateway":
            gateway = await services.gateway(
                context,
                host=host or where.host,
                port=where.gateway if port is None else port,
                admin_port=where.gateway_admin,
            )
            await stack.enter_async_context(gateway)
            yield gateway.url
            return
        if role == "workers":
            client = await stack.enter_async_context(HttpProcessClient(urls["process"], tokens))
            await stack.enter_async_context(services.workers(context, client))
            yield None
            return
        sock = listen(host or where.host, where.port(role) if port is None else port)
        stack.callback(sock.close)
        if role == "identity":
            app = services.issuer(settings, url=issuer_url, public_url=public, state=state)
        elif role == "process":
            server = await stack.enter_async_context(services.process_server(context))
            app = create_app(server, verifier if auth else None)
        else:
            client = await stack.enter_async_context(HttpProcessClient(urls["process"], tokens))
            app = services.APPS[role](context, client)
        yield await stack.enter_async_context(serving(app, sock))
