"""Builds the pages into the package, so that a wheel carries them and its users need no Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesBuildHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        root = Path(self.root)
        builder = root / "scripts" / "build_web.py"
        if builder.exists():
            subprocess.run([sys.executable, str(builder)], cwd=root, check=True)  # noqa: S603
