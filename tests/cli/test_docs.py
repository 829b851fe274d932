"""What the guides show of the command line is what it prints."""

from __future__ import annotations

import ast
import doctest
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from towpath.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"


def sessions(guide: str) -> list[tuple[str, str]]:
    """Commands and what is printed, of the guide's blocks of the kind ``console``."""
    found = []
    for block in (DOCS / guide).read_text().split("```console\n")[1:]:
        for session in block.split("\n```")[0].removeprefix("$ ").split("\n$ "):
            command, _, printed = session.partition("\n")
            found.append((command, printed))
    return found


def claims_model() -> str:
    """The model of the DMN guide's first example."""
    for example in doctest.DocTestParser().get_examples((DOCS / "dmn.md").read_text()):
        if example.source.startswith("claims = "):
            return str(ast.literal_eval(example.source.removeprefix("claims = ")))
    raise AssertionError("the guide has no model")


PAGES = [DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


def anchors(page: Path) -> set[str]:
    """The fragments by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_pages_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith(("http:", "https:")):
            continue
        place, _, fragment = link.partition("#")
        target = (page.parent / place) if place else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def test_the_readmes_commands_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS.parent)
    text = (DOCS.parent / "README.md").read_text()
    block = text[text.index("can be tried alone") :].split("```sh\n")[1].split("```")[0]
    commands = [shlex.split(line)[1:] for line in block.splitlines()]
    assert len(commands) == 3
    for command in commands:
        answered = CliRunner().invoke(app, command)
        assert answered.exit_code == 0, answered.output
        assert answered.stdout.strip()


SESSIONS = [session for guide in ("feel.md", "dmn.md") for session in sessions(guide)]


@pytest.mark.parametrize(("command", "printed"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_a_session_is_as_the_guide_shows_it(
    command: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if command == "towpath dmn tck ../shared/tck":
        assert printed.startswith("passed ")  # run by tests/dmn/test_tck.py
        return
    (tmp_path / "claims.dmn").write_text(claims_model())
    (tmp_path / "claim.json").write_text('{"damage": "glass", "amount": 100}')
    (tmp_path / "order.json").write_text('{"orders": [{"price": 4}, {"price": 6}]}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    words = shlex.split(command)
    given = None
    if words[0] == "echo":
        given, words = words[1], words[words.index("|") + 1 :]
    assert words[0] == "towpath"
    answered = CliRunner().invoke(app, words[1:], input=given)
    assert [line.rstrip() for line in answered.output.splitlines()] == printed.splitlines()
