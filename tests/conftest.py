"""What the tests of several packages share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from towpath.testing import Blueprint, running_solution

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes depends on what else the machine does: no property test fails for that.
settings.register_profile("towpath", deadline=None)
settings.load_profile("towpath")


@pytest.fixture(scope="session")
def claims() -> Path:
    """The folder of the example solution."""
    return ROOT / "examples" / "claims"


EXPIRED = """
[[identity.clients]]
client_id = "expired"
secret = "expired"
roles = ["customer"]
token_lifetime = -300
"""


@pytest.fixture(scope="session")
def blueprint(claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blueprint]:
    """The example solution, up on free ports for the whole session; tests share it and its people.

    It has one more client, ``expired``, whose tokens have run out when they are made.
    """
    folder = tmp_path_factory.mktemp("solution") / "claims"
    shutil.copytree(claims, folder, ignore=shutil.ignore_patterns(".towpath", "__pycache__"))
    with (folder / "towpath.toml").open("a", encoding="utf-8") as settings:
        settings.write(EXPIRED)
    with running_solution(folder, tmp_path_factory.mktemp("state")) as running:
        yield running
