"""The standard library and the functions of Camunda's modellers."""

import pytest

from towpath.feel import compile, to_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('substring("foobar", -2, 1)', "a"),
        ('substring("foobar", 0)', None),
        ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
        ('matches("abc", "^[a-z-[b]]+$")', False),
        ('matches("hello world", "hello\\\\sworld")', True),
        ('matches("A", "\\\\p{Lu}")', True),
        ('matches("ab", "a b", "x")', True),
        ('matches("a.b", "a.b", "q")', True),
        ('matches("a", "(?=a)")', None),
        ('split("a;b;;c", ";")', ["a", "b", "", "c"]),
        ('extract("2023 and 2024", "[0-9]{4}")', ["2023", "2024"]),
        ('string join(["a", null, "b"], ", ")', "a, b"),
        ('string join(["a", "b"], ", ", "[", "]")', "[a, b]"),
        ('contains(match: "b", string: "abc")', True),
        ('contains(mtch: "b", string: "abc")', None),
        ("min(3, 1, 2)", 1),
        ('max("a", 1)', None),
        ("sum([])", None),
        ("count([])", 0),
        ("all([true, null])", None),
        ("any([true, null])", True),
        ("sublist([1, 2, 3], 2)", [2, 3]),
        ("insert before([1, 3], 2, 2)", [1, 2, 3]),
        ("list replace([1, 2, 3], function(item, new) item > 1, 0)", [1, 0, 0]),
        ("distinct values([1, 1.0, true, null, null])", [1, True, None]),
        ("duplicate values([1, 2, 1])", [1]),
        ("partition([1, 2, 3], 2)", [[1, 2], [3]]),
        ("mode([1, 2, 2, 3, 3])", [2, 3]),
        ("sort([3, 1, 2], function(a, b) a > b)", [3, 2, 1]),
        ("union([1, 2], [2, 3])", [1, 2, 3]),
        ("flatten([1, [2, [3]]])", [1, 2, 3]),
        ('context put({x: {a: 1}}, ["x", "b"], 2)', {"x": {"a": 1, "b": 2}}),
        ('context put({}, "", 1)', {"": 1}),
        ("context merge([{a: {x: 1}}, {a: {y: 2}}])", {"a": {"y": 2}}),
        ('get value({a: {b: 1}}, ["a", "b"])', 1),
        ("get or else(missing.part, 1)", 1),
        ("is defined(missing)", False),
        ('assert(5, 5 > 3, "too small")', 5),
        ("assert(1, 1 > 3)", None),
        ("to json({a: [1, 0.5, null]})", '{"a":[1,0.5,null]}'),
        ('from json("{\\"a\\": [1, 0.5]}").a', [1, 0.5]),
        ('from json("{")', None),
        ('to base64("FEEL")', "RkVFTA=="),
        ('trim("  a ")', "a"),
        ('range("[1..3]") = [1..3]', True),
        ('range("[3..1]")', None),
        ("before([1..5), [5..8])", True),
        ("overlaps([1..5], [3..8])", True),
        ("finishes(10, [1..10])", True),
        ("includes([1..10], (1..10))", True),
        ("coincides([1..3], [1..3])", True),
    ],
)
def test_a_function_answers(text: str, expected: object) -> None:
    assert to_json(compile(text).evaluate({}).value) == expected


def test_a_call_that_does_not_fit_says_how_it_should_be() -> None:
    result = compile('substring("a")').evaluate({})
    assert result.value is None
    assert "start position" in result.warnings[0].message
