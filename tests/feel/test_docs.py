"""The FEEL guide does what it says."""

from __future__ import annotations

import datetime as dt
import doctest
import random
import re
from pathlib import Path

import pytest

from towpath.feel import compile
from towpath.feel.builtins import STANDARD
from towpath.feel.builtins.signature import Signature
from towpath.feel.values import text

GUIDE = Path(__file__).parents[2] / "docs" / "feel.md"
# | what | `expression` = `value` |, and for functions the origin behind it
EXAMPLE = re.compile(
    r"^\| (?P<what>.+?) \| `(?P<expression>[^|]+)` = `(?P<value>[^|]+)` \|(?: (?P<origin>\w+) \|)?$"
)
EXAMPLES = [found for line in GUIDE.read_text().splitlines() if (found := EXAMPLE.match(line))]
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)


def form(name: str, signature: Signature) -> str:
    """A function's call as the guide writes it."""
    parameters = [
        parameter.name + ("?" if parameter.optional else "") + ("..." if parameter.repeated else "")
        for parameter in signature.parameters
    ]
    return f"{name}({', '.join(parameters)})"


def test_the_guides_examples_in_python_do_what_it_says() -> None:
    outcome = doctest.testfile(str(GUIDE), module_relative=False)
    assert outcome.attempted > 30
    assert outcome.failed == 0


def test_the_guide_has_examples_of_the_language_and_of_every_function() -> None:
    assert sum(example["origin"] is None for example in EXAMPLES) >= 20
    assert sum(example["origin"] is not None for example in EXAMPLES) >= len(STANDARD)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["expression"])
def test_the_guides_expressions_have_the_values_it_says(example: re.Match[str]) -> None:
    result = compile(example["expression"]).evaluate({}, now=NOW, source=random.Random(1))
    assert text(result.value, inner=True) == example["value"]
    assert result.warnings == ()


def test_the_guide_lists_every_form_of_every_function_with_its_origin() -> None:
    listed = {
        (call, example["origin"])
        for example in EXAMPLES
        if example["origin"]
        for call in re.findall("`([^`]+)`", example["what"].partition(" | ")[0])
    }
    own: dict[str, str] = {}  # where two signatures read the same, the origin is the first one's
    for name, function in STANDARD.items():
        for signature in function.signatures:
            own.setdefault(form(name, signature), signature.origin)
    assert listed == set(own.items())


def test_the_example_of_a_function_calls_it() -> None:
    for example in EXAMPLES:
        if example["origin"]:
            name = example["what"].lstrip("`").partition("(")[0]
            assert f"{name}(" in example["expression"]
