"""The DMN guide does what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import get_args

from towpath.dmn.findings import FindingKind
from towpath.dmn.tables import POLICIES
from towpath.feel import compile

GUIDE = Path(__file__).parents[2] / "docs" / "dmn.md"


def rows(first: str) -> list[str]:
    """The first cells of the table whose head begins with ``first``."""
    lines = GUIDE.read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(f"| {first} |"))
    body = lines[start + 2 :]
    return [line.split(" | ")[0].lstrip("| ") for line in body[: body.index("")]]


def test_the_guides_examples_do_what_it_says() -> None:
    outcome = doctest.testfile(str(GUIDE), module_relative=False)
    assert outcome.attempted > 15
    assert outcome.failed == 0


def test_the_guide_tells_of_every_hit_policy_and_finding() -> None:
    assert set(rows("hit policy")) == set(POLICIES.values())
    assert set(rows("finding")) == set(get_args(FindingKind))


def told_of(method: str, of: str) -> list[str]:
    """Why a call of a Java method answers null."""
    java = f'{{class: "{of}", method signature: "{method}(x)"}}'
    text = f"(function(n) external {{java: {java}}})(1)"
    return [warning.message for warning in compile(text).evaluate({}).warnings]


def test_the_external_functions_that_the_guide_lists_are_there() -> None:
    assert "no external function" in told_of("fetch", "java.lang.Math")[0]
    listed = 0
    for line in GUIDE.read_text().splitlines():
        found = re.match(r"\| `(java\.[\w.]+)` \| (.+) \|$", line)
        for method in re.findall(r"`(\w+)`", found[2]) if found else ():
            assert found is not None
            listed += 1
            assert not any("no external function" in reason for reason in told_of(method, found[1]))
    assert listed > 20
