"""The pages' built assets: scripts, styles, icons and licence texts that ``scripts/build_web.py`` makes.

The sources live in the repository's ``web/``; a wheel carries the result in ``static/``, so that its users
need no Node. :func:`assets` reads it once and again only after a new build.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

import msgspec

STATIC = Path(__file__).parent / "static"
BUILD_COMMAND = "python scripts/build_web.py"

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


class AssetsMissing(Exception):
    """The pages were never built: a source checkout without its build step."""

    def __init__(self) -> None:
        super().__init__(f"The pages are not built. Run: {BUILD_COMMAND}")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served. ``packed`` is its gzip form where that is smaller."""

    content: bytes
    packed: bytes | None
    media_type: str
    etag: str
    immutable: bool  # its name holds a hash of its content


class _Manifest(msgspec.Struct):
    version: str
    files: dict[str, str]
    reach: dict[str, list[str]]


class Assets:
    """All built files, in memory (about 3 MB)."""

    def __init__(self, folder: Path) -> None:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=_Manifest)
        self.version = manifest.version
        self._names = manifest.files
        hashed = set(manifest.files.values()) | {f for files in manifest.reach.values() for f in files}
        self._files = {
            name: _asset(path, immutable=name in hashed)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix != ".gz" and not path.name.startswith(".")
            if (name := path.relative_to(folder).as_posix()) != "manifest.json"
        }

    def url(self, name: str) -> str:
        """Where ``app.js`` and the like are served. Raises KeyError for an unknown name."""
        return f"/assets/{self._names[name]}"

    def has(self, name: str) -> bool:
        """True where the build made something of that logical name."""
        return name in self._names

    def get(self, path: str) -> Asset | None:
        """The file at ``path`` below ``/assets/``."""
        return self._files.get(path)


def _asset(path: Path, *, immutable: bool) -> Asset:
    content = path.read_bytes()
    packed = path.with_name(f"{path.name}.gz")
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(
        content=content,
        packed=packed.read_bytes() if packed.exists() else None,
        media_type=media_type,
        etag=f'"{hashlib.sha256(content).hexdigest()[:20]}"',
        immutable=immutable,
    )


_read: dict[Path, tuple[int, Assets]] = {}


def assets(folder: Path = STATIC) -> Assets:
    """The built assets. Raises :class:`AssetsMissing`."""
    try:
        built = (folder / "manifest.json").stat().st_mtime_ns
    except OSError:
        raise AssetsMissing from None
    known = _read.get(folder)
    if known is None or known[0] != built:
        known = _read[folder] = (built, Assets(folder))
    return known[1]


__all__ = ["BUILD_COMMAND", "STATIC", "Asset", "Assets", "AssetsMissing", "assets"]
