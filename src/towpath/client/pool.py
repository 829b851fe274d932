"""Runs workers: polls for jobs, calls the functions, reports what came of it."""

from __future__ import annotations

import asyncio
import contextvars
import random
import socket
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import structlog
from prometheus_client import Histogram

from towpath.client.api import ProcessClient
from towpath.client.http import HttpProcessClient
from towpath.client.worker import BpmnError, JobFailed, Worker
from towpath.wire import LOCAL_WORKER, ActivateJobs, Job, JobError, JobFailure, ProcessError

LONG_POLL = 20_000  # ms that the server may keep a poll open while there is no job
GRACE = 15.0  # seconds that work in flight gets when the pool ends
FIRST_PAUSE = 0.1  # seconds after the first failed call; doubled up to
LONGEST_PAUSE = 10.0
MAX_THREADS = 64
MESSAGE_LIMIT = 4_000  # characters of an error message kept with the job

TEMPORARY = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL"})
SETTLED = frozenset({"NOT_FOUND", "INVALID_STATE"})  # the job ended otherwise: canceled, or done by another

JOBS = Histogram(
    "towpath_worker_job_seconds",
    "Time that a worker spent on a job.",
    ["type", "outcome"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300),
)
log = structlog.get_logger()


class WorkerPool:
    """The workers of one program on one process server.

    Each type has one long poll open while it has room for more jobs. Functions that are not async run in
    threads. A job that comes again while it still runs here is not started a second time. ``grace``:
    seconds that work in flight gets when :meth:`run` is cancelled; what is unfinished then is
    offered to other workers after the job's timeout.
    """

    def __init__(
        self,
        client: ProcessClient,
        workers: Sequence[Worker],
        *,
        name: str | None = None,
        grace: float = GRACE,
        long_poll: int = LONG_POLL,
    ) -> None:
        types = [worker.type for worker in workers]
        twice = sorted({type_ for type_ in types if types.count(type_) > 1})
        if twice:
            places = ", ".join(f"{w.file}:{w.line}" for w in workers if w.type in twice)
            raise ValueError(f"Several workers serve the job type {twice[0]!r}: {places}.")
        self.client = client
        self.workers = list(workers)
        remote = isinstance(client, HttpProcessClient)
        self.name = (name or socket.gethostname()) + ("" if remote else LOCAL_WORKER)
        self.waiting: str | None = None
        """Why no jobs come (the server's refusal), for ``/health/ready``; None where all is well."""
        self._grace = grace
        self._long_poll = long_poll
        self._running: dict[str, asyncio.Task[None]] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def run(self) -> None:
        """Work until cancelled. Then no new jobs are taken, and those in flight are finished."""
        blocking = sum(worker.max_jobs for worker in self.workers if not worker.is_async)
        if blocking:
            self._threads = ThreadPoolExecutor(min(blocking, MAX_THREADS), thread_name_prefix="worker")
        polls = [asyncio.create_task(self._serve(worker), name=worker.type) for worker in self.workers]
        try:
            await asyncio.gather(*polls) if polls else await asyncio.Event().wait()
        finally:
            for poll in polls:
                poll.cancel()
            await asyncio.gather(*polls, return_exceptions=True)
            await self._finish()

    async def _finish(self) -> None:
        running = list(self._running.values())
        if running:
            log.info("finishing jobs", jobs=len(running), grace=self._grace)
            _, late = await asyncio.wait(running, timeout=self._grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, worker: Worker) -> None:
        room = asyncio.Semaphore(worker.max_jobs)
        pause = FIRST_PAUSE
        while True:
            free = await _take_all(room)
            try:
                jobs = await self.client.activate_jobs(
                    ActivateJobs(
                        type=worker.type,
                        worker=self.name,
                        timeout=int(worker.timeout * 1000),
                        max_jobs_to_activate=free,
                        fetch_variable=worker.fetches,
                        request_timeout=self._long_poll,
                    )
                )
            except ProcessError as error:
                _give(room, free)
                if error.code == "DEADLINE_EXCEEDED":
                    # A long poll that found nothing; or a proxy that says so at once, again and again.
                    await asyncio.sleep(_jittered(FIRST_PAUSE))
                    continue
                self.waiting = f"No jobs of type {worker.type!r}: {error.detail}"
                log.warning("polling failed", type=worker.type, code=error.code, detail=error.detail)
                # A refusal that is not temporary (a token without the role) may be mended while we run.
                await asyncio.sleep(_jittered(pause if error.code in TEMPORARY else LONGEST_PAUSE))
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            except Exception as error:  # a fault of an in-process server must not end the pool
                _give(room, free)
                self.waiting = f"No jobs of type {worker.type!r}: {error}"
                log.exception("polling failed", type=worker.type)
                await asyncio.sleep(_jittered(LONGEST_PAUSE))
                continue
            pause, self.waiting = FIRST_PAUSE, None
            fresh = [job for job in jobs if job.job_key not in self._running]
            _give(room, max(free - len(fresh), 0))
            for job in fresh:
                task = asyncio.create_task(self._work(worker, job), name=f"{worker.type} {job.job_key}")
                self._running[job.job_key] = task
                task.add_done_callback(lambda _, key=job.job_key: self._done(key, room))  # type: ignore[misc]

    def _done(self, key: str, room: asyncio.Semaphore) -> None:
        self._running.pop(key, None)
        room.release()

    async def _work(self, worker: Worker, job: Job) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        until = begun + worker.timeout
        outcome = "completed"
        try:
            variables = worker.result(await self._call(worker, job))
            msgspec.json.encode(variables)  # a value that is not JSON fails this job here, with its reason
        except BpmnError as error:
            outcome = "error-thrown"
            thrown = JobError(error_code=error.code, error_message=error.message, variables=error.variables)
            await self._report(worker, job, until, thrown)
        except JobFailed as error:
            outcome = "failed"
            await self._report(worker, job, until, _failure(worker, job, error))
        except Exception as error:
            outcome = "failed"
            log.exception("worker failed", type=worker.type, job=job.job_key, element=job.element_id)
            await self._report(worker, job, until, _failure(worker, job, JobFailed(_describe(error))))
        else:
            await self._report(worker, job, until, variables)
        finally:
            JOBS.labels(worker.type, outcome).observe(loop.time() - begun)

    async def _call(self, worker: Worker, job: Job) -> Any:
        arguments = worker.arguments(job)
        if worker.is_async:
            return await worker.function(**arguments)
        context = contextvars.copy_context()
        call = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(worker.function, **arguments)
        )
        found = await call
        return await found if asyncio.iscoroutine(found) else found  # a partial of an async function

    async def _report(
        self, worker: Worker, job: Job, until: float, result: dict[str, Any] | JobFailure | JobError
    ) -> None:
        """Tell the server, again and again while it cannot be reached and the job is still ours."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._tell(job, result)
            except ProcessError as error:
                if error.code in SETTLED:
                    log.info("job settled elsewhere", type=worker.type, job=job.job_key, detail=error.detail)
                    return
                if error.code == "INVALID_ARGUMENT" and not isinstance(result, JobFailure):
                    # The server did not take the result: that is this job's failure, not the pool's.
                    refused = JobFailed(f"The result was refused: {error.detail}", retries=0)
                    result = _failure(worker, job, refused)
                    continue
                if asyncio.get_running_loop().time() + pause > until:
                    log.error("result lost", type=worker.type, job=job.job_key, detail=error.detail)
                    return
                await asyncio.sleep(_jittered(pause))
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return

    async def _tell(self, job: Job, result: dict[str, Any] | JobFailure | JobError) -> None:
        match result:
            case JobFailure():
                await self.client.fail_job(job.job_key, result)
            case JobError():
                await self.client.throw_job_error(job.job_key, result)
            case _:
                await self.client.complete_job(job.job_key, result)


def _failure(worker: Worker, job: Job, error: JobFailed) -> JobFailure:
    retries = max(job.retries - 1, 0) if error.retries is None else error.retries
    delay = worker.delay(job) if error.backoff is None else error.backoff
    return JobFailure(
        retries=retries,
        error_message=error.message[:MESSAGE_LIMIT],
        retry_back_off=int(delay * 1000) if retries else 0,
        variables=error.variables,
    )


def _describe(error: Exception) -> str:
    """The exception and where it was raised, for the operator who reads the incident."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


async def _take_all(room: asyncio.Semaphore) -> int:
    """Wait for a place, then take every free one."""
    await room.acquire()
    taken = 1
    while not room.locked():
        await room.acquire()  # does not wait: it is not locked
        taken += 1
    return taken


def _give(room: asyncio.Semaphore, places: int) -> None:
    for _ in range(places):
        room.release()


def _jittered(seconds: float) -> float:
    """Spread, so that a server that comes back is not met by everybody at once."""
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
