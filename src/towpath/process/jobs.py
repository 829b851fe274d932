"""Workers that ask for jobs, and how jobs are shared among them.

A request waits in memory until a job of its type is there; it is then served in the transaction that offers
the job, or in the next one. Types that have nothing to offer are remembered, so that waiting costs no query.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from towpath.storage.store import ActivatedRow
from towpath.storage.tables import RELEASE_JOB, RELEASE_JOBS_OF
from towpath.wire import LOCAL_WORKER

if TYPE_CHECKING:
    from towpath.process.batch import Batch, Work

EVERY_TYPE = "*"  # in a set of offered types: any type may have been offered


class ActivatedJob(NamedTuple):
    """``variables``: JSON of all that is visible from the job's element, when it was taken."""

    row: ActivatedRow
    variables: bytes


@dataclass(eq=False, slots=True)
class JobRequest:
    """``once``: answer with what there is now, be it nothing."""

    type: str
    count: int
    timeout: int  # ms that the worker has
    worker: str
    once: bool
    future: asyncio.Future[list[ActivatedJob]]


@dataclass(slots=True)
class Assigned:
    """What a request got. ``deadline`` is when its lock ends."""

    request: JobRequest
    jobs: list[ActivatedJob] = field(default_factory=list)
    error: Exception | None = None


class JobDesk:
    """Requests in the order in which they came; whoever was served asks again behind the others."""

    def __init__(self) -> None:
        self._waiting: dict[JobRequest, None] = {}
        self._types: dict[str, int] = {}
        self._empty: set[str] = set()

    def ask(self, request: JobRequest) -> None:
        self._waiting[request] = None
        self._types[request.type] = self._types.get(request.type, 0) + 1

    def withdraw(self, request: JobRequest) -> None:
        if request in self._waiting:
            del self._waiting[request]
            left = self._types[request.type] - 1
            if left:
                self._types[request.type] = left
            else:
                del self._types[request.type]

    def hopeful(self) -> bool:
        """Some request may be served."""
        return any(type_ not in self._empty for type_ in self._types) or any(
            request.once for request in self._waiting
        )

    def waiting(self) -> list[JobRequest]:
        return list(self._waiting)

    def close(self) -> None:
        """Send everybody away with nothing."""
        for request in self.waiting():
            self.withdraw(request)
            if not request.future.done():
                request.future.set_result([])

    def assign(self, batch: Batch, requests: Iterable[JobRequest]) -> list[Assigned]:
        """On the writer's thread, before its commit: give jobs to requests."""
        told, now = batch.told, batch.now
        assigned: list[Assigned] = []
        exhausted: set[str] = set()
        for request in requests:
            hope = (
                request.type not in self._empty or request.type in told.offered or EVERY_TYPE in told.offered
            ) and request.type not in exhausted
            # Who does not wait is answered in any case, be it with nothing.
            if request.future.done() or not (hope or request.once):
                continue
            deadline = now + request.timeout
            rows = batch.session.activate_jobs(
                batch.b, request.type, request.count, worker=request.worker, deadline=deadline
            )
            if rows:
                batch.prefetch({row.instance_key for row in rows})
                told.due(deadline)
            if len(rows) < request.count:
                exhausted.add(request.type)
            assigned.append(Assigned(request, [ActivatedJob(row, batch.visible(row)) for row in rows]))
        return assigned

    def deliver(self, assigned: Iterable[Assigned], offered: set[str]) -> list[int]:
        """After the commit: answer requests. Gives the keys of jobs that nobody waits for any more."""
        unwanted: list[int] = []
        if EVERY_TYPE in offered:
            self._empty.clear()
        else:
            self._empty -= offered
        for one in assigned:
            request = one.request
            if one.error is None and len(one.jobs) < request.count:
                self._empty.add(request.type)
            if not one.jobs and not request.once and one.error is None:
                continue
            if request.future.done():  # the worker hung up meanwhile
                unwanted += [job.row.key for job in one.jobs]
            elif one.error is not None:
                request.future.set_exception(one.error)
            else:
                request.future.set_result(one.jobs)
            self.withdraw(request)
        return unwanted

    @staticmethod
    def release(keys: list[int], work: Work) -> None:
        """Offer jobs again whose worker did not wait for them."""
        for key in keys:
            work.changes.update(RELEASE_JOB, work.now, work.b, key)
        work.told.offered.add(EVERY_TYPE)

    @staticmethod
    def release_local(work: Work) -> None:
        """Offer again what workers of this process had: at its start, those of its last life are gone."""
        work.changes.update(RELEASE_JOBS_OF, work.now, work.b, f"%{LOCAL_WORKER}")
        work.told.offered.add(EVERY_TYPE)
