"""``towpath new``."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import typer
from rich.markup import escape

from towpath.cli.output import console, errors

RENAMED = {"gitignore": ".gitignore"}  # a real .gitignore in the package would be obeyed by its build


def command(folder: Path) -> None:
    """Make a new solution in ``folder``, which must not exist or be empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        errors.print(
            f"[red]error:[/] {escape(str(folder))} exists and is not an empty folder. Name another one.",
            soft_wrap=True,
        )
        raise typer.Exit(1)
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "solution"
    title = name.replace("-", " ").capitalize()
    written = _copy(files("towpath.cli") / "template", folder, {"{{name}}": name, "{{title}}": title})
    console.print(f"[green]✓[/] Made {escape(str(folder))}:", highlight=False)
    for file in written:
        console.print(f"  {file.relative_to(folder)}", highlight=False)
    console.print(f"\nNext: [bold]towpath run {escape(str(folder))}[/]", highlight=False)


def _copy(source: Traversable, target: Path, words: dict[str, str]) -> list[Path]:
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for entry in sorted(source.iterdir(), key=lambda e: e.name):
        place = target / RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            if entry.name != "__pycache__":
                written += _copy(entry, place, words)
            continue
        text = entry.read_text(encoding="utf-8")
        for placeholder, word in words.items():
            text = text.replace(placeholder, word)
        place.write_text(text, encoding="utf-8")
        written.append(place)
    return written
