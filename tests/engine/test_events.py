import pytest

from towpath import bpmn as reader
from towpath.engine import commands as c
from towpath.engine import effects, lifecycle, next_start, start_timers
from towpath.engine.state import Channel

from .host import Host
from .models import (
    TERMINATE,
    boundary,
    bpmn,
    catch,
    cycle,
    date,
    duration,
    element,
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
    milestone,
    parallel,
    script,
    service,
    start,
    sub,
    user,
)

MINUTE = 60_000


# --- timers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timer", "due"),
    [
        (duration("PT5M"), 5 * MINUTE),
        (duration('=duration("PT" + string(n) + "M")'), 7 * MINUTE),
        (date("2027-01-15T08:05:00Z"), 5 * MINUTE),
        (date('=now() + duration("PT9M")'), 9 * MINUTE),
    ],
)
def test_an_intermediate_timer_waits_until_it_is_due(timer: str, due: int) -> None:
    host = Host(bpmn(start(), catch("wait", timer), end(), flows("start", "wait", "end")))
    key = host.start({"n": 7})
    host.wait(due - 1)
    assert host.waiting(key) == ["wait"]
    host.wait(1)
    assert host.nothing_left()


def test_a_timer_that_is_not_due_yet_is_refused() -> None:
    host = Host(bpmn(start(), catch("wait", duration("PT5M")), end(), flows("start", "wait", "end")))
    key = host.start()
    timer = next(iter(host.timers))
    rejected = host.send(c.TriggerTimer(id="t", at=host.now, instance_key=key, timer_key=timer))
    assert rejected is not None
    assert rejected.type == "invalid-state"


def test_a_timer_that_cannot_be_understood_is_an_incident() -> None:
    host = Host(bpmn(start(), catch("wait", duration("=when")), end(), flows("start", "wait", "end")))
    key = host.start({"when": "soon"})
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"when": "PT1S"})
    host.resolve()
    host.wait(1000)
    assert host.nothing_left()


def with_boundary(*inside: str, interrupting: bool = True, globals: str = "", zeebe: str = "") -> bytes:
    return bpmn(
        start(),
        service("work"),
        boundary("catch", "work", *inside, interrupting=interrupting, zeebe=zeebe),
        service("instead"),
        end(),
        end("end2"),
        flows("start", "work", "end"),
        flows("catch", "instead", "end2"),
        globals=globals,
    )


def test_an_interrupting_boundary_timer_ends_the_task() -> None:
    host = Host(with_boundary(duration("PT1M")))
    key = host.start()
    job = host.job("work").key
    host.wait(MINUTE)
    assert host.waiting(key) == ["instead"]
    rejected = host.send(c.CompleteJob(id="late", at=host.now, instance_key=key, job_key=job))
    assert rejected is not None
    assert "work" in host.path("terminated")
    host.complete("instead")
    assert host.nothing_left()


def test_a_boundary_timer_is_canceled_when_the_task_completes_first() -> None:
    host = Host(with_boundary(duration("PT1M")))
    host.start()
    host.complete("work")
    assert host.nothing_left()


def test_a_non_interrupting_timer_leaves_the_task_active() -> None:
    host = Host(with_boundary(duration("PT1M"), interrupting=False))
    key = host.start()
    host.wait(MINUTE)
    assert host.waiting(key) == ["instead", "work"]
    host.wait(MINUTE)
    assert host.waiting(key) == ["instead", "work"]
    host.complete("work")
    host.complete("instead")
    assert host.nothing_left()


def test_a_non_interrupting_cycle_fires_as_often_as_it_says() -> None:
    host = Host(with_boundary(cycle("R3/PT1M"), interrupting=False))
    key = host.start()
    host.wait(10 * MINUTE)
    assert host.waiting(key) == ["instead", "instead", "instead", "work"]
    assert host.timers == {}


def test_an_endless_cycle_goes_on_until_the_task_completes_and_skips_what_was_missed() -> None:
    host = Host(with_boundary(cycle("R/PT1M"), interrupting=False))
    key = host.start()
    host.wait(3 * MINUTE)
    assert host.waiting(key).count("instead") == 3
    host.now += 60 * MINUTE  # the clock jumps: nothing fired in the meantime
    host.fire(next(iter(host.timers)))
    assert host.waiting(key).count("instead") == 4
    assert next(iter(host.timers.values()))[0] > host.now
    host.complete("work")
    assert host.timers == {}


def test_timer_starts_say_when_they_are_due_and_when_next() -> None:
    xml = bpmn(
        start("once", date("2027-01-15T09:00:00Z")),
        start("thrice", cycle("R3/PT1H")),
        start("daily", cycle("0 0 9 * * *")),
        end(),
        flows("once", "end"),
        flows("thrice", "end"),
        flows("daily", "end"),
    )
    process = reader.read(xml).processes[0]
    at = 1_800_000_000_000  # 2027-01-15T08:00Z
    once, thrice, daily = start_timers(process, at)
    assert once == ("once", at + 3_600_000, None)
    assert next_start(once, once.due_at) is None
    assert thrice == ("thrice", at + 3_600_000, "R2/PT1H")
    second = next_start(thrice, thrice.due_at)
    assert second == ("thrice", at + 7_200_000, "R1/PT1H")
    third = next_start(second, second.due_at)
    assert third is not None
    assert next_start(third, third.due_at) is None
    assert daily == ("daily", at + 3_600_000, "0 0 9 * * *")
    tomorrow = next_start(daily, daily.due_at)
    assert tomorrow is not None
    assert tomorrow.due_at == at + 3_600_000 + 86_400_000


# --- messages -------------------------------------------------------------------------------------

RECEIVE = bpmn(
    start(),
    catch("wait", message("paid"), zeebe=milestone("Paid")),
    service("ship"),
    end(),
    flows("start", "wait", "ship", "end"),
    globals=message_definition("paid"),
)


def test_a_message_reaches_the_instance_whose_correlation_key_it_has() -> None:
    host = Host(RECEIVE)
    one, two = host.start({"key": "1"}), host.start({"key": "2"})
    host.publish("paid", "2", {"sum": 5})
    assert host.waiting(one) == ["wait"]
    assert host.waiting(two) == ["ship"]
    assert host.values(two) == {"key": "2", "sum": 5}
    completed = [r for r in host.records(effects.ElementRecord) if r.kind == "completed" and r.milestone]
    assert [r.milestone for r in completed] == ["Paid"]


def test_a_message_that_nobody_waits_for_is_gone_or_buffered_for_its_time() -> None:
    host = Host(RECEIVE)
    host.publish("paid", "1")
    host.publish("paid", "2", ttl=1000)
    one, two = host.start({"key": "1"}), host.start({"key": "2"})
    assert host.waiting(one) == ["wait"]
    assert host.waiting(two) == ["ship"]


def test_an_expired_message_is_not_delivered() -> None:
    host = Host(RECEIVE)
    host.publish("paid", "1", ttl=1000)
    host.now += 1000
    key = host.start({"key": "1"})
    assert host.waiting(key) == ["wait"]
    host.send(c.ExpireMessages(id="e", at=host.now, name="paid", correlation_key="1"))
    assert [m.kind for m in host.records(effects.MessageRecord)] == ["published", "expired"]


def test_messages_drain_in_order_one_for_each_subscription() -> None:
    host = Host(RECEIVE)
    host.publish("paid", "1", {"n": 1}, ttl=9000)
    host.publish("paid", "1", {"n": 2}, ttl=9000)
    first, second = host.start({"key": "1"}), host.start({"key": "1"})
    assert host.values(first)["n"] == 1
    assert host.values(second)["n"] == 2


def test_a_message_correlates_once_per_process() -> None:
    host = Host(RECEIVE, RECEIVE.replace(b'process id="p"', b'process id="q"'))
    keys = [host.start({"key": "1"}), host.start({"key": "1"}), host.start({"key": "1"}, process="q")]
    host.publish("paid", "1")
    assert [host.waiting(key) for key in keys] == [["ship"], ["wait"], ["ship"]]


def test_a_message_id_is_accepted_once_while_the_message_lives() -> None:
    host = Host(RECEIVE)
    assert host.publish("paid", "1", ttl=1000, message_id="m") is None
    rejected = host.publish("paid", "1", ttl=1000, message_id="m")
    assert rejected is not None
    assert rejected.type == "already-exists"
    host.now += 1000
    assert host.publish("paid", "1", ttl=1000, message_id="m") is None


def test_correlating_answers_not_found_where_nothing_waits() -> None:
    host = Host(RECEIVE)
    rejected = host.publish("paid", "1", must_correlate=True)
    assert rejected is not None
    assert rejected.type == "not-found"
    host.start({"key": "1"})
    assert host.publish("paid", "1", must_correlate=True) is None


def test_a_message_for_an_instance_that_no_longer_waits_goes_to_another_one() -> None:
    host = Host(RECEIVE)
    gone, other = host.start({"key": "1"}), host.start({"key": "1"})
    host.hold = True
    host.publish("paid", "1", {"n": 1})
    host.one(c.CancelInstance(id="x", at=host.now, instance_key=gone))
    host.hold = False
    while host.outbox:
        host.one(host.outbox.popleft())
    assert host.waiting(other) == ["ship"]
    assert host.values(other)["n"] == 1


def test_a_refused_message_is_buffered_again_while_it_lives() -> None:
    host = Host(RECEIVE)
    gone = host.start({"key": "1"})
    host.hold = True
    host.publish("paid", "1", {"n": 1}, ttl=5000)
    host.one(c.CancelInstance(id="x", at=host.now, instance_key=gone))
    host.hold = False
    while host.outbox:
        host.one(host.outbox.popleft())
    assert isinstance(host.states["paid", "1"], Channel)
    later = host.start({"key": "1"})
    assert host.waiting(later) == ["ship"]


def test_a_number_is_a_correlation_key_and_null_is_an_incident() -> None:
    host = Host(RECEIVE)
    key = host.start({"key": 42})
    host.publish("paid", "42")
    assert host.waiting(key) == ["ship"]
    host.start({})
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"


def test_a_receive_task_waits_for_its_message_and_maps_what_it_brings() -> None:
    host = Host(
        bpmn(
            start(),
            element("receiveTask", "wait", zeebe=mapping(outputs={"got": "=sum"}), messageRef="message-paid"),
            end(),
            flows("start", "wait", "end"),
            globals=message_definition("paid"),
        )
    )
    key = host.start({"key": "k"})
    host.publish("paid", "k", {"sum": 5, "noise": 1})
    assert host.values(key) == {"key": "k", "got": 5}


def test_message_boundary_events_interrupt_or_not() -> None:
    host = Host(with_boundary(message("stop"), globals=message_definition("stop")))
    key = host.start({"key": "k"})
    host.publish("stop", "k", {"why": "x"})
    assert host.waiting(key) == ["instead"]
    assert host.values(key)["why"] == "x"

    host = Host(with_boundary(message("ping"), interrupting=False, globals=message_definition("ping")))
    key = host.start({"key": "k"})
    host.publish("ping", "k")
    host.publish("ping", "k")
    assert host.waiting(key) == ["instead", "instead", "work"]
    host.complete("work")
    host.publish("ping", "k")
    assert host.waiting(key) == ["instead", "instead"]


def test_a_message_start_event_starts_an_instance_with_its_variables() -> None:
    host = Host(
        bpmn(
            start("ordered", message("order"), zeebe=mapping(outputs={"number": "=n"})),
            service("work"),
            flows("ordered", "work"),
            globals=message_definition("order", None),
        )
    )
    host.publish("order", "", {"n": 7, "noise": True})
    assert host.job("work").variables == {"number": 7}
    assert [m.kind for m in host.records(effects.MessageRecord)] == ["published", "correlated"]


def test_the_name_of_a_message_that_starts_a_process_may_be_an_expression_without_variables() -> None:
    named = message_definition("order", None).replace(
        'name="order"', 'name="=&quot;or&quot; + &quot;der&quot;"'
    )
    assert "quot" in named
    host = Host(
        bpmn(start("ordered", message("order")), service("work"), flows("ordered", "work"), globals=named)
    )
    host.publish("order", "", {})
    assert host.job("work").element_id == "work"


# --- errors ---------------------------------------------------------------------------------------


def test_an_error_thrown_by_a_worker_goes_to_the_boundary_event_of_its_code() -> None:
    host = Host(with_boundary(error("REFUSED"), globals=error_definition("REFUSED")))
    key = host.start()
    host.throw("work", "REFUSED", {"reason": "no money"})
    assert host.waiting(key) == ["instead"]
    assert host.values(key) == {}
    assert [e.outcome for e in host.records(effects.CloseJob)] == ["error-thrown"]
    host.complete("instead")
    assert host.nothing_left()


def test_the_variables_of_a_caught_error_leave_the_event_only_when_mapped() -> None:
    host = Host(
        with_boundary(
            error("REFUSED"), globals=error_definition("REFUSED"), zeebe=mapping(outputs={"why": "=reason"})
        )
    )
    key = host.start()
    host.throw("work", "REFUSED", {"reason": "no money", "noise": 1})
    assert host.values(key) == {"why": "no money"}


def test_the_event_with_the_very_code_comes_before_the_one_that_catches_all() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            boundary("any", "work", error()),
            boundary("refused", "work", error("REFUSED")),
            service("a"),
            service("b"),
            flows("start", "work"),
            flows("any", "a"),
            flows("refused", "b"),
            globals=error_definition("REFUSED"),
        )
    )
    one = host.start()
    host.throw("work", "REFUSED")
    assert host.waiting(one) == ["b"]
    two = host.start()
    host.throw("work", "OTHER")
    assert host.waiting(two) == ["a"]


def test_an_error_that_nothing_catches_is_an_incident_and_resolving_offers_the_job_again() -> None:
    host = Host(with_boundary(error("REFUSED"), globals=error_definition("REFUSED")))
    host.start()
    host.throw("work", "OTHER")
    assert host.incident().error_type == "UNHANDLED_ERROR_EVENT"
    assert "OTHER" in host.incident().message
    assert host.complete("work") is not None
    host.resolve()
    host.throw("work", "REFUSED")
    host.complete("instead")
    assert host.nothing_left()


def test_an_error_end_event_leaves_the_sub_process_around_it() -> None:
    host = Host(
        bpmn(
            start(),
            sub(
                "inner",
                start("s1"),
                parallel("fork"),
                service("other"),
                end("boom", error("BAD")),
                flows("s1", "fork", "other"),
                flows("fork", "boom"),
            ),
            boundary("bad", "inner", error("BAD")),
            service("instead"),
            end(),
            flows("start", "inner", "end"),
            flows("bad", "instead"),
            globals=error_definition("BAD"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["instead"]
    assert {"other", "inner"} <= set(host.path("terminated"))
    host.complete("instead")
    assert host.nothing_left()


def test_an_error_end_event_that_nothing_catches_is_an_incident() -> None:
    host = Host(
        bpmn(start(), end("boom", error("BAD")), flows("start", "boom"), globals=error_definition("BAD"))
    )
    key = host.start()
    assert host.incident().error_type == "UNHANDLED_ERROR_EVENT"
    host.resolve()
    assert host.incident().error_type == "UNHANDLED_ERROR_EVENT"
    host.cancel(key)
    assert host.nothing_left()


# --- ends, links, throws --------------------------------------------------------------------------


def test_a_terminate_end_event_ends_everything_in_its_scope() -> None:
    host = Host(
        bpmn(
            start(),
            sub(
                "inner",
                start("s1"),
                parallel("fork"),
                service("slow"),
                service("quick"),
                end("stop", TERMINATE),
                flows("s1", "fork", "slow"),
                flows("fork", "quick", "stop"),
            ),
            service("after"),
            end(),
            flows("start", "inner", "after", "end"),
        )
    )
    key = host.start()
    host.complete("quick")
    assert host.waiting(key) == ["after"]
    assert host.path("terminated") == ["slow"]
    host.complete("after")
    assert host.nothing_left()


def test_a_link_goes_on_at_the_catch_event_of_its_name() -> None:
    link = '<bpmn:linkEventDefinition name="x"/>'
    host = Host(
        bpmn(
            start(),
            element("intermediateThrowEvent", "throw", link),
            catch("caught", link),
            service("work"),
            flows("start", "throw"),
            flows("caught", "work"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["work"]
    host.complete("work")
    assert host.nothing_left()


def test_none_throw_events_pass_and_messages_are_thrown_by_a_worker() -> None:
    job = '<zeebe:taskDefinition type="mail"/>'
    host = Host(
        bpmn(
            start(),
            element("intermediateThrowEvent", "none"),
            element("intermediateThrowEvent", "tell", "<bpmn:messageEventDefinition/>", zeebe=job),
            end("told", "<bpmn:messageEventDefinition/>", zeebe=job),
            flows("start", "none", "tell", "told"),
        )
    )
    host.start()
    host.complete("mail")
    host.complete("mail")
    assert host.nothing_left()


# --- event sub-processes --------------------------------------------------------------------------


def with_event_sub(*inside: str, interrupting: bool, globals: str = "") -> bytes:
    return bpmn(
        start(),
        user("ask"),
        end(),
        flows("start", "ask", "end"),
        event_sub(
            "aside",
            start("begin", *inside, isInterrupting=str(interrupting).lower()),
            service("handle"),
            end("done"),
            flows("begin", "handle", "done"),
        ),
        globals=globals,
    )


def test_an_interrupting_event_sub_process_ends_the_rest_of_its_scope() -> None:
    host = Host(with_event_sub(message("stop"), interrupting=True, globals=message_definition("stop")))
    key = host.start({"key": "k"})
    host.publish("stop", "k", {"why": "x"})
    assert host.tasks == {}
    assert host.job("handle").variables == {"key": "k", "why": "x"}
    assert host.values(key) == {"key": "k"}
    host.complete("handle")
    assert host.nothing_left()


def test_a_non_interrupting_event_sub_process_runs_beside_its_scope() -> None:
    host = Host(with_event_sub(cycle("R2/PT1M"), interrupting=False))
    key = host.start()
    host.wait(5 * MINUTE)
    assert host.waiting(key) == ["ask", "handle", "handle"]
    host.complete_task()
    assert host.waiting(key) == ["handle", "handle"]
    for job in list(host.jobs):
        host.complete(job)
    assert host.nothing_left()


def test_an_error_event_sub_process_catches_what_its_scope_throws() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            flows("start", "work"),
            event_sub("aside", start("caught", error("BAD")), service("handle"), flows("caught", "handle")),
            globals=error_definition("BAD"),
        )
    )
    key = host.start()
    host.throw("work", "BAD", {"why": "x"})
    assert host.job("handle").variables == {"why": "x"}
    host.throw("handle", "BAD")
    assert host.incident().error_type == "UNHANDLED_ERROR_EVENT", "it does not catch its own errors"
    host.cancel(key)
    assert host.nothing_left()


# --- loops ----------------------------------------------------------------------------------------


def test_a_loop_without_waiting_goes_on_in_steps_of_its_own() -> None:
    host = Host(
        bpmn(
            start(),
            exclusive("again"),
            script("count", "=n + 1", "n"),
            exclusive("enough", default="enough-again"),
            end(),
            flows("start", "again", "count", "enough"),
            flow("enough", "again"),
            flow("enough", "end", "=n >= 900"),
        )
    )
    key = host.start({"n": 0})
    assert host.values(key)["n"] == 900
    continued = [e for e in host.records(effects.Send) if isinstance(e.command, c.Continue)]
    assert len(continued) >= 2, "no step is longer than the move budget"
    assert host.nothing_left()


def test_a_loop_that_never_waits_becomes_an_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "MOVE_LIMIT", 3_000)
    host = Host(
        bpmn(start(), exclusive("a"), exclusive("b"), flows("start", "a", "b"), flow("b", "a", id="back"))
    )
    key = host.start()
    assert "without waiting" in host.incident().message
    host.cancel(key)
    assert host.nothing_left()
