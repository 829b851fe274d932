"""The host: one queue, one transaction for whatever came in during the last commit, answers after it.

Commands of callers, timers and workers become operations in one queue. A batch of them runs on the writer's
thread; while it commits, the next one gathers. An operation that raises fails alone; where the database
refuses a whole batch, it is halved until what it refuses is found.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec
import structlog

from towpath.engine import StartTimer, next_start
from towpath.engine.commands import (
    CreateInstance,
    ExpireMessages,
    TriggerTimer,
)
from towpath.process.batch import Batch, Ended, KeyBlock, Operation, SnapshotCache, Told, Work
from towpath.process.clock import Clock
from towpath.process.jobs import Assigned, JobDesk, JobRequest
from towpath.process.models import Registry
from towpath.process.settings import ProcessSettings
from towpath.process.signals import Distribute, Later, distribute
from towpath.process.values import exact
from towpath.storage.store import Store, StoreError, TimerRow
from towpath.storage.tables import PENDING, POSTPONE_TIMER, TIMER
from towpath.wire import ProcessError

log = structlog.get_logger()

T = TypeVar("T")

DUE_AT_ONCE = 500  # timers carried out before the next look
POSTPONED = 10_000  # ms until a timer that could not be carried out is tried again
RETENTION_PAUSE = 3_600_000  # ms between two looks for events that are too old
FAILED_PAUSE = 0.5  # seconds before a loop that failed goes on
FORGOTTEN_AT_ONCE = 5_000  # rows of the feed dropped in one transaction


class _Asked:
    """An operation with the future of whoever asked; None where nobody waits."""

    __slots__ = ("future", "operation")

    def __init__(self, operation: Operation[Any], future: asyncio.Future[Any]) -> None:
        self.operation = operation
        self.future = future


class _Done:
    """What came of a batch: an answer or an exception for each operation, and what else to tell."""

    def __init__(self) -> None:
        self.answers: list[tuple[_Asked, Any, BaseException | None]] = []
        self.told = Told()
        self.assigned: list[Assigned] = []


class Host:
    """Carries out operations on the store's bucket, and what time brings."""

    def __init__(self, store: Store, registry: Registry, settings: ProcessSettings, clock: Clock) -> None:
        self.store = store
        self.registry = registry
        self.settings = settings
        self.clock = clock
        self.desk = JobDesk()
        self._b = store.buckets[0]
        self._keys = KeyBlock(self._b)
        self._cache = SnapshotCache(settings.cache)
        self._queue: deque[_Asked] = deque()
        self._accepted = 0
        self._wake = asyncio.Event()
        self._time = asyncio.Event()
        self._next_due: int | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="towpath-writer")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="towpath-reader")
        self._watchers: dict[int, list[asyncio.Future[Ended]]] = {}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._carrying = False

    # --- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what is left from before, and begin."""
        left = await self.read(lambda session: session.pending(self._b, 1_000_000))
        for key, data in left:
            self._follow_up(key, msgspec.convert(exact(data), Later))
        self._tasks = [
            asyncio.create_task(_steadily(loop), name=f"towpath-{loop.__name__.strip('_')}")
            for loop in (self._batches, self._timers, self._retention)
        ]
        self._background(JobDesk.release_local)

    async def stop(self) -> None:
        """Refuse what is new, finish what was accepted, and end."""
        self._closing = True
        self.desk.close()
        self._news.set()
        while self._queue or self._accepted or self._carrying:
            self._wake.set()
            await asyncio.sleep(0.001)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._writer.shutdown()
        self._readers.shutdown()

    # --- for callers ---------------------------------------------------------------------------

    async def run(self, operation: Operation[T]) -> T:
        """The operation's result, once it is committed.

        Raises what the operation raises, and ProcessError RESOURCE_EXHAUSTED at once where too much
        is under way.
        """
        if self._closing:
            raise ProcessError("UNAVAILABLE", "The process server is shutting down.")
        if self._accepted >= self.settings.in_flight:
            raise ProcessError(
                "RESOURCE_EXHAUSTED",
                f"{self._accepted} commands are under way; send this one again after a pause.",
            )
        return await self._submit(operation)

    async def read(self, query: Any) -> Any:
        """``query(session)`` on a reader's thread."""
        loop = asyncio.get_running_loop()

        def look() -> Any:
            with self.store.reading() as session:
                return query(session)

        return await loop.run_in_executor(self._readers, look)

    def ask_for_jobs(self, request: JobRequest) -> None:
        """Queue a worker's request; its future is answered, or withdrawn by whoever gives up."""
        if self._closing:
            request.future.set_result([])
            return
        self.desk.ask(request)
        self._wake.set()

    def take_back(self, request: JobRequest) -> None:
        """Offer again what a request got whose worker hung up before it heard of it."""
        future = request.future
        if future.done() and not future.cancelled() and future.exception() is None and future.result():
            self._background(partial(JobDesk.release, [job.row.key for job in future.result()]))

    @property
    def closing(self) -> bool:
        return self._closing

    def news(self) -> asyncio.Event:
        """Set when the feed has more; a new one each time."""
        return self._news

    def _watch(self, instance_key: int, future: asyncio.Future[Ended]) -> None:
        self._watchers.setdefault(instance_key, []).append(future)
        future.add_done_callback(lambda done: self._unwatch(instance_key, done))

    def _unwatch(self, instance_key: int, future: asyncio.Future[Ended]) -> None:
        waiting = self._watchers.get(instance_key)
        if waiting is not None and future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._watchers[instance_key]

    # --- batches -------------------------------------------------------------------------------

    def _submit(self, operation: Operation[T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._accepted += 1
        self._queue.append(_Asked(operation, future))
        self._wake.set()
        return future

    def _background(self, operation: Operation[Any]) -> None:
        """Something that nobody waits for; a failure is told to the log."""
        self._submit(operation).add_done_callback(_log_failure)

    def _follow_up(self, key: int, command: Later) -> None:
        """Carry out a follow-up command that is kept; where it fails, try it again after a pause."""
        if self._closing:
            return  # the next start takes it up

        def ended(future: asyncio.Future[Any]) -> None:
            _log_failure(future)
            if not future.cancelled() and future.exception() is not None:
                asyncio.get_running_loop().call_later(POSTPONED / 1000, self._follow_up, key, command)

        self._submit(partial(_continue, key, command)).add_done_callback(ended)

    async def _batches(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue or self.desk.hopeful():
                size = min(len(self._queue), self.settings.batch)
                asked = [self._queue.popleft() for _ in range(size)]
                requests = self.desk.waiting()
                now = self.clock.now()
                self._carrying = True
                try:
                    done = await loop.run_in_executor(self._writer, self._carry_out, asked, requests, now)
                    self._answer(done, len(asked))
                finally:
                    self._carrying = False

    def _carry_out(self, asked: list[_Asked], requests: Any, now: int) -> _Done:
        """On the writer's thread: one transaction, or several where the database refuses one."""
        done = _Done()
        try:
            with self.store.transaction() as session:
                batch = Batch(session, self._keys, self.registry, self._cache, now, self.settings.follow_ups)
                for one in asked:
                    try:
                        done.answers.append((one, batch.run(one.operation), None))
                    except StoreError:
                        raise
                    except Exception as error:
                        done.answers.append((one, None, error))
                batch.flush()
                done.assigned = self.desk.assign(batch, requests)
        except Exception as error:
            self._keys.forget()
            return self._halved(asked, requests, now, error)
        try:
            batch.committed()
        except Exception as error:  # it is committed all the same, and whoever asked has to hear of it
            log.critical("a commit could not be followed up", exc_info=error)
        done.told = batch.told
        return done

    def _halved(self, asked: list[_Asked], requests: Any, now: int, error: Exception) -> _Done:
        if len(asked) > 1 or (asked and requests):
            # The last half may be none: then it is the requests for jobs that are told from the command.
            middle = (len(asked) + 1) // 2
            done = self._carry_out(asked[:middle], [], now)
            rest = self._carry_out(asked[middle:], requests, now)
            done.answers += rest.answers
            done.assigned += rest.assigned
            done.told.absorb(rest.told)
            return done
        done = _Done()
        if not asked:
            log.error("jobs could not be activated", exc_info=error)
            done.assigned = [Assigned(request, [], error) for request in requests]
        for one in asked:
            log.error("a command could not be committed", exc_info=error)
            done.answers.append((one, None, error))
        return done

    def _answer(self, done: _Done, count: int) -> None:
        """Back on the event loop: everybody hears, after the commit."""
        self._accepted -= count
        told = done.told
        for key, future in told.watched:
            if not future.done():
                self._watch(key, future)
        for one, result, error in done.answers:
            if one.future.done():
                continue
            if error is None:
                one.future.set_result(result)
            elif isinstance(error, ProcessError):
                one.future.set_exception(error)
            else:
                failure = ProcessError(
                    "INTERNAL", "The command failed and changed nothing; the server's log has the reason."
                )
                if not isinstance(error, StoreError):
                    log.error("a command failed", exc_info=error)
                one.future.set_exception(failure)
        for key, ended in told.ended.items():
            for future in self._watchers.pop(key, ()):
                if not future.done():
                    future.set_result(ended)
        unwanted = self.desk.deliver(done.assigned, told.offered)
        if unwanted:
            self._background(partial(JobDesk.release, unwanted))
        for pending_key, command in told.pending:
            self._follow_up(pending_key, command)
        if told.earliest is not None and (self._next_due is None or told.earliest < self._next_due):
            self._next_due = told.earliest
            self._time.set()
        if told.events:
            self._news.set()
            self._news = asyncio.Event()

    # --- time ----------------------------------------------------------------------------------

    async def _timers(self) -> None:
        while True:
            self._next_due = None  # from here on it gathers what is committed after the look
            now = self.clock.now()
            timers, due = await self.read(
                lambda session, now=now: (
                    session.due_timers(self._b, now, DUE_AT_ONCE),
                    session.next_due(self._b),
                )
            )
            if self._closing:
                return
            if not timers and (due is None or due > now):
                self._next_due = min((at for at in (due, self._next_due) if at is not None), default=None)
                self._time.clear()
                await self.clock.wait(self._next_due, self._time)
                continue
            work = [self._submit(partial(_offer_due_jobs, now))]
            work += [self._submit(partial(_fire, timer)) for timer in timers]
            offered, *fired = await asyncio.gather(*work, return_exceptions=True)
            failed = [timer for timer, one in zip(timers, fired, strict=True) if _is_failure(one)]
            for timer in failed:
                log.error("a timer failed and is tried again", timer=timer.key, kind=timer.kind)
            later = [self._submit(partial(_postpone, timer, now + POSTPONED)) for timer in failed]
            postponed = await asyncio.gather(*later, return_exceptions=True)
            if any(map(_is_failure, (offered, *postponed))):
                # The database refuses everything: all of it is due still, and would be so at once again.
                await asyncio.sleep(FAILED_PAUSE)

    async def _retention(self) -> None:
        moved = asyncio.Event()  # only a clock that is moved by hand sets it
        while self.settings.event_retention:
            before = self.clock.now() - self.settings.event_retention
            # In small bites, so that nobody waits long behind one.
            while not self._closing:
                if await self._submit(partial(_forget_events, before)) < FORGOTTEN_AT_ONCE:
                    break
            again = self.clock.now() + RETENTION_PAUSE
            while self.clock.now() < again:
                moved.clear()
                await self.clock.wait(again, moved)


def _forget_events(before: int, work: Work) -> int:
    return work.session.forget_events(work.b, before, FORGOTTEN_AT_ONCE)


async def _steadily(loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop of the host's; what goes wrong in it is told to the log, and it goes on."""
    while True:
        try:
            await loop()
            return
        except Exception as error:
            log.critical("a loop of the host failed and goes on", loop=loop.__name__, exc_info=error)
            await asyncio.sleep(FAILED_PAUSE)


def _is_failure(answer: object) -> bool:
    return isinstance(answer, BaseException)


def _log_failure(future: asyncio.Future[Any]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.error("work in the background failed", exc_info=error)


def _continue(key: int, command: Later, work: Work) -> None:
    """A follow-up command that did not fit into its cause's transaction."""
    work.changes.drop(PENDING, key, [work.b, key])
    if isinstance(command, Distribute):
        distribute(work, command)
    else:
        work.command(command)


def _offer_due_jobs(now: int, work: Work) -> None:
    work.told.offered |= work.session.offer_due_jobs(work.b, now)


def _postpone(timer: TimerRow, at: int, work: Work) -> None:
    work.changes.update(POSTPONE_TIMER, at, work.b, timer.key)
    work.told.due(at)


def _fire(timer: TimerRow, work: Work) -> None:
    """What a timer that is due stands for. Its row goes; a repeating one is set anew by the core."""
    work.changes.drop(TIMER, timer.key, [work.b, timer.key])
    id_ = f"timer:{timer.key}:{timer.due_at}"
    if timer.kind == "message":
        name, correlation_key = exact(timer.detail or "[]")
        work.command(ExpireMessages(id=id_, at=work.now, name=name, correlation_key=correlation_key))
    elif timer.kind == "start":
        _start(timer, id_, work)
    else:
        assert timer.instance_key is not None
        work.command(TriggerTimer(id=id_, at=work.now, instance_key=timer.instance_key, timer_key=timer.key))


def set_start_timer(work: Work, definition_key: int, start: StartTimer) -> None:
    """Set the timer of a start event."""
    key = work.key()
    work.changes.row(
        TIMER,
        key,
        [work.b, key, start.due_at, "start", None, definition_key, start.element_id, None, start.repeat],
    )
    work.told.due(start.due_at)


def _start(timer: TimerRow, id_: str, work: Work) -> None:
    """A timer start event: an instance, and the next turn."""
    assert timer.definition_key is not None
    assert timer.element_id is not None
    process = work.models.process(timer.definition_key)
    latest = work.models.find_process(process.process_id, caller=process.key) if process else None
    if latest is None or latest.key != timer.definition_key:
        return  # a newer version was deployed while this timer was on its way: that one starts by the clock
    turn = next_start(StartTimer(timer.element_id, timer.due_at, timer.detail), work.now)
    if turn is not None:
        set_start_timer(work, timer.definition_key, turn)
    work.command(
        CreateInstance(
            id=id_,
            at=work.now,
            instance_key=work.key(),
            definition_key=timer.definition_key,
            start_element=timer.element_id,
            trigger=id_,
        )
    )
