"""External functions: what the table serves, and how Java's types read the arguments."""

import pytest

from towpath.feel import compile, to_json

OBJECTS = "java.lang.String, [Ljava.lang.Object;"


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("java.lang.Math.cos(double)", "0", 1),
        ("java.lang.Math.max(int, int)", "1 & 2", 2),
        ("java.lang.Math.max(int,int)", "1.9 & 1", 1),
        ("java.lang.Math.max(long,long)", "3000000000 & 2", 3000000000),
        ("java.lang.Math.max(double,double)", "1.5 & 0.5", 1.5),
        ("java.lang.Math.round(double)", "2.5", 3),
        ("java.lang.Math.floorMod(int,int)", "-7 & 3", 2),
        ("java.lang.String.valueOf(double)", "1", "1.0"),
        ("java.lang.String.valueOf(int)", "1", "1"),
        ("java.lang.String.valueOf(char)", '"a"', "a"),
        ("java.lang.String.valueOf(boolean)", "true", "true"),
        (f"java.lang.String.format({OBJECTS})", '"foo %s" & "bar"', "foo bar"),
        (
            f"java.lang.String.format({OBJECTS})",
            '"%s %d %5.2f|%05d|%-3s|" & ["x", 7, 2.345, -42, "a"]',
            "x 7  2.35|-0042|a  |",
        ),
        (f"java.lang.String.format({OBJECTS})", '"%2$s %1$S %,d%%" & ["a", "b"]', None),
        (f"java.lang.String.format({OBJECTS})", '"%2$s %1$S%%" & ["a", "b"]', "b A%"),
        ("java.lang.String.format(java.lang.String, java.lang.Object...)", '"%s-%s" & 1 & 2.50', "1-2.5"),
        ("java.lang.Integer.valueOf(java.lang.String)", '"123"', 123),
        ("java.lang.Integer.parseInt(java.lang.String)", '"-12"', -12),
        ("java.lang.Double.valueOf(java.lang.String)", '"1.25"', 1.25),
        ("java.math.BigDecimal.valueOf(double)", "2.5", 2.5),
    ],
)
def test_a_method_of_java_answers(method: str, arguments: str, expected: object) -> None:
    assert call(method, arguments) == expected


@pytest.mark.parametrize(
    ("method", "arguments", "reason"),
    [
        ("java.lang.Math.nope(int)", "1", "there is no external function java.lang.Math.nope"),
        ("java.lang.Nope.max(int,int)", "1 & 2", "there is no external function"),
        ("java.lang.Math.max(int,int)", "1", "another number of parameters"),
        ("java.lang.Math.max(int,int)", "1 & 2 & 3", "another number of parameters"),
        ("java.lang.Math.max", "1 & 2", "another number of parameters"),
        ("java.lang.Math.max(int,int)", "null & 2", "an argument is null"),
        ("java.lang.Math.max(int,int)", '"1" & 2', "no number"),
        ("java.lang.Math.max(int,int)", "3000000000 & 2", "32 bits"),
        ("java.lang.Math.sqrt(double)", "-1", "no result"),
        ("java.lang.Math.pow(double,double)", "10 & 400", "no result"),
        ("java.lang.String.valueOf(char)", '"ab"', "one character"),
        ("java.lang.Integer.valueOf(java.lang.String)", '"1.5"', "no number"),
        ("java.lang.Byte.valueOf(java.lang.String)", '"200"', "8 bits"),
        (f"java.lang.String.format({OBJECTS})", '"%d" & 2.5', "whole numbers"),
        (f"java.lang.String.format({OBJECTS})", '"%s %s" & 2', "argument 2 of 1"),
        (f"java.lang.String.format({OBJECTS})", '"%999999999d" & 2', "1000 characters"),
        (f"java.lang.String.format({OBJECTS})", '"%q" & 2', "no placeholder"),
    ],
)
def test_what_java_would_refuse_is_null_with_a_reason(method: str, arguments: str, reason: str) -> None:
    assert reason in call(method, arguments, why=True)


def call(method: str, arguments: str, *, why: bool = False) -> object:
    """The answer for arguments that ``&`` parts, or why there is none."""
    path, _, types = method.partition("(")
    class_name, _, name = path.rpartition(".")
    signature = f"{name}({types}" if types else name
    given = arguments.split(" & ")
    names = ", ".join(f"p{index}" for index in range(len(given)))
    java = f'{{class: "{class_name}", method signature: "{signature}"}}'
    text = f"(function({names}) external {{java: {java}}})({', '.join(given)})"
    result = compile(text).evaluate({})
    return result.warnings[0].message if why else to_json(result.value)
