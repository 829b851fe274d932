"""FEEL, the expression language of DMN and BPMN; usable alone.

``compile`` turns text into an Expression once; ``Expression.evaluate`` answers a value and the
reasons for every null in it. ``evaluate`` is both in one call, with Python values. The language is
that of DMN 1.5, with the functions that Camunda's modellers use; see docs/feel.md.
"""

from .convert import clock, from_json, to_json, to_python
from .errors import FeelError, FeelLimitError, FeelSyntaxError, Warning
from .expression import Expression, Result, compile, evaluate
from .printer import format, unparse
from .runtime import Limits, Runtime
from .temporal import (
    Date,
    DateTime,
    DaysTime,
    Time,
    YearsMonths,
    add_duration,
    parse_date_time,
    parse_duration,
)
from .values import Function, Range

__all__ = [
    "Date",
    "DateTime",
    "DaysTime",
    "Expression",
    "FeelError",
    "FeelLimitError",
    "FeelSyntaxError",
    "Function",
    "Limits",
    "Range",
    "Result",
    "Runtime",
    "Time",
    "Warning",
    "YearsMonths",
    "add_duration",
    "clock",
    "compile",
    "evaluate",
    "format",
    "from_json",
    "parse_date_time",
    "parse_duration",
    "to_json",
    "to_python",
    "unparse",
]
