"""The Python in a solution: its job workers and routes, imported with every fault told."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from towpath.client import Worker, collect_workers
from towpath.faults import Fault, Faulty
from towpath.integration import Route, load_routes


@dataclass
class Parts:
    """What a solution's Python offers, and what is wrong with it."""

    workers: list[Worker] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def load(root: Path) -> Parts:
    """Import ``services/*.py`` and ``integrations/*.py`` of the solution in ``root``."""
    parts = Parts()
    for file in sorted((root / "services").glob("*.py")):
        parts.workers += _workers(root, file, parts.faults)
    folder = root / "integrations"
    if folder.is_dir():
        try:
            parts.routes = load_routes(folder)
        except Faulty as faulty:
            parts.faults += [
                fault if (fault.file or "").startswith("integrations/") else relative(fault, root)
                for fault in faulty.faults
            ]
    return parts


def relative(fault: Fault, root: Path) -> Fault:
    """The fault with its file named from ``root``, as a person there would name it."""
    file = Path(fault.file or "integrations")
    if file.is_absolute():
        return fault.in_file(str(file.relative_to(root)) if file.is_relative_to(root) else str(file))
    return fault.in_file(f"integrations/{file}")


def _workers(root: Path, file: Path, faults: list[Fault]) -> list[Worker]:
    name = f"towpath_solution_{root.name}_{file.stem}".replace("-", "_").replace(" ", "_")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and annotations look their module up
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        faults.append(
            Fault(
                message=f"This is not Python: {error.msg}.",
                rule="solution.python-syntax",
                file=str(file.relative_to(root)),
                line=error.lineno,
                column=error.offset,
            )
        )
        return []
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
        faults.append(
            Fault(
                message=f"It cannot be imported: {type(error).__name__}: {error}.",
                rule="solution.python-import",
                remedy="Install what it imports, or mend the line.",
                file=str(file.relative_to(root)),
                line=frames[-1].lineno if frames else None,
            )
        )
        return []
    return collect_workers(module)
