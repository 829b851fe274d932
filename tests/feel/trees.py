"""Random syntax trees of every kind of node, and what makes two trees the same."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from towpath.feel import DaysTime, YearsMonths
from towpath.feel import syntax as ast
from towpath.feel.calendar import NANO, UTC, Zone, days_in_month
from towpath.feel.temporal import DAY_NANOS, Date, DateTime, Time
from towpath.feel.types import ANY, SIMPLE, Type, unknown_type
from towpath.feel.values import DECIMAL, whole

# Names that spell others, operators and keywords, alone and together.
_NAMES = """
a; b; a b; a-b; a - b; a.b; a+b; a * b; b.a; x; ?; item; partial; date; time; date and time;
a and b; a or b; date and time of birth; order or offer; in stock; days in weekend; days; weekend;
null b; true and b; not paid; not; a in b; a between b; a instance of b; a then b;
Applicant's full-time salary; x 2; x2; 2x; a  b; é́; 🐎 fast; Größe; null; true; function; external;
external a; if; for; some; every; and; else; instance; time offset; sum; start included; a/b; a**b;
a//b; a (old); {a}; %; “x”; a,b; a:b; _; list; number; a.1; a 1.5; b - a - b; a.b.a; x[1]; \\; ";
'; item a; partial x; and b; x.y; a - 1; a-1; 1; .; a.; a '; a item
"""
AWKWARD_NAMES = [" a", "a ", *(name.strip() for name in _NAMES.split(";"))]
names = st.sampled_from(AWKWARD_NAMES) | st.text(
    st.characters(exclude_characters="`\n", exclude_categories=["Cs"]), min_size=1, max_size=6
)
keys = names | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)

integers = st.integers(0, 10**34 - 1) | st.integers(0, 20)
decimals = st.builds(
    lambda digits, exponent: whole(DECIMAL.create_decimal(Decimal(digits).scaleb(exponent))),
    st.integers(0, 10**34 - 1),
    st.integers(-6000, 6000) | st.integers(-40, 10),
)
numbers = integers | decimals
strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['\\u0041"\n\t\r\\', "\ud83d", "a\udca9", "\\U01F40E", "//", "/* */", "\x00\x7f", "\\d+\\"]
)

years = st.integers(-999_999_999, 999_999_999) | st.integers(1900, 2100) | st.integers(-5, 5)
offset_zones = st.integers(-14 * 3600, 14 * 3600).map(Zone) | st.just(UTC)
named_zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
).map(lambda name: Zone(0, name))
zones = st.none() | offset_zones | named_zones
clocks = st.integers(0, DAY_NANOS - 1) | st.integers(0, 86_399).map(lambda seconds: seconds * NANO)


@st.composite
def dates(draw: st.DrawFn, years: st.SearchStrategy[int] = years) -> Date:
    year, month = draw(years), draw(st.integers(1, 12))
    return Date(year, month, draw(st.integers(1, days_in_month(year, month))))


times = st.builds(Time, clocks, zones)
date_times = st.builds(DateTime, dates(), clocks, zones)
year_months = (st.integers(-12 * 999_999_999, 12 * 999_999_999) | st.integers(-50, 50)).map(YearsMonths)
day_times = (st.integers(-(10**26), 10**26) | st.integers(-100_000, 100_000).map(lambda s: s * NANO)).map(
    DaysTime
)
temporals = dates() | times | date_times | year_months | day_times

simple_types = st.sampled_from([*SIMPLE.values()]) | st.sampled_from(
    ["tFoo", "model.tBar", "Fancy type"]
).map(unknown_type)


def _generics(of: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.one_of(
        st.builds(lambda name, inner: Type(name, of=inner), st.sampled_from(["list", "range"]), of),
        st.builds(
            lambda parts: Type("context", fields=tuple(parts)),
            st.lists(st.tuples(names, of), min_size=1, max_size=2),
        ),
        st.builds(
            lambda parameters, result: Type("function", parameters=tuple(parameters), result=result),
            st.lists(of, max_size=2),
            of,
        ),
    )


types = st.recursive(simple_types, _generics, max_leaves=4)

literals = st.builds(
    ast.Literal, st.just(0), st.none() | st.booleans() | numbers | strings | strings | temporals
)
leaves = literals | st.builds(ast.Name, st.just(0), names)
comparing = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def _tuples(of: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, min_size=least, max_size=most).map(tuple)


def _parents(node: st.SearchStrategy[ast.Node]) -> st.SearchStrategy[ast.Node]:
    at = st.just(0)
    arithmetic = st.one_of(
        [
            st.builds(ast.Arithmetic, at, node, _tuples(st.tuples(st.sampled_from(operators), node, at), 1))
            for operators in (["+", "-"], ["*", "/"], ["**"])
        ]
    )
    iterators = _tuples(st.tuples(names, node, st.none() | node), 1, 2)
    tests = st.builds(ast.UnaryTests, at, _tuples(node, 1))
    return st.one_of(
        st.builds(ast.Negation, at, node),
        arithmetic,
        st.builds(ast.Logic, at, st.sampled_from(["and", "or"]), _tuples(node, 2)),
        st.builds(ast.Comparison, at, comparing, node, node),
        st.builds(ast.Between, at, node, node, node),
        st.builds(ast.In, at, node, tests),
        st.builds(ast.OperatorTest, at, comparing, node),
        st.builds(ast.RangeLiteral, at, node, node, st.booleans(), st.booleans()),
        st.builds(ast.Path, at, node, names),
        st.builds(ast.Filter, at, node, node),
        st.builds(ast.Invocation, at, node, _tuples(node), st.just(())),
        st.builds(ast.Invocation, at, node, st.just(()), _tuples(st.tuples(names, node), 1)),
        st.builds(ast.ListLiteral, at, _tuples(node)),
        st.builds(ast.ContextLiteral, at, _tuples(st.tuples(keys, node))),
        st.builds(ast.If, at, node, node, node),
        st.builds(ast.For, at, iterators, node),
        st.builds(ast.Quantified, at, st.booleans(), iterators, node),
        st.builds(ast.InstanceOf, at, node, types),
        st.builds(
            ast.FunctionLiteral, at, _tuples(st.tuples(names, st.just(ANY) | types)), node, st.booleans()
        ),
    )


expressions = st.recursive(leaves, _parents, max_leaves=10)
cells = st.builds(ast.UnaryTests, st.just(0), _tuples(expressions, 1), st.booleans()) | st.just(
    ast.UnaryTests(0, ())
)
scopes = st.lists(names, max_size=8)


def shape(part: Any) -> Any:
    """A tree without its places, in which 1, true and 1.0 are not the same."""
    if isinstance(part, ast.Arithmetic):
        rest = tuple((operator, shape(operand)) for operator, operand, _ in part.rest)
        return ("Arithmetic", shape(part.first), rest)
    if isinstance(part, ast.Node):
        inner = (shape(getattr(part, field.name)) for field in fields(part) if field.name != "at")
        return (type(part).__name__, *inner)
    if isinstance(part, tuple):
        return tuple(shape(inner) for inner in part)
    return (type(part).__name__, part)
