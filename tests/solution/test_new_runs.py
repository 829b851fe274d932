"""A new solution runs as it is, whole or a service at a time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.blueprint.journeys import complete, eventually

from towpath.testing import Blueprint, running_solution

REQUEST = {"subject": "Parcel", "text": "Where is it? It is urgent."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A solution as ``towpath new`` makes it."""
    made = tmp_path / "my-solution"
    subprocess.run([sys.executable, "-m", "towpath", "new", str(made)], check=True, capture_output=True)
    return made


def answer_one(blueprint: Blueprint, base: str) -> None:
    """Take one request from its start to its end at the API at ``base``."""
    ada, carl = blueprint.token("ada"), blueprint.token("carl")
    started = blueprint.request("POST", f"{base}/requests", token=ada, body=REQUEST)
    assert started.status == 201, started.body
    request = f"{base}/requests/{started.json()['id']}"

    def task() -> Any:
        items = blueprint.request("GET", f"{base}/tasks", token=carl).json()["items"]
        return items[0] if items else None

    found = eventually("task", task)
    assert complete(blueprint, carl, found["id"], base=base, answer="On its way.").status in (200, 204)

    def ended() -> bool:
        return bool(blueprint.request("GET", request, token=ada).json()["state"] == "completed")

    eventually("end", ended)
    data = blueprint.request("GET", request, token=ada).json()["data"]
    assert (data["urgency"], data["answer"]) == ("high", "On its way.")


def test_a_new_solution_runs_and_answers_a_request(folder: Path, tmp_path: Path) -> None:
    with running_solution(folder, tmp_path / "state") as blueprint:
        answer_one(blueprint, blueprint.gateway)


@contextmanager
def serving(folder: Path, *roles: str) -> Iterator[None]:
    """``towpath serve`` for each of ``roles``, in whatever order they come up."""
    processes = {
        role: subprocess.Popen(
            [sys.executable, "-m", "towpath", "serve", role, "--solution", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for role in roles
    }
    try:
        for role, process in processes.items():
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"{role} is up")
        yield
    finally:
        for process in processes.values():
            os.kill(process.pid, signal.SIGINT)
        ended = {role: process.wait(30) for role, process in processes.items()}
        for process in processes.values():
            assert process.stdout is not None
            process.stdout.close()
    assert set(ended.values()) == {0}, ended


def test_the_services_run_in_processes_of_their_own(folder: Path, tmp_path: Path) -> None:
    served = ("identity", "process", "facade", "sync", "notify", "integration", "console")
    ports = {}
    with ExitStack() as held:
        for name in (*served, "gateway", "gateway_admin"):
            sock = held.enter_context(socket.socket())
            sock.bind(("127.0.0.1", 0))
            ports[name] = sock.getsockname()[1]
    lines = "\n".join(f"{name} = {port}" for name, port in ports.items())
    with (folder / "towpath.toml").open("a") as settings:
        settings.write(f"\n[services]\n{lines}\n")
    with serving(folder, *served, "workers", "gateway"):
        blueprint = Blueprint(folder, tmp_path)
        blueprint.addresses = {
            "gateway": f"http://127.0.0.1:{ports['gateway']}",
            "services": {name: f"http://127.0.0.1:{port}" for name, port in ports.items()},
        }
        answer_one(blueprint, blueprint.gateway)
        told = blueprint.request("GET", "/notify/inbox", token=blueprint.token("ada")).json()
        assert "On its way." in json.dumps(told)
