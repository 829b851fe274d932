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
    ],
)
def test_a_function_on_numbers_answers(text: str, expected: object) -> None:
    assert compile(text).evaluate({}).value == expected
