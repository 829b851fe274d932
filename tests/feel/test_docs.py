"""The guide's examples."""

import doctest
from pathlib import Path

from towpath.feel.builtins import STANDARD

GUIDE = Path(__file__).parents[2] / "docs" / "feel-dmn.md"


def test_the_guides_examples_do_what_it_says() -> None:
    outcome = doctest.testfile(str(GUIDE), module_relative=False)
    assert outcome.attempted > 10
    assert outcome.failed == 0


def test_the_guide_lists_every_function_with_its_origin() -> None:
    lines = GUIDE.read_text().splitlines()
    for name, function in STANDARD.items():
        row = next((line for line in lines if line.startswith(f"| `{name}` |")), None)
        assert row is not None, f"{name} is not in the guide"
        assert row.endswith(f"| {function.origin} |")
