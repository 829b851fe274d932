"""Set up what `make` needs: a virtual environment in .venv with the package and its pages.

    python3 scripts/setup.py [EXTRA...] [--system]

With --system, also the programs that the tests need (a browser): through apt where this runs as root, else
it says what is missing. Needs nothing but Python >= 3.11; does nothing that is already done.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PAGES = ROOT / "src" / "towpath" / "web" / "static"
OLDEST = (3, 11)
# Debian package -> programs of which one must be there
PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome")}


def say(text: str) -> None:
    print(f"\033[2m· {text}\033[0m" if sys.stdout.isatty() else f"· {text}", flush=True)


def fail(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)
    raise SystemExit(1)


def run(*command: str | Path) -> None:
    try:
        subprocess.run([str(part) for part in command], cwd=ROOT, check=True)
    except subprocess.CalledProcessError as error:
        fail(f"`{' '.join(str(part) for part in command)}` failed with status {error.returncode}.")


def apt(*packages: str) -> bool:
    """Install Debian packages; False where that cannot be done here."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(packages)} with apt")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)
            return False
    return True


def make_venv() -> None:
    if PYTHON.exists():
        return
    say("making a virtual environment in .venv")
    for attempt in (1, 2):
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
        )
        if made.returncode == 0:
            return
        shutil.rmtree(VENV, ignore_errors=True)
        # Debian and Ubuntu keep the venv module's pip in a package of its own.
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if attempt == 2 or not apt(package):
            fail(f"{(made.stdout + made.stderr).strip()}\nInstall it with: apt-get install {package}")


def wanted(extras: list[str]) -> str:
    """What is to be installed, as a digest: the same text needs no second installation."""
    digest = hashlib.sha256()
    # The installation builds the pages, with a Node that its build environment brings.
    pages = (file for file in sorted((ROOT / "web").rglob("*")) if file.is_file())
    sources = [file for file in pages if not {"node_modules", "dist"} & set(file.parts)]
    for file in (ROOT / "pyproject.toml", ROOT / "hatch_build.py", *sources):
        digest.update(file.read_bytes())
    digest.update(",".join(sorted(extras)).encode())
    return digest.hexdigest()


def with_uv(package: list[str]) -> bool:
    """Install with uv, which is several times faster than pip; False where pip has to do it.

    uv does not read pip's configuration, so behind a company's own index only pip may get through.
    """
    # The system's certificates, under the names of both older and newer versions.
    env = os.environ | {"UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1"}
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]
    uv = [PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, *package]
    if subprocess.run(pip, cwd=ROOT, stderr=subprocess.DEVNULL, check=False).returncode:
        return False
    if subprocess.run(uv, cwd=ROOT, env=env, check=False).returncode:
        say("that did not work with uv; trying with pip")
        return False
    return True


def install(extras: list[str]) -> None:
    stamp = VENV / "towpath-installed"
    done = dict(line.split(" ", 1) for line in stamp.read_text().splitlines()) if stamp.exists() else {}
    everything = sorted({*extras, *done.get("extras", "").split(",")} - {""})
    if done.get("digest") == wanted(everything) and PAGES.is_dir():
        return
    say(f"installing towpath[{','.join(everything)}] and what it needs, and building its pages")
    package = ["--editable", f".[{','.join(everything)}]"]
    if not with_uv(package):
        run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *package)
    stamp.write_text(f"digest {wanted(everything)}\nextras {','.join(everything)}\n")


def system() -> None:
    missing = [
        package for package, names in PROGRAMS.items() if not any(shutil.which(name) for name in names)
    ]
    if missing and not apt(*missing):
        fail(f"The tests need {', '.join(missing)}. Install with: apt-get install {' '.join(missing)}")


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST:
        fail(f"Towpath needs Python {OLDEST[0]}.{OLDEST[1]} or later; this is {sys.version.split()[0]}.")
    extras = [argument for argument in arguments if not argument.startswith("--")]
    make_venv()
    install(extras)
    if "--system" in arguments:
        system()


if __name__ == "__main__":
    main(sys.argv[1:])
