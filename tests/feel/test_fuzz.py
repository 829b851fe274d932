"""Any text at all: compiling raises FeelSyntaxError only, evaluating FeelLimitError only, and both end."""

import json
import os
import random
import re
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from towpath.feel import (
    Expression,
    FeelLimitError,
    FeelSyntaxError,
    Limits,
    compile,
    format,
    to_json,
    to_python,
    unparse,
)
from towpath.feel import syntax as ast
from towpath.feel.builtins import STANDARD

from .effort import examples
from .trees import expressions, keys, numbers, shape, strings, temporals

Dialect = Literal["expression", "unary-tests"]
DIALECTS: tuple[Dialect, ...] = ("expression", "unary-tests")

# Where the DMN TCK is at hand, its texts are changed as well.
TCK = Path(os.environ.get("TOWPATH_TCK") or Path(__file__).parents[2].parent / "shared" / "tck")

TEXTS = r"""
1 + 2 * 3 - 4 / 5 ** 6
-(a - b) ** -1.5e3
if a > 1 then "x" else if b then null else {a: 1}
for i in 1..5, j in [1, 2] return i * j + count(partial)
some x in [1, 2, 3], y in [x] satisfies x = y and y > 2
every x in orders satisfies x.price between 1 and 100
{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(20)}.r
[{a: 1, b: "x"}, {a: 2}][a = 2 or item.b = "x"].a[1]
x in (< 5, [1..2], (3..4], ]5..6[, > 7, not(8))
(function(a: number, b) a + b)(b: 1, a: 2)
@"2024-02-29" + @"P1Y2M" - duration("P1DT2H3M4.5S")
date and time("2024-03-31T02:30:00@Europe/Berlin") + @"PT1H"
time("10:00:00+01:00").time offset
[1, 2, 3] instance of list<number> and f instance of function<number, string> -> Any
{"first name": "Ada", born: date(1815, 12, 10)} instance of context<first name: string, born: date>
matches("foobar", "^fo*b", "i") or contains(replace("abc", "[a-c]", "$0x"), "x")
sort(list: [3, 1, 2], precedes: function(x, y) x < y)
substring("f\u006Fo\U01F40E\n\"", -2, 1) + string(1.50)
string join(["a", null, "b"], ", ") = upper case(`some name`)
overlaps([1..5], (3..8)) and before(1, [2..3]) and includes([1..2], 1)
context put({a: {b: 1}}, ["a", "b"], 2).a.b
get value({a: 1}, "a") + get entries({b: 2})[1].value
decimal(1/3, 2) + round half up(2.5, 0) + modulo(-5, 3) + floor(1.5) + sqrt(2)
years and months duration(@"2020-01-31", @"2024-02-29").years
number("1.000,5", ".", ",") + sum([1, 2]) + mean(1, 2) + mode([1, 1]) + stddev([1, 2])
function(x) external {java: {class: "java.lang.Math", method signature: "cos(double)"}}
/* a comment */ 1 + // another
not(a) and b or not(? > 1)
< 5, >= date("2020-01-01"), [1..2], "a", null, not(true)
split("a;b", ";")[-1] in ["a", "b"]
from json("{\"a\": [1, 2.5, null]}").a[2]
to json({a: [@"P1D", [1..2], "x"]})
range("[1..5]").start included
list replace([1, 2, 3], function(item, new) item > 2, 0)
""".strip().split("\n")

_PIECES = r"""
( ) [ ] { } , .. . : + - * ** / < <= = != > >= -> @ " ' ` // /* */ é 🐎 ? 1 2.5 0 1e6000 1E-6000 x item
and or between in not if then else for return some every satisfies function external instance of list
context range null true false @"P1D" @"P1M" @"2020-01-01" @"10:00:00Z" "s" "" [] {} 1..5 [1..2] ]a..b[
\u0041 \ ; % partial
"""
PIECES = _PIECES.split()

# What variables may be: of each kind, small and extreme.
VALUES: dict[str, Any] = {
    "a": 1, "b": "foo", "x": [3, 1, None, 2], "orders": [{"price": 5, "item": 1}, {"price": None}],
    "c": {"a": {"b": 1}, "": 2}, "f": None, "t": True, "n": 10**34, "z": -0.5, "?": 2,
}  # fmt: skip
LIMITS = Limits(steps=20_000, items=5_000)
SECONDS = 20  # of CPU for one text; most take a thousandth


@lru_cache(maxsize=1)
def corpus() -> tuple[str, ...]:
    """The texts above, and those of the TCK's models where they are at hand."""
    found = dict.fromkeys(TEXTS)
    for model in sorted(TCK.rglob("*.dmn")):
        for element in etree.parse(model).iter("{*}text"):
            text = (element.text or "").strip()
            if text and len(text) < 500:
                found[text] = None
    return tuple(found)


def piece(source: random.Random) -> str:
    if source.random() < 0.2:
        return source.choice(sorted(STANDARD)) + source.choice(["", "(", "(x)", "(null)"])
    return source.choice(PIECES)


def changed(text: str, source: random.Random) -> str:
    """The text with a part taken out, doubled, replaced, moved, or joined with another text."""
    parts = re.findall(r"\w+|\s+|.", text, re.DOTALL) or [""]
    for _ in range(source.choice([1, 1, 1, 2, 3, 8])):
        start = source.randrange(len(parts) + 1)
        end = min(len(parts), start + source.choice([0, 1, 1, 2, 5]))
        cut = parts[start:end]
        match source.randrange(7):
            case 0:
                parts[start:end] = []
            case 1:
                parts[start:end] = cut * source.choice([2, 2, 3, 50])
            case 2:
                parts[start:end] = [piece(source)]
            case 3:
                parts[start:start] = [" ", piece(source), " "]
            case 4:
                other = source.choice(corpus())
                parts[start:end] = [source.choice(["", "(", "["]), other, source.choice(["", ")", "]"])]
            case 5:
                parts[start:end] = []
                place = source.randrange(len(parts) + 1)
                parts[place:place] = cut
            case _:
                parts[start:end] = [chr(source.choice([0, 10, 39, 160, 0x200B, 0x301, 0xD83D, 0x1F40E, 92]))]
    return "".join(parts)[:5_000]


def outcome(expression: Expression, variables: dict[str, Any]) -> tuple[Any, ...]:
    """What an evaluation answers, as JSON and Python see it, with its warnings; or the limit reached."""
    try:
        result = expression.evaluate(variables, now=0, limits=LIMITS, source=random.Random(0))
        value = to_json(result.value)
        to_python(result.value)
    except FeelLimitError as error:
        return "limit", str(error)
    assert all(warning.line > 0 and warning.column > 0 for warning in result.warnings)
    return json.dumps(value, default=str), [str(warning) for warning in result.warnings]


def survives(text: str, variables: dict[str, Any] = VALUES) -> None:
    """Compile and evaluate in both dialects and both ways; format, which must change the layout only."""
    started = time.process_time()
    for dialect in DIALECTS:
        try:
            expression = Expression(text, variables, dialect, cold_runs=10)
        except FeelSyntaxError as error:
            str(error)
            continue
        formatted = format(text, names=variables, dialect=dialect)
        again = compile(formatted, names=variables, dialect=dialect)
        assert shape(again.node) == shape(expression.node), formatted
        assert format(formatted, names=variables, dialect=dialect) == formatted
        # The first one runs as closures, the second one as a Python function.
        cold = outcome(expression, variables)
        hot = outcome(Expression(text, variables, dialect, cold_runs=0), variables)
        assert hot == cold
    assert time.process_time() - started < SECONDS


@examples(1000)
@given(st.integers(0, 2**64))
def test_a_changed_text_is_an_expression_or_a_syntax_error(seed: int) -> None:
    source = random.Random(seed)
    survives(changed(source.choice(corpus()), source))


@examples(200)
@given(st.integers(0, 2**64))
def test_a_random_text_is_an_expression_or_a_syntax_error(seed: int) -> None:
    source = random.Random(seed)
    survives(source.choice(["", " "]).join(piece(source) for _ in range(source.randrange(1, 30))))


@examples(100)
@given(st.text(max_size=60))
def test_random_characters_are_an_expression_or_a_syntax_error(text: str) -> None:
    survives(text)


@examples(150)
@given(expressions)
def test_any_tree_can_be_evaluated(node: ast.Node) -> None:
    survives(unparse(node, names=VALUES))


values = st.recursive(
    st.none() | st.booleans() | numbers | numbers.map(lambda number: -number) | strings | temporals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
) | st.sampled_from(["[1..5]", "a", "[a-z]*", "1.5", "2020-01-01", "P1D", "(a|b)*c", "$1", "i", " "])
# What stands in the place of an argument: a variable, or something that only a text can say.
_ARGUMENTS = """p; q; r; [p..q]; (p..q); (< p); function(x) x; function(x, y) x < y; [p, q]; {a: p}; 1; -1;
"a"; 0; [p, q, r]; [[p], q]; null; []; ""; x; c; orders; t; n; z"""
arguments = st.sampled_from(_ARGUMENTS.split(";")).map(str.strip)


@examples(600)
@given(st.sampled_from(sorted(STANDARD)), st.lists(arguments, max_size=4), st.tuples(values, values, values))
def test_a_builtin_answers_something_for_any_arguments(
    name: str, written: list[str], pool: tuple[Any, Any, Any]
) -> None:
    p, q, r = pool
    survives(f"{name}({', '.join(written)})", {**VALUES, "p": p, "q": q, "r": r})


@examples(80)
@given(arguments, arguments, arguments, st.tuples(values, values, values))
def test_operators_answer_something_for_any_operands(
    a: str, b: str, c: str, pool: tuple[Any, Any, Any]
) -> None:
    p, q, r = pool
    variables = {**VALUES, "p": p, "q": q, "r": r}
    operations = (
        f"[({a}) + ({b}), ({a}) - ({b}), ({a}) * ({b}), ({a}) / ({b}), ({a}) ** ({b}), -({a})]",
        f"[({a}) < ({b}), ({a}) = ({b}), ({a}) between ({b}) and ({c}), ({a}) in ({b}), ({a}) in ({b}, {c})]",
        f"[({a})[{b}], ({a}).year, ({a}).value, ({a}).start, if ({a}) then ({b}) else ({c}), ({a})(({b}))]",
        f"for i in ({a}) return i + ({b})",
        f"for i in ({a})..({b}) return [partial, i]",
        f"some i in ({a}) satisfies i = ({b})",
        f"(({a}) + ({b})) * ({c}) - ({a})",
        f"string(({a}) * ({b})) + string(({b}) / ({c}))",
    )
    for text in operations:
        survives(text, variables)
