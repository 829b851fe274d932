"""Compiled expressions, and the cache of them."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from .builtins import STANDARD
from .compilation import FIRST_SLOT
from .compiler import Compiler
from .convert import clock, from_json, to_python
from .errors import FeelLimitError, FeelSyntaxError, Warning
from .generation import Evaluated, generated
from .names import NameTable
from .parser import Parser
from .runtime import DEFAULT_LIMITS, Limits, Runtime
from .temporal import DateTime
from .types import Type

Dialect = Literal["expression", "unary-tests"]

_BUILTIN_NAMES = NameTable(STANDARD)
# Runs as closures that cost about what making the function does (bench/feel.py).
COLD_RUNS = 100
_serial = itertools.count()
_NO_TYPES: Mapping[str, Type] = {}


class Result(NamedTuple):
    """``value`` is FEEL's own (see ``to_json``); ``warnings`` say why parts of it are null."""

    value: Any
    warnings: tuple[Warning, ...]


class Expression:
    """A compiled text. Its answers never change, and it is safe to share among threads.

    ``node`` is its syntax tree. ``names`` are the variables that it may read: not what the text binds
    itself, nor built-in functions (save where a variable of that name is in scope, and hides it); ``reads``
    are all names that it looks up. Unless ``asks_time``, it does not need to know the time.

    It runs as closures first. When it has run often, a Python function is made of it (see ``generation``),
    with the same values, warnings, steps and limits; only Python's own stack, which the caller shares,
    lasts longer in the function.
    """

    __slots__ = (
        "_cold",
        "_hot",
        "_run",
        "_shadowing",
        "_size",
        "asks_time",
        "dialect",
        "names",
        "node",
        "reads",
        "text",
    )

    def __init__(
        self,
        text: str,
        names: Iterable[str],
        dialect: Dialect,
        *,
        types: Mapping[str, Type] = _NO_TYPES,
        vocabulary: Iterable[str] = (),
        cold_runs: int | None = None,
    ) -> None:
        """Compile ``text``; see ``compile``.

        ``types`` are named types for ``instance of``; ``vocabulary`` are names that values may have
        inside (a model's components), which the parser shall know but which bind nothing. After
        ``cold_runs`` runs it is made a Python function; the default is COLD_RUNS and some more.
        """
        known = tuple(names)
        shadowing = frozenset(name for name in known if name in STANDARD)
        try:
            parser = Parser(text, (*known, *vocabulary), _BUILTIN_NAMES, types)
            node = parser.parse_unary_tests() if dialect == "unary-tests" else parser.parse_expression()
            compiler = Compiler(text, STANDARD, shadowing)
            self._run = compiler.compile(node)
        except RecursionError:
            raise FeelSyntaxError("nested too deeply", 1, 1, (), text) from None
        self._size = compiler.size - FIRST_SLOT
        self.text = text
        self.asks_time = "now" in text or "today" in text
        self.dialect = dialect
        self.node = node
        self.reads = frozenset(compiler.free)
        self.names = frozenset(
            name for name in self.reads if name != "?" and (name not in STANDARD or name in shadowing)
        )
        self._shadowing = shadowing
        self._hot: Evaluated | None = None
        # Not all at the same run: the cells of a large table run together.
        runs = COLD_RUNS + next(_serial) % (COLD_RUNS or 1) if cold_runs is None else cold_runs
        self._cold = itertools.repeat(True, runs)

    @property
    def hot(self) -> bool:
        """Whether it has become a function."""
        return self._hot is not None

    def evaluate(
        self,
        variables: Mapping[str, Any],
        *,
        now: dt.datetime | int | DateTime | None = None,
        limits: Limits = DEFAULT_LIMITS,
        source: random.Random | None = None,
    ) -> Result:
        """Evaluate with variables that are JSON, Python or FEEL values.

        ``now`` is what ``now()`` answers (an int is ms since the epoch), ``source`` what ``uuid()``
        and ``random number()`` draw from; without them these are null. Raises FeelLimitError.
        """
        runtime = Runtime(clock(now), limits, source)
        runtime.known = variables.keys()
        converted = {name: from_json(variables[name]) for name in self.reads if name in variables}
        return Result(self.run(runtime, converted), tuple(runtime.warnings))

    def run(self, runtime: Runtime, variables: Mapping[str, Any]) -> Any:
        """The value, for FEEL values in ``variables`` and within an evaluation that is under way."""
        hot = self._hot
        try:
            if hot is not None or (not next(self._cold, False) and (hot := self._heated()) is not None):
                return hot(runtime, variables)
            return self._run([runtime, variables, *[None] * self._size])
        except RecursionError:
            raise FeelLimitError("the evaluation is nested too deeply") from None

    def _heated(self) -> Evaluated | None:
        """The Python function; None where there can be none, and then nobody asks again.

        Threads that come here at once make the same function twice, at no harm.
        """
        self._hot = generated(self.text, self.node, STANDARD, self._shadowing)
        if self._hot is None:
            self._cold = itertools.repeat(True)
        return self._hot

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@lru_cache(maxsize=8192)
def _cached(text: str, names: frozenset[str], dialect: Dialect) -> Expression:
    return Expression(text, names, dialect)


def compile(text: str, *, names: Iterable[str] = (), dialect: Dialect = "expression") -> Expression:
    """Compile a FEEL expression, or unary tests (whose input is the variable ``?``).

    ``names`` are the variables in scope: a name with symbols (``first-name``) is only read as one
    name where it is listed; words in a row are one name anyway. Raises FeelSyntaxError. Cached.
    """
    return _cached(text, frozenset(names), dialect)


def evaluate(
    text: str,
    variables: Mapping[str, Any] | None = None,
    *,
    now: dt.datetime | int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Any:
    """The value of an expression as Python values: int or Decimal, str, bool, list, dict, datetime."""
    given = variables or {}
    result = compile(text, names=given).evaluate(given, now=now, limits=limits)
    return to_python(result.value)
