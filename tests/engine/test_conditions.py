import pytest

from towpath import bpmn as reader
from towpath.engine import effects, lifecycle, pages
from towpath.faults import Faulty

from .host import Host
from .models import (
    boundary,
    bpmn,
    catch,
    condition,
    duration,
    each,
    element,
    end,
    event_sub,
    exclusive,
    flow,
    flows,
    listeners,
    mapping,
    parallel,
    script,
    service,
    service_for_each,
    start,
    sub,
    user,
)


def waiting(text: str, **filter: str) -> Host:
    return Host(bpmn(start(), catch("wait", condition(text, **filter)), end(), flows("start", "wait", "end")))


def watched(text: str, *, interrupting: bool = True, **filter: str) -> bytes:
    """A task with a conditional boundary event that leads to another."""
    return bpmn(
        start(),
        service("work"),
        end(),
        boundary("caught", "work", condition(text, **filter), interrupting=interrupting),
        service("react"),
        end("reacted"),
        flows("start", "work", "end"),
        flows("caught", "react", "reacted"),
    )


def reactions(host: Host) -> int:
    return sum(job.type == "react" for job in host.jobs.values())


# --- becoming true --------------------------------------------------------------------------------


def test_a_catch_event_waits_until_its_condition_is_true() -> None:
    host = waiting("=x > 3")
    key = host.start({"x": 1})
    host.set(key, {"x": 3})
    assert host.waiting(key) == ["wait"]
    host.set(key, {"x": 4})
    assert host.nothing_left()


def test_a_condition_that_is_true_on_entry_happens_at_once() -> None:
    host = waiting("=x > 3")
    host.start({"x": 4})
    assert host.nothing_left()


def test_a_variable_that_is_not_there_yet_makes_no_condition_true_and_no_incident() -> None:
    host = waiting("=x > 3")
    key = host.start()
    assert host.waiting(key) == ["wait"]
    host.set(key, {"x": 4})
    assert host.nothing_left()


def test_only_what_the_condition_sees_counts() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            service("other"),
            sub("inside", start("s"), service("work"), end("e"), flows("s", "work", "e"),
                zeebe=mapping(inputs={"x": "=0"})),
            boundary("caught", "inside", condition("=x > 3")),
            service("react"),
            end("reacted"),
            end(),
            flows("start", "fork", "inside", "end"),
            flows("fork", "other"),
            flows("caught", "react", "reacted"),
        )
    )  # fmt: skip
    key = host.start()
    host.set(key, {"x": 9})
    assert reactions(host) == 0, "the sub-process has an x of its own"
    elements = host.instance(key).whole().elements.values()
    scopes = {found.element: found.key for found in elements}
    host.set(key, {"x": 9}, scope=scopes["other"], local=True)
    assert reactions(host) == 0, "nobody else sees a variable of the other task"
    host.set(key, {"x": 9}, scope=scopes["inside"], local=True)
    assert reactions(host) == 1


def test_a_variable_that_a_job_brings_is_seen_by_the_conditions_around_it() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            service("after"),
            end(),
            flows("start", "work", "after", "end"),
            event_sub(
                "handler", start("seen", condition("=x > 3")), end("handled"), flows("seen", "handled")
            ),
        )
    )
    host.start({"x": 1})
    host.complete("work", {"x": 9})
    assert [job.type for job in host.records(effects.OfferJob)] == ["work"], "what comes after it never began"
    assert host.nothing_left()


def test_a_condition_is_looked_at_after_each_change_not_only_after_the_last() -> None:
    host = Host(
        bpmn(
            start(),
            service("work"),
            script("up", "=9", "x"),
            script("down", "=0", "x"),
            end(),
            flows("start", "work", "up", "down", "end"),
            event_sub(
                "handler",
                start("seen", condition("=x > 3"), isInterrupting="false"),
                service("react"),
                end("handled"),
                flows("seen", "react", "handled"),
            ),
        )
    )
    host.start({"x": 1})
    host.complete("work")
    assert reactions(host) == 1


# --- where ----------------------------------------------------------------------------------------


def test_an_interrupting_boundary_event_ends_its_task() -> None:
    host = Host(watched("=x > 3"))
    key = host.start()
    host.set(key, {"x": 9})
    assert host.waiting(key) == ["react"]
    assert [job.type for job in host.jobs.values()] == ["react"]
    host.complete("react")
    assert host.nothing_left()


def test_a_non_interrupting_boundary_event_happens_each_time_the_condition_becomes_true() -> None:
    host = Host(watched("=x > 3", interrupting=False))
    key = host.start({"x": 4})
    assert reactions(host) == 1
    host.set(key, {"x": 5})
    assert reactions(host) == 1, "it was true before"
    host.set(key, {"x": 0})
    host.set(key, {"x": 6})
    assert reactions(host) == 2
    for job in list(host.jobs):
        host.complete(job)
    assert host.nothing_left()


@pytest.mark.parametrize("interrupting", ["true", "false"])
def test_an_event_sub_process_starts_when_its_condition_becomes_true(interrupting: str) -> None:
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
                    start("seen", condition("=x > 3"), isInterrupting=interrupting),
                    service("react"),
                    end("handled"),
                    flows("seen", "react", "handled"),
                ),
            ),
            end(),
            flows("start", "inside", "end"),
        )
    )
    key = host.start()
    host.set(key, {"x": 9})
    assert host.waiting(key) == (["react"] if interrupting == "true" else ["react", "work"])
    for job in list(host.jobs):
        host.complete(job)
    assert host.nothing_left()


def test_behind_an_event_based_gateway_the_condition_may_be_first() -> None:
    host = Host(
        bpmn(
            start(),
            element("eventBasedGateway", "race"),
            catch("seen", condition("=x > 3")),
            catch("late", duration("PT1H")),
            end(),
            flows("start", "race", "seen", "end"),
            flows("race", "late", "end"),
        )
    )
    key = host.start()
    host.set(key, {"x": 9})
    assert "seen" in host.path()
    assert host.nothing_left()


def test_the_body_of_a_multi_instance_has_a_conditional_boundary_event() -> None:
    host = Host(
        bpmn(
            start(),
            service_for_each("work", each("=[1, 2, 3]")),
            boundary("caught", "work", condition("=x > 3")),
            service("react"),
            end(),
            flows("start", "work", "end"),
            flows("caught", "react", "end"),
        )
    )
    key = host.start()
    host.set(key, {"x": 9})
    assert host.waiting(key) == ["react"]
    host.complete("react")
    assert host.nothing_left()


# --- filters --------------------------------------------------------------------------------------


def test_a_filter_names_the_variables_whose_change_counts() -> None:
    host = waiting("=x > 3", variableNames="y, z")
    key = host.start({"x": 1})
    host.set(key, {"x": 9})
    assert host.waiting(key) == ["wait"]
    host.set(key, {"y": 1})
    assert host.nothing_left()


def test_a_filter_says_whether_a_variable_is_to_be_new_or_changed() -> None:
    created, updated = (watched("=x > 3", variableEvents=kind) for kind in ("create", "update"))
    for model, after in ((created, [1, 1]), (updated, [0, 1])):
        host = Host(model)
        key = host.start()
        seen = []
        for value in (8, 9):
            host.set(key, {"x": value})
            seen.append(reactions(host))
        assert seen == after


# --- incidents ------------------------------------------------------------------------------------


def test_a_condition_that_is_no_condition_is_an_incident_until_it_is_one() -> None:
    host = waiting('="maybe " + x')
    key = host.start({"x": "so"})
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    assert "The condition of the event `wait`" in host.incident().message
    assert host.cancel(key) is None
    assert host.nothing_left()


@pytest.mark.parametrize("task", [service("work"), user("work")])
def test_a_condition_that_fails_later_is_an_incident_and_is_tried_again(task: str) -> None:
    host = Host(
        bpmn(
            start(),
            task,
            end(),
            boundary("caught", "work", condition("=if x = 1 then 5 else x > 3")),
            service("react"),
            flows("start", "work", "end"),
            flows("caught", "react"),
        )
    )
    key = host.start()
    host.set(key, {"x": 1})
    assert host.incident().element_id == "work"
    offered = len(list(host.records(effects.UpdateJob)))
    host.resolve()
    assert host.incident().element_id == "work", "it fails again"
    host.set(key, {"x": 9})
    host.resolve()
    assert len(list(host.records(effects.UpdateJob))) == offered
    assert host.waiting(key) == ["react"]
    host.complete("react")
    assert host.nothing_left()


def test_a_change_while_a_job_has_an_incident_is_heeded_once_it_is_resolved() -> None:
    host = Host(watched("=x > 3"))
    key = host.start()
    host.fail("work")
    host.set(key, {"x": 9})
    assert host.waiting(key) == ["work"]
    host.resolve()
    assert host.waiting(key) == ["react"]


def test_an_incident_of_a_condition_does_not_call_a_second_instance() -> None:
    host = Host(
        bpmn(
            start(),
            element("callActivity", "call", zeebe='<zeebe:calledElement processId="child"/>'),
            end(),
            boundary("caught", "call", condition("=if x = 1 then 5 else x > 3")),
            end("reacted"),
            flows("start", "call", "end"),
            flows("caught", "reacted"),
        ),
        bpmn(start("s"), service("work"), end("e"), flows("s", "work", "e"), id="child"),
    )
    key = host.start()
    host.set(key, {"x": 1})
    host.set(key, {"x": 2})
    host.resolve()
    host.complete("work")
    assert host.nothing_left()


def test_a_change_while_a_listener_runs_is_heeded_when_it_is_done() -> None:
    host = Host(
        bpmn(
            start(),
            service("work", zeebe=listeners("start:before", "end:after")),
            boundary("caught", "work", condition("=x > 3"), interrupting=False),
            service("react"),
            end(),
            flows("start", "work", "end"),
            flows("caught", "react", "end"),
        )
    )
    key = host.start()
    host.set(key, {"x": 9})
    assert [job.type for job in host.jobs.values()] == ["before"], "the event does not wait yet"
    host.complete("before")
    assert reactions(host) == 1, "it was true on entry"
    host.set(key, {"x": 0})
    host.complete("work")
    host.set(key, {"x": 9})
    assert reactions(host) == 1, "the task has completed"
    host.complete("after")
    host.complete("react")
    assert host.nothing_left()


# --- bounds ---------------------------------------------------------------------------------------


def test_conditions_that_set_off_each_other_without_end_are_an_incident(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycle, "MOVE_LIMIT", 3_000)
    host = Host(
        bpmn(
            start(),
            service("work"),
            end(),
            flows("start", "work", "end"),
            event_sub(
                "handler",
                start("seen", condition("=x > 3"), isInterrupting="false"),
                script("down", "=0", "x"),
                script("up", "=9", "x"),
                end("handled"),
                flows("seen", "down", "up", "handled"),
            ),
        )
    )
    key = host.start()
    host.set(key, {"x": 9})
    assert {incident.error_type for incident, _ in host.incidents.values()} == {"UNSPECIFIED"}
    assert host.cancel(key) is None
    assert host.nothing_left()


def test_a_change_that_very_many_conditions_heed_takes_several_steps() -> None:
    host = Host(
        bpmn(
            start(),
            element(
                "subProcess",
                "many",
                each("=for i in 1..1500 return i"),
                start("s"),
                catch("wait", condition("=go")),
                end("e"),
                flows("s", "wait", "e"),
            ),
            end(),
            flows("start", "many", "end"),
        ),
        near=pages.NEAR,
    )
    one, largest = host.one, 0

    def measured(command: object) -> object:
        nonlocal largest
        before = len(host.seen)
        rejected = one(command)  # type: ignore[arg-type]
        largest = max(largest, len(host.seen) - before)
        return rejected

    key = host.start()
    host.one = measured  # type: ignore[method-assign, assignment]
    host.set(key, {"go": True})
    assert host.nothing_left()
    assert largest < 10_000


def test_a_loop_back_to_a_conditional_event_waits_anew() -> None:
    host = Host(
        bpmn(
            start(),
            exclusive("again"),
            catch("wait", condition("=x > 3")),
            script("down", "=0", "x"),
            exclusive("enough", default="enough-again"),
            end(),
            flows("start", "again", "wait", "down", "enough"),
            flow("enough", "end", "=stop"),
            flow("enough", "again"),
        )
    )
    key = host.start({"x": 0, "stop": False})
    host.set(key, {"x": 9})
    assert host.waiting(key) == ["wait"]
    host.set(key, {"stop": True})
    host.set(key, {"x": 9})
    assert host.nothing_left()


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "rule", "said"),
    [
        ("<bpmn:conditionalEventDefinition/>", "bpmn.condition", "no condition"),
        (condition("true"), "bpmn.condition", "is not an expression"),
        (condition("=x >"), "bpmn.feel-syntax", "is not FEEL"),
        (condition("=x", variableEvents="delete"), "bpmn.conditional-filter", "`delete`"),
        (condition("=x", variableNames="a b"), "bpmn.variable-name", "`a b`"),
    ],
)
def test_a_faulty_condition_is_refused_by_name(event: str, rule: str, said: str) -> None:
    with pytest.raises(Faulty) as refused:
        reader.read(bpmn(start(), catch("wait", event), end(), flows("start", "wait", "end")))
    [fault] = refused.value.faults
    assert (fault.rule, fault.element) == (rule, "wait")
    assert said in fault.message


def test_a_process_that_only_updates_could_start_is_refused() -> None:
    event = condition("=x", variableEvents="update")
    with pytest.raises(Faulty) as refused:
        reader.read(bpmn(start("begin", event), end(), flows("begin", "end")))
    assert [fault.rule for fault in refused.value.faults] == ["bpmn.conditional-filter"]
