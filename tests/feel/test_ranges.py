"""Allen's relations: laws that hold for all points and ranges, and what has no answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.feel import Range, compile

from .effort import examples

# Points of half units stand for a dense order between whole ends.
GRID = [half / 2 for half in range(-1, 23)]
RANGES = st.builds(
    lambda start, length, low, high: Range(start, start + length, low, high),
    st.integers(0, 5),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
)


def holds(relation: str, a: object, b: object) -> object:
    return compile(f"{relation}(a, b)").evaluate({"a": a, "b": b}).value


def points(extent: Range) -> set[float]:
    return {
        point
        for point in GRID
        if (extent.start < point or (extent.start == point and extent.start_included))
        and (point < extent.end or (point == extent.end and extent.end_included))
    }


@examples(100)
@given(RANGES, RANGES)
def test_relations_are_those_of_the_points_within(a: Range, b: Range) -> None:
    mine, theirs = points(a), points(b)
    assert holds("before", a, b) is all(p < q for p in mine for q in theirs)
    assert holds("after", a, b) is all(p > q for p in mine for q in theirs)
    assert holds("overlaps", a, b) is bool(mine & theirs)
    assert holds("includes", a, b) is (mine >= theirs)
    assert holds("during", a, b) is (mine <= theirs)
    assert holds("coincides", a, b) is (mine == theirs)
    assert holds("starts", a, b) is (min(mine) == min(theirs) and mine <= theirs)
    assert holds("finishes", a, b) is (max(mine) == max(theirs) and mine <= theirs)
    assert holds("meets", a, b) is (a.end == b.start and a.end_included and b.start_included)


@examples(100)
@given(RANGES, st.sampled_from(GRID))
def test_a_point_lies_to_a_range_as_its_points_say(extent: Range, point: float) -> None:
    within = points(extent)
    assert holds("before", point, extent) is all(point < other for other in within)
    assert holds("before", extent, point) is all(other < point for other in within)
    assert holds("after", point, extent) is all(point > other for other in within)
    assert holds("includes", extent, point) is (point in within)
    assert holds("during", point, extent) is (point in within)
    assert holds("starts", point, extent) is (point == extent.start and extent.start_included)
    assert holds("finishes", point, extent) is (point == extent.end and extent.end_included)


@examples(100)
@given(RANGES, RANGES)
def test_a_relation_has_its_converse(a: Range, b: Range) -> None:
    for relation, converse in [
        ("before", "after"),
        ("meets", "met by"),
        ("overlaps", "overlaps"),
        ("overlaps before", "overlaps after"),
        ("finishes", "finished by"),
        ("includes", "during"),
        ("starts", "started by"),
        ("coincides", "coincides"),
    ]:
        assert holds(relation, a, b) is holds(converse, b, a)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("before((<5), 5)", True),
        ("before((<=5), 5)", False),
        ("before(5, (>5))", True),
        ("before((>5), 9)", False),
        ("after((>=5), 4)", True),
        ("meets((<=5), (>=5))", True),
        ("meets((<5), [5..6])", False),
        ("overlaps((<5), (>3))", True),
        ("overlaps((<3), (>3))", False),
        ("includes((<5), [1..4])", True),
        ("includes((<5), (<=5))", False),
        ("during([1..4], (>=1))", True),
        ("includes((=5), 5)", True),
        ("coincides((<5), (<5))", True),
        ("starts([1..2], (>=1))", True),
        ("finishes(5, (>3))", False),
        ('before(@"2020-01-01", [@"2020-01-02"..@"2020-01-03"])', True),
        ('includes(["a".."f"], "c")', True),
        ('during(@"PT1H", [@"PT1S"..@"P1D"])', True),
        ("before([1], [2])", True),
    ],
)
def test_open_ends_and_other_kinds_are_compared_too(text: str, expected: bool) -> None:
    assert compile(text).evaluate({}).value is expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "before(null, 1)",
            "before(1, null)",
            'before(1, "a")',
            'before([1..2], "a")',
            "before(true, false)",
        ),
        *('before([1..2], ["a".."b"])', "meets(1, [1..2])", "coincides(1, [1..1])", 'finishes("a", [1..2])'),
        *('starts("a", [1..2])', 'includes([1..2], "a")', "before((!=5), 6)", "overlaps([1..2], null)"),
        *('coincides(1, "a")', "during({}, [1..2])", "before([1, 2], 3)", 'meets([1..2], ["b".."c"])'),
    ],
)
def test_what_cannot_be_compared_has_no_relation(text: str) -> None:
    result = compile(text).evaluate({})
    assert result.value is None
    assert result.warnings
