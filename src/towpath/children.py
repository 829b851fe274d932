"""Child processes that end when we do, however we end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

GRACE = 10.0  # seconds between SIGTERM and SIGKILL

# Ends a program with its parent, however that ends; only Linux can (prctl's PR_SET_PDEATHSIG is 1). The
# parent may be gone before prctl is called, so its id is compared afterwards. A preexec_fn would run Python
# in a fork of a threaded process, which can deadlock.
_TIED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> list[str]:
    """The command that runs ``command`` so that it is told to end when this process is gone."""
    if platform.system() == "Linux":
        return [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *command]
    return list(command)


async def spawn(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stderr: int = asyncio.subprocess.STDOUT,
) -> asyncio.subprocess.Process:
    """Start ``command``, tied to us, with its output in pipes.

    It has a session of its own: Ctrl-C in a terminal goes to us, and we end it when it is time.
    """
    return await asyncio.create_subprocess_exec(
        *tied(command),
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


async def stop(process: asyncio.subprocess.Process, *, grace: float = GRACE) -> int:
    """End ``process`` and wait for it; after ``grace`` seconds it is killed. Gives its exit status."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    return await process.wait()


async def lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Lines of a stream; one that is longer than the stream's buffer is left out."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        yield line
