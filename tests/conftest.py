"""What the tests of several packages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from towpath.testing import Blueprint, running_solution

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def claims() -> Path:
    """The folder of the example solution."""
    return ROOT / "examples" / "claims"


@pytest.fixture(scope="session")
def blueprint(claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blueprint]:
    """The example solution, up on free ports for the whole session; tests share it and its people."""
    with running_solution(claims, tmp_path_factory.mktemp("blueprint")) as running:
        yield running
