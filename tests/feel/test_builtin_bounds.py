"""What a built-in makes of huge values: an answer or an error, soon and in little memory."""

import time

import pytest

from towpath.feel import FeelLimitError, compile

LONG = "x" * 9_000_000
MANY = list(range(1_000_000))


def evaluate(text: str) -> object:
    variables = {
        "s": LONG,
        "l": MANY,
        "m": MANY[:50_000],
        "words": ["abcdefghij"] * 1_000_000,
        "deep": "[" * 100_000,
    }
    return compile(text).evaluate(variables).value


@pytest.mark.parametrize(
    "text",
    [
        'replace(s, "x", "yy")',
        'split(s, "x")',
        'string join(words, ",")',
        'string join(["a", "a", "a"], s)',
        'string join(["a"], "", s, s)',
        "to base64(s)",
        "concatenate(l, l)",
        "append(l, 1)",
        "insert before(l, 1, 1)",
        "flatten([l, l])",
        "union(l, l)",
        "from json(deep)",
        "string(for i in 1..100000 return 1E6144)",
        "to json(for i in 1..100000 return 1E6144)",
        "for i in 1..1000000 return sum(l)",
        'for i in 1..1000000 return replace(s, "q", "z")',
        "for i in 1..1000000 return string length(string join(words))",
        "for i in 1..1000000 return count(l)",
    ],
)
def test_what_is_too_large_is_given_up(text: str) -> None:
    started = time.process_time()
    with pytest.raises(FeelLimitError):
        evaluate(text)
    assert time.process_time() - started < 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(distinct values(l))", 1_000_000),
        ("count(distinct values(for i in m return {a: [i]}))", 50_000),
        ("duplicate values(l)", []),
        ("median(l)", 499999.5),
        ("sort(m, function(a, b) a > b)[1]", 49_999),
        ("count(sort([3, 1, 2, 5, 4], function(a, b) true))", 5),
        ("count(partition(m, 1))", 50_000),
        ("string length(upper case(s))", 9_000_000),
        ("matches(s, s)", None),
        ("number(s)", None),
        ("duration(s)", None),
        ("date and time(s)", None),
        ("range(s)", None),
    ],
)
def test_what_is_large_is_answered(text: str, expected: object) -> None:
    assert evaluate(text) == expected


def test_a_reason_quotes_no_more_than_the_beginning() -> None:
    result = compile("date(s)").evaluate({"s": LONG})
    assert len(result.warnings[0].message) < 200
