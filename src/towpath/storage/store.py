"""The engine's store: what the process server asks of a database, and nothing of how it does it.

A :class:`Store` gives a :class:`Session` for a transaction that writes, on the thread that hosts the engine,
and others for reading, on any thread. A session is the same code over every database; what differs is
behind :class:`Connection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

import msgspec

from towpath.storage.changes import Changes

BUCKET_SHIFT = 51  # a key is 13 bits of bucket and 51 bits of counter, as in Zeebe
FIRST_BUCKET = 1  # so that the first key is 2251799813685249

Rows = list[tuple[Any, ...]]


def bucket_of(key: int) -> int:
    """The bucket in which ``key`` was given out."""
    return key >> BUCKET_SHIFT


class StoreError(Exception):
    """The database refused; nothing of the transaction was kept."""


class Connection(Protocol):
    """A database connection, used by one thread at a time. ``?`` marks a parameter."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows: ...
    def many(self, sql: str, rows: list[Any]) -> None: ...


class Store(Protocol):
    """Where the engine's state is kept. ``buckets`` are those that this installation has."""

    @property
    def buckets(self) -> tuple[int, ...]: ...

    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction, committed durably when the block ends, undone when it raises.

        Raises :class:`StoreError` where the database refuses. One at a time, on one thread.
        """

    def reading(self) -> AbstractContextManager[Session]:
        """A consistent view of what is committed, on any thread."""

    def close(self) -> None: ...


class Snapshot(NamedTuple):
    """An aggregate as stored: ``head`` is the host's part, ``data`` the core's."""

    version: int
    head: bytes
    data: bytes


class ActivatedRow(NamedTuple):
    """A job that was just given to a worker; ``headers`` is JSON text."""

    key: int
    type: str
    retries: int
    instance_key: int
    definition_key: int
    process_id: str
    version: int
    business_id: str | None
    element_id: str
    element_instance_key: int
    headers: str
    priority: int
    available_at: int  # when its lock ends
    kind: str
    listener_event: str | None


class EventRow(NamedTuple):
    """Events ``pos`` to ``pos + n - 1`` of a bucket: what one command did to one aggregate."""

    pos: int
    n: int
    at: int
    data: bytes


class TimerRow(NamedTuple):
    key: int
    due_at: int
    kind: str
    instance_key: int | None
    definition_key: int | None
    element_id: str | None
    detail: str | None


KEYS_IN = "SELECT CAST(value->>0 AS bigint) FROM json_each(?)"
"""Many keys as one parameter, made by :func:`as_json`; the text is the same on SQLite and PostgreSQL."""


def as_json(values: Sequence[Any]) -> str:
    """Values for ``json_each``: an object of lists of one, which both databases take apart alike."""
    return msgspec.json.encode({str(i): [value] for i, value in enumerate(values)}).decode()


_ACTIVATED = ", ".join(ActivatedRow._fields)
_ACTIVATE = " ".join(
    (
        "UPDATE job SET ready = 0, available_at = ?, worker = ? WHERE b = ? AND key IN (",
        "SELECT key FROM job WHERE b = ? AND type = ? AND ready = 1 ORDER BY priority DESC, key LIMIT ?)",
        "RETURNING",
        _ACTIVATED,
    )
)


class Session:
    """One transaction: every statement of the engine's hot path, by name."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """A statement that is nobody else's business (searches)."""
        return self._connection.rows(sql, parameters)

    # --- sequences -----------------------------------------------------------------------------

    def reserve_keys(self, b: int, count: int) -> int:
        """The first of ``count`` new keys of the bucket."""
        found = self.rows("UPDATE bucket SET seq = seq + ? WHERE b = ? RETURNING seq", (count, b))
        return (b << BUCKET_SHIFT) + _only(found, b) - count + 1

    def reserve_positions(self, b: int, count: int) -> int:
        """The first of ``count`` positions of the bucket's events.

        To be asked for last in a transaction: the row stays locked until it commits, so that positions
        become visible in their order and a reader's place is a safe watermark.
        """
        found = self.rows("UPDATE bucket SET pos = pos + ? WHERE b = ? RETURNING pos", (count, b))
        return _only(found, b) - count + 1

    def position(self, b: int) -> int:
        """The last position given out."""
        return _only(self.rows("SELECT pos FROM bucket WHERE b = ?", (b,)), b)

    # --- aggregates ----------------------------------------------------------------------------

    def instances(self, b: int, keys: Iterable[int]) -> dict[int, Snapshot]:
        wanted = sorted(keys)
        if len(wanted) == 1:
            sql, parameter = "SELECT key, v, head, data FROM instance WHERE b = ? AND key = ?", wanted[0]
        else:
            sql = f"SELECT key, v, head, data FROM instance WHERE b = ? AND key IN ({KEYS_IN}) ORDER BY key"  # noqa: S608
            parameter = as_json(wanted)  # type: ignore[assignment]
        return {row[0]: Snapshot(*row[1:]) for row in self.rows(sql, (b, parameter))}

    def channel(self, b: int, name: str, correlation_key: str) -> tuple[int, bytes] | None:
        """``(version, data)`` of the channel of a message name and correlation key."""
        found = self.rows(
            "SELECT v, data FROM channel WHERE b = ? AND name = ? AND correlation_key = ?",
            (b, name, correlation_key),
        )
        return (found[0][0], found[0][1]) if found else None

    def business_key(self, b: int, process_id: str, business_id: str) -> int | None:
        """The instance that has the business id."""
        found = self.rows(
            "SELECT instance_key FROM business_id WHERE b = ? AND process_id = ? AND business_id = ?",
            (b, process_id, business_id),
        )
        return found[0][0] if found else None

    def write(self, changes: Changes) -> None:
        for sql, rows in changes.statements():
            self._connection.many(sql, rows)

    # --- jobs ----------------------------------------------------------------------------------

    def activate_jobs(
        self, b: int, type_: str, count: int, *, worker: str, deadline: int
    ) -> list[ActivatedRow]:
        """Give up to ``count`` jobs to a worker until ``deadline``: high priority first, then the oldest."""
        rows = self.rows(
            _ACTIVATE,
            (deadline, worker, b, b, type_, count),
        )
        jobs = [ActivatedRow(*row) for row in rows]
        jobs.sort(key=lambda job: (-job.priority, job.key))
        return jobs

    def offer_due_jobs(self, b: int, now: int) -> set[str]:
        """Offer again the jobs whose lock or back-off is over; gives their types."""
        rows = self.rows(
            "UPDATE job SET ready = 1, worker = NULL WHERE b = ? AND ready = 0 AND available_at <= ? "
            "RETURNING type",
            (b, now),
        )
        return {row[0] for row in rows}

    def job_instance(self, b: int, key: int) -> tuple[int, str, int, str | None] | None:
        """``(instance, state, retries, worker)`` of a job."""
        found = self.rows(
            "SELECT instance_key, state, retries, worker FROM job WHERE b = ? AND key = ?", (b, key)
        )
        return (found[0][0], found[0][1], found[0][2], found[0][3]) if found else None

    # --- time ----------------------------------------------------------------------------------

    def due_timers(self, b: int, now: int, limit: int) -> list[TimerRow]:
        rows = self.rows(
            "SELECT key, due_at, kind, instance_key, definition_key, element_id, detail FROM timer "
            "WHERE b = ? AND due_at <= ? ORDER BY due_at, key LIMIT ?",
            (b, now, limit),
        )
        return [TimerRow(*row) for row in rows]

    def next_due(self, b: int) -> int | None:
        """When the next timer, lock or back-off is due."""
        found = self.rows(
            "SELECT min(due) FROM (SELECT min(due_at) AS due FROM timer WHERE b = ? UNION ALL "
            "SELECT min(available_at) FROM job WHERE b = ? AND ready = 0) AS dues",
            (b, b),
        )
        due: int | None = found[0][0]
        return due

    def start_timers(self, b: int, definition_key: int) -> list[int]:
        """Keys of the definition's timer start events that are set."""
        rows = self.rows(
            "SELECT key FROM timer WHERE b = ? AND definition_key = ? AND kind = 'start'", (b, definition_key)
        )
        return [row[0] for row in rows]

    # --- signals -------------------------------------------------------------------------------

    def signal_subscriptions(
        self, b: int, name: str, after: int, before: int, limit: int
    ) -> list[tuple[int, int]]:
        """``(key, instance key)`` of who waits for the signal, with keys between the two, by key."""
        rows = self.rows(
            "SELECT key, instance_key FROM signal_subscription "
            "WHERE b = ? AND name = ? AND key > ? AND key < ? ORDER BY key LIMIT ?",
            (b, name, after, before, limit),
        )
        return [(row[0], row[1]) for row in rows]

    # --- what is left to do --------------------------------------------------------------------

    def pending(self, b: int, limit: int) -> list[tuple[int, bytes]]:
        """Follow-up commands that did not fit into the transaction of their cause, oldest first."""
        rows = self.rows("SELECT key, data FROM pending WHERE b = ? ORDER BY key LIMIT ?", (b, limit))
        return [(row[0], row[1]) for row in rows]

    # --- the event feed ------------------------------------------------------------------------

    def events(
        self,
        b: int,
        after: int,
        limit: int,
        *,
        kinds: int = 0,
        process_id: str | None = None,
        instance_key: int | None = None,
    ) -> list[EventRow]:
        """Rows that hold events after a position. ``kinds``: any of these bits; 0 for all.

        ``instance_key``: of the instance and all that it called, directly or not.
        """
        where = ["b = ?", "pos + n - 1 > ?", "pos > ?"]
        # A row has at most MAX_EVENTS events, so the second bound keeps the first one on the primary key.
        parameters: list[Any] = [b, after, after - MAX_EVENTS]
        if kinds:
            where.append("kinds & ? <> 0")
            parameters.append(kinds)
        if process_id is not None:
            where.append("process_id = ?")
            parameters.append(process_id)
        if instance_key is not None:
            family = self.called_by(b, instance_key)
            where.append("root_key = ?")
            parameters.append(family[0])
            if family[1] is not None:
                where.append(f"instance_key IN ({KEYS_IN})")
                parameters.append(as_json(family[1]))
        rows = self.rows(
            f"SELECT pos, n, at, data FROM event WHERE {' AND '.join(where)} ORDER BY pos LIMIT ?",  # noqa: S608
            (*parameters, limit),
        )
        return [EventRow(*row) for row in rows]

    def called_by(self, b: int, instance_key: int) -> tuple[int, list[int] | None]:
        """``(root, the instance and all it called)``; None for all where the instance is itself a root."""
        root = self.rows("SELECT root_key FROM process_instance WHERE b = ? AND key = ?", (b, instance_key))
        if not root:
            return instance_key, [instance_key]
        if root[0][0] == instance_key:
            return instance_key, None
        rows = self.rows(
            "WITH RECURSIVE family(key) AS (SELECT CAST(? AS bigint) UNION ALL SELECT p.key "
            "FROM process_instance p, family f WHERE p.b = ? AND p.parent_key = f.key) "
            "SELECT key FROM family",
            (instance_key, b),
        )
        return root[0][0], [row[0] for row in rows]

    def forget_events(self, b: int, before: int, limit: int) -> int:
        """Drop up to ``limit`` rows of the feed that are older than ``before`` (ms since the epoch).

        Gives how many there were. Only the oldest ``limit`` rows are looked at.
        """
        rows = self.rows(
            "DELETE FROM event WHERE b = ? AND pos IN (SELECT pos FROM (SELECT pos, at FROM event "
            "WHERE b = ? ORDER BY pos LIMIT ?) AS oldest WHERE at < ?) RETURNING pos",
            (b, b, limit, before),
        )
        return len(rows)


MAX_EVENTS = 1000  # events in one row of the feed


def _only(found: Rows, b: int) -> int:
    # A bucket that is missing would write nothing, silently.
    if len(found) != 1:
        raise StoreError(f"The store has no bucket {b}: was it initialised for more buckets than it has?")
    value: int = found[0][0]
    return value
