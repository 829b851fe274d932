"""DMN files as the commands are given them, with the models beside them that they may import."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lxml import etree

from towpath.dmn import Model, read
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
        xml = file.read_bytes()
    except OSError as error:
        raise Faulty([Fault(message=error.strerror or str(error), rule="dmn.file", file=str(file))]) from None
    documents: dict[str, bytes] = {}
    for other in (*files([file.parent]), *files(imports)):
        if other.resolve() != file.resolve():
            namespace = _namespace(other)
            if namespace:
                documents[namespace] = other.read_bytes()
    return read(xml, str(file), imports=documents)


def _namespace(file: Path) -> str | None:
    """What other models import the one in the file by; None where the file cannot be read."""
    try:
        with file.open("rb") as stream:
            events = etree.iterparse(stream, events=("start",), resolve_entities=False, no_network=True)
            _, root = next(iter(events))
    except (OSError, etree.XMLSyntaxError, StopIteration):
        return None
    namespace = root.get("namespace")
    return None if namespace is None else str(namespace)
