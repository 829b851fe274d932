"""The second stage of an expression that runs often: a Python function made from its syntax tree.

The function is written as source (``source`` holds its lines; one module per group of nodes writes them),
compiled by Python once, and means what the closures mean: it takes the cases that are common and quick
itself and leaves all others to ``feel.answers`` and ``feel.operators``, which the closures call too. No part
of a FEEL text is ever part of the source: strings, numbers, names and types are constants bound by name.
"""

from .generator import Evaluated, generated, written

__all__ = ["Evaluated", "generated", "written"]
