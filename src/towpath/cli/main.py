"""``towpath``: run, serve, check and make solutions.

Commands that need the services import them when they are called: all of them take seconds to import, and
``towpath --help`` must not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from towpath import __version__
from towpath.cli import new
from towpath.cli.output import console
from towpath.cli.roles import Role

app = typer.Typer(
    name="towpath",
    help="The process platform for customer journeys that cross channels.\n\n"
    "A solution is a folder with a towpath.toml, BPMN processes, DMN decisions, forms, routes and workers.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SolutionFolder = Annotated[Path, typer.Argument(help="The solution's folder.", show_default="this folder")]
StateFolder = Annotated[
    Path | None,
    typer.Option("--state", help="Where state is kept.", show_default=".towpath in the solution"),
]


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"towpath {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of all commands."""


@app.command("run")
def run_command(
    solution: SolutionFolder = Path(),
    state: StateFolder = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Listen on any free ports instead of the solution's.")
    ] = False,
    gateway: Annotated[
        bool, typer.Option(help="Start Envoy. Without it, services are reached directly (development only).")
    ] = True,
    backends: Annotated[bool, typer.Option(help="Start the solution's back end programs.")] = True,
    json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON with all addresses once all is up.")
    ] = False,
) -> None:
    """Run a whole solution here: every service in one process, with Envoy in front.

    State is kept in the solution's .towpath folder; Ctrl-C stops cleanly, and the next run goes on.
    """
    from towpath.cli import run

    run.command(
        solution, state=state, free_ports=free_ports, gateway=gateway, backends=backends, as_json=json
    )


@app.command("serve")
def serve_command(
    role: Annotated[
        Role, typer.Argument(help="The service to run.", show_default=False, case_sensitive=False)
    ],
    solution: Annotated[
        Path, typer.Option("--solution", "-s", help="The solution's folder.", show_default="this folder")
    ] = Path(),
    state: StateFolder = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 picks a free one.")] = None,
    auth: Annotated[
        bool, typer.Option("--auth/--no-auth", help="Ask callers of the process server for a token.")
    ] = True,
) -> None:
    """Run one service of a solution, for a machine or container of its own.

    It finds the others where \\[services] of towpath.toml says.
    """
    from towpath.cli import serve

    serve.command(role, solution, state=state, host=host, port=port, auth=auth)


@app.command("check")
def check_command(solution: SolutionFolder = Path()) -> None:
    """Check a solution and say everything that is wrong with it; exits with 1 if anything is."""
    from towpath.cli import checking

    checking.command(solution)


@app.command("new")
def new_command(
    folder: Annotated[Path, typer.Argument(help="The folder to make.", show_default=False)],
) -> None:
    """Make a new solution: a small process with forms, a worker and a notification, ready to run."""
    new.command(folder)


def main() -> None:
    """The entry point of the command."""
    app()
