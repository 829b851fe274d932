"""The standard library: one module per group of functions, all in the table ``STANDARD``."""

from .signature import STANDARD, Builtin, builtin

__all__ = ["STANDARD", "Builtin", "builtin"]
