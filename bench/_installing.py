"""Environments for the engines that ours are measured beside: temporary, and none of them this project's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 300  # seconds for a registry to answer


class Missing(Exception):
    """A peer cannot be had, or cannot be run, here; the text says why."""


def virtualenv(folder: Path, *packages: str) -> str:
    """The interpreter of a new virtual environment in ``folder`` with packages of PyPI. Raises Missing."""
    interpreter = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    run([sys.executable, "-m", "venv", str(folder)])
    run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    return interpreter


def node_packages(folder: Path, *packages: str, kind: str = "module") -> str:
    """The Node that finds packages of npm in ``folder``; ``kind`` is that of the scripts there.

    Raises Missing.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("node and npm are not on the path")
    (folder / "package.json").write_text(f'{{"type": "{kind}"}}')
    run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *packages])
    return node


def run(command: Sequence[str], seconds: float = PATIENCE) -> str:
    """What a command prints. Raises Missing with its last words where it fails or takes too long."""
    # The environment of this project is none of a peer's business.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"no answer within {seconds:g} seconds") from None
    except OSError as error:
        raise Missing(str(error)) from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Missing(said[-1][:200] if said else f"{command[0]} failed")
    return done.stdout
