"""Execution listeners: jobs before an element begins and before it leaves."""

from __future__ import annotations

import pytest

from towpath import bpmn as reading
from towpath.engine import effects
from towpath.faults import Faulty

from .host import Host
from .models import (
    boundary,
    bpmn,
    call,
    catch,
    compensation,
    definitions,
    duration,
    each,
    element,
    end,
    error,
    error_definition,
    event_sub,
    exclusive,
    flow,
    flows,
    headers,
    listeners,
    mapping,
    message,
    message_definition,
    process,
    service,
    service_for_each,
    start,
    sub,
    user,
)


def one(thing: str, *more: str, globals: str = "") -> Host:
    """A process of the one element ``x``."""
    return Host(bpmn(start(), thing, *more, end(), flows("start", "x", "end"), globals=globals))


def test_listeners_run_one_after_the_other_around_the_work_of_an_element() -> None:
    host = one(service("x", zeebe=listeners("start:a", "end:c", "start:b")))
    key = host.start()
    for type_ in ("a", "b", "x", "c"):
        assert [job.type for job in host.jobs.values()] == [type_]
        assert key not in host.ended
        host.complete(type_)
    assert key in host.ended
    offered = [(job.type, job.kind, job.listener_event) for job in host.records(effects.OfferJob)]
    assert offered == [
        ("a", "EXECUTION_LISTENER", "START"),
        ("b", "EXECUTION_LISTENER", "START"),
        ("x", "BPMN_ELEMENT", None),
        ("c", "EXECUTION_LISTENER", "END"),
    ]
    assert host.nothing_left()


def test_start_listeners_see_the_inputs_and_their_variables_are_local() -> None:
    host = one(service("x", zeebe=mapping(inputs={"i": "=1"}) + listeners("start:a", "start:b")))
    key = host.start()
    assert host.job("a").variables == {"i": 1}
    host.complete("a", {"s": 2})
    assert host.job("b").variables == {"i": 1, "s": 2}
    host.complete("b")
    assert host.job("x").variables == {"i": 1, "s": 2}
    host.complete("x", {"r": 3})
    assert host.values(key) == {"r": 3}


def test_end_listeners_see_the_outputs_and_their_variables_go_to_the_scopes_around() -> None:
    host = one(service("x", zeebe=mapping(outputs={"o": "=r"}) + listeners("end:a", "end:b")))
    key = host.start()
    host.complete("x", {"r": 3})
    assert host.job("a").variables == {"r": 3, "o": 3}
    host.complete("a", {"e": 4})
    assert host.job("b").variables == {"r": 3, "o": 3, "e": 4}
    host.complete("b")
    assert host.values(key) == {"o": 3, "e": 4}


def test_a_start_listener_decides_what_a_gateway_and_a_timer_read() -> None:
    gateway = element("exclusiveGateway", "x", zeebe=listeners("start:choose"), default="x-end")
    timer = catch("later", duration("=wait"), zeebe=listeners("start:when"))
    host = Host(
        bpmn(
            start(),
            gateway,
            timer,
            end(),
            flows("start", "x"),
            flow("x", "later", "=go"),
            flows("x", "end"),
            flow("later", "end", id="back"),
        )
    )
    key = host.start()
    host.complete("choose", {"go": True})
    host.complete("when", {"wait": "PT5M"})
    assert host.waiting(key) == ["later"]
    host.wait(300_000)
    assert key in host.ended


KINDS = {
    "undefined task": element("task", "x", zeebe="{}"),
    "user task": user("x", zeebe="{}"),
    "script": element("scriptTask", "x", zeebe='<zeebe:script expression="=1" resultVariable="r"/>{}'),
    "receive task": element("receiveTask", "x", zeebe="{}", messageRef="message-m"),
    "catch event": catch("x", message("m"), zeebe="{}"),
    "none throw event": element("intermediateThrowEvent", "x", zeebe="{}"),
    "sub-process": sub("x", start("s"), end("e"), flows("s", "e"), zeebe="{}"),
    "call activity": call("x", "q", zeebe="{}"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_element_that_has_both_runs_them(kind: str) -> None:
    called = process(start("s"), end("e"), flows("s", "e"), id="q")
    whole = process(
        start(),
        KINDS[kind].replace("{}", listeners("start:before", "end:after")),
        end(),
        flows("start", "x", "end"),
    )
    host = Host(definitions(whole, called, message_definition("m")))
    key = host.start({"key": "k"})
    host.complete("before")
    if host.tasks:
        host.complete_task()
    host.publish("m", "k")
    host.complete("after")
    assert key in host.ended
    assert host.nothing_left()


def test_start_and_end_of_a_process_and_the_end_of_its_events() -> None:
    whole = process(
        start(zeebe=listeners("end:started")),
        element("task", "x"),
        end(zeebe=listeners("start:ending", "end:ended")),
        flows("start", "x", "end"),
        extensions=listeners("start:first", "end:last"),
    )
    host = Host(definitions(whole))
    key = host.start({"a": 1})
    for type_ in ("first", "started", "ending", "ended", "last"):
        assert host.job(type_).variables["a"] == 1
        host.complete(type_, {type_: True})
    assert host.values(key) == {"a": 1, "first": True, "started": True, "ended": True, "last": True}
    assert host.nothing_left()


def test_a_multi_instance_has_listeners_for_each_inner_instance_and_before_all() -> None:
    host = one(
        service_for_each(
            "x",
            each("=items", outputCollection="out", outputElement="=r"),
            zeebe=listeners("beforeAll:all", "start:a", "end:b"),
        )
    )
    key = host.start()
    host.complete("all", {"items": [1, 2]})
    for type_ in ("a", "x", "b"):
        found = [job.key for job in host.jobs.values() if job.type == type_]
        assert len(found) == len(host.jobs) == 2
        for job in found:
            host.complete(job, {"r": job} if type_ == "b" else {})
    assert host.values(key)["out"] == found
    assert "items" not in host.values(key)
    assert host.nothing_left()


def test_boundary_events_wait_from_the_last_start_listener_to_the_last_end_listener() -> None:
    watched = service("x", zeebe=listeners("start:a", "end:c"))
    late = boundary("late", "x", duration("PT1M")) + element("endEvent", "stop") + flows("late", "stop")
    host = one(watched, late)
    key = host.start()
    host.wait(120_000)
    host.complete("a")
    assert len(host.timers) == 1
    host.complete("x")
    host.wait(60_000)
    assert key in host.ended
    assert host.path()[-3:] == ["late", "stop", "p"]
    assert host.nothing_left()


def test_a_listener_without_retries_is_an_incident_and_only_it_is_tried_again() -> None:
    host = one(service("x", zeebe=listeners("start:a", "start:b:1")))
    key = host.start()
    host.complete("a")
    assert host.fail("b") is None
    assert host.incident().error_type == "JOB_NO_RETRIES"
    host.resolve()
    host.complete("b")
    host.complete("x")
    assert key in host.ended
    assert [job.type for job in host.records(effects.OfferJob)] == ["a", "b", "x"]


def test_a_listener_whose_type_is_no_text_is_an_incident() -> None:
    host = one(service("x", zeebe=listeners("end:a", "end:=kind")))
    key = host.start({"n": 0})
    host.complete("x", {"n": 1})
    host.complete("a")
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"kind": "b"})
    host.resolve()
    host.complete("b")
    assert key in host.ended
    assert [job.type for job in host.records(effects.OfferJob)] == ["x", "a", "b"]


def test_what_fails_after_the_start_listeners_does_not_run_them_again() -> None:
    host = one(catch("x", duration("=wait"), zeebe=listeners("start:a")))
    key = host.start()
    host.complete("a")
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"wait": "PT1M"})
    host.resolve()
    host.wait(60_000)
    assert key in host.ended


def test_a_listener_cannot_throw_an_error() -> None:
    caught = boundary("b", "x", error("E")) + element("endEvent", "stop") + flows("b", "stop")
    host = one(service("x", zeebe=listeners("start:a")), caught, globals=error_definition("E"))
    host.start()
    rejected = host.throw("a", "E")
    assert rejected is not None
    assert rejected.type == "invalid-state"
    assert host.complete("a") is None


@pytest.mark.parametrize("done", [(), ("a", "x")])
def test_a_listener_is_canceled_with_its_element(done: tuple[str, ...]) -> None:
    host = one(service("x", zeebe=listeners("start:a", "end:b")))
    key = host.start()
    for type_ in done:
        host.complete(type_)
    host.cancel(key)
    assert [effect.outcome for effect in host.records(effects.CloseJob)][-1] == "canceled"
    assert host.nothing_left()


def test_an_event_sub_process_that_begins_during_the_end_listeners_ends_before_its_scope() -> None:
    begin = start("s", duration("PT1M"), isInterrupting="false")
    aside = event_sub("es", begin, service("w"), end("e"), flows("s", "w", "e"))
    host = one(sub("x", aside, start("s1"), end("e1"), flows("s1", "e1"), zeebe=listeners("end:a", "end:b")))
    key = host.start()
    host.wait(60_000)
    host.complete("a")
    assert [job.type for job in host.jobs.values()] == ["w"]
    host.complete("w")
    host.complete("b")
    assert key in host.ended
    assert host.nothing_left()


def test_an_interrupting_event_sub_process_runs_the_end_listeners_anew() -> None:
    instead = event_sub("es", start("s", duration("PT1M")), service("w"), end("e"), flows("s", "w", "e"))
    host = one(sub("x", instead, start("s1"), end("e1"), flows("s1", "e1"), zeebe=listeners("end:a")))
    key = host.start()
    first = host.job("a").key
    host.wait(60_000)
    assert [job.type for job in host.jobs.values()] == ["w"]
    host.complete("w")
    assert host.job("a").key != first
    host.complete("a")
    assert key in host.ended
    assert host.nothing_left()


def test_headers_of_a_listener_stand_over_those_of_its_element() -> None:
    found = listeners("start:a").replace("/></", f">{headers(k='2')}</zeebe:executionListener></")
    host = one(service("x", zeebe=found + headers(k="1", m="3")))
    host.start()
    assert host.job("a").headers == {"k": "2", "m": "3"}


MISPLACED = {
    "start event": start("x", zeebe=listeners("start:a")),
    "boundary event": service("h") + boundary("x", "h", duration("PT1S"), zeebe=listeners("start:a")),
    "gateway": exclusive("x")
    .replace("/>", ">")
    .replace("</bpmn", f"<bpmn:extensionElements>{listeners('end:a')}</bpmn:extensionElements></bpmn"),
    "error end event": element("endEvent", "x", error("E"), zeebe=listeners("end:a")),
    "compensation boundary event": service("h")
    + boundary("x", "h", compensation(), zeebe=listeners("end:a")),
    "no multi-instance": service("x", zeebe=listeners("beforeAll:a")),
    "unknown event": service("x", zeebe=listeners("take:a")),
    "twice": service("x", zeebe=listeners("start:a", "start:a")),
}


@pytest.mark.parametrize("what", MISPLACED)
def test_a_listener_that_could_not_run_is_refused(what: str) -> None:
    whole = (start(), service("y"), end(), MISPLACED[what], flows("start", "y", "end"))
    model = bpmn(*whole, globals=error_definition("E"))
    with pytest.raises(Faulty) as refused:
        reading.read(model)
    assert ("bpmn.listener", "x") in {(fault.rule, fault.element) for fault in refused.value.faults}
