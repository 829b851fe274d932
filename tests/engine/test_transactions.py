"""Transactions: canceled, they undo what completed in them before they are left; a hazard undoes nothing."""

import pytest

from towpath.engine import commands as c
from towpath.engine import compensation as core

from .host import Host
from .models import (
    CANCEL,
    boundary,
    bpmn,
    compensation,
    duration,
    each,
    end,
    error,
    error_definition,
    event_sub,
    exclusive,
    flow,
    flows,
    mapping,
    message,
    message_definition,
    parallel,
    service,
    start,
    sub,
    throw,
    transaction,
    undone,
)

MINUTE = 60_000


def jobs(host: Host) -> list[str]:
    return sorted(job.type for job in host.jobs.values())


def finish(host: Host) -> None:
    while host.jobs:
        host.complete(next(iter(host.jobs)))
    assert host.nothing_left()


def booking(*inside: str, outside: tuple[str, ...] = (), zeebe: str = "") -> bytes:
    """Books a hotel, then pays while a check runs; ``refused`` in a variable cancels."""
    return bpmn(
        start(),
        transaction(
            "booking",
            start("s1"),
            service("hotel"),
            undone("hotel", service("leave-hotel")),
            parallel("fork"),
            service("pay"),
            undone("pay", service("refund")),
            exclusive("paid", default="paid-done"),
            service("check"),
            undone("check", service("uncheck")),
            end("done"),
            end("checked"),
            end("stop", CANCEL),
            flows("s1", "hotel", "fork", "pay", "paid"),
            flows("fork", "check", "checked"),
            flow("paid", "done"),
            flow("paid", "stop", "=refused"),
            *inside,
            zeebe=zeebe,
        ),
        boundary("canceled", "booking", CANCEL),
        service("regret"),
        service("after"),
        flows("start", "booking", "after"),
        flows("canceled", "regret"),
        *outside,
        globals=error_definition("BAD") + message_definition("note"),
    )


def refused(host: Host, **variables: object) -> int:
    key = host.start(variables)
    host.complete("hotel")
    host.complete("pay", {"refused": True})
    return key


def test_a_transaction_that_nothing_cancels_ends_like_a_sub_process() -> None:
    host = Host(booking())
    key = host.start()
    for job in ("hotel", "check"):
        host.complete(job)
    host.complete("pay", {"refused": False})
    assert host.waiting(key) == ["after"]
    assert "booking" in host.path("completed")
    finish(host)


def test_canceling_ends_what_is_active_undoes_what_completed_and_leaves_by_the_cancel_event() -> None:
    host = Host(booking())
    key = refused(host)
    assert host.waiting(key) == ["leave-hotel", "refund"]
    assert host.path("terminated") == ["check"]
    host.complete("refund")
    assert host.waiting(key) == ["leave-hotel"]
    host.complete("leave-hotel")
    assert host.waiting(key) == ["regret"]
    assert {"stop", "canceled"} <= set(host.path("completed"))
    assert "booking" in host.path("terminated")
    finish(host)


def test_canceling_where_nothing_is_to_be_undone_leaves_at_once() -> None:
    host = Host(
        bpmn(
            start(),
            transaction("t", start("s1"), end("stop", CANCEL), flows("s1", "stop")),
            boundary("canceled", "t", CANCEL),
            service("regret"),
            flows("start", "t"),
            flows("canceled", "regret"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["regret"]
    finish(host)


def test_handlers_see_the_variables_of_the_transaction() -> None:
    host = Host(booking(zeebe=mapping(inputs={"price": "=price"})))
    refused(host, price=7)
    assert host.job("refund").variables == {"price": 7, "refused": True}


def test_a_cancel_event_in_a_nested_sub_process_cancels_the_transaction_around_it() -> None:
    host = Host(
        bpmn(
            start(),
            transaction(
                "t",
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                sub(
                    "inner",
                    start("s2"),
                    service("spa"),
                    undone("spa", service("refund-spa")),
                    end("stop", CANCEL),
                    flows("s2", "spa", "stop"),
                ),
                flows("s1", "hotel", "inner"),
            ),
            boundary("canceled", "t", CANCEL),
            service("regret"),
            flows("start", "t"),
            flows("canceled", "regret"),
        )
    )
    key = host.start()
    host.complete("hotel")
    host.complete("spa")
    assert jobs(host) == ["leave-hotel"], "the inner sub-process was active, so it is ended, not undone"
    assert "inner" in host.path("terminated")
    host.complete("leave-hotel")
    assert host.waiting(key) == ["regret"]


def test_the_inner_one_of_two_transactions_is_canceled_alone() -> None:
    inner = transaction(
        "inner",
        start("s2"),
        service("spa"),
        undone("spa", service("refund-spa")),
        end("stop", CANCEL),
        flows("s2", "spa", "stop"),
    )
    host = Host(
        bpmn(
            start(),
            transaction(
                "outer",
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                inner,
                boundary("mine", "inner", CANCEL),
                service("go-on"),
                end("all", CANCEL),
                flows("s1", "hotel", "inner"),
                flows("mine", "go-on", "all"),
            ),
            boundary("canceled", "outer", CANCEL),
            service("regret"),
            flows("start", "outer"),
            flows("canceled", "regret"),
        )
    )
    key = host.start()
    for job in ("hotel", "spa", "refund-spa", "go-on", "leave-hotel"):
        assert jobs(host) == [job]
        host.complete(job)
    assert host.waiting(key) == ["regret"]


def test_an_error_leaves_a_transaction_without_undoing_anything() -> None:
    host = Host(
        booking(outside=(boundary("bad", "booking", error("BAD")), service("repair"), flows("bad", "repair")))
    )
    key = host.start()
    host.complete("hotel")
    host.throw("pay", "BAD")
    assert host.waiting(key) == ["repair"]
    finish(host)


def test_an_error_of_a_handler_stops_the_undoing() -> None:
    host = Host(
        booking(outside=(boundary("bad", "booking", error("BAD")), service("repair"), flows("bad", "repair")))
    )
    key = refused(host)
    host.throw("refund", "BAD")
    assert host.waiting(key) == ["repair"]
    finish(host)


def test_a_transaction_that_is_canceled_waits_for_nothing_else() -> None:
    host = Host(
        booking(
            event_sub(
                "aside",
                start("as", message("note"), isInterrupting="false"),
                service("noted"),
                flows("as", "noted"),
            ),
            outside=(boundary("late", "booking", duration("PT1M")), service("hurry"), flows("late", "hurry")),
        )
    )
    key = refused(host, key="k")
    assert host.timers == {}
    host.publish("note", "k")
    assert host.waiting(key) == ["leave-hotel", "refund"]
    finish(host)


def test_an_event_sub_process_may_cancel_its_transaction() -> None:
    host = Host(
        booking(
            event_sub(
                "late",
                start("ls", duration("PT1M"), isInterrupting="false"),
                end("give-up", CANCEL),
                flows("ls", "give-up"),
            )
        )
    )
    key = host.start()
    host.complete("hotel")
    host.wait(MINUTE)
    assert host.waiting(key) == ["leave-hotel"]
    host.complete("leave-hotel")
    assert host.waiting(key) == ["regret"]


def test_what_is_being_undone_already_is_undone_to_its_end() -> None:
    host = Host(
        booking(
            event_sub(
                "aside",
                start("as", message("note"), isInterrupting="false"),
                throw("undo", compensation("hotel")),
                flows("as", "undo"),
            )
        )
    )
    key = host.start({"key": "k"})
    host.complete("hotel")
    host.publish("note", "k")
    host.complete("pay", {"refused": True})
    assert host.waiting(key) == ["leave-hotel", "refund"]
    assert "undo" in host.path("terminated")
    host.complete("refund")
    assert host.waiting(key) == ["leave-hotel"]
    host.complete("leave-hotel")
    assert host.waiting(key) == ["regret"]


def test_a_completed_transaction_can_be_compensated_later() -> None:
    later = (throw("undo", compensation("booking")), flow("after", "undo"))
    host = Host(booking(outside=later))
    host.start()
    for job in ("hotel", "check"):
        host.complete(job)
    host.complete("pay", {"refused": False})
    host.complete("after")
    assert jobs(host) == ["leave-hotel", "refund", "uncheck"]
    finish(host)


def test_a_canceled_transaction_is_undone_by_what_is_in_it_whatever_would_compensate_it_later() -> None:
    own = event_sub("own", start("os", compensation()), service("all-at-once"), flows("os", "all-at-once"))
    host = Host(booking(own))
    refused(host)
    assert jobs(host) == ["leave-hotel", "refund"]


def test_a_handler_may_be_a_transaction_that_is_canceled() -> None:
    handler = transaction("h", start("hs"), service("in"), end("stop", CANCEL), flows("hs", "in", "stop"))
    host = Host(
        bpmn(
            start(),
            service("work"),
            undone("work", handler),
            boundary("canceled", "h", CANCEL),
            service("regret"),
            throw("undo", compensation()),
            service("after"),
            flows("start", "work", "undo", "after"),
            flows("canceled", "regret"),
        )
    )
    key = host.start()
    host.complete("work")
    host.complete("in")
    assert host.waiting(key) == ["after", "regret"]
    finish(host)


def legs(*, sequential: bool = False) -> bytes:
    return bpmn(
        start(),
        transaction(
            "leg",
            each("=[1, 2, 3]", item="n", sequential=sequential),
            start("s1"),
            service("hotel"),
            undone("hotel", service("leave-hotel")),
            service("pay"),
            exclusive("paid", default="paid-done"),
            end("done"),
            end("stop", CANCEL),
            flows("s1", "hotel", "pay", "paid"),
            flow("paid", "done"),
            flow("paid", "stop", "=refused"),
        ),
        boundary("canceled", "leg", CANCEL),
        service("regret"),
        service("after"),
        flows("start", "leg", "after"),
        flows("canceled", "regret"),
    )


def of(host: Host, type: str, n: int) -> int:
    return next(job.key for job in host.jobs.values() if job.type == type and job.variables["n"] == n)


def test_one_instance_of_a_multi_instance_cancels_all_of_them() -> None:
    host = Host(legs())
    key = host.start({"refused": False})
    host.complete(of(host, "hotel", 1))
    host.complete(of(host, "pay", 1))
    host.complete(of(host, "hotel", 2))
    host.complete(of(host, "pay", 2), {"refused": True})
    undoing = {(job.type, job.variables["n"]) for job in host.jobs.values()}
    assert undoing == {("leave-hotel", 1), ("leave-hotel", 2)}, (
        "the completed one, too; the third had nothing"
    )
    host.complete(of(host, "leave-hotel", 2))
    assert host.waiting(key) == ["leave-hotel"]
    host.complete(of(host, "leave-hotel", 1))
    assert host.waiting(key) == ["regret"]
    finish(host)


def test_a_sequential_multi_instance_begins_no_further_instance_when_it_is_canceled() -> None:
    host = Host(legs(sequential=True))
    key = host.start({"refused": False})
    for n in (1, 2):
        host.complete(of(host, "hotel", n))
        host.complete(of(host, "pay", n), {"refused": n == 2})
    assert sorted(job.variables["n"] for job in host.jobs.values()) == [1, 2]
    for job in list(host.jobs):
        host.complete(job)
    assert host.waiting(key) == ["regret"]
    finish(host)


@pytest.mark.parametrize("spawn", [1, 2])
def test_many_handlers_of_a_canceled_transaction_start_in_several_moves(
    spawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "SPAWN", spawn)
    host = Host(legs())
    key = host.start({"refused": False})
    for n in (1, 2):
        host.complete(of(host, "hotel", n))
        host.complete(of(host, "pay", n))
    host.complete(of(host, "hotel", 3))
    host.complete(of(host, "pay", 3), {"refused": True})
    assert sorted(job.variables["n"] for job in host.jobs.values()) == [1, 2, 3]
    for job in list(host.jobs):
        host.complete(job)
    assert host.waiting(key) == ["regret"]
    finish(host)


def test_an_instance_is_canceled_in_the_middle_of_a_canceled_transaction() -> None:
    host = Host(booking())
    key = refused(host)
    assert host.send(c.CancelInstance(id="x", at=host.now, instance_key=key)) is None
    assert host.nothing_left()
