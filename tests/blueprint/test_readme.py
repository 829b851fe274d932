"""The README's tour, run as it is written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.blueprint.journeys import eventually
from towpath.testing import Blueprint

pytestmark = pytest.mark.blueprint

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_tour_works_as_written(blueprint: Blueprint, tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    tour = text[text.index("## A tour in five minutes") : text.index("## Your own solution")]
    # The tour's ports are the example's own; here it runs on free ones.
    tour = tour.replace("http://127.0.0.1:8080", blueprint.gateway)
    tour = tour.replace("http://127.0.0.1:8081", blueprint.url("identity"))
    token, report, look, watch = re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)

    def run(*commands: str) -> str:
        done = subprocess.run(
            ["bash", "-u", "-c", "\n".join(commands)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    assert '"state":"active"' in run(token, report)
    again = 'CLAIM=$(python3 -c \'import json; print(json.load(open("claim.json"))["id"])\')'
    assert again in report

    def found() -> str | None:
        shown = run(token, again, look)
        return shown if "Repair shop found" in shown else None

    assert '"route": "fast-track"' in eventually("appointment", found)
    assert "event: milestone" in run(token, again, watch)
    for path in re.findall(rf"<{re.escape(blueprint.gateway)}(/[^>]*)>", tour):
        assert blueprint.request("GET", path).status == 200, path
