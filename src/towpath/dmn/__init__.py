"""DMN decision models: read, checked and evaluated with an audit.

``read`` makes a Model of a document or raises all that is wrong with it; ``read_file`` finds imported
models in the same folder, ``by_namespace`` among other documents. ``Model.evaluate`` answers a decision's
value together with how it came about; ``check`` looks for overlaps and gaps in its tables.
"""

from .checks import check
from .files import by_namespace, imported_by, read_file
from .findings import Finding
from .model import Decision, Evaluation, Model
from .reader import read

__all__ = [
    "Decision",
    "Evaluation",
    "Finding",
    "Model",
    "by_namespace",
    "check",
    "imported_by",
    "read",
    "read_file",
]
