"""``towpath serve``: one service of a solution."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import typer
from rich.markup import escape

from towpath import solution as solutions
from towpath.cli import logs
from towpath.cli.output import console, errors, fail, show
from towpath.cli.roles import Role
from towpath.cli.run import drive, until_stopped
from towpath.faults import Faulty
from towpath.solution import Solution, one_service


def command(
    role: Role, folder: Path, *, state: Path | None, host: str | None, port: int | None, auth: bool
) -> None:
    """Serve ``role`` of the solution in ``folder`` until SIGINT or SIGTERM."""
    try:
        found = solutions.read(folder)
    except Faulty as faulty:
        fail(faulty.faults)
    show(found.warnings)
    logs.configure(None, terminal=logging.INFO)
    try:
        drive(_serve(role, found, state or folder / ".towpath", host, port, auth=auth))
    except Faulty as faulty:
        fail(faulty.faults)
    except (RuntimeError, OSError, ValueError) as error:
        errors.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None


async def _serve(
    role: Role, found: Solution, state: Path, host: str | None, port: int | None, *, auth: bool
) -> None:
    async with until_stopped() as stopped, AsyncExitStack() as stack:
        url = await stack.enter_async_context(
            one_service(role.value, found, state=state, host=host, port=port, auth=auth)
        )
        console.print(f"{role.value} is up{f' at {url}' if url else ''}. Ctrl-C stops.", soft_wrap=True)
        await stopped.wait()
