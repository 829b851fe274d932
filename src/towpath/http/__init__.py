"""What every HTTP service of ours shares: problem details, identity, health, metrics, serving."""

from towpath.http.app import create_service, listen, serving
from towpath.http.identity import ON_BEHALF_OF, caller, identify, on_behalf_of, requires
from towpath.http.problem import Problem, as_problem

__all__ = [
    "ON_BEHALF_OF",
    "Problem",
    "as_problem",
    "caller",
    "create_service",
    "identify",
    "listen",
    "on_behalf_of",
    "requires",
    "serving",
]
