"""What begins an instance without being a start event."""

import pytest

from towpath import bpmn as reader
from towpath.faults import Faulty

from .host import Host
from .models import (
    boundary,
    bpmn,
    catch,
    duration,
    element,
    end,
    flows,
    listeners,
    mapping,
    message,
    message_definition,
    service,
    signal,
    signal_definition,
    start,
    sub,
)

ORDER = message_definition("order", None)


def receive(id: str = "begin", *inside: str, zeebe: str = "") -> str:
    return element("receiveTask", id, *inside, zeebe=zeebe, instantiate="true", messageRef="message-order")


def gateway(*parts: str, **attributes: str) -> bytes:
    return bpmn(
        element("eventBasedGateway", "first", instantiate="true", **attributes),
        catch("ordered", message("order")),
        catch("alarmed", signal("alarm")),
        service("work"),
        end(),
        flows("first", "ordered", "work", "end"),
        flows("first", "alarmed", "work"),
        *parts,
        globals=message_definition("order") + signal_definition("alarm"),
    )


def test_a_receive_task_begins_an_instance_for_each_message() -> None:
    host = Host(
        bpmn(
            receive(zeebe=mapping(outputs={"order": "=number"})),
            service("work"),
            end(),
            flows("begin", "work", "end"),
            globals=ORDER,
        )
    )
    host.publish("order", "a", {"number": 1})
    host.publish("order", "b", {"number": 2})
    keys = [host.job_instance[key] for key in host.jobs]
    assert [host.values(key) for key in keys] == [{"order": 1}, {"order": 2}]
    for job in list(host.jobs):
        host.complete(job)
    assert host.path() == ["begin", "begin", "work", "end", "p", "work", "end", "p"]
    assert host.nothing_left()


def test_whichever_event_behind_an_instantiating_gateway_comes_begins_an_instance() -> None:
    host = Host(gateway())
    host.publish("order", "a", {"number": 1})
    host.broadcast("alarm", {"floor": 3})
    assert host.path() == ["first", "ordered", "first", "alarmed"]
    keys = [host.job_instance[key] for key in host.jobs]
    assert [host.values(key) for key in keys] == [{"number": 1}, {"floor": 3}]
    assert host.signals == {}, "an instance that has begun waits for none of the other events"
    for job in list(host.jobs):
        host.complete(job)
    assert host.nothing_left()


def test_an_end_listener_of_a_receive_task_runs_when_it_has_begun_an_instance() -> None:
    host = Host(
        bpmn(
            receive(zeebe=listeners("end:audit")),
            service("work"),
            end(),
            flows("begin", "work", "end"),
            globals=ORDER,
        )
    )
    host.publish("order", "a", {"number": 1})
    assert [job.type for job in host.jobs.values()] == ["audit"]
    host.complete("audit")
    host.complete("work")
    assert host.nothing_left()


def test_a_gateway_begins_an_instance_only_through_its_events() -> None:
    host = Host(gateway())
    with pytest.raises(AssertionError, match="no none start event"):
        host.start()
    with pytest.raises(AssertionError, match="`first` is no start event"):
        host.start(start_element="first")
    assert host.states == {}


@pytest.mark.parametrize(
    ("model", "rule", "at"),
    [
        (
            bpmn(start(), receive(), end(), flows("start", "begin", "end"), globals=ORDER),
            "incoming-flow",
            "begin",
        ),
        (
            bpmn(
                start(),
                sub("inside", start("s"), end("e"), flows("s", "e"), receive()),
                end(),
                flows("start", "inside", "end"),
                globals=ORDER,
            ),
            "instantiate",
            "begin",
        ),
        (
            bpmn(receive(zeebe=mapping(inputs={"a": "=1"})), end(), flows("begin", "end"), globals=ORDER),
            "mapping",
            "begin",
        ),
        (
            bpmn(
                receive(),
                boundary("late", "begin", duration("PT1H")),
                end(),
                flows("begin", "end"),
                flows("late", "end"),
                globals=ORDER,
            ),
            "boundary-event",
            "begin",
        ),
        (
            bpmn(receive(zeebe=listeners("start:audit")), end(), flows("begin", "end"), globals=ORDER),
            "listener",
            "begin",
        ),
        (gateway(eventGatewayType="Parallel"), "not-executed", "first"),
        (
            gateway(catch("late", duration("PT1H")), flows("first", "late", "end")),
            "event-based-gateway",
            "first",
        ),
    ],
)
def test_what_cannot_begin_an_instance_is_refused_by_name(model: bytes, rule: str, at: str) -> None:
    with pytest.raises(Faulty) as refused:
        reader.read(model)
    assert {(fault.rule, fault.element) for fault in refused.value.faults} == {(f"bpmn.{rule}", at)}
