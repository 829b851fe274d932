"""``towpath dmn``: evaluate, check and test decision models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="dmn",
    help="Evaluate, check and test decision models (DMN 1.1 to 1.5).",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)

Imports = Annotated[
    list[Path] | None,
    typer.Option(
        "--import",
        exists=True,
        help="A model, or a folder of models, that may be imported. May be repeated.",
        show_default="the file's folder",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command("evaluate")
def evaluate_command(
    file: Annotated[Path, typer.Argument(help="The model, a .dmn file.", show_default=False)],
    decision: Annotated[
        str | None,
        typer.Option(
            "--decision",
            "-d",
            help="Id or name of a decision, or name of a decision service or business knowledge model.",
            show_default="the one that no other requires",
        ),
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE|JSON|-",
            help="The input data: a JSON file, - for standard input, or the object itself, such as "
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
            help="One input; the value is JSON or FEEL. May be repeated.",
            show_default=False,
        ),
    ] = None,
    imports: Imports = None,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What now() and today() answer, such as 2026-11-22T10:00:00Z.",
            show_default="this machine's clock",
        ),
    ] = None,
    audit: Annotated[
        bool,
        typer.Option("--audit", "-a", help="Tell of each decision its inputs, matched rules and outputs."),
    ] = False,
    json: Json = False,
    raw: Annotated[bool, typer.Option("--raw", "-r", help="Print a string without quotes.")] = False,
) -> None:
    """Evaluate a decision, with what it requires, and print its value as FEEL.

    Why something is null goes to standard error.
    Ends with 1 where the model is faulty or the decision fails.

    [bold]towpath dmn evaluate routing.dmn -d route -i claim.json --audit[/]
    """
    from towpath.cli import decisions

    decisions.command(
        file,
        decision=decision,
        inputs=input or (),
        assignments=var or (),
        imports=imports or (),
        now=now,
        audit=audit,
        as_json=json,
        as_raw=raw,
    )


@app.command("check")
def check_command(
    files: Annotated[list[Path], typer.Argument(exists=True, help="Models, or folders of them.")],
    imports: Imports = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for warnings too.")] = False,
    json: Json = False,
) -> None:
    """Say what is wrong with models, gaps and overlaps of decision tables included.

    Of each gap, overlap and unreachable rule it shows the values of the inputs,
    as tests that a cell could hold. Ends with 1 where there are errors.

    [bold]towpath dmn check decisions/ --strict[/]
    """
    from towpath.cli import tables

    tables.command(files, imports=imports or (), strict=strict, as_json=json)


@app.command("tck")
def tck_command(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A folder of test cases, at any depth.")
    ],
    filter: Annotated[
        str,
        typer.Option(
            "--filter",
            "-f",
            metavar="TEXT",
            help="Run only the cases that have this in folder/file#case.",
            show_default=False,
        ),
    ] = "",
    json: Json = False,
) -> None:
    """Run test cases in the format of the public DMN TCK (testCases.xsd).

    Prints what failed and, as its last line, how many passed. Ends with 1 unless all did.

    [bold]towpath dmn tck TestCases --filter 0068[/]
    """
    from towpath.cli import tck

    tck.command(folder, matching=filter, as_json=json)
