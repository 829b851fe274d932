"""Checks that the engine's core stays compilable: ``python scripts/compiled.py [pytest arguments]``.

Compiles the logic of ``towpath.engine`` with mypyc in a temporary folder, and runs the engine's tests with
it. The core is shipped uncompiled; whoever needs to may compile what mypyc takes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Only data: msgspec makes these classes, and mypyc does not know its field(); Document reads an empty slot.
DATA = {"__init__", "commands", "documents", "effects", "models", "state"}
# Dictionaries that are read in another way, which compiled code would not ask for.
MAPS = {"pages"}


def main(arguments: list[str]) -> int:
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        print("No C compiler is on the path: install one (Debian: apt-get install gcc), and try again.")
        return 1
    with tempfile.TemporaryDirectory(prefix="towpath-compiled-") as name:
        folder = Path(name)
        unwanted = shutil.ignore_patterns("__pycache__", "*.so", "static")
        for part in ("src/towpath", "tests"):
            shutil.copytree(ROOT / part, folder / Path(part).name, ignore=unwanted)
        modules = sorted(
            str(path.relative_to(folder))
            for path in folder.glob("towpath/engine/*.py")
            if path.stem not in DATA | MAPS
        )
        environment = {**os.environ, "PYTHONPATH": name, "MYPYC_OPT_LEVEL": "0", "MYPYC_DEBUG_LEVEL": "0"}
        print(f"Compiling {len(modules)} modules of towpath.engine with mypyc: a minute or two.", flush=True)
        compiled = subprocess.run(
            [sys.executable, "-m", "mypyc", "--strict", *modules],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        made = list(folder.glob("towpath/engine/*.so"))
        if compiled.returncode or len(made) != len(modules):
            print((compiled.stdout + compiled.stderr)[-8_000:])
            return 1
        tests = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *(arguments or ["tests/engine"]),
        ]
        return subprocess.run(tests, cwd=folder, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
