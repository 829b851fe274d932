"""Reading a model from a file, with the models that it imports from the same folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from towpath.faults import Faulty

from .document import MAX_BYTES, parsed
from .item_types import children
from .model import Model
from .reader import read


def read_file(path: Path | str, *, also: Iterable[Path] = (), lenient: bool = False) -> Model:
    """The model in a file; what it imports is looked for, by namespace, in the ``.dmn`` files beside it.

    It is looked for in the files ``also`` before that. Raises Faulty, whose faults name the files, and
    OSError.
    """
    path = Path(path)
    content = path.read_bytes()
    found: dict[str, bytes] = {}
    names: dict[str, str] = {}
    if children(parsed(content, str(path)), "import"):
        for other in (*also, *sorted(path.parent.glob("*.dmn"))):
            if other == path or other.stat().st_size > MAX_BYTES:
                continue
            document = other.read_bytes()
            try:
                namespace = str(parsed(document, str(other)).get("namespace") or "")
            except Faulty:
                continue  # it is told where somebody imports it: as not at hand
            found.setdefault(namespace, document)
            names.setdefault(namespace, str(other))
    try:
        return read(content, str(path), imports=found, lenient=lenient)
    except Faulty as error:
        raise Faulty(
            [replace(fault, file=names.get(fault.file or "", fault.file)) for fault in error.faults]
        ) from None
