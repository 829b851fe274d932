"""The public DMN TCK, as far as its folders are at hand beside the project."""

from pathlib import Path

import pytest

from towpath.dmn.tck import Score, agree, run

TCK = Path(__file__).parents[2].parent / "shared" / "tck"

# Measured on 22 November 2026 with the folders of compliance levels 2 and 3 that are at hand.
CASES = 2011
PASSED = 2011
VALUED = 862
VALUED_PASSED = 862


@pytest.fixture(scope="module")
def score() -> Score:
    assert TCK.is_dir(), f"the TCK's folders are missing: put compliance-level-2 and -3 into {TCK}"
    return run(TCK)


def test_no_fewer_cases_pass_than_did(score: Score) -> None:
    failures = "\n".join(f"{case.folder} {case.id}: {case.reason}" for case in score.cases if not case.passed)
    assert len(score.cases) >= CASES
    assert score.passed >= PASSED, failures


def test_no_fewer_cases_that_expect_a_value_pass_than_did(score: Score) -> None:
    assert score.valued >= VALUED
    assert score.valued_passed >= VALUED_PASSED


def test_the_summary_tells_both_figures(score: Score) -> None:
    assert str(score) == (
        f"passed {score.passed} of {len(score.cases)} ({score.valued_passed} of {score.valued} with a value)"
    )


def test_a_wrong_answer_is_told_from_a_right_one() -> None:
    assert agree([1, {"a": "x"}], [1, {"a": "x"}])
    assert not agree([1, {"a": "x"}], [1, {"a": "y"}])
    assert not agree(None, False)
    assert not agree(1, True)
    assert not agree({"a": None}, {})
