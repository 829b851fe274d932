"""DMN files as the commands are given them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from towpath.dmn import Model, read_file
from towpath.faults import Fault, Faulty


def files(places: Iterable[Path]) -> list[Path]:
    """The files, and of each folder the ``.dmn`` files below it, in order."""
    found: list[Path] = []
    for place in places:
        found += sorted(place.rglob("*.dmn")) if place.is_dir() else [place]
    return found


def load(file: Path, imports: Iterable[Path] = ()) -> Model:
    """The model in ``file``. Raises Faulty.

    What it imports is looked for by its namespace among ``imports`` (files and folders) and in the file's
    own folder.
    """
    try:
        return read_file(file, also=files(imports))
    except OSError as error:
        fault = Fault(message=error.strerror or str(error), rule="dmn.file", file=error.filename or str(file))
        raise Faulty([fault]) from None
