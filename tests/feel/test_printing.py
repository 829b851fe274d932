"""Syntax trees as text that reads back, and text laid out anew."""

from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from towpath.feel import FeelSyntaxError, compile, format, unparse
from towpath.feel import syntax as ast
from towpath.feel.builtins import STANDARD
from towpath.feel.names import NameTable
from towpath.feel.parser import Parser
from towpath.feel.types import Type

from .effort import examples
from .trees import cells, expressions, scopes, shape

BUILTINS = NameTable(STANDARD)


def parsed(text: str, names: Iterable[str] = (), *, tests: bool = False) -> ast.Node:
    parser = Parser(text, names, BUILTINS, {})
    return parser.parse_unary_tests() if tests else parser.parse_expression()


@example(
    ast.Comparison(0, "<", ast.InstanceOf(0, ast.Name(0, "x"), Type("list")), ast.Literal(0, 5)), [], 100
)
@examples(400)
@given(expressions | cells, scopes, st.integers(0, 120))
def test_what_is_written_reads_back_as_the_same_tree(node: ast.Node, names: list[str], width: int) -> None:
    tests = isinstance(node, ast.UnaryTests)
    text = unparse(node, names=names, width=width)
    again = parsed(text, names, tests=tests)
    assert shape(again) == shape(node)
    assert unparse(again, names=names, width=width) == text
    dialect = "unary-tests" if tests else "expression"
    assert format(text, names=names, dialect=dialect, width=width) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("a+b*c-(d-e)", "a + b * c - (d - e)"),
        ("((a))*(b+c)", "a * (b + c)"),
        ("(-a)**2", "-a ** 2"),
        ("-(a**2)", "-(a ** 2)"),
        ("(a and b)or c and(d or e)", "a and b or c and (d or e)"),
        ("a<b and(c between 1 and 2)", "a < b and c between 1 and 2"),
        ("(a=b)=c", "a = b = c"),
        ("a=(b=c)", "a = (b = c)"),
        ("x in(<5,[1..2],(3))", "x in (< 5, [1..2], 3)"),
        ("x in<5", "x in (< 5)"),
        ("x in((1))", "x in 1"),
        ("[<5,(>3)]", "[< 5, > 3]"),
        ("]1..2[", "(1..2)"),
        ("1+if a then b else c", "1 + (if a then b else c)"),
        ("(function(x:number,y)x+y)(1,2).z[1]", "(function(x: number, y) x + y)(1, 2).z[1]"),
        ("x instance of function<number>->list<Any>", "x instance of function<number> -> list<Any>"),
        ("(a instance of number)=true", "(a instance of number) = true"),
        ('{"a":1,"b c":2,"d-e":3,"":4,f-g:5}', '{a: 1, b c: 2, "d-e": 3, "": 4, "f-g": 5}'),
        ("f(`first-name`:1)", "f(first-name: 1)"),
        ("`a`+`b c`+`d-e`", "a + b c + `d-e`"),
        ('"\\d\\u0041\\""', '"\\\\dA\\""'),
        ("1.50+1e3+1e-7+1e50", "1.50 + 1000 + 0.0000001 + 1E+50"),
        ('@ "PT60M"', '@"PT1H"'),
        ("for`a in b`in c..d return`a in b`", "for `a in b` in c..d return a in b"),
        ("some x in xs,y in x.ys satisfies x=y", "some x in xs, y in x.ys satisfies x = y"),
        ("function(a)external{java:{class:\"x\"}}", 'function(a) external {java: {class: "x"}}'),
    ],
)  # fmt: skip
def test_a_text_is_laid_out_anew(text: str, formatted: str) -> None:
    assert format(text) == formatted
    assert shape(parsed(formatted)) == shape(parsed(text))


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("<5,>= 10", "< 5, >= 10"),
        ("not( 1,2 )", "not(1, 2)"),
        ("(not(a))", "(not(a))"),
        ("not(a)and b", "not(a) and b"),
        (" - ", "-"),
        ("-1", "-1"),
    ],
)
def test_a_cell_is_laid_out_anew(text: str, formatted: str) -> None:
    assert format(text, dialect="unary-tests") == formatted
    assert shape(parsed(formatted, tests=True)) == shape(parsed(text, tests=True))


@pytest.mark.parametrize(
    ("text", "names", "formatted"),
    [
        ("`a-b`-c", ["a-b"], "a-b - c"),
        ("a-b", ["a", "b", "a - b"], "`a` - b"),
        ("a-b", ["a", "b", "a-b"], "a-b"),
        ("`days` in weekend", ["days in weekend"], "`days` in weekend"),
        ("p.`date` and time", ["p"], "p.`date` and time"),
        ("(true)and b", ["true and b"], "(true) and b"),
    ],
)
def test_backticks_stand_only_where_the_scope_asks_for_them(
    text: str, names: list[str], formatted: str
) -> None:
    assert format(text, names=names) == formatted


def test_what_does_not_fit_in_a_line_is_broken_over_several() -> None:
    text = (
        'if some x in orders satisfies x.price > 1000 and x.country in ("DE", "AT") then for o in orders '
        "return {total: o.price * o.quantity, discount: if o.price > 100 then 0.1 else 0} "
        "else if count(orders) > 100 then [] else "
        "decide(applicant age: 17, income: {monthly: 1000, other: [1, 2, 3]}, something else: 1)"
    )
    assert format(text, width=60) == (
        "if some x in orders\n"
        "  satisfies x.price > 1000\n"
        '    and x.country in ("DE", "AT") then\n'
        "  for o in orders\n"
        "  return {\n"
        "      total: o.price * o.quantity,\n"
        "      discount: if o.price > 100 then 0.1 else 0\n"
        "    }\n"
        "else if count(orders) > 100 then\n"
        "  []\n"
        "else\n"
        "  decide(\n"
        "    applicant age: 17,\n"
        "    income: {monthly: 1000, other: [1, 2, 3]},\n"
        "    something else: 1\n"
        "  )"
    )
    assert max(map(len, format(text, width=60).split("\n"))) <= 60


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("/* why */a+b// end", "/* why */ a + b // end"),
        ("a+/*b*/b", "a + /*b*/ b"),
        ("// why\n[1]", "// why\n[1]"),
        (
            "{a:1, // of a\n// of b\nb:2}",
            "{\n  a: 1, // of a\n  // of b\n  b: 2\n}",
        ),
        ("[1,2 // two\n]", "[1, 2] // two"),
        ("-/*a*/", "- /*a*/"),
    ],
)
def test_comments_are_kept(text: str, formatted: str) -> None:
    dialect = "unary-tests" if text.startswith("-") else "expression"
    assert format(text, dialect=dialect) == formatted  # type: ignore[arg-type]
    assert format(formatted, dialect=dialect) == formatted  # type: ignore[arg-type]


def test_a_name_of_a_type_is_written_as_the_model_calls_it() -> None:
    types = {"tOrder": Type("context", fields=(("a", Type("number")),))}
    node = Parser("x instance of list<tOrder>", (), BUILTINS, types).parse_expression()
    assert unparse(node, types=types) == "x instance of list<tOrder>"


def test_a_long_chain_is_written_without_nesting() -> None:
    chain = "".join(f"if x = {i} then {i} else " for i in range(1000)) + "null"
    assert format(chain, width=10**6) == chain
    path = "x" + ".y" * 1000
    assert format(path, width=10**6) == path


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(FeelSyntaxError, match="expected an expression"):
        format("1 +")
    with pytest.raises(ValueError, match="cannot be written"):
        unparse(ast.Name(0, "a`b"))


def test_a_formatted_text_answers_the_same() -> None:
    text = "for i in 1..3 return{a:i,b:a*2-(1-i)}.b"
    assert compile(format(text)).evaluate({}).value == compile(text).evaluate({}).value == [2, 5, 8]
