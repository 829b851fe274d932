"""Text that is no FEEL: the place, what was expected there, and what may have been meant."""

import contextlib
import time

import pytest

from towpath.feel import Expression, FeelSyntaxError, compile, evaluate


def refused(text: str, *, tests: bool = False) -> FeelSyntaxError:
    with pytest.raises(FeelSyntaxError) as raised:
        compile(text, dialect="unary-tests" if tests else "expression")
    return raised.value


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("1 +", 1, 4, "an expression"),
        ("if a then b", 1, 12, "else"),
        ("[1,\n2", 2, 2, "]"),
        ("1 2", 1, 3, "an operator"),
        ('"abc', 1, 1, '"'),
        ("1 + /* note", 1, 5, "*/"),
        ("{a 1}", 1, 5, ":"),
        ("{1: 2}", 1, 2, "a key"),
        ("{a: 1,}", 1, 7, "a key"),
        ("[1, 2,]", 1, 7, "an expression"),
        ("f(1,)", 1, 5, "an expression"),
        ("function(a,) a", 1, 12, "a name"),
        ("for x in y x", 1, 13, "return"),
        ("some x in y", 1, 12, "satisfies"),
        ("a between 1 or 2", 1, 13, "and"),
        ("x instance number", 1, 12, "of"),
        ("x instance of 5", 1, 15, "a type"),
        ("x instance of list<number", 1, 26, ">"),
        ("a.5.b", 1, 2, "an operator"),
        ("a.[1]", 1, 3, "a name"),
    ],
)
def test_a_syntax_error_says_where_and_what_was_expected(
    text: str, line: int, column: int, expected: str
) -> None:
    error = refused(text)
    assert (error.line, error.column) == (line, column)
    assert expected in error.expected
    assert "^" in str(error)


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("a == b", 4, "a single '='"),
        ("a && b", 3, "'and'"),
        ("a || b", 3, "'or'"),
        ("!a", 1, "not(...)"),
        ("not a", 1, "not(...)"),
        ("a = 'x'", 5, "double quotes"),
        ("a => b", 4, "'>='"),
        ("a <> b", 4, "'!='"),
        ("a =< b", 4, "'<='"),
        ("a ? 1 : 2", 5, "if x then a else b"),
        ("a ? b : c", 7, "if x then a else b"),
        ("a % 2", 3, "modulo(a, b)"),
        ("a ^ 2", 3, "'**'"),
        ("“x”", 1, "straight quotes"),
        ("Applicant’s age", 10, "backticks"),
        ("a – b", 3, "-"),
        ("a ≥ b", 3, "'>='"),
        ("${a}", 1, "name alone"),
        ("if a then 1 else if b then 2", 29, "else null"),
        ("if a then 1 elseif b then 2 else 3", 13, "'else if'"),
        ("(1 + 2", 7, "the '(' of line 1, column 1 is not closed"),
        ("{a: [1, 2}", 10, "the '[' of line 1, column 5 is not closed"),
        ("sum(\n[1, 2\n", 1, "the '[' of line 2, column 1 is not closed"),
        ("1 + 2)", 6, "nothing is open"),
        ("1, 2", 2, "[a, b]"),
        ("{a = 1}", 4, "key: value"),
        ("[1, 2,]", 7, "last comma"),
        ("f(1,)", 5, "last comma"),
        ("a;", 2, "';'"),
        ("`a", 1, "backtick"),
    ],
)
def test_a_common_mistake_gets_a_hint(text: str, column: int, hint: str) -> None:
    error = refused(text)
    assert error.hint is not None
    assert hint in error.hint
    assert error.column == column
    assert error.hint in str(error)


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("\ta +\t+ b", "  \ta +\t+ b\n  \t   \t^"),
        ("1 +\r\n2 ** ** 3\r\n", "  2 ** ** 3\n       ^"),
        ('"日本" "x"', '  "日本" "x"\n         ^'),
        ('"🐎" "x"', '  "🐎" "x"\n       ^'),
        ("é́ )", "  é́ )\n    ^"),
        ("1 + \x1b[2J", "  1 +  [2J\n      ^"),
        ("a + " * 50 + ")" + " + b" * 50, f"  ...{'a + ' * 15}){' + b' * 9} + ...\n  {' ' * 63}^"),
    ],
)
def test_the_caret_stands_below_the_place(text: str, excerpt: str) -> None:
    assert refused(text).excerpt() == excerpt


def test_the_message_is_one_sentence_with_its_place_and_the_excerpt() -> None:
    assert str(refused("{a: (1,\n b: 2}")) == (
        "expected ')', found ','; the '(' of line 1, column 5 is not closed (line 1, column 7)\n"
        "  {a: (1,\n"
        "        ^"
    )


def test_of_two_ways_to_read_a_negated_cell_the_mistake_is_told_of_the_one_that_goes_further() -> None:
    error = refused("not(< 5, > )", tests=True)
    assert (error.column, error.expected) == (12, ("an expression",))
    assert refused("not(a) and", tests=True).column == 11


@pytest.mark.parametrize("text", ["1e7000", "[1e99999999999999999999]"])
def test_a_number_beyond_the_language_is_refused(text: str) -> None:
    assert "too large" in refused(text).message


@pytest.mark.parametrize(
    "unit",
    [
        *("(", "[", "{a: ", "-", "not(", "if a then ", "if ", "function() ", "for x in ", "a[", "1 + (", "]"),
        *("some x in y satisfies ", "some x in ", "x instance of list<", "x instance of context<a: "),
        *("f(", "f(a: ", "a in (", "a in ", "a = ", "a instance of b ", "a between ", "[1..", "](", "<", "@"),
        *(
            "a.b(",
            "a[1]",
            "a()()",
            "()",
            "a.",
            "a ",
            "a-",
            "{a-",
            "not ",
            "`",
            '"',
            "/*",
            "//",
            "\\",
            "é",
            "?",
        ),
        *("if a then b else (", "if a then b else "),
    ],
)
def test_text_without_end_ends_quickly(unit: str) -> None:
    text = (unit * 40_000)[:40_000]
    started = time.process_time()
    for dialect in ("expression", "unary-tests"):
        with contextlib.suppress(FeelSyntaxError):
            compile(text, dialect=dialect)  # type: ignore[arg-type]
    assert time.process_time() - started < 10


@pytest.mark.parametrize("unit", ["(", "not("])
def test_a_megabyte_of_openings_is_a_short_error(unit: str) -> None:
    error = refused((unit * 1_000_000)[:1_000_000])
    assert len(str(error)) < 500
    assert "80" in error.message


@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a: ", "1", "}"),
        ("-", "1", ""),
        ("not(", "true", ")"),
        ("if true then ", "1", " else 2"),
        ("if ", "true", " then 1 else 2"),
        ("function() ", "1", ""),
        ("for x in ", "[1]", " return x"),
        ("some x in [1] satisfies ", "true", ""),
        ("f(", "1", ")"),
        ("f(a: ", "1", ")"),
        ("a[", "1", "]"),
        ("1 + (", "1", ")"),
        ("a in (", "1", ")"),
        ("a in [", "1", "]"),
        ("[1..(", "1", ")]"),
        ("](", "1", ")..2["),
        ("x.f(", "1", ")"),
    ],
)
def test_ten_thousand_levels_of_anything_are_a_syntax_error(opening: str, inner: str, closing: str) -> None:
    text = opening * 10_000 + inner + closing * 10_000
    for tests in (False, True):
        assert "more than 80" in refused(text, tests=tests).message


@pytest.mark.parametrize(("opening", "closing"), [("list<", ">"), ("function<", ">"), ("context<a: ", ">")])
def test_ten_thousand_levels_of_a_type_are_a_syntax_error(opening: str, closing: str) -> None:
    assert "more than 80" in refused("x instance of " + opening * 10_000 + "x" + closing * 10_000).message


@pytest.mark.parametrize("chain", [" = 1", " in [1]", " instance of Any", "[1]", "()", " between 1 and 2"])
def test_ten_thousand_links_that_nest_are_a_syntax_error(chain: str) -> None:
    assert "more than" in refused("1" + chain * 10_000).message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1" + " + 1" * 1000, 1001),
        (" and ".join(["true"] * 1000), True),
        (" or ".join(["false"] * 1000), False),
        ("".join(f"if x = {i} then {i} else " for i in range(1000)) + "null", 999),
        ("{a: 1}" + ".a" * 1000, None),
        ("[" + ", ".join(["1"] * 10_000) + "][-1]", 1),
        ('"a"' + ' + "a"' * 999, "a" * 1000),
        ("(" * 60 + "1" + ")" * 60, 1),
        ("for " + ", ".join(f"i{i} in [{i}]" for i in range(100)) + " return i99", [99]),
    ],
)
def test_long_is_not_deep(text: str, value: object) -> None:
    assert evaluate(text, {"x": 999}) == value


def test_a_context_of_many_keys_is_compiled_in_linear_time() -> None:
    entries = ", ".join(f"key {number}: x" for number in range(10_000))
    for cold_runs in (0, 1):
        started = time.process_time()
        Expression(f"{{{entries}}}", ["x"], "expression", cold_runs=cold_runs).evaluate({"x": 1})
        assert time.process_time() - started < 3


def test_looking_for_names_takes_no_longer_where_many_are_alike() -> None:
    started = time.process_time()
    words = " ".join(["a"] * 90)
    context = "{" + ", ".join(f"{words} {number}: 1" for number in range(2000)) + "}"
    with pytest.raises(FeelSyntaxError):
        compile(context + " " + "a - " * 10_000)
    compile("a" + "-a" * 30_000, names=["-".join(["a"] * 5000), "-".join(["a"] * 99)])
    assert time.process_time() - started < 20
