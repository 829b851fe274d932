"""Numbers are decimals of 34 digits."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.feel import compile

REFERENCE = Context(prec=34)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)
WHOLE = st.integers(-(10**33), 10**33)


def applied(operator: str, a: object, b: object) -> object:
    return compile(f"a {operator} b").evaluate({"a": a, "b": b}).value


@given(NUMBERS | WHOLE, NUMBERS | WHOLE)
def test_arithmetic_is_that_of_34_digits(a: Decimal | int, b: Decimal | int) -> None:
    x, y = REFERENCE.create_decimal(a), REFERENCE.create_decimal(b)
    assert applied("+", a, b) == REFERENCE.add(x, y)
    assert applied("-", a, b) == REFERENCE.subtract(x, y)
    assert applied("*", a, b) == REFERENCE.multiply(x, y)
    assert applied("/", a, b) == (REFERENCE.divide(x, y) if y else None)


@given(NUMBERS | WHOLE, NUMBERS | WHOLE)
def test_comparisons_are_an_order(a: Decimal | int, b: Decimal | int) -> None:
    outcomes = [applied(operator, a, b) for operator in ("<", "=", ">")]
    assert outcomes.count(True) == 1
    assert outcomes.count(False) == 2
    assert applied("<=", a, b) is not applied(">", a, b)


@given(NUMBERS | WHOLE)
def test_a_number_survives_its_text(a: Decimal | int) -> None:
    assert compile("number(string(a)) = a").evaluate({"a": a}).value is True


@given(NUMBERS, NUMBERS.filter(bool))
def test_modulo_has_the_sign_of_the_divisor(a: Decimal, b: Decimal) -> None:
    rest = compile("modulo(a, b)").evaluate({"a": a, "b": b}).value
    assert rest == 0 or (rest < 0) is (b < 0)
    assert abs(rest) < abs(b)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("decimal(2.5, 0)", 2),
        ("decimal(3.5, 0)", 4),
        ("decimal(1, 6177)", None),
        ("round up(-5.5, 0)", -6),
        ("round half down(2.5, 0)", 2),
        ("floor(-1.56, 1)", Decimal("-1.6")),
        ("sqrt(16)", 4),
        ("sqrt(-1)", None),
        ("modulo(-12, 5)", 3),
        ('number("1.000,5", ".", ",")', Decimal("1000.5")),
        ("string(1.50)", "1.5"),
        ("stddev([2, 4, 7, 5]) > 2.08", True),
        ("median([1, 2, 3, 6])", Decimal("2.5")),
        ("floor(1556, -2)", 1500),
        ("ceiling(1556, -2)", 1600),
        ("round up(1234, -2)", 1300),
        ("round up(5.5, 1.9)", Decimal("5.5")),
        ("round up(1E-6176, 0)", 1),
        ("round up(5.5, 6176)", Decimal("5.5")),
        ("round up(5.5, 6177)", None),
        ("round up(5.5, -6111)", Decimal("1E6111")),
        ("round up(5.5, -6112)", None),
        ("floor(1.5, null)", None),
        ("decimal(1555, -1)", 1560),
        ("decimal(1565, -1)", 1560),
        ("string(ceiling(-0.5))", "0"),
        ("abs(-1E6144)", Decimal("1E6144")),
        ("modulo(10, 0)", None),
        ("modulo(0.1, 0.1)", 0),
        ("modulo(1E6144, 7)", 10**6144 % 7),
        ("modulo(1E6144, 3E-6176) < 3E-6176", True),
        ("even(1E6144)", True),
        ("odd(1E6144)", False),
        ("odd(2.5)", False),
        ("even(2.5)", False),
        ("odd(-1)", True),
        ("odd(5.0)", True),
        ("exp(14150)", None),
        ("exp(1E6144)", None),
        ("exp(-1E6144)", 0),
        ("log(0)", None),
        ("log(-1)", None),
        ("stddev([1])", None),
        ("stddev([2, 2])", 0),
        ("stddev([1E6144, -1E6144])", None),
        ("sum([1E6144, 9E6144])", None),
        ("sum([1, null])", None),
        ('sum([@"P1D", @"P1D"])', None),
        ("product([])", None),
        ("mode([])", []),
        ("mode([2, 1, 1.0, 2, 3])", [1, 2]),
        ("median([])", None),
        ('number("1e3", null, null)', 1000),
        ('number("1,000,000", ",", null)', 1000000),
        ('number("1E99999", null, null)', None),
        ('number("0x10", null, null)', None),
        ('number("NaN", null, null)', None),
        ('number("", null, null)', None),
        ('number("1,0", ",", ",")', None),
        ('number("1:0", ":", ".")', None),
        ('number("1")', 1),
        ("string(1E-7)", "0.0000001"),
        ("string(1E3)", "1000"),
        ("string(-0.0)", "0"),
    ],
)
def test_a_function_on_numbers_answers(text: str, expected: object) -> None:
    assert compile(text).evaluate({}).value == expected
