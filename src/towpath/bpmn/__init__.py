"""BPMN: reading, checking and compiling process models to an immutable executable graph.

:func:`read` takes the XML of a file and answers its executable processes as a graph of
:class:`Element` and :class:`Flow`, with every expression compiled, or raises
:class:`towpath.faults.Faulty` with all that is wrong. Nothing here executes.
"""

from towpath.bpmn.graph import (
    CaughtMessage,
    Definitions,
    Element,
    Flow,
    Process,
    Reference,
    Value,
)
from towpath.bpmn.reader import read

__all__ = [
    "CaughtMessage",
    "Definitions",
    "Element",
    "Flow",
    "Process",
    "Reference",
    "Value",
    "read",
]
