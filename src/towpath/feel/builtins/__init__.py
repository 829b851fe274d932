"""The standard library: one module per group of functions, all in the table ``STANDARD``."""

from . import contexts, conversions, lists, numbers, ranges, strings, temporals
from .signature import STANDARD, Builtin, builtin

__all__ = [
    "STANDARD",
    "Builtin",
    "builtin",
    "contexts",
    "conversions",
    "lists",
    "numbers",
    "ranges",
    "strings",
    "temporals",
]
