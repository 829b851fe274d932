"""Finding what a model imports among other documents: by namespace, in a folder or a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from towpath.faults import Faulty

from .document import MAX_BYTES, parsed
from .item_types import children
from .model import Model
from .reader import read


def by_namespace(documents: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """The contents of documents, given as (name, content), by the namespace under which others import them.

    Of two with one namespace the first counts. What cannot be read is left out: whoever imports it is told
    that it is not at hand.
    """
    return {namespace: content for namespace, (_, content) in _found(documents).items()}


def _found(documents: Iterable[tuple[str, bytes]]) -> dict[str, tuple[str, bytes]]:
    found: dict[str, tuple[str, bytes]] = {}
    for name, content in documents:
        try:
            namespace = str(parsed(content, name).get("namespace") or "")
        except Faulty:
            continue
        found.setdefault(namespace, (name, content))
    return found


def imported_by(content: bytes, documents: Mapping[str, bytes]) -> list[bytes]:
    """Those of ``documents`` (by namespace) that a model imports, and those that they import, each once.

    Raises Faulty where a document is no DMN.
    """
    found: dict[str, bytes] = {}
    pending = [content]
    while pending:
        for node in children(parsed(pending.pop(), None), "import"):
            namespace = str(node.get("namespace") or "")
            if namespace in documents and namespace not in found:
                found[namespace] = documents[namespace]
                pending.append(documents[namespace])
    return list(found.values())


def read_file(path: Path | str, *, also: Iterable[Path] = (), lenient: bool = False) -> Model:
    """The model in a file; what it imports is looked for, by namespace, in the ``.dmn`` files beside it.

    It is looked for in the files ``also`` before that. Raises Faulty, whose faults name the files, and
    OSError.
    """
    path = Path(path)
    content = path.read_bytes()
    found: dict[str, tuple[str, bytes]] = {}
    if children(parsed(content, str(path)), "import"):
        others = (other for other in (*also, *sorted(path.parent.glob("*.dmn"))) if other != path)
        found = _found(
            (str(other), other.read_bytes()) for other in others if other.stat().st_size <= MAX_BYTES
        )
    names = {namespace: name for namespace, (name, _) in found.items()}
    imports = {namespace: document for namespace, (_, document) in found.items()}
    try:
        return read(content, str(path), imports=imports, lenient=lenient)
    except Faulty as error:
        raise Faulty(
            [replace(fault, file=names.get(fault.file or "", fault.file)) for fault in error.faults]
        ) from None
