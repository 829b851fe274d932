"""From a syntax tree to a Python function."""

from __future__ import annotations

import builtins as python
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException
from itertools import islice
from typing import Any, cast

from .. import answers, iteration
from .. import syntax as ast
from ..builtins.signature import Misfit
from ..costs import LARGE, is_short, paid
from ..errors import Unanswerable
from ..externals import external_function
from ..functions import DefinedFunction
from ..operators import compare, contains
from ..properties import property_of
from ..runtime import Runtime
from ..temporal import Date, DateTime, DaysTime, Time, YearsMonths
from ..types import is_instance
from ..values import INT_LIMIT, Function, Range
from .invocations import Invocations
from .iterations import Iterations
from .numbers import NUMBERS
from .operators import Operators
from .structures import Structures
from .unary_tests import Tests

MAX_NODES = 1_000  # of a tree that is worth the time that Python takes to compile it

Evaluated = Callable[[Runtime, Mapping[str, Any]], Any]

# All that generated code may name, beside its own names and constants (a letter and a number).
_NAMES: Mapping[str, Any] = {
    "__builtins__": {},
    **{
        kind.__name__: kind
        for kind in (bool, dict, int, list, str, Decimal, Range, Function, DefinedFunction)
    },
    **{kind.__name__: kind for kind in (Date, DateTime, Time, DaysTime, YearsMonths)},
    **{called.__name__: called for called in (isinstance, len, type)},
    **{called.__name__: called for called in (compare, contains, external_function, is_instance)},
    **{
        name: getattr(answers, name)
        for name in (
            "absent",
            "at_index",
            "between",
            "closed_range",
            "comparison",
            "entry",
            "equality",
            "invocation",
            "judgement",
            "membership",
            "named_invocation",
            "negative",
            "open_range",
            "unanswered",
            "uncallable",
            "undecided",
            "unfiltered",
        )
    },
    **NUMBERS,
    "property_of": property_of,
    "domain": iteration.domain,
    "steps": iteration.steps,
    **{error.__name__: error for error in (DecimalException, KeyError, Misfit, Unanswerable)},
    "LEAST": -INT_LIMIT,
    "MOST": INT_LIMIT,
    "LARGE": LARGE,
    "is_short": is_short,
    "paid": paid,
    "NOTHING": (None,),
}


class Generator(Operators, Tests, Structures, Iterations, Invocations):
    """Writes the function of one text."""


def written(
    text: str, node: ast.Node, builtins: Mapping[str, Function], shadowing: frozenset[str]
) -> tuple[str, Mapping[str, Any]]:
    """The source of a function named ``evaluated``, and the constants that it needs."""
    generator = Generator(text, builtins, shadowing)
    with generator.block("def evaluated(R, V)"):
        generator.line(f"return {generator.value(node).atom}")
    return "\n".join(generator.lines), generator.constants


def generated(
    text: str, node: ast.Node, builtins: Mapping[str, Function], shadowing: frozenset[str]
) -> Evaluated | None:
    """The function of a text; None where the tree is too large, or too deep for Python's own compiler.

    It takes the Runtime and the variables (FEEL values by name) and answers a FEEL value.
    """
    if _is_large(node):
        return None
    try:
        source, constants = written(text, node, builtins, shadowing)
        namespace = {**_NAMES, **constants}
        exec(python.compile(source, "<feel>", "exec"), namespace)  # noqa: S102 (no user's text is in it)
    except (MemoryError, RecursionError, SyntaxError):
        return None
    return cast(Evaluated, namespace["evaluated"])


def _is_large(node: ast.Node) -> bool:
    return next(islice(ast.walk(node), MAX_NODES, None), None) is not None
