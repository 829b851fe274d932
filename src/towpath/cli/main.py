"""``towpath``: run, serve, check and make solutions; evaluate FEEL and DMN.

Commands import what they need when they are called: the services take seconds to import, and
``towpath --help`` must not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from towpath import __version__
from towpath.cli import dmn
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

app.add_typer(dmn.app)

SolutionFolder = Annotated[Path, typer.Argument(help="The solution's folder.", show_default="this folder")]
StateFolder = Annotated[
    Path | None,
    typer.Option("--state", help="Where state is kept.", show_default=".towpath in the solution"),
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"towpath {__version__}")
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
    from towpath.cli import new

    new.command(folder)


@app.command("feel")
def feel_command(
    expression: Annotated[
        str | None,
        typer.Argument(
            help="The expression, or - to read it from standard input.",
            show_default="standard input, or a prompt at a terminal",
        ),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            "-c",
            metavar="FILE|JSON|-",
            help="The variables: a JSON file, - for standard input, or the object itself, such as "
            "'{\"x\": 1}'. May be repeated.",
            show_default=False,
        ),
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(
            "--var",
            "-v",
            metavar="NAME=VALUE",
            help="One variable; the value is JSON or FEEL. May be repeated.",
            show_default=False,
        ),
    ] = None,
    unary: Annotated[
        str | None,
        typer.Option(
            "--unary",
            "-u",
            metavar="VALUE",
            help="Read the expression as unary tests, the text of a decision table's cell, of this value.",
            show_default=False,
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What now() and today() answer, such as 2026-11-22T10:00:00Z.",
            show_default="this machine's clock",
        ),
    ] = None,
    layout: Annotated[
        bool, typer.Option("--format", help="Print the text laid out anew instead of evaluating it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the value and warnings as JSON.")] = False,
    raw: Annotated[bool, typer.Option("--raw", "-r", help="Print a string without quotes.")] = False,
) -> None:
    r"""Evaluate a FEEL expression and print its value, as FEEL that gives it again.

    Why something is null goes to standard error, with its place in the text.
    Ends with 1 where the text is no FEEL.

    [bold]towpath feel 'sum(orders.price) * 1.19' --context order.json[/]

    [bold]towpath feel '\[18..65)' --unary 30[/]
    """
    from towpath.cli import feel
    from towpath.cli.feel import Form

    feel.command(
        expression,
        contexts=context or (),
        assignments=var or (),
        unary=unary,
        now=now,
        form=Form.LAYOUT if layout else Form.JSON if json else Form.RAW if raw else Form.FEEL,
    )


def main() -> None:
    """The entry point of the command."""
    app()
