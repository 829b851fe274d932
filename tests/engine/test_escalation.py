"""Escalations: thrown, caught on the way outwards, and never in the way of whoever throws them."""

import pytest

from towpath.engine import commands as c
from towpath.engine import effects

from .host import Host
from .models import (
    boundary,
    bpmn,
    call,
    definitions,
    each,
    element,
    end,
    error,
    error_definition,
    escalation,
    escalation_definition,
    event_sub,
    flows,
    mapping,
    parallel,
    process,
    script,
    service,
    start,
    sub,
    throw,
)

LATE = escalation_definition("LATE")
OTHER = escalation_definition("OTHER")


def review(*catching: str, thrown: str | None = None, zeebe: str = "") -> bytes:
    """A sub-process that escalates between two tasks; ``catching`` is what may catch it around it."""
    return bpmn(
        start(),
        sub(
            "review",
            start("s1"),
            service("ask"),
            thrown or throw("escalate", escalation("LATE"), zeebe=zeebe),
            service("wait"),
            end("e1"),
            flows("s1", "ask", "escalate", "wait", "e1"),
        ),
        service("after"),
        end(),
        flows("start", "review", "after", "end"),
        *catching,
        globals=LATE + OTHER,
    )


def on_review(code: str | None, interrupting: bool, zeebe: str = "") -> str:
    return (
        boundary("caught", "review", escalation(code), interrupting=interrupting, zeebe=zeebe)
        + service("remind")
        + end("reminded")
        + flows("caught", "remind", "reminded")
    )


def around(code: str | None, interrupting: bool) -> str:
    return event_sub(
        "aside",
        start("begin", escalation(code), isInterrupting=str(interrupting).lower()),
        service("remind"),
        flows("begin", "remind"),
    )


# --- caught ---------------------------------------------------------------------------------------


def test_a_non_interrupting_boundary_event_leaves_the_thrower_going() -> None:
    host = Host(review(on_review("LATE", interrupting=False)))
    key = host.start()
    host.complete("ask")
    assert host.waiting(key) == ["remind", "wait"]
    assert "escalate" in host.path("completed")
    for job in ("wait", "remind", "after"):
        host.complete(job)
    assert host.nothing_left()


def test_an_interrupting_boundary_event_ends_the_activity_and_the_thrower_with_it() -> None:
    host = Host(review(on_review("LATE", interrupting=True)))
    key = host.start()
    host.complete("ask")
    assert host.waiting(key) == ["remind"]
    assert host.path("terminated") == ["escalate", "review"]
    host.complete("remind")
    assert host.nothing_left()


def test_an_event_sub_process_catches_it_beside_or_instead_of_its_scope() -> None:
    host = Host(review(around("LATE", interrupting=False)))
    beside = host.start()
    host.complete("ask")
    assert host.waiting(beside) == ["remind", "wait"]

    host = Host(review(around("LATE", interrupting=True)))
    instead = host.start()
    host.complete("ask")
    assert host.waiting(instead) == ["remind"]
    assert "review" in host.path("terminated")
    host.complete("remind")
    assert host.nothing_left()


def test_an_event_sub_process_may_catch_as_often_as_is_escalated() -> None:
    host = Host(
        bpmn(
            start(),
            throw("once", escalation("LATE")),
            throw("twice", escalation("LATE")),
            service("wait"),
            flows("start", "once", "twice", "wait"),
            around("LATE", interrupting=False),
            globals=LATE,
        )
    )
    key = host.start()
    assert host.waiting(key) == ["remind", "remind", "wait"]


def test_the_event_with_the_very_code_comes_before_the_one_that_catches_all() -> None:
    both = (
        boundary("any", "review", escalation(), interrupting=False)
        + service("general")
        + flows("any", "general")
        + on_review("LATE", interrupting=False)
    )
    host = Host(review(both))
    key = host.start()
    host.complete("ask")
    assert host.waiting(key) == ["remind", "wait"]


def test_an_event_without_a_code_catches_every_escalation() -> None:
    host = Host(review(on_review(None, interrupting=False)))
    key = host.start()
    host.complete("ask")
    assert host.waiting(key) == ["remind", "wait"]


def test_the_nearest_scope_that_catches_it_keeps_it() -> None:
    inner = sub(
        "inner",
        start("s2"),
        throw("escalate", escalation("LATE")),
        service("work"),
        flows("s2", "escalate", "work"),
    )
    host = Host(
        bpmn(
            start(),
            sub(
                "outer",
                start("s1"),
                inner,
                flows("s1", "inner"),
                event_sub(
                    "near",
                    start("n", escalation("LATE"), isInterrupting="false"),
                    service("here"),
                    flows("n", "here"),
                ),
            ),
            boundary("far", "outer", escalation("LATE"), interrupting=False),
            service("there"),
            flows("start", "outer"),
            flows("far", "there"),
            globals=LATE,
        )
    )
    key = host.start()
    assert host.waiting(key) == ["here", "work"]


def test_an_escalation_of_an_event_sub_process_is_not_caught_by_itself() -> None:
    host = Host(
        bpmn(
            start(),
            throw("first", escalation("LATE")),
            service("work"),
            flows("start", "first", "work"),
            event_sub(
                "aside",
                start("begin", escalation("LATE"), isInterrupting="false"),
                throw("again", escalation("LATE")),
                service("remind"),
                flows("begin", "again", "remind"),
            ),
            globals=LATE,
        )
    )
    key = host.start()
    assert host.waiting(key) == ["remind", "work"]


def test_an_error_event_does_not_catch_an_escalation_of_the_same_code() -> None:
    host = Host(
        bpmn(
            start(),
            sub("review", start("s1"), throw("escalate", escalation("LATE")), flows("s1", "escalate")),
            boundary("broken", "review", error("LATE")),
            service("after"),
            service("repair"),
            flows("start", "review", "after"),
            flows("broken", "repair"),
            globals=LATE + error_definition("LATE"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["after"]


def test_the_boundary_event_of_a_multi_instance_catches_for_all_of_its_instances() -> None:
    model = bpmn(
        start(),
        element(
            "subProcess",
            "each",
            each("=[1, 2]"),
            start("s1"),
            throw("escalate", escalation("LATE")),
            service("work"),
            flows("s1", "escalate", "work"),
        ),
        boundary("caught", "each", escalation("LATE"), interrupting=False),
        service("remind"),
        flows("start", "each"),
        flows("caught", "remind"),
        globals=LATE,
    )
    host = Host(model)
    key = host.start()
    assert host.waiting(key) == ["remind", "remind", "work", "work"]

    host = Host(model.replace(b'cancelActivity="false"', b'cancelActivity="true"'))
    key = host.start()
    assert host.waiting(key) == ["remind"], "the first one to escalate ends them all"


def test_an_escalation_end_event_ends_its_path_and_the_scope_after_it() -> None:
    host = Host(
        bpmn(
            start(),
            sub("review", start("s1"), end("escalate", escalation("LATE")), flows("s1", "escalate")),
            service("after"),
            end(),
            flows("start", "review", "after", "end"),
            boundary("caught", "review", escalation("LATE"), interrupting=False),
            service("remind"),
            flows("caught", "remind"),
            globals=LATE,
        )
    )
    key = host.start()
    assert host.waiting(key) == ["after", "remind"]
    assert "review" in host.path("completed")


# --- not caught -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["LATE", "OTHER"])
def test_an_escalation_that_nothing_catches_is_no_incident(code: str) -> None:
    host = Host(review(on_review("OTHER", interrupting=True)).replace(b"-LATE", f"-{code}".encode()))
    key = host.start()
    host.complete("ask")
    assert host.incidents == {}
    assert host.waiting(key) == (["wait"] if code == "LATE" else ["remind"])


def test_a_code_may_be_an_expression_and_must_make_a_text() -> None:
    computed = escalation_definition("=level")
    model = review(on_review("LATE", interrupting=True), thrown=throw("escalate", escalation("=level")))
    host = Host(model.replace(LATE.encode(), (LATE + computed).encode()))
    key = host.start({"level": "LATE"})
    host.complete("ask")
    assert host.waiting(key) == ["remind"]

    host = Host(model.replace(LATE.encode(), (LATE + computed).encode()))
    key = host.start()
    host.complete("ask")
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"level": "LATE"})
    host.resolve()
    assert host.waiting(key) == ["remind"]


# --- variables ------------------------------------------------------------------------------------


def test_it_carries_what_the_output_mappings_of_the_thrower_make() -> None:
    host = Host(
        review(
            on_review("LATE", interrupting=True),
            zeebe=mapping(inputs={"n": "=days + 1"}, outputs={"overdue": "=n"}),
        )
    )
    key = host.start({"days": 3})
    host.complete("ask")
    assert host.values(key) == {"days": 3, "overdue": 4}

    host = Host(
        review(
            on_review("LATE", interrupting=True, zeebe=mapping(outputs={"said": "=overdue"})),
            zeebe=mapping(outputs={"overdue": "=days"}),
        )
    )
    key = host.start({"days": 3})
    host.complete("ask")
    assert host.values(key) == {"days": 3, "said": 3}

    host = Host(review(around("LATE", interrupting=True), zeebe=mapping(outputs={"overdue": "=days"})))
    key = host.start({"days": 3})
    host.complete("ask")
    assert host.values(key) == {"days": 3}
    assert host.job("remind").variables == {"days": 3, "overdue": 3}, "local to the event sub-process"


def test_without_output_mappings_it_carries_nothing() -> None:
    host = Host(review(on_review("LATE", interrupting=True), zeebe=mapping(inputs={"n": "=1"})))
    key = host.start()
    host.complete("ask")
    assert host.values(key) == {}


# --- through calls --------------------------------------------------------------------------------


CHILD = process(
    start("cs"),
    throw("escalate", escalation("LATE"), zeebe=mapping(outputs={"overdue": "=1 + 1"})),
    service("go-on"),
    end("ce"),
    flows("cs", "escalate", "go-on", "ce"),
    id="child",
)
MIDDLE = process(start("ms"), call("call", "child"), flows("ms", "call"), id="middle")


def calling(called: str, code: str, interrupting: bool) -> Host:
    main = process(
        start(),
        call("call", called),
        end(),
        boundary("caught", "call", escalation(code), interrupting=interrupting),
        service("remind"),
        end("end2"),
        flows("start", "call", "end"),
        flows("caught", "remind", "end2"),
    )
    return Host(definitions(main, CHILD, MIDDLE, LATE, OTHER))


@pytest.mark.parametrize("called", ["child", "middle"])
def test_a_calling_instance_that_interrupts_ends_the_called_one(called: str) -> None:
    host = calling(called, "LATE", interrupting=True)
    key = host.start()
    assert host.waiting(key) == ["remind"]
    assert set(host.states) == {key}, "the called instances are over"
    assert "go-on" not in [job.type for job in host.records(effects.OfferJob)], "the thrower never went on"
    assert host.values(key) == {"overdue": 2}
    host.complete("remind")
    assert host.nothing_left()


@pytest.mark.parametrize("called", ["child", "middle"])
def test_a_calling_instance_that_does_not_interrupt_lets_the_called_one_go_on(called: str) -> None:
    host = calling(called, "LATE", interrupting=False)
    key = host.start()
    assert host.waiting(key) == ["call", "remind"]
    host.complete("go-on")
    host.complete("remind")
    assert host.nothing_left()


@pytest.mark.parametrize("called", ["child", "middle"])
def test_what_no_calling_instance_catches_lets_the_called_one_go_on(called: str) -> None:
    host = calling(called, "OTHER", interrupting=True)
    key = host.start()
    assert host.waiting(key) == ["call"]
    host.complete("go-on")
    assert host.incidents == {}
    assert host.nothing_left()


def test_a_called_instance_waits_with_its_thrower_until_it_hears_of_its_callers() -> None:
    host = calling("middle", "LATE", interrupting=False)
    host.hold = True
    host.start()
    sent = []
    while host.outbox:
        command = host.outbox.popleft()
        sent.append(type(command))
        if isinstance(command, c.EscalationSettled):
            assert host.waiting(command.instance_key) == ["escalate"]
        host.one(command)
    assert sent == [
        c.CreateInstance,
        c.CreateInstance,
        c.CalledInstanceEscalated,
        c.CalledInstanceEscalated,
        c.EscalationSettled,
    ]
    assert host.job("go-on")


def test_several_escalations_of_one_called_instance_do_not_mix() -> None:
    child = process(
        start("cs"),
        parallel("fork"),
        throw("a", escalation("LATE")),
        throw("b", escalation("OTHER")),
        service("after-a"),
        service("after-b"),
        flows("cs", "fork", "a", "after-a"),
        flows("fork", "b", "after-b"),
        id="child",
    )
    main = process(
        start(),
        call("call", "middle"),
        flows("start", "call"),
        boundary("caught", "call", escalation("OTHER"), interrupting=False),
        service("remind"),
        flows("caught", "remind"),
    )
    host = Host(definitions(main, child, MIDDLE, LATE, OTHER))
    key = host.start()
    assert host.waiting(key) == ["call", "remind"]
    assert sorted(job.type for job in host.jobs.values()) == ["after-a", "after-b", "remind"]


def test_a_thrower_that_was_told_to_go_on_is_not_told_twice() -> None:
    host = calling("child", "LATE", interrupting=False)
    host.start()
    [settled] = [
        effect.command
        for effect in host.records(effects.Send)
        if isinstance(effect.command, c.EscalationSettled)
    ]
    rejected = host.one(settled)
    assert rejected is not None
    assert rejected.type == "not-found"


def test_a_multi_instance_of_calls_escalates_for_each() -> None:
    main = process(
        start(),
        element(
            "callActivity",
            "call",
            each("=[1, 2, 3]"),
            zeebe='<zeebe:calledElement processId="child"/>',
        ),
        flows("start", "call"),
        event_sub(
            "aside",
            start("begin", escalation("LATE"), isInterrupting="false"),
            script("note", "=overdue", "noted"),
            service("remind"),
            flows("begin", "note", "remind"),
        ),
    )
    host = Host(definitions(main, CHILD, LATE))
    key = host.start()
    assert host.waiting(key).count("remind") == 3
    assert [job.variables["noted"] for job in host.jobs.values() if job.type == "remind"] == [2, 2, 2]
