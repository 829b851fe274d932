"""A solution: the folder a team keeps in git, read, checked and run.

:func:`read` gives a :class:`Solution` or every fault of it; :func:`running` runs the whole blueprint on it in
this process; :func:`one_service` runs one service of it.
"""

from towpath.solution.backends import BackendError
from towpath.solution.blueprint import Options, Progress, Running, running
from towpath.solution.one import one_service
from towpath.solution.solution import Solution, read

__all__ = ["BackendError", "Options", "Progress", "Running", "Solution", "one_service", "read", "running"]
