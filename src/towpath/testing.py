"""A whole solution for a test: started as its users start it, on free ports, and killed at will."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_TIMEOUT = 120.0  # seconds; the first start of a demo database takes some
PIECE = 64 * 1024  # bytes of a body sent at a time
STOP_TIMEOUT = 30.0  # seconds until a stopped solution must have ended


class StartError(RuntimeError):
    """The solution did not start; the message holds what it printed."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: ``status``, ``headers`` (lower case) and ``body``."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON values."""
        return json.loads(self.body)


class Blueprint:
    """A solution that runs in a process of its own."""

    def __init__(self, solution: Path, state: Path, *options: str) -> None:
        self.solution = solution
        self.state = state
        self.options = options
        self.addresses: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    # --- its life ---

    def start(self) -> None:
        """Start it and wait until all is up. Raises :class:`StartError`."""
        command = [sys.executable, "-m", "towpath", "run", str(self.solution), "--state", str(self.state)]
        self.state.mkdir(parents=True, exist_ok=True)
        errors = (self.state / "stderr.log").open("a+", encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603
            [*command, "--free-ports", "--json", *self.options],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._process = process
        assert process.stdout is not None
        impatient = threading.Timer(READY_TIMEOUT, process.kill)
        impatient.start()
        try:
            line = process.stdout.readline()
        finally:
            impatient.cancel()
        if not line:
            process.wait()
            process.stdout.close()
            errors.seek(0)
            said = errors.read()
            errors.close()
            self._process = None
            raise StartError(f"The solution ended with status {process.returncode}:\n{said}")
        errors.close()
        self.addresses = json.loads(line)

    def stop(self) -> int:
        """End it as Ctrl-C does; gives its exit status."""
        return self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill it as a power cut does: nothing gets to tidy up."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        self._process = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, how)
        try:
            status = process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        return status

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    # --- where it is ---

    @property
    def gateway(self) -> str:
        """The base URL of the gateway."""
        url: str = self.addresses["gateway"]
        return url

    def url(self, service: str) -> str:
        """The base URL of a service, past the gateway."""
        url: str = self.addresses["services"][service]
        return url

    def backend(self, name: str, port: str = "port") -> str:
        """The base URL of a back end."""
        return f"http://127.0.0.1:{self.addresses['backends'][name][port]}"

    @property
    def mailbox(self) -> str:
        """The base URL of the mailbox that receives every e-mail."""
        return self.backend("mailbox", "http_port")

    # --- talking to it ---

    def token(self, username: str, password: str | None = None) -> str:
        """An access token of a demo account."""
        answer = self.request(
            "POST",
            f"{self.url('identity')}/token",
            form={
                "grant_type": "password",
                "username": username,
                "password": password or username,
                "client_id": "towpath-web",
                "scope": "openid profile email",
            },
        )
        if answer.status != 200:
            raise RuntimeError(f"No token for {username}: {answer.status} {answer.body!r}")
        token: str = answer.json()["access_token"]
        return token

    def request(
        self,
        method: str,
        url: str,
        *,
        token: str | None = None,
        body: Any = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> Answer:
        """One HTTP request; a path is on the gateway, ``body`` is sent as JSON (bytes as they are)."""
        if url.startswith("/"):
            url = self.gateway + url
        sent = dict(headers or {})
        data: bytes | None = None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif isinstance(body, bytes):
            data = body
        elif body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if token:
            sent["Authorization"] = f"Bearer {token}"
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
        with contextlib.closing(connection):
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.putrequest(method, target)
            for name, value in (sent | {"Connection": "close"}).items():
                connection.putheader(name, value)
            if data is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(data or b"")))
            connection.endheaders()
            _send(connection, data or b"")
            response = connection.getresponse()
            found = {key.lower(): value for key, value in response.headers.items()}
            return Answer(response.status, found, response.read())


def _send(connection: http.client.HTTPConnection, data: bytes) -> None:
    """Send a body until the answer begins: who refuses a large one does not read it to its end."""
    for start in range(0, len(data), PIECE):
        if select.select([connection.sock], [], [], 0)[0]:
            return
        try:
            connection.send(data[start : start + PIECE])
        except (BrokenPipeError, ConnectionResetError):
            return


@contextmanager
def running_solution(solution: Path, state: Path, *options: str) -> Iterator[Blueprint]:
    """``solution``, up on free ports while the block runs, with its state in the folder ``state``.

    ``options`` are further ones of ``towpath run``.
    """
    blueprint = Blueprint(solution, state, *options)
    blueprint.start()
    try:
        yield blueprint
    finally:
        blueprint.stop()
