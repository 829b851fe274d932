"""``towpath run``: the whole blueprint here."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from towpath import solution as solutions
from towpath.cli import logs
from towpath.cli.output import console, errors, fail, show
from towpath.faults import Faulty
from towpath.solution import BackendError, Options, Progress, Running, Solution, running


def command(
    folder: Path, *, state: Path | None, free_ports: bool, gateway: bool, backends: bool, as_json: bool
) -> None:
    """Run the solution in ``folder`` until SIGINT or SIGTERM."""
    try:
        found = solutions.read(folder)
    except Faulty as faulty:
        fail(faulty.faults)
    show(found.warnings)
    options = Options(state=state, free_ports=free_ports, gateway=gateway, backends=backends)
    logs.configure((state or folder / ".towpath") / "logs" / "towpath.log")
    try:
        drive(_run(found, options, as_json=as_json))
    except Faulty as faulty:
        fail(faulty.faults)
    except (BackendError, RuntimeError, OSError) as error:
        errors.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None


def drive(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` on the fastest event loop there is here."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


@asynccontextmanager
async def until_stopped() -> AsyncIterator[asyncio.Event]:
    """An event that SIGINT or SIGTERM sets; a second one ends the process at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if stopped.is_set():
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _run(found: Solution, options: Options, *, as_json: bool) -> None:
    async with until_stopped() as stopped:
        with console.status("Starting", spinner="dots") as status:

            def progress(what: str) -> None:
                status.update(f"Starting {what}")

            started = asyncio.create_task(_started(found, options, progress))
            ended = asyncio.create_task(stopped.wait())
            await asyncio.wait({started, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not started.done():  # stopped while starting
                started.cancel()
                await asyncio.gather(started, return_exceptions=True)
                return
            ended.cancel()
            stack, up = started.result()
        try:
            if as_json:
                print(json.dumps(addresses(up)), flush=True)
            else:
                print_table(found, up)
            await stopped.wait()
            if not as_json:
                console.print("Stopping…", style="dim")
        finally:
            await stack.aclose()
        if not as_json:
            console.print("Stopped. Everything is kept; run it again to go on.", style="dim")
            sys.stdout.flush()


async def _started(found: Solution, options: Options, progress: Progress) -> tuple[AsyncExitStack, Running]:
    stack = AsyncExitStack()
    try:
        up = await stack.enter_async_context(running(found, options, progress))
    except BaseException:
        await stack.aclose()
        raise
    return stack, up


def addresses(up: Running) -> dict[str, Any]:
    """Where everything is, for programs."""
    return {
        "gateway": up.gateway_url,
        "gatewayAdmin": up.admin_url,
        "services": up.urls,
        "backends": up.backends,
        "state": str(up.state),
    }


def print_table(found: Solution, up: Running) -> None:
    """Services, addresses and demo accounts, for people."""
    console.print()
    console.print(f"[bold]{escape(up.title)}[/] is up. Open [link={up.gateway_url}]{up.gateway_url}[/link]")
    console.print()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("service", style="bold", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column("what for")
    for path, name, purpose in (
        ("/app/", "phone app", "report and follow a case; install it, it works offline"),
        ("/console/tasks", "tasks", "the case workers' list"),
        ("/console/operate", "operate", "running instances on their diagrams"),
        ("/docs", "API", "in business terms, with a page to try it"),
    ):
        table.add_row(name, up.gateway_url + path, purpose)
    for name, url in up.urls.items():
        table.add_row(name, url, PURPOSES.get(name, ""), style="dim")
    for name, ports in up.backends.items():
        host = up.gateway_url.rsplit(":", 1)[0].removeprefix("http://")
        place = f"{host}:{ports['port']}"
        if "http_port" in ports:
            place += f", http://{host}:{ports['http_port']}"
        table.add_row(name, place, "back end of the demonstration", style="dim")
    console.print(table)
    identity = found.settings.identity
    if identity.is_local:
        people = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        people.add_column("demo account", style="bold")
        people.add_column("password")
        people.add_column("roles")
        for account in identity.accounts:
            people.add_row(account.username, account.password, ", ".join(account.roles))
        for client in identity.clients:
            if client.secret:
                people.add_row(f"{client.client_id} (client)", client.secret, ", ".join(client.roles))
        console.print(people)
    console.print(f"State and logs: {up.state}", style="dim", soft_wrap=True, highlight=False)
    console.print("Ctrl-C stops.", style="dim")


PURPOSES = {
    "identity": "issuer of tokens (development)",
    "process": "process server, REST /v2",
    "facade": "process facade",
    "sync": "synchronisation, CouchDB protocol",
    "notify": "notifications",
    "integration": "routes to back ends and third parties",
    "console": "serves the pages",
}
