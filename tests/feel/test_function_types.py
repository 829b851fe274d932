"""What ``instance of`` says of functions: parameters are contravariant, results covariant."""

import pytest

from towpath.feel import evaluate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(function(a: number) a + 1) instance of function<number>->number", True),
        ("(function(a: number) a + 1) instance of function<number>->string", False),
        ("(function(a: number) a + 1) instance of function<number>->Any", True),
        ("(function(a: number) a + 1) instance of function<number, number>->number", False),
        ("(function(a: Any) 1) instance of function<number>->number", True),
        ("(function(a: string) 1) instance of function<number>->number", False),
        ('(function() "x") instance of function<>->number', False),
        ('(function() "x") instance of function<>->string', True),
        ("(function() null) instance of function<>->string", True),
        ("(function(a) a) instance of function<number>->number", True),
        ("(function(a: date) [a, null]) instance of function<date>->list<date>", True),
        ("(function(a: date) [a, null]) instance of function<date>->list<number>", False),
        ("(function(a) [a]) instance of function<number>->list<number>", True),
        ("(function(a) [a]) instance of function<number>->number", False),
        ("(function() {a: 1, b: a > 0}) instance of function<>->context<b: boolean>", True),
        ("(function() {a: 1, b: a > 0}) instance of function<>->context<b: number>", False),
        ("(function(a: number) if a > 0 then a else null) instance of function<number>->number", True),
        ("(function(a: number) [a..10]) instance of function<number>->range<number>", True),
        ("(function(a: number) (< a)) instance of function<number>->range<string>", False),
        ("(function() function(b: number) b > 1) instance of function<>->function<number>->boolean", True),
        ("(function() function(b: number) b > 1) instance of function<>->function<number>->string", False),
        (
            "(function(a: list<date>) for x in a return x) instance of function<list<date>>->list<date>",
            True,
        ),
        ("(function() -1) instance of function<>->boolean", False),
        ("(function() 1) instance of function", True),
        ("1 instance of function<>->Any", False),
        ("sqrt instance of function<number>->number", True),
        ("sqrt instance of function<number>->string", False),
        ("sqrt instance of function<string>->number", False),
        ("upper case instance of function<string>->string", True),
        ("split instance of function<string, string>->list<string>", True),
        ("split instance of function<string, string>->string", False),
        ("context instance of function<list<Any>>->context<a: number>", True),
        ("min instance of function<list<number>>->number", True),
        ("not instance of function<boolean>->boolean", True),
    ],
)
def test_a_function_is_of_a_type_where_it_takes_what_the_type_passes_and_answers_what_it_promises(
    text: str, expected: bool
) -> None:
    assert evaluate(text) is expected
