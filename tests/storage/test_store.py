"""What every store of the engine must do; ``stores`` names those that are tried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from towpath.storage.changes import Changes
from towpath.storage.sqlite import SqliteStore
from towpath.storage.store import Session, Store, StoreError, bucket_of
from towpath.storage.tables import (
    CHANNEL,
    END_JOB,
    EVENT,
    FLOW,
    INSTANCE,
    JOB,
    PROCESS_INSTANCE,
    TABLES,
    TIMER,
    VARIABLE,
)

stores = ["sqlite"]


@pytest.fixture(params=stores)
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await SqliteStore.open(tmp_path / "deep" / "engine.sqlite")
    yield opened
    opened.close()


def job(b: int, key: int, *, type_: str = "t", priority: int = 0, instance: int = 7) -> list[object]:
    about = [instance, 1, "p", 1, None, "task", 8, "{}"]
    return [b, key, type_, "CREATED", 1, 0, priority, 3, *about, None, None, 0, None, "BPMN_ELEMENT", None]


def instance(b: int, key: int, *, parent: int | None, root: int) -> list[object]:
    return [b, key, 1, "p", 1, "ACTIVE", None, parent, None, root, 0, None]


def put(session: Session, table: object, rows: list[list[object]]) -> None:
    changes = Changes()
    for i, row in enumerate(rows):
        changes.row(table, i, row)  # type: ignore[arg-type]
    session.write(changes)


async def test_tables_have_the_columns_that_the_hot_path_writes(store: Store) -> None:
    with store.reading() as session:
        for table in TABLES:
            columns = tuple(row[1] for row in session.rows(f"PRAGMA table_info({table.name})"))
            assert columns == table.columns


async def test_the_first_key_is_camundas_and_keys_name_their_bucket(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        first = session.reserve_keys(b, 10)
        assert session.reserve_keys(b, 1) == first + 10
    assert first == 2251799813685249
    assert bucket_of(first) == b


async def test_a_bucket_that_is_missing_is_told(store: Store) -> None:
    with pytest.raises(StoreError, match="bucket 99"), store.transaction() as session:
        session.reserve_keys(99, 1)


async def test_a_transaction_that_raises_leaves_nothing_behind(store: Store) -> None:
    b = store.buckets[0]

    def break_off() -> None:
        with store.transaction() as session:
            put(session, TIMER, [[b, 1, 10, "element", 7, None, "t", 8, None]])
            session.reserve_positions(b, 5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    with store.reading() as session:
        assert session.next_due(b) is None
        assert session.position(b) == 0


async def test_what_was_committed_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    for turn in (1, 2):
        store = await SqliteStore.open(path)
        with store.transaction() as session:
            put(session, INSTANCE, [[1, turn, 1, b"head", b"data"]])
            found = session.instances(1, {1, 2})
        store.close()
    assert {key: snapshot.data for key, snapshot in found.items()} == {1: b"data", 2: b"data"}


async def test_snapshots_are_written_over_and_found_one_by_one_or_many_at_once(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        put(session, INSTANCE, [[b, key, 1, b"h", b"old"] for key in range(5)])
        put(session, INSTANCE, [[b, 3, 2, b"h", b"new"]])
        put(session, CHANNEL, [[b, "name", "key", 1, b"channel"]])
    with store.reading() as session:
        assert session.instances(b, {3})[3] == (2, b"h", b"new")
        assert set(session.instances(b, {1, 2, 9})) == {1, 2}
        assert session.instances(b, set()) == {}
        assert session.channel(b, "name", "key") == (1, b"channel")
        assert session.channel(b, "name", "other") is None


async def test_a_variable_keeps_its_key_when_its_value_changes(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        put(session, VARIABLE, [[b, 7, "x", 100, 7, "p", "1", "1", 0]])
        put(session, VARIABLE, [[b, 7, "x", 200, 7, "p", "2", "2", 1]])
        assert session.rows("SELECT key, value FROM variable") == [(100, "2")]


async def test_changes_of_later_operations_are_carried_out_after_earlier_ones(store: Store) -> None:
    b = store.buckets[0]
    first, second, third = Changes(), Changes(), Changes()
    first.row(TIMER, 1, [b, 1, 10, "element", 7, None, "t", 8, None])
    first.row(TIMER, 2, [b, 2, 20, "element", 7, None, "t", 8, None])
    second.drop(TIMER, 1, [b, 1])
    third.drop(TIMER, 2, [b, 2])
    third.row(TIMER, 2, [b, 2, 30, "element", 7, None, "t", 8, None])
    first.absorb(second)
    first.absorb(third)
    with store.transaction() as session:
        session.write(first)
        assert [(one.key, one.due_at) for one in session.due_timers(b, 100, 10)] == [(2, 30)]


async def test_jobs_are_given_by_priority_and_age_and_to_one_worker_only(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        put(
            session,
            JOB,
            [job(b, 1), job(b, 2, priority=9), job(b, 3), job(b, 4, type_="other"), job(b, 5)],
        )
        got = session.activate_jobs(b, "t", 3, worker="w", deadline=500)
        assert [one.key for one in got] == [2, 1, 3]
        assert got[0].available_at == 500
        assert [one.key for one in session.activate_jobs(b, "t", 3, worker="v", deadline=900)] == [5]
        assert session.activate_jobs(b, "t", 3, worker="v", deadline=900) == []
        assert session.job_instance(b, 5) == (7, "CREATED", 3, "v")
        assert session.next_due(b) == 500


async def test_a_job_is_offered_again_when_its_lock_is_over_unless_it_ended(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        put(session, JOB, [job(b, 1), job(b, 2)])
        session.activate_jobs(b, "t", 5, worker="w", deadline=500)
        changes = Changes()
        changes.update(END_JOB, "COMPLETED", 100, b, 2)
        session.write(changes)
        assert session.offer_due_jobs(b, 499) == set()
        assert session.offer_due_jobs(b, 500) == {"t"}
        assert [one.key for one in session.activate_jobs(b, "t", 5, worker="w", deadline=900)] == [1]


async def test_events_are_found_after_a_position_also_in_the_middle_of_a_row(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        start = session.reserve_positions(b, 6)
        assert start == 1
        put(
            session,
            EVENT,
            [[b, 1, 3, 10, 7, 7, "p", 0b01, b"x"], [b, 4, 2, 20, 8, 7, "q", 0b10, b"y"],
             [b, 6, 1, 30, 9, 9, "p", 0b01, b"z"]],
        )  # fmt: skip
        put(
            session,
            PROCESS_INSTANCE,
            [instance(b, 7, parent=None, root=7), instance(b, 8, parent=7, root=7),
             instance(b, 9, parent=None, root=9)],
        )  # fmt: skip

        def positions(after: int = 0, limit: int = 10, **more: object) -> list[int]:
            return [row.pos for row in session.events(b, after, limit, **more)]  # type: ignore[arg-type]

        assert positions() == [1, 4, 6]
        assert positions(2) == [1, 4, 6]
        assert positions(3) == [4, 6]
        assert positions(limit=2) == [1, 4]
        assert positions(kinds=0b10) == [4]
        assert positions(process_id="p") == [1, 6]
        assert positions(instance_key=7) == [1, 4]
        assert positions(instance_key=8) == [4]
        assert session.forget_events(b, 25, 1) == 1
        assert positions() == [4, 6]
        assert session.forget_events(b, 25, 10) == 1
        assert positions() == [6]


async def test_a_flow_taken_again_is_one_row(store: Store) -> None:
    b = store.buckets[0]
    with store.transaction() as session:
        put(session, FLOW, [[b, 7, "f", 7, 1]])
        put(session, FLOW, [[b, 7, "f", 7, 2]])
        assert session.rows("SELECT at FROM flow") == [(2,)]


async def test_what_the_database_cannot_hold_is_a_store_error(store: Store) -> None:
    b = store.buckets[0]
    for value in (2**70, "\ud800", object()):
        with pytest.raises(StoreError), store.transaction() as session:
            put(session, TIMER, [[b, 1, value, "element", 7, None, "t", 8, None]])
