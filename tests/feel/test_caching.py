"""What a compiled FEEL expression tells of itself, and what is kept of it."""

from towpath.feel import compile
from towpath.feel.syntax import Comparison, Literal, Name, OperatorTest, UnaryTests


def test_an_expression_keeps_its_syntax_tree() -> None:
    assert compile("a > 1", names=["a"]).node == Comparison(2, ">", Name(0, "a"), Literal(4, 1))


def test_unary_tests_keep_theirs() -> None:
    node = compile("< 5", dialect="unary-tests").node
    assert node == UnaryTests(0, (OperatorTest(0, "<", Literal(2, 5)),))
