"""The files that Envoy reads: written beside their place and renamed into it, never half there."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, document: Any) -> None:
    """Replace ``path`` by ``document`` as JSON, for the owner's eyes only: some of it is keys."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    draft.replace(path)


def discovery(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """A discovery response; its version tells its content."""
    content = json.dumps(resources, sort_keys=True).encode()
    return {"version_info": hashlib.sha256(content).hexdigest()[:16], "resources": resources}


def rotate(path: Path, *, max_bytes: int, keep: int) -> bool:
    """Put a log aside that has outgrown ``max_bytes``, as ``.1``, ``.2``...; True where that was done."""
    try:
        if path.stat().st_size <= max_bytes:
            return False
    except FileNotFoundError:
        return False
    for number in range(keep - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    if keep > 0:
        path.replace(path.with_name(f"{path.name}.1"))
    else:
        path.unlink()
    return True
