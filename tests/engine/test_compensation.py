"""Compensation: what has completed is undone, once, by the handlers that the model gives it."""

import pytest

from towpath.engine import commands as c
from towpath.engine import compensation as core
from towpath.engine import effects, encode

from .host import Host
from .models import (
    TERMINATE,
    boundary,
    bpmn,
    call,
    compensation,
    definitions,
    duration,
    each,
    element,
    end,
    error,
    error_definition,
    escalation,
    escalation_definition,
    event_sub,
    exclusive,
    flow,
    flows,
    mapping,
    message,
    message_definition,
    milestone,
    parallel,
    process,
    script,
    service,
    service_for_each,
    start,
    sub,
    throw,
    undone,
    user,
)

MINUTE = 60_000


def jobs(host: Host) -> list[str]:
    return sorted(job.type for job in host.jobs.values())


def finish(host: Host) -> None:
    """Complete all jobs until nothing is left."""
    while host.jobs:
        host.complete(next(iter(host.jobs)))
    assert host.nothing_left()


TRIP = bpmn(
    start(),
    parallel("fork"),
    service("hotel"),
    undone("hotel", service("leave-hotel")),
    service("flight"),
    undone("flight", service("cancel-flight")),
    parallel("join"),
    throw("undo", compensation()),
    service("after"),
    end(),
    flows("start", "fork", "hotel", "join", "undo", "after", "end"),
    flows("fork", "flight", "join"),
)


# --- throwing -------------------------------------------------------------------------------------


def test_all_handlers_of_a_scope_start_at_once_and_the_throw_event_waits_for_them() -> None:
    host = Host(TRIP)
    key = host.start()
    host.complete("hotel")
    host.complete("flight")
    assert jobs(host) == ["cancel-flight", "leave-hotel"]
    assert host.waiting(key) == ["cancel-flight", "leave-hotel", "undo"]
    host.complete("leave-hotel")
    assert host.waiting(key) == ["cancel-flight", "undo"]
    host.complete("cancel-flight")
    assert host.waiting(key) == ["after"]
    host.complete("after")
    assert host.nothing_left()


def test_only_what_has_completed_is_compensated() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            service("slow"),
            undone("slow", service("undo-slow")),
            service("quick"),
            undone("quick", service("undo-quick")),
            service("never"),
            undone("never", service("undo-never")),
            throw("undo", compensation()),
            service("after"),
            flows("start", "fork", "slow", "never"),
            flows("fork", "quick", "undo", "after"),
        )
    )
    key = host.start()
    host.complete("quick")
    assert jobs(host) == ["slow", "undo-quick"]
    host.complete("undo-quick")
    assert host.waiting(key) == ["after", "slow"]


def test_a_terminated_activity_is_not_compensated() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            undone("work", service("undo-work")),
            boundary("late", "work", duration("PT1M")),
            throw("undo", compensation()),
            service("after"),
            flows("start", "work"),
            flows("late", "undo", "after"),
        )
    )
    key = host.start()
    host.wait(MINUTE)
    assert host.waiting(key) == ["after"]


def test_where_nothing_is_to_be_compensated_the_throw_event_passes() -> None:
    host = Host(
        bpmn(
            start(),
            throw("nothing", compensation()),
            service("work"),
            undone("work", service("undo-work")),
            flows("start", "nothing", "work"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["work"]
    finish(host)


def test_an_activity_is_compensated_only_once() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            undone("work", service("undo-work")),
            throw("first", compensation()),
            throw("second", compensation()),
            service("after"),
            flows("start", "work", "first", "second", "after"),
        )
    )
    key = host.start()
    host.complete("work")
    host.complete("undo-work")
    assert host.waiting(key) == ["after"]


def test_an_activity_is_compensated_as_often_as_it_completed() -> None:
    host = Host(
        bpmn(
            start(),
            exclusive("again"),
            script("work", "=n + 1", "n"),
            undone("work", service("undo-work")),
            exclusive("enough", default="enough-again"),
            throw("undo", compensation()),
            service("after"),
            flows("start", "again", "work", "enough"),
            flow("enough", "again"),
            flow("enough", "undo", "=n >= 3"),
            flows("undo", "after"),
        )
    )
    key = host.start({"n": 0})
    assert jobs(host) == ["undo-work"] * 3
    for job in list(host.jobs):
        host.complete(job)
    assert host.waiting(key) == ["after"]


def test_an_end_event_compensates_before_its_scope_ends() -> None:
    host = Host(
        bpmn(
            start(),
            sub(
                "trip",
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                end("undo", compensation()),
                flows("s1", "hotel", "undo"),
            ),
            service("after"),
            flows("start", "trip", "after"),
        )
    )
    key = host.start()
    host.complete("hotel")
    assert host.waiting(key) == ["leave-hotel", "undo"]
    host.complete("leave-hotel")
    assert host.waiting(key) == ["after"]
    finish(host)


def test_a_throw_event_that_names_an_activity_compensates_that_one() -> None:
    host = Host(
        TRIP.replace(
            b'<bpmn:intermediateThrowEvent id="undo"><bpmn:compensateEventDefinition',
            b'<bpmn:intermediateThrowEvent id="undo"><bpmn:compensateEventDefinition activityRef="flight"',
        )
    )
    key = host.start()
    host.complete("hotel")
    host.complete("flight")
    assert jobs(host) == ["cancel-flight"]
    host.complete("cancel-flight")
    assert host.waiting(key) == ["after"]


def test_named_activities_are_compensated_in_the_order_of_their_throw_events() -> None:
    host = Host(
        bpmn(
            start(),
            service("a"),
            undone("a", service("undo-a")),
            service("b"),
            undone("b", service("undo-b")),
            throw("first", compensation("b")),
            throw("then", compensation("a")),
            end(),
            flows("start", "a", "b", "first", "then", "end"),
        )
    )
    host.start()
    for job in ("a", "b", "undo-b", "undo-a"):
        assert jobs(host) == [job]
        host.complete(job)
    assert host.nothing_left()


def test_a_throw_event_that_need_not_wait_goes_on_at_once() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            undone("work", service("undo-work")),
            throw("undo", compensation(waitForCompletion="false")),
            end(),
            flows("start", "work", "undo", "end"),
        )
    )
    key = host.start()
    host.complete("work")
    assert host.waiting(key) == ["undo-work"], "the scope waits for it all the same"
    host.complete("undo-work")
    assert host.nothing_left()


# --- sub-processes --------------------------------------------------------------------------------


def trip(*more: str, zeebe: str = "", thrown: str = compensation()) -> bytes:
    """A sub-process of two levels that completes; after ``confirm`` it is compensated."""
    return bpmn(
        start(),
        sub(
            "trip",
            start("s1"),
            service("hotel"),
            undone("hotel", service("leave-hotel")),
            sub(
                "stay",
                start("s2"),
                service("spa"),
                undone("spa", service("refund-spa")),
                end("e2"),
                flows("s2", "spa", "e2"),
                zeebe=mapping(inputs={"level": '="inner"', "night": "=1"}),
            ),
            end("e1"),
            flows("s1", "hotel", "stay", "e1"),
            *more,
            zeebe=zeebe,
        ),
        service("confirm"),
        throw("undo", thrown),
        service("after"),
        end(),
        flows("start", "trip", "confirm", "undo", "after", "end"),
    )


def through_trip(host: Host, **variables: object) -> int:
    key = host.start(variables)
    for job in ("hotel", "spa"):
        host.complete(job)
    return key


@pytest.mark.parametrize("thrown", [compensation(), compensation("trip")])
def test_a_completed_sub_process_is_compensated_by_what_is_in_it(thrown: str) -> None:
    host = Host(trip(thrown=thrown))
    key = through_trip(host)
    host.complete("confirm")
    assert jobs(host) == ["leave-hotel", "refund-spa"]
    host.complete("refund-spa")
    assert host.waiting(key) == ["leave-hotel", "undo"]
    host.complete("leave-hotel")
    assert host.waiting(key) == ["after"]
    assert host.path().count("trip") == 2, "completed, and once more when it was compensated"
    finish(host)


def test_handlers_see_the_variables_that_their_sub_process_had_when_it_completed() -> None:
    host = Host(trip(zeebe=mapping(inputs={"level": '="outer"', "price": "=price"})))
    key = through_trip(host, price=100)
    host.set(key, {"price": 200, "now": True})
    host.complete("confirm")
    seen = {job.type: job.variables for job in host.jobs.values()}
    assert seen["leave-hotel"] == {"level": "outer", "price": 100, "now": True}
    assert seen["refund-spa"] == {"level": "inner", "night": 1, "price": 100, "now": True}
    host.complete("leave-hotel", {"price": 1, "refunded": True})
    host.complete("refund-spa")
    assert host.values(key) == {"price": 200, "now": True, "refunded": True}


def test_an_active_sub_process_is_not_compensated_from_outside() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            sub(
                "trip",
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                service("stay"),
                flows("s1", "hotel", "stay"),
            ),
            service("quick"),
            throw("undo", compensation()),
            service("after"),
            flows("start", "fork", "trip"),
            flows("fork", "quick", "undo", "after"),
        )
    )
    key = host.start()
    host.complete("hotel")
    host.complete("quick")
    assert host.waiting(key) == ["after", "stay"]


def test_a_throw_event_inside_a_sub_process_compensates_nothing_outside_of_it() -> None:
    host = Host(
        bpmn(
            start(),
            service("before"),
            undone("before", service("undo-before")),
            sub(
                "trip",
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                throw("undo", compensation()),
                end("e1"),
                flows("s1", "hotel", "undo", "e1"),
            ),
            throw("rest", compensation()),
            end(),
            flows("start", "before", "trip", "rest", "end"),
        )
    )
    host.start()
    for job in ("before", "hotel", "leave-hotel", "undo-before"):
        assert jobs(host) == [job]
        host.complete(job)
    assert host.nothing_left()


def test_a_handler_of_a_sub_process_and_those_inside_it_all_run() -> None:
    host = Host(
        trip().replace(b'<bpmn:serviceTask id="confirm"', undone_trip() + b'<bpmn:serviceTask id="confirm"')
    )
    key = through_trip(host)
    host.complete("confirm")
    assert jobs(host) == ["apologize", "leave-hotel", "refund-spa"]
    for job in ("apologize", "leave-hotel", "refund-spa"):
        host.complete(job)
    assert host.waiting(key) == ["after"]


def undone_trip() -> bytes:
    return undone("trip", service("apologize")).encode()


def test_a_sub_process_that_needs_nothing_undone_is_not_restored() -> None:
    host = Host(
        bpmn(
            start(),
            sub(
                "trip",
                start("s1"),
                exclusive("which", default="which-e1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                end("e1"),
                flows("s1", "which"),
                flow("which", "hotel", "=booked"),
                flow("which", "e1"),
                flow("hotel", "e1"),
            ),
            throw("undo", compensation()),
            service("after"),
            flows("start", "trip", "undo", "after"),
        )
    )
    key = host.start({"booked": False})
    assert host.waiting(key) == ["after"]
    assert host.path().count("trip") == 1


def test_a_sub_process_reaches_its_milestone_when_it_completes_and_not_when_it_is_compensated() -> None:
    host = Host(trip(zeebe=milestone("Booked")))
    key = through_trip(host)
    host.complete("confirm")
    for job in ("leave-hotel", "refund-spa"):
        host.complete(job)
    assert host.waiting(key) == ["after"]
    told = [(e.kind, e.milestone) for e in host.records(effects.ElementRecord) if e.element_id == "trip"]
    assert told == [
        ("activated", "Booked"),
        ("completed", "Booked"),
        ("activated", None),
        ("completed", None),
    ]


# --- multi-instance -------------------------------------------------------------------------------


def test_the_handler_of_a_multi_instance_activity_runs_once_when_all_have_completed() -> None:
    host = Host(
        bpmn(
            start(),
            service_for_each("book", each("=[1, 2, 3]")),
            undone("book", service("undo-book")),
            throw("undo", compensation()),
            service("after"),
            flows("start", "book", "undo", "after"),
        )
    )
    key = host.start()
    for job in list(host.jobs):
        host.complete(job)
    assert jobs(host) == ["undo-book"]
    host.complete("undo-book")
    assert host.waiting(key) == ["after"]


@pytest.mark.parametrize("sequential", [False, True])
def test_what_is_inside_a_multi_instance_sub_process_is_compensated_for_each_completed_instance(
    sequential: bool,
) -> None:
    host = Host(
        bpmn(
            start(),
            element(
                "subProcess",
                "leg",
                each("=cities", item="city", sequential=sequential),
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                flows("s1", "hotel"),
            ),
            service("confirm"),
            throw("undo", compensation()),
            service("after"),
            flows("start", "leg", "confirm", "undo", "after"),
        )
    )
    key = host.start({"cities": ["Delft", "Leiden"]})
    while "hotel" in jobs(host):
        host.complete(next(job.key for job in host.jobs.values() if job.type == "hotel"))
    host.complete("confirm")
    left = {(job.variables["city"], job.variables["loopCounter"]) for job in host.jobs.values()}
    assert left == {("Delft", 1), ("Leiden", 2)}
    for job in list(host.jobs):
        host.complete(job)
    assert host.waiting(key) == ["after"]


def test_a_multi_instance_that_is_interrupted_is_not_compensated() -> None:
    host = Host(
        bpmn(
            start(),
            element(
                "subProcess",
                "leg",
                each("=[1, 2]"),
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                flows("s1", "hotel"),
            ),
            boundary("late", "leg", duration("PT1M")),
            throw("undo", compensation()),
            service("after"),
            flows("start", "leg"),
            flows("late", "undo", "after"),
        )
    )
    key = host.start()
    host.complete(next(iter(host.jobs)))
    host.wait(MINUTE)
    assert host.waiting(key) == ["after"]


# --- handlers -------------------------------------------------------------------------------------


def handled(handler: str, *more: str) -> bytes:
    whole = process(
        start(),
        service("work"),
        undone("work", handler),
        throw("undo", compensation()),
        service("after"),
        end(),
        flows("start", "work", "undo", "after", "end"),
        *more,
    )
    child = process(start("cs"), service("there"), end("ce"), flows("cs", "there", "ce"), id="child")
    return definitions(
        whole,
        child,
        message_definition("ack"),
        error_definition("BAD"),
        escalation_definition("LATE"),
    )


@pytest.mark.parametrize(
    ("handler", "job"),
    [
        (sub("h", start("hs"), service("in"), end("he"), flows("hs", "in", "he")), "in"),
        (call("h", "child"), "there"),
        (service("h", zeebe=mapping(inputs={"why": '="undo"'})), "h"),
    ],
)
def test_a_handler_may_be_a_sub_process_a_call_or_a_job(handler: str, job: str) -> None:
    host = Host(handled(handler))
    key = host.start()
    host.complete("work")
    assert jobs(host) == [job]
    assert "undo" in host.waiting(key)
    host.complete(job)
    assert host.waiting(key) == ["after"]
    host.complete("after")
    assert host.nothing_left()


def test_a_handler_may_be_a_user_task_or_wait_for_a_message() -> None:
    host = Host(handled(user("h")))
    key = host.start()
    host.complete("work")
    host.complete_task()
    assert host.waiting(key) == ["after"]

    host = Host(handled(element("receiveTask", "h", messageRef="message-ack")))
    key = host.start({"key": "k"})
    host.complete("work")
    host.publish("ack", "k")
    assert host.waiting(key) == ["after"]


def test_a_handler_may_be_a_multi_instance() -> None:
    host = Host(handled(service_for_each("h", each("=[1, 2]"))))
    key = host.start()
    host.complete("work")
    assert jobs(host) == ["h", "h"]
    for job in list(host.jobs):
        host.complete(job)
    assert host.waiting(key) == ["after"]


def test_a_handler_that_passes_at_once_lets_the_throw_event_go_on() -> None:
    host = Host(handled(script("h", "=1 + 1", "two")))
    key = host.start()
    host.complete("work")
    assert host.waiting(key) == ["after"]
    assert host.values(key) == {"two": 2}


def test_a_handler_that_fails_is_an_incident_and_the_throw_event_waits_for_it() -> None:
    host = Host(handled(service("h")))
    key = host.start()
    host.complete("work")
    host.fail("h")
    assert host.incident().error_type == "JOB_NO_RETRIES"
    host.resolve()
    assert "undo" in host.waiting(key)
    host.complete("h")
    assert host.waiting(key) == ["after"]


def test_an_error_of_a_handler_goes_to_the_scope_of_what_it_undoes() -> None:
    caught = event_sub("rescue", start("rs", error("BAD")), service("repair"), flows("rs", "repair"))
    host = Host(handled(service("h"), caught))
    key = host.start()
    host.complete("work")
    host.throw("h", "BAD")
    assert host.waiting(key) == ["repair"]
    assert {"h", "undo"} <= set(host.path("terminated"))
    finish(host)


def test_an_error_that_a_boundary_event_of_the_handler_catches_lets_the_throw_event_go_on() -> None:
    caught = boundary("bad", "h", error("BAD")) + service("repair") + flows("bad", "repair")
    host = Host(handled(service("h"), caught))
    key = host.start()
    host.complete("work")
    host.throw("h", "BAD")
    assert host.waiting(key) == ["after", "repair"]
    finish(host)


def test_an_error_from_inside_a_restored_sub_process_passes_the_events_that_it_had() -> None:
    host = Host(
        bpmn(
            start(),
            sub(
                "trip",
                start("s1"),
                service("hotel"),
                undone("hotel", service("leave-hotel")),
                flows("s1", "hotel"),
                event_sub("own", start("os", error("BAD")), service("mine"), flows("os", "mine")),
            ),
            boundary("bad", "trip", error("BAD")),
            service("theirs"),
            throw("undo", compensation()),
            service("after"),
            flows("start", "trip", "undo", "after"),
            flows("bad", "theirs"),
            event_sub("rescue", start("rs", error()), service("repair"), flows("rs", "repair")),
            globals=error_definition("BAD"),
        )
    )
    key = host.start()
    host.complete("hotel")
    host.throw("leave-hotel", "BAD")
    assert host.waiting(key) == ["repair"]
    finish(host)


def test_an_escalation_of_a_handler_goes_outwards() -> None:
    told = event_sub(
        "aside", start("as", escalation("LATE"), isInterrupting="false"), service("tell"), flows("as", "tell")
    )
    handler = sub(
        "h", start("hs"), throw("loud", escalation("LATE")), service("in"), flows("hs", "loud", "in")
    )
    host = Host(handled(handler, told))
    key = host.start()
    host.complete("work")
    assert host.waiting(key) == ["in", "tell", "undo"]


def test_what_completes_in_a_handler_can_be_compensated_within_it_only() -> None:
    handler = sub(
        "h",
        start("hs"),
        service("in"),
        undone("in", service("undo-in")),
        throw("back", compensation()),
        flows("hs", "in", "back"),
    )
    host = Host(
        handled(handler)
        .replace(
            b'<bpmn:serviceTask id="after"',
            b'<bpmn:intermediateThrowEvent id="more"><bpmn:compensateEventDefinition/>'
            b'</bpmn:intermediateThrowEvent><bpmn:serviceTask id="after"',
        )
        .replace(b'targetRef="after"', b'targetRef="more"')
    )
    host.start()
    for job in ("work", "in", "undo-in"):
        assert jobs(host) == [job]
        host.complete(job)
    assert host.nothing_left()


# --- event sub-processes --------------------------------------------------------------------------


def test_an_event_sub_process_compensates_what_completed_around_it() -> None:
    host = Host(
        bpmn(
            start(),
            service("hotel"),
            undone("hotel", service("leave-hotel")),
            service("pay"),
            flows("start", "hotel", "pay"),
            event_sub(
                "failed",
                start("fs", error("BROKE")),
                service("note"),
                undone("note", service("undo-note")),
                throw("undo", compensation()),
                service("sorry"),
                flows("fs", "note", "undo", "sorry"),
            ),
            globals=error_definition("BROKE"),
        )
    )
    key = host.start()
    host.complete("hotel")
    host.throw("pay", "BROKE")
    host.complete("note")
    assert jobs(host) == ["leave-hotel", "undo-note"]
    for job in ("leave-hotel", "undo-note"):
        host.complete(job)
    assert host.waiting(key) == ["sorry"]
    finish(host)


def test_an_event_sub_process_may_name_an_activity_around_it() -> None:
    host = Host(
        bpmn(
            start(),
            service("a"),
            undone("a", service("undo-a")),
            service("b"),
            undone("b", service("undo-b")),
            service("wait"),
            flows("start", "a", "b", "wait"),
            event_sub(
                "aside",
                start("as", duration("PT1M"), isInterrupting="false"),
                end("undo", compensation("b")),
                flows("as", "undo"),
            ),
        )
    )
    key = host.start()
    host.complete("a")
    host.complete("b")
    host.wait(MINUTE)
    assert host.waiting(key) == ["undo", "undo-b", "wait"]
    host.complete("undo-b")
    assert host.waiting(key) == ["wait"]


def own(*inside: str) -> str:
    return event_sub("own", start("os", compensation()), *inside)


def test_an_event_sub_process_of_its_own_compensates_a_sub_process_instead_of_the_handlers_in_it() -> None:
    host = Host(
        trip(
            own(service("all-at-once"), end("oe"), flows("os", "all-at-once", "oe")),
            zeebe=mapping(inputs={"level": '="outer"'}),
        )
    )
    key = through_trip(host)
    host.complete("confirm")
    assert jobs(host) == ["all-at-once"]
    assert host.job("all-at-once").variables == {"level": "outer"}
    host.complete("all-at-once")
    assert host.waiting(key) == ["after"]
    finish(host)


def test_it_may_compensate_what_is_in_its_sub_process_in_the_order_that_it_wants() -> None:
    host = Host(
        trip(
            own(
                throw("first", compensation("hotel")),
                service("between"),
                throw("then", compensation("stay")),
                flows("os", "first", "between", "then"),
            )
        )
    )
    key = through_trip(host)
    host.complete("confirm")
    for job in ("leave-hotel", "between", "refund-spa"):
        assert jobs(host) == [job]
        host.complete(job)
    assert host.waiting(key) == ["after"]
    finish(host)


def test_it_runs_for_a_sub_process_in_which_nothing_else_can_be_compensated() -> None:
    host = Host(
        bpmn(
            start(),
            element(
                "subProcess",
                "leg",
                each("=[1, 2]", item="n"),
                start("s1"),
                service("ride"),
                flows("s1", "ride"),
                event_sub("back", start("bs", compensation()), service("return"), flows("bs", "return")),
            ),
            end("undo", compensation("leg")),
            flows("start", "leg", "undo"),
        )
    )
    host.start()
    for job in list(host.jobs):
        host.complete(job)
    assert sorted(job.variables["n"] for job in host.jobs.values()) == [1, 2]
    finish(host)


def test_it_does_not_run_while_its_sub_process_does() -> None:
    host = Host(trip(own(service("all-at-once"), flows("os", "all-at-once"))))
    key = host.start()
    host.complete("hotel")
    assert host.waiting(key) == ["spa"]


def test_what_completed_in_an_event_sub_process_is_compensated_from_the_scope_around_it() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            throw("undo", compensation()),
            service("after"),
            flows("start", "work", "undo", "after"),
            event_sub(
                "aside",
                start("as", duration("PT1M"), isInterrupting="false"),
                service("extra"),
                undone("extra", service("drop-extra")),
                flows("as", "extra"),
            ),
        )
    )
    key = host.start()
    host.wait(MINUTE)
    host.complete("extra")
    host.complete("work")
    assert host.waiting(key) == ["drop-extra", "undo"]
    host.complete("drop-extra")
    assert host.waiting(key) == ["after"]
    finish(host)


def test_a_call_activity_is_compensated_by_its_own_handler_not_by_those_of_what_it_called() -> None:
    child = process(
        start("cs"),
        service("there"),
        undone("there", service("undo-there")),
        throw("never", compensation("there")),
        end("ce"),
        flows("cs", "there", "ce"),
        flow("never", "ce"),
        id="child",
    )
    main = process(
        start(),
        call("visit", "child"),
        undone("visit", service("undo-visit")),
        throw("undo", compensation()),
        service("after"),
        flows("start", "visit", "undo", "after"),
    )
    host = Host(definitions(main, child))
    key = host.start()
    host.complete("there")
    assert host.waiting(key) == ["undo", "undo-visit"]
    host.complete("undo-visit")
    assert host.waiting(key) == ["after"]
    finish(host)


# --- the end of the scope -------------------------------------------------------------------------


def test_what_ends_the_scope_ends_the_compensation_in_it() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            service("work"),
            undone("work", service("undo-work")),
            throw("undo", compensation()),
            service("other"),
            end("stop", TERMINATE),
            flows("start", "fork", "work", "undo"),
            flows("fork", "other", "stop"),
        )
    )
    host.start()
    host.complete("work")
    assert jobs(host) == ["other", "undo-work"]
    host.complete("other")
    assert host.nothing_left()


def test_an_instance_is_canceled_in_the_middle_of_its_compensation() -> None:
    host = Host(trip())
    key = through_trip(host)
    host.complete("confirm")
    host.cancel(key)
    assert host.nothing_left()


def test_a_loop_that_can_never_be_compensated_remembers_nothing() -> None:
    def loop(*more: str) -> Host:
        return Host(
            bpmn(
                start(),
                exclusive("again"),
                service("work"),
                undone("work", service("undo-work")),
                *more,
                flows("start", "again", "work"),
                flow("work", "again"),
            )
        )

    host = loop()
    key = host.start()
    size = len(encode(host.instance(key)))
    for _ in range(50):
        host.complete("work")
    assert len(encode(host.instance(key))) == size

    elsewhere = sub("s", start("s1"), throw("undo", compensation()), flows("s1", "undo"))
    host = loop(elsewhere)
    key = host.start()
    for _ in range(50):
        host.complete("work")
    assert len(encode(host.instance(key))) == size, "no throw event reaches it"


def test_a_loop_that_may_be_compensated_remembers_a_number() -> None:
    host = Host(
        bpmn(
            start(),
            exclusive("again"),
            service("work"),
            undone("work", service("undo-work")),
            flows("start", "again", "work"),
            flow("work", "again"),
            event_sub(
                "enough", start("es", message("stop")), end("undo", compensation()), flows("es", "undo")
            ),
            globals=message_definition("stop"),
        )
    )
    key = host.start({"key": "k"})
    host.complete("work")
    size = len(encode(host.instance(key)))
    for _ in range(120):
        host.complete("work")
    assert len(encode(host.instance(key))) <= size + 10
    host.publish("stop", "k")
    assert jobs(host) == ["undo-work"] * 121
    finish(host)


def test_many_handlers_start_in_several_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "SPAWN", 3)
    loop = (
        exclusive("again"),
        script("work", "=n + 1", "n"),
        undone("work", element("task", "undo-work")),
        exclusive("enough", default="enough-again"),
        flow("again", "work"),
        flow("work", "enough"),
        flow("enough", "again"),
        flow("enough", "e1", "=n >= 10"),
        end("e1"),
    )
    for wait in ("true", "false"):
        host = Host(
            bpmn(
                start(),
                sub("s", start("s1"), *loop, flows("s1", "again")),
                throw("undo", compensation(waitForCompletion=wait)),
                end(),
                flows("start", "s", "undo", "end"),
            )
        )
        host.start({"n": 0})
        assert host.nothing_left()
        assert host.path().count("undo-work") == 10

        host = Host(
            bpmn(
                start(),
                *loop,
                throw("undo", compensation(waitForCompletion=wait)),
                end(),
                flows("start", "again"),
                flows("undo", "end"),
            ).replace(b'targetRef="e1"', b'targetRef="undo"')
        )
        host.start({"n": 0})
        assert host.nothing_left()
        assert host.path().count("undo-work") == 10


def test_a_repeated_completion_does_not_count_twice() -> None:
    host = Host(TRIP)
    key = host.start()
    job = host.job("hotel").key
    host.complete("hotel")
    rejected = host.send(c.CompleteJob(id="again", at=host.now, instance_key=key, job_key=job))
    assert rejected is not None
    host.complete("flight")
    assert jobs(host) == ["cancel-flight", "leave-hotel"]


@pytest.mark.parametrize("named", [None, "leg"])
def test_hundreds_of_completed_sub_processes_are_compensated_with_their_own_variables(
    named: str | None,
) -> None:
    host = Host(
        bpmn(
            start(),
            service("first"),
            undone("first", service("undo-first")),
            element(
                "subProcess",
                "leg",
                each("=for i in 1..400 return i", item="n"),
                start("s1"),
                element("task", "hotel"),
                undone("hotel", service("leave-hotel")),
                flows("s1", "hotel"),
            ),
            throw("undo", compensation(named)),
            service("after"),
            flows("start", "first", "leg", "undo", "after"),
        )
    )
    key = host.start()
    host.complete("first")
    assert jobs(host).count("leave-hotel") == 400
    assert jobs(host).count("undo-first") == (0 if named else 1)
    left = [job.variables["n"] for job in host.jobs.values() if job.type == "leave-hotel"]
    assert sorted(left) == list(range(1, 401))
    for job in list(host.jobs):
        host.complete(job)
    assert host.waiting(key) == ["after"]
    finish(host)
