"""Operators where FEEL's numbers and types end."""

import pytest

from towpath.feel import compile


def asked(text: str) -> tuple[object, list[str]]:
    result = compile(text).evaluate({})
    return result.value, [warning.message for warning in result.warnings]


@pytest.mark.parametrize("text", ["0 ** -1", "0 ** -0.5", "0.0 ** -3", "1 / 0", "0 / 0"])
def test_there_is_no_infinity(text: str) -> None:
    assert asked(text) == (None, ["division by zero"])


def test_powers_of_whole_numbers_are_exact_while_they_fit_in_34_digits() -> None:
    assert asked("3 ** 70 - 3 ** 70 + 1")[0] == 1
    assert asked("2 ** 112")[0] == 2**112
    assert asked("10 ** 40")[0] == 10**40


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 instance of integer", "there is no type 'integer', did you mean 'number'?"),
        ("[] instance of list<strng>", "there is no type 'strng', did you mean 'string'?"),
        (
            "{} instance of context<a: duration>",
            "there is no type 'duration', did you mean 'days and time duration'?",
        ),
        ("abs instance of function<number>->tOrder", "there is no type 'tOrder'"),
    ],
)
def test_a_question_about_a_type_that_does_not_exist_is_null(text: str, reason: str) -> None:
    assert asked(text) == (None, [reason])


def test_an_argument_of_a_type_that_does_not_exist_makes_the_call_null() -> None:
    value, reasons = asked("(function(x: int) x)(1)")
    assert value is None
    assert reasons == ["the argument 'x' is null: there is no type 'int', did you mean 'number'?"]
