"""Reading a solution's ``integrations`` folder."""

from __future__ import annotations

import importlib
import itertools
import sys
import traceback
import types
from pathlib import Path

from towpath.faults import Fault, Faulty
from towpath.integration.routes import Route, collecting

_loads = itertools.count(1)


def load_routes(folder: Path) -> list[Route]:
    """Import each ``*.py`` of ``folder`` and compile its routes; a missing folder has none.

    The folder becomes a package of its own under a name nobody else has, so two solutions in one process
    do not meet, and files may import each other (``from ._platforms import ...``). A name that begins with
    an underscore is such a shared file and is not loaded for itself. Raises :class:`Faulty` with every
    fault of every file.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        return []
    package = types.ModuleType(f"_towpath_integrations_{next(_loads)}")
    package.__path__ = [str(folder)]
    sys.modules[package.__name__] = package
    faults: list[Fault] = []
    importlib.invalidate_caches()
    with collecting() as registry:
        for file in sorted(folder.glob("*.py")):
            if file.name.startswith("_"):
                continue
            if not file.stem.isidentifier():
                faults.append(_fault(file, None, "a Python module's name has only letters, digits and _."))
                continue
            try:
                importlib.import_module(f"{package.__name__}.{file.stem}")
            except Exception as error:  # whatever a solution's file raises is a fault of that file
                faults.append(_import_fault(file, folder, error))
        try:
            routes = registry.routes()
        except Faulty as error:
            faults += error.faults
    if faults:
        for name in [n for n in sys.modules if n.partition(".")[0] == package.__name__]:
            del sys.modules[name]
        raise Faulty(faults)
    return routes


def _fault(file: Path, line: int | None, message: str) -> Fault:
    return Fault(message=message, rule="integration.import", file=str(file), line=line)


def _import_fault(file: Path, folder: Path, error: Exception) -> Fault:
    if isinstance(error, SyntaxError):
        place = Path(error.filename) if error.filename else file
        return _fault(place, error.lineno, f"This is not Python: {error.msg}.")
    # The innermost frame of the solution's own code is where its author has to look.
    own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(folder)]
    place, line = (Path(own[-1].filename), own[-1].lineno) if own else (file, None)
    return _fault(place, line, f"It cannot be imported: {type(error).__name__}: {error}")
