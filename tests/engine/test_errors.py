"""Errors: which event catches them, what it is told, and what nobody catches."""

import pytest

from towpath.engine import commands as c
from towpath.engine import effects

from .host import Host
from .models import (
    TERMINATE,
    boundary,
    bpmn,
    call,
    definitions,
    duration,
    each,
    element,
    end,
    error,
    error_definition,
    event_sub,
    flows,
    mapping,
    parallel,
    process,
    service,
    start,
    sub,
)

BAD = error_definition("BAD")
OTHER = error_definition("OTHER")
MINUTE = 60_000


def attempt(*catching: str) -> bytes:
    """A task inside a sub-process inside a process."""
    return bpmn(
        start(),
        sub("outer", start("s1"), service("work"), flows("s1", "work")),
        *catching,
        flows("start", "outer"),
        globals=BAD + OTHER,
    )


def catcher(id: str, host: str, code: str | None, **variables: str) -> str:
    return boundary(id, host, error(code, **variables)) + service(f"by-{id}") + flows(id, f"by-{id}")


# --- which event ----------------------------------------------------------------------------------


def test_a_near_event_that_catches_all_comes_before_a_far_one_of_the_very_code() -> None:
    near = event_sub("any", start("as", error()), service("by-any"), flows("as", "by-any"))
    host = Host(
        bpmn(
            start(),
            sub("outer", start("s1"), service("work"), flows("s1", "work"), near),
            catcher("far", "outer", "BAD"),
            flows("start", "outer"),
            globals=BAD,
        )
    )
    key = host.start()
    host.throw("work", "BAD")
    assert host.waiting(key) == ["by-any"]


def test_an_event_sub_process_inside_comes_before_a_boundary_event_of_its_scope() -> None:
    inside = event_sub("in", start("is", error("BAD")), service("by-in"), flows("is", "by-in"))
    host = Host(
        bpmn(
            start(),
            sub("outer", start("s1"), service("work"), flows("s1", "work"), inside),
            catcher("on", "outer", "BAD"),
            flows("start", "outer"),
            globals=BAD,
        )
    )
    key = host.start()
    host.throw("work", "BAD")
    assert host.waiting(key) == ["by-in"]


def test_an_error_end_event_inside_an_event_sub_process_goes_to_the_scope_outside() -> None:
    inside = event_sub("in", start("is", error("BAD")), end("again", error("BAD")), flows("is", "again"))
    host = Host(
        bpmn(
            start(),
            sub("outer", start("s1"), service("work"), flows("s1", "work"), inside),
            catcher("on", "outer", "BAD"),
            flows("start", "outer"),
            globals=BAD,
        )
    )
    key = host.start()
    host.throw("work", "BAD")
    assert host.waiting(key) == ["by-on"]
    assert {"again", "in", "outer"} <= set(host.path("terminated"))


def test_an_error_of_an_interrupting_event_sub_process_is_not_caught_by_another_one_of_its_scope() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            flows("start", "work"),
            event_sub(
                "late", start("ls", duration("PT1M")), end("again", error("BAD")), flows("ls", "again")
            ),
            event_sub("in", start("is", error("BAD")), service("by-in"), flows("is", "by-in")),
            globals=BAD,
        )
    )
    key = host.start()
    host.wait(MINUTE)
    assert host.incident().error_type == "UNHANDLED_ERROR_EVENT", "its scope is interrupted"
    host.cancel(key)

    beside = bpmn(
        start(),
        service("work"),
        flows("start", "work"),
        event_sub(
            "late",
            start("ls", duration("PT1M"), isInterrupting="false"),
            end("again", error("BAD")),
            flows("ls", "again"),
        ),
        event_sub("in", start("is", error("BAD")), service("by-in"), flows("is", "by-in")),
        globals=BAD,
    )
    host = Host(beside)
    key = host.start()
    host.wait(MINUTE)
    assert host.waiting(key) == ["by-in"], "this one had left it as it was"


def test_an_error_code_may_be_an_expression_that_makes_a_text() -> None:
    model = bpmn(
        start(),
        sub("outer", start("s1"), end("boom", error("=level")), flows("s1", "boom")),
        catcher("caught", "outer", "BAD"),
        flows("start", "outer"),
        globals=BAD + error_definition("=level"),
    )
    host = Host(model)
    key = host.start({"level": "BAD"})
    assert host.waiting(key) == ["by-caught"]
    key = host.start({"level": {"a": 1}})
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"level": "BAD"})
    host.resolve()
    assert host.waiting(key) == ["by-caught"]


def test_an_error_in_one_instance_of_a_multi_instance_ends_them_all() -> None:
    host = Host(
        bpmn(
            start(),
            element(
                "subProcess", "many", each("=[1, 2, 3]"), start("s1"), service("work"), flows("s1", "work")
            ),
            catcher("caught", "many", None),
            flows("start", "many"),
        )
    )
    key = host.start()
    job = next(iter(host.jobs))
    host.send(c.ThrowJobError(id="t", at=host.now, instance_key=key, job_key=job, code="ANY"))
    assert host.waiting(key) == ["by-caught"]


# --- what it is told ------------------------------------------------------------------------------


def test_an_event_may_name_variables_for_code_and_message() -> None:
    host = Host(
        attempt(catcher("caught", "outer", None, errorCodeVariable="code", errorMessageVariable="why"))
    )
    key = host.start()
    job = host.job("work").key
    host.send(
        c.ThrowJobError(
            id="t", at=host.now, instance_key=key, job_key=job, code="BAD", message="no", variables={"n": 1}
        )
    )
    assert host.values(key) == {"code": "BAD", "why": "no"}, "the others stay at the event"


def test_output_mappings_decide_what_becomes_of_named_variables() -> None:
    caught = boundary(
        "caught",
        "outer",
        error("BAD", errorCodeVariable="code"),
        zeebe=mapping(outputs={"said": "=code + string(n)"}),
    )
    host = Host(attempt(caught, service("after"), flows("caught", "after")))
    key = host.start()
    host.throw("work", "BAD", {"n": 1})
    assert host.values(key) == {"said": "BAD1"}


def test_an_event_sub_process_has_the_variables_of_the_error_to_itself() -> None:
    inside = event_sub(
        "in", start("is", error("BAD", errorCodeVariable="code")), service("fix"), flows("is", "fix")
    )
    host = Host(attempt(inside))
    key = host.start()
    host.throw("work", "BAD", {"n": 1})
    assert host.job("fix").variables == {"code": "BAD", "n": 1}
    assert host.values(key) == {}


# --- through calls --------------------------------------------------------------------------------


CHILD = process(start("cs"), service("work"), end("ce"), flows("cs", "work", "ce"), id="child")
MIDDLE = process(start("ms"), call("call", "child"), flows("ms", "call"), id="middle")


def calling(called: str, *catching: str, child: str = CHILD) -> Host:
    main = process(start(), call("call", called), flows("start", "call"), *catching)
    return Host(definitions(main, child, MIDDLE, BAD, OTHER))


@pytest.mark.parametrize("called", ["child", "middle"])
def test_a_call_activity_catches_the_error_of_what_it_called(called: str) -> None:
    host = calling(called, catcher("caught", "call", "BAD", errorMessageVariable="why"))
    key = host.start()
    work = host.job("work")
    host.send(
        c.ThrowJobError(
            id="t",
            at=host.now,
            instance_key=host.job_instance[work.key],
            job_key=work.key,
            code="BAD",
            message="no",
        )
    )
    assert host.waiting(key) == ["by-caught"]
    assert host.values(key) == {"why": "no"}
    assert set(host.states) == {key}, "the called instances are over"
    host.complete("by-caught")
    assert host.nothing_left()


@pytest.mark.parametrize("called", ["child", "middle"])
def test_the_incident_of_an_error_that_no_caller_catches_stands_where_it_was_thrown(called: str) -> None:
    host = calling(called, catcher("caught", "call", "OTHER"))
    key = host.start()
    host.throw("work", "BAD")
    assert host.incident().element_id == "work"
    host.resolve()
    host.throw("work", "OTHER")
    assert host.waiting(key) == ["by-caught"]


def test_several_errors_of_one_called_instance_do_not_mix() -> None:
    child = process(
        start("cs"),
        parallel("fork"),
        service("a"),
        service("b"),
        flows("cs", "fork", "a"),
        flows("fork", "b"),
        id="child",
    )
    host = calling("middle", child=child)
    host.start()
    host.hold = True
    host.throw("a", "BAD")
    host.throw("b", "OTHER")
    while host.outbox:
        host.one(host.outbox.popleft())
    found = {(incident.element_id, incident.message) for incident, _ in host.incidents.values()}
    assert found == {("a", "No event catches the error `BAD`"), ("b", "No event catches the error `OTHER`")}


def test_an_answer_that_comes_again_opens_no_second_incident() -> None:
    host = calling("child")
    host.start()
    host.throw("work", "BAD")
    [answer] = [e.command for e in host.records(effects.Send) if isinstance(e.command, c.ErrorNotCaught)]
    assert host.one(answer) is not None
    assert len(host.incidents) == 1


# --- terminate ------------------------------------------------------------------------------------


def stopping(id: str) -> tuple[str, ...]:
    """A slow task beside one that leads to a terminate end event."""
    return (
        parallel(f"{id}-fork"),
        service(f"{id}-slow"),
        service(f"{id}-quick"),
        end(f"{id}-stop", TERMINATE),
        flows(f"{id}-fork", f"{id}-slow"),
        flows(f"{id}-fork", f"{id}-quick", f"{id}-stop"),
    )


def test_terminate_in_an_event_sub_process_ends_only_that() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            flows("start", "work"),
            event_sub(
                "aside",
                start("as", duration("PT1M"), isInterrupting="false"),
                *stopping("a"),
                flows("as", "a-fork"),
            ),
        )
    )
    key = host.start()
    host.wait(MINUTE)
    host.complete("a-quick")
    assert host.waiting(key) == ["work"]
    assert "aside" in host.path("completed")


def test_terminate_ends_what_is_nested_in_its_scope_and_nothing_around_it() -> None:
    inner = sub(
        "inner",
        start("s2"),
        sub("deep", start("s3"), service("deepest"), flows("s3", "deepest")),
        flows("s2", "deep"),
    )
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            service("beside"),
            sub(
                "outer",
                start("s1"),
                parallel("f1"),
                inner,
                service("quick"),
                end("stop", TERMINATE),
                flows("s1", "f1", "inner"),
                flows("f1", "quick", "stop"),
            ),
            service("after"),
            flows("start", "fork", "outer", "after"),
            flows("fork", "beside"),
        )
    )
    key = host.start()
    host.complete("quick")
    assert host.waiting(key) == ["after", "beside"]
    assert host.path("terminated") == ["deepest", "deep", "inner"]


def test_terminate_in_one_instance_of_a_multi_instance_leaves_the_others() -> None:
    host = Host(
        bpmn(
            start(),
            element(
                "subProcess", "many", each("=[1, 2]"), start("s1"), *stopping("m"), flows("s1", "m-fork")
            ),
            service("after"),
            flows("start", "many", "after"),
        )
    )
    key = host.start()
    quick = [job.key for job in host.jobs.values() if job.type == "m-quick"]
    host.complete(quick[0])
    assert host.waiting(key) == ["m-quick", "m-slow"]
    host.complete(quick[1])
    assert host.waiting(key) == ["after"]


def test_terminate_in_a_called_process_completes_the_call_activity() -> None:
    child = process(start("cs"), *stopping("c"), flows("cs", "c-fork"), id="child")
    host = Host(
        definitions(
            process(start(), call("call", "child"), service("after"), flows("start", "call", "after")), child
        )
    )
    key = host.start()
    host.complete("c-quick")
    assert host.waiting(key) == ["after"]
