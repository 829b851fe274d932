from typing import Any

import pytest

from towpath import bpmn as reader
from towpath.engine import commands as c
from towpath.engine import effects
from towpath.faults import Faulty

from .host import Host
from .models import (
    boundary,
    bpmn,
    catch,
    definitions,
    duration,
    each,
    element,
    end,
    event_sub,
    flows,
    mapping,
    message,
    message_definition,
    parallel,
    process,
    service,
    signal,
    signal_definition,
    start,
    sub,
    throw,
)

ALARM = signal_definition("alarm")


# --- caught ---------------------------------------------------------------------------------------


def test_a_catch_event_waits_for_the_signal_of_its_name_and_takes_what_it_brings() -> None:
    host = Host(
        bpmn(start(), catch("wait", signal("alarm")), end(), flows("start", "wait", "end"), globals=ALARM)
    )
    key = host.start()
    host.broadcast("other")
    assert host.waiting(key) == ["wait"]
    host.broadcast("alarm", {"floor": 3})
    assert host.values(key) == {"floor": 3}
    assert host.nothing_left()


def test_a_signal_reaches_every_instance_that_waits_for_it() -> None:
    host = Host(
        bpmn(start(), catch("wait", signal("alarm")), end(), flows("start", "wait", "end"), globals=ALARM)
    )
    keys = [host.start() for _ in range(3)]
    host.broadcast("alarm")
    assert set(keys) == set(host.ended)


def test_a_signal_is_kept_for_nobody() -> None:
    host = Host(
        bpmn(start(), catch("wait", signal("alarm")), end(), flows("start", "wait", "end"), globals=ALARM)
    )
    host.broadcast("alarm")
    key = host.start()
    assert host.waiting(key) == ["wait"]


def test_the_name_of_a_signal_may_be_an_expression() -> None:
    model = bpmn(
        start(),
        catch("wait", signal("alarm")),
        end(),
        flows("start", "wait", "end"),
        globals=signal_definition("alarm", '="alarm-" + city'),
    )
    host = Host(model)
    here, there = host.start({"city": "Riga"}), host.start({"city": "Graz"})
    host.broadcast("alarm-Riga")
    assert list(host.ended) == [here]
    assert host.waiting(there) == ["wait"]


@pytest.mark.parametrize("nameless", [{}, {"name": ""}, {"name": [1]}])
def test_a_signal_without_a_name_is_an_incident_until_it_has_one(nameless: dict[str, Any]) -> None:
    model = bpmn(
        start(),
        catch("wait", signal("alarm")),
        end(),
        flows("start", "wait", "end"),
        globals=signal_definition("alarm", "=name"),
    )
    host = Host(model)
    key = host.start(nameless)
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    assert "signal name" in host.incident().message
    host.set(key, {"name": "alarm"})
    host.resolve()
    host.broadcast("alarm")
    assert host.nothing_left()


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_boundary_event_catches_a_signal(interrupting: bool) -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            end(),
            boundary("caught", "work", signal("alarm"), interrupting=interrupting),
            service("react"),
            end("reacted"),
            flows("start", "work", "end"),
            flows("caught", "react", "reacted"),
            globals=ALARM,
        )
    )
    key = host.start()
    host.broadcast("alarm", {"floor": 3})
    host.broadcast("alarm")
    assert host.waiting(key) == (["react"] if interrupting else ["react", "react", "work"])
    for job in list(host.jobs):
        host.complete(job)
    assert host.values(key) == {"floor": 3}
    assert host.nothing_left()


@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_an_event_sub_process_starts_at_a_signal(interrupting: str) -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            end(),
            flows("start", "work", "end"),
            event_sub(
                "handler",
                start("heard", signal("alarm"), isInterrupting=interrupting),
                service("react"),
                end("reacted"),
                flows("heard", "react", "reacted"),
            ),
            globals=ALARM,
        )
    )
    key = host.start()
    host.broadcast("alarm", {"floor": 3})
    assert host.waiting(key) == (["react"] if interrupting == "true" else ["react", "work"])
    for job in list(host.jobs):
        host.complete(job)
    assert host.values(key) == {}, "what a signal brings is local to the event sub-process"
    assert host.nothing_left()


def test_behind_an_event_based_gateway_the_signal_may_be_first() -> None:
    host = Host(
        bpmn(
            start(),
            element("eventBasedGateway", "race"),
            catch("heard", signal("alarm")),
            catch("late", duration("PT1H")),
            catch("told", message("stop")),
            end(),
            flows("start", "race", "heard", "end"),
            flows("race", "late", "end"),
            flows("race", "told", "end"),
            globals=ALARM + message_definition("stop"),
        )
    )
    host.start({"key": "k"})
    host.broadcast("alarm")
    assert "heard" in host.path()
    assert host.nothing_left()


# --- thrown ---------------------------------------------------------------------------------------


def test_a_thrown_signal_brings_its_input_mappings_to_every_process() -> None:
    thrower = process(
        start("s"),
        throw("shout", signal("alarm"), zeebe=mapping(inputs={"floor": "=level"})),
        service("after"),
        end("e"),
        flows("s", "shout", "after", "e"),
        id="thrower",
    )
    catcher = process(start(), catch("wait", signal("alarm")), end(), flows("start", "wait", "end"))
    host = Host(definitions(thrower, catcher, ALARM))
    waiting = host.start()
    throwing = host.start({"level": 2, "secret": 1}, process="thrower")
    assert host.values(waiting) == {"floor": 2}
    assert host.waiting(throwing) == ["after"], "whoever throws goes on"
    assert host.values(throwing) == {"level": 2, "secret": 1}


def test_an_end_event_throws_a_signal_that_other_branches_of_its_own_instance_hear() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            catch("wait", signal("alarm")),
            end(),
            end("shout", signal("alarm")),
            flows("start", "fork", "wait", "end"),
            flows("fork", "shout"),
            globals=ALARM,
        )
    )
    host.start()
    assert host.path().count("wait") == 1
    assert host.nothing_left()


def test_who_begins_to_wait_after_the_throw_in_the_same_step_does_not_hear_it() -> None:
    host = Host(
        bpmn(
            start(),
            throw("shout", signal("alarm")),
            catch("wait", signal("alarm")),
            end(),
            flows("start", "shout", "wait", "end"),
            globals=ALARM,
        )
    )
    key = host.start()
    assert host.waiting(key) == ["wait"]


def test_a_thrown_signal_without_a_name_is_an_incident_and_nobody_hears_of_it() -> None:
    host = Host(
        bpmn(
            start(),
            throw("shout", signal("alarm")),
            end(),
            flows("start", "shout", "end"),
            globals=signal_definition("alarm", "=name"),
        )
    )
    key = host.start()
    assert host.incident().element_id == "shout"
    assert not list(host.records(effects.Broadcast))
    host.set(key, {"name": "alarm"})
    host.resolve()
    assert [e.signal_name for e in host.records(effects.Broadcast)] == ["alarm"]
    assert host.nothing_left()


def test_a_signal_reaches_an_inner_instance_once_although_it_waits_again_for_the_same() -> None:
    series = element("subProcess", "series", each("=[1, 2]", sequential=True), start("s"),
                     catch("wait", signal("alarm")), end("e"), flows("s", "wait", "e"))  # fmt: skip
    host = Host(bpmn(start(), series, end(), flows("start", "series", "end"), globals=ALARM))
    key = host.start()
    host.broadcast("alarm")
    assert host.waiting(key) == ["wait"]
    host.broadcast("alarm")
    assert host.nothing_left()


def test_a_signal_for_an_instance_that_waits_no_longer_changes_nothing() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            end(),
            boundary("caught", "work", signal("alarm")),
            end("reacted"),
            flows("start", "work", "end"),
            flows("caught", "reacted"),
            globals=ALARM,
        )
    )
    key = host.start()
    [subscription] = host.signals
    host.complete("work")
    rejected = host.send(
        c.TriggerSignal(id="late", at=host.now, instance_key=key, subscription_key=subscription, signal_key=1)
    )
    assert rejected is not None
    assert rejected.type == "not-found"


# --- starts ---------------------------------------------------------------------------------------


def test_a_signal_starts_one_instance_of_every_latest_definition_with_its_start_event() -> None:
    def starting(id: str, job: str) -> bytes:
        return bpmn(
            start("begin", signal("alarm")),
            service(job),
            end(),
            flows("begin", job, "end"),
            id=id,
            globals=ALARM,
        )

    host = Host(starting("one", "old"), starting("one", "first"), starting("two", "second"))
    host.broadcast("alarm", {"floor": 3})
    assert sorted(job.type for job in host.jobs.values()) == ["first", "second"]
    keys = [host.job_instance[host.job(job).key] for job in ("first", "second")]
    assert [host.values(key) for key in keys] == [{"floor": 3}, {"floor": 3}]


def test_an_expression_without_variables_names_the_signal_that_starts_a_process() -> None:
    model = bpmn(
        start("begin", signal("alarm")),
        service("work"),
        end(),
        flows("begin", "work", "end"),
        globals=signal_definition("alarm", '="alarm-" + string(1 + 1)'),
    )
    host = Host(model)
    host.broadcast("alarm-2")
    assert host.job("work")


# --- rules ----------------------------------------------------------------------------------------


def caught(event: str, globals: str = "") -> bytes:
    return bpmn(start(), catch("wait", event), end(), flows("start", "wait", "end"), globals=globals)


@pytest.mark.parametrize(
    ("model", "rule", "said"),
    [
        (caught("<bpmn:signalEventDefinition/>"), "bpmn.signal-missing", "No signal"),
        (caught(signal("alarm")), "bpmn.signal-missing", "`signal-alarm`"),
        (caught(signal("alarm"), signal_definition("alarm", "")), "bpmn.signal-name", "no name"),
        (
            bpmn(
                start("begin", signal("alarm")),
                end(),
                flows("begin", "end"),
                globals=signal_definition("alarm", "=name"),
            ),
            "bpmn.signal-name",
            "cannot use variables",
        ),
        (
            bpmn(
                start("begin", signal("alarm")),
                start("again", signal("alarm")),
                end(),
                flows("begin", "end"),
                flows("again", "end"),
                globals=ALARM,
            ),
            "bpmn.signal-name",
            "More than one start event",
        ),
    ],
)
def test_a_faulty_signal_is_refused_by_name(model: bytes, rule: str, said: str) -> None:
    with pytest.raises(Faulty) as refused:
        reader.read(model)
    [fault] = refused.value.faults
    assert fault.rule == rule
    assert said in fault.message
    assert fault.element in ("wait", "begin", "p")


def test_a_sub_process_that_ends_waits_for_no_signal_any_more() -> None:
    host = Host(
        bpmn(
            start(),
            sub(
                "inside",
                start("s"),
                service("work"),
                end("e"),
                flows("s", "work", "e"),
                event_sub(
                    "handler",
                    start("heard", signal("alarm"), isInterrupting="false"),
                    end("reacted"),
                    flows("heard", "reacted"),
                ),
            ),
            service("after"),
            end(),
            flows("start", "inside", "after", "end"),
            globals=ALARM,
        )
    )
    host.start()
    assert len(host.signals) == 1
    host.complete("work")
    assert host.signals == {}
