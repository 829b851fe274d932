"""The client of the process server: in-process or HTTP, one interface.

:class:`ProcessClient` is what the other boxes know. The process server itself is one (in-process);
:class:`HttpProcessClient` speaks to one over HTTP. :func:`worker` and :class:`WorkerPool` run job
workers on either.
"""

from towpath.client.api import ProcessClient
from towpath.client.http import HttpProcessClient
from towpath.client.pool import WorkerPool
from towpath.client.worker import BpmnError, JobFailed, Worker, collect_workers, worker
from towpath.wire import Job

__all__ = [
    "BpmnError",
    "HttpProcessClient",
    "Job",
    "JobFailed",
    "ProcessClient",
    "Worker",
    "WorkerPool",
    "collect_workers",
    "worker",
]
