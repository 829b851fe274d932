"""The grammar of DMN 1.5, 10.3.1.2: how texts are read, and names resolved by what is in scope."""

from decimal import Decimal
from typing import Any

import pytest

from towpath.feel import Expression, FeelSyntaxError, compile, evaluate, to_json, unparse


def answer(text: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
    given = {**(variables or {}), **more}
    return to_json(compile(text, names=given).evaluate(given).value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a or b and c", "a or (b and c)"),
        ("a and b = c", "a and (b = c)"),
        ("a = b + c", "a = (b + c)"),
        ("a + b * c", "a + (b * c)"),
        ("a * b ** c", "a * (b ** c)"),
        ("-a ** b", "(-a) ** b"),
        ("a ** -b", "a ** (-b)"),
        ("-a.b[1]", "-((a.b)[1])"),
        ("-a instance of number", "(-a) instance of number"),
        ("a + b instance of number", "a + (b instance of number)"),
        ("a = b = c", "(a = b) = c"),
        ("a < b in c", "(a < b) in c"),
        ("a between b and c and d", "(a between b and c) and d"),
        ("a between b + 1 and c - 1 = d", "(a between b + 1 and c - 1) = d"),
        ("a in b + c or d", "(a in (b + c)) or d"),
        ("a in (b + c) * d", "a in ((b + c) * d)"),
        ("a in (b)[1].c", "a in (((b)[1]).c)"),
        ("a in (< b).end", "a in ((< b).end)"),
        ("1 + if a then b else c + d", "1 + (if a then b else (c + d))"),
        ("for i in a return i + b", "for i in a return (i + b)"),
        ("some i in a satisfies i or b", "some i in a satisfies (i or b)"),
        ("function(a) a + 1", "function(a) (a + 1)"),
        ("if a then b else if c then d else e", "if a then b else (if c then d else e)"),
        ("[a..b + 1]", "[a..(b + 1)]"),
        ("]a..b[", "(a..b)"),
        ("]a..b[1]]", "(a..(b[1])]"),
        ("]a..b[c > 1][ = d", "(a..(b[c > 1])) = d"),
    ],
)
def test_operators_bind_as_the_specification_says(text: str, same: str) -> None:
    first, second = (unparse(Expression(written, "abcd", "expression").node) for written in (text, same))
    assert first == second


@pytest.mark.parametrize(
    ("text", "names", "read"),
    [
        ("a b + 1", [], {"a b"}),
        ("a-b", [], {"a", "b"}),
        ("a-b", ["a-b"], {"a-b"}),
        ("a - b", ["a-b"], {"a", "b"}),
        ("date and time of birth > x", ["date and time of birth"], {"date and time of birth", "x"}),
        ("order or offer", ["order or offer"], {"order or offer"}),
        ("order or offer", [], {"order", "offer"}),
        ("in stock and not paid", ["in stock", "not paid"], {"in stock", "not paid"}),
        ("if only = 1", ["if only"], {"if only"}),
        ("a in in stock", ["in stock"], {"a", "in stock"}),
        ("days in weekend", ["days in weekend"], {"days in weekend"}),
        ("days in weekend", [], {"days", "weekend"}),
        ("x 2 + y2", ["x 2"], {"x 2", "y2"}),
        ("a.b", ["a.b"], {"a.b"}),
        ("a.b", [], {"a"}),
        ("model.price + 1", ["model.price"], {"model.price"}),
        ("Applicant's full-time/part-time salary * 2", ["Applicant's full-time/part-time salary"], None),
        ("`a-b` - `if`", [], {"a-b", "if"}),
        ("🐎 _x ?y Größe", [], {"🐎 _x ?y Größe"}),
        ("a /* b */ // c\n\u3000d", [], {"a d"}),
        ("a\u2003b", ["a b"], {"a b"}),
        ("nothing", [], {"nothing"}),
        ("null x", ["null x"], {"null x"}),
        ("functional", [], {"functional"}),
        ("x[in stock]", ["in stock"], {"x", "in stock"}),
    ],
)
def test_the_longest_name_in_scope_is_read(text: str, names: list[str], read: set[str] | None) -> None:
    assert compile(text, names=names).names == (set(names) if read is None else read)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a b": 1, c-d: a b + 1, r: c-d * 2}.r', 4),
        ("{if: 1, then: 2, null: 3}.then", 2),
        ('{"": 1, "+": 2, "x\\"y": 3}.`+`', 2),
        ("{a: {b c: {d-e: 1}}}.a.b c.d-e", 1),
        ("{a: [{b-c: 1}, {b-c: 2}]}.a[b-c = 2].b-c", [2]),
        ("{`x y`: 1, z: x y}.z", 1),
        ("for first-name in [1, 2] return first-name * 2", [2, 4]),
        ("for `a in b` in [1], c d in [a in b] return c d", [1]),
        ("some a's x in [1] satisfies a's x = 1", True),
        ("every in x in [1] satisfies in x = 1", True),
        ("(function(first-name, b c: number) first-name - b c)(3, 1)", 2),
        ("(function(first-name, b.c) first-name - b.c)(b.c: 1, first-name: 3)", 2),
        ("(function(a b) a b)(`a b`: 1)", 1),
        ("{f: function(x) {g: function(y) x + y}, r: f(1).g(2)}.r", 3),
        ("[function(x) x + 1][1](1)", 2),
        ("{f: [function(x) x]}.f[1](5)", 5),
        ("{external: 1, r: (function() external + 1)()}.r", 2),
        ("count([< 5, >= 7, [1..2], (= 3)])", 4),
        ("6 in ([1..2], < 0, > 5)", True),
        ("6 in [[1..2], > 5]", True),
        ("{}", {}),
        ("[]", []),
        (".5 + 1.50", 2),
        ("1e3 + 1E-1 + 2.5e+1", Decimal("1025.1")),
        (r'"a\tb\"\'\\\u0041\U01F40E\uD83D\uDC0E\d"', "a\tb\"'\\A🐎🐎\\d"),
        ('@"2024-02-29".month + @ "P1Y".years', 3),
        ("1 /* a // b */ + /**/ 1 // */ c", 2),
        ("-- 1", 1),
        ("[1, 2, 3] instance of list < number >", True),
        ("{a: {b c: 1}} instance of context<a: context<b c: number>>", True),
        ("(function(x: number) x) instance of function<number> -> Any", True),
        ("@\"2020-01-01\" instance of date and @\"P1D\" instance of days and time duration", True),
        ("[[1..2]] instance of list<range<number>>", True),
    ],
)  # fmt: skip
def test_a_text_of_the_grammar_answers(text: str, value: Any) -> None:
    assert answer(text) == value


@pytest.mark.parametrize(
    "space", [*"\t\n\v\f\r \x85\xa0\u1680\u180e\u2000\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"]
)
def test_every_white_space_of_the_grammar_separates(space: str) -> None:
    assert evaluate(f"{space}1{space}+{space}a{space}b{space}", {"a b": 1}) == 2


@pytest.mark.parametrize(
    "text",
    [
        *("1.", "1.5.", "a..b", "1..2", "[1..2", "[< 1..2]", "{a}", "{a: 1, }", "[,]", "f(,)", "f(a: 1, 2)"),
        *("if a then b", "for x return x", "for in [1] return 1", "some x in y", "function(1) x", "a b c."),
        *("a.'b'", "x in ()", "x in", "a between 1", "not a", "== 1", "a = ", "()", "@2020-01-01", '"', "`a"),
        *("x instance of", "x instance of list<>", "x instance of function<number>", "1 2", "\x1f"),
        "x instance of context<number>",
    ],
)
def test_what_the_grammar_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile(text)


@pytest.mark.parametrize("text", ["", "1,", "not(1", "-, 1", "< 5 and", "not(1) 2", "!= ", "<"])
def test_what_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile(text, dialect="unary-tests")


@pytest.mark.parametrize(
    ("cell", "value", "met"),
    [
        ("not(1, 2), 5", 5, True),
        ("(1..3), 7", 3, False),
        ("]1..3]", 3, True),
        ("< 5 , > 10", 11, True),
        ("- 5", -5, True),
        ("limit - 1", 9, True),
        ("? in [1, 2] and ? > 1", 2, True),
    ],
)
def test_a_cell_of_the_grammar_is_met(cell: str, value: int, met: bool) -> None:
    found = compile(cell, names=["limit"], dialect="unary-tests").evaluate({"?": value, "limit": 10}).value
    assert found is met
