"""Task listeners: jobs that correct or deny what happens to a user task before it does."""

from __future__ import annotations

import pytest

from towpath import bpmn as reading
from towpath.engine import effects
from towpath.faults import Faulty

from .host import Host
from .models import boundary, bpmn, duration, element, end, flows, listeners, service, start, user


def one(*found: str, zeebe: str = "", more: str = "") -> Host:
    """A process of the one user task ``x`` with these listeners."""
    task = user("x", zeebe=listeners(*found, tag="taskListener") + zeebe)
    return Host(bpmn(start(), task, more, end(), flows("start", "x", "end")))


def kinds(host: Host) -> list[str]:
    return [record.kind for record in host.records(effects.UserTaskRecord)]


ADA = '<zeebe:assignmentDefinition assignee="ada" candidateGroups="a,b"/>'


def test_a_change_waits_for_its_listeners_one_after_the_other() -> None:
    host = one("assigning:a", "assigning:b", "completing:c")
    key = host.start()
    assert host.assign_task("ada") is None
    assert [(job.type, job.kind, job.listener_event) for job in host.records(effects.OfferJob)] == [
        ("a", "TASK_LISTENER", "ASSIGNING")
    ]
    host.complete("a")
    assert host.task().assignee is None
    host.complete("b")
    assert host.task().assignee == "ada"
    host.complete_task({"ok": True})
    assert key not in host.ended
    host.complete("c")
    assert host.values(key) == {"ok": True}
    assert kinds(host) == ["created", "assigning", "assigned", "completing", "completed"]
    assert host.nothing_left()


def test_an_assignee_of_the_model_is_assigned_after_the_task_was_created() -> None:
    host = one("creating:n", "assigning:a", zeebe=ADA)
    host.start()
    assert "io.camunda.zeebe:assignee" not in host.job("n").headers
    rejected = host.answer("n", assignee="bob")
    assert rejected is not None
    assert rejected.type == "invalid-argument"
    host.complete("n")
    assert host.job("a").headers["io.camunda.zeebe:assignee"] == "ada"
    host.complete("a")
    assert host.task().assignee == "ada"
    assert kinds(host) == ["creating", "created", "assigning", "assigned"]


def test_a_denied_change_leaves_the_task_as_it_was() -> None:
    host = one("assigning:a", "assigning:b", "completing:c")
    key = host.start()
    before = host.task()
    host.assign_task("ada")
    host.answer("a", priority=90)
    host.answer("b", denied=True)
    assert host.task() == before
    host.complete_task({"lost": 1})
    host.answer("c", denied=True)
    assert host.task() == before
    assert not host.jobs
    host.complete_task({"kept": 1})
    host.complete("c")
    assert host.values(key) == {"kept": 1}


def test_corrections_are_seen_by_the_next_listener_and_made_with_the_change() -> None:
    host = one("assigning:a", "assigning:b", zeebe=ADA.replace('assignee="ada" ', ""))
    host.start()
    host.assign_task("ada")
    assert host.job("a").headers["io.camunda.zeebe:changedAttributes"] == '["assignee"]'
    host.answer(
        "a",
        assignee="bob",
        candidateGroups=[],
        priority=70,
        dueDate="2027-01-15T09:00:00Z",
        followUpDate=None,
    )
    told = host.job("b").headers
    assert told["io.camunda.zeebe:assignee"] == "bob"
    assert told["io.camunda.zeebe:priority"] == "70"
    assert told["io.camunda.zeebe:dueDate"] == "2027-01-15T09:00:00+00:00"
    assert told["io.camunda.zeebe:userTaskKey"] == str(host.task().key)
    assert told["io.camunda.zeebe:action"] == "assign"
    assert host.task().priority == 50
    host.answer("b", dueDate="")
    found = host.task()
    assert (found.assignee, found.candidate_groups, found.priority, found.due_at) == ("bob", [], 70, None)


def test_what_a_completing_listener_corrects_is_told_before_the_end() -> None:
    host = one("completing:c")
    host.start()
    host.complete_task()
    host.answer("c", priority=1)
    told = [(record.kind, record.task.priority) for record in host.records(effects.UserTaskRecord)]
    assert told == [("created", 50), ("completing", 50), ("updated", 1), ("completed", 1)]


@pytest.mark.parametrize(
    "wrong", [{"priority": 101}, {"nonsense": 1}, {"dueDate": "soon"}, {"denied": True, "priority": 1}]
)
def test_a_result_that_makes_no_sense_is_refused_and_the_job_stays(wrong: dict[str, object]) -> None:
    host = one("assigning:a")
    host.start()
    host.assign_task("ada")
    rejected = host.answer("a", **wrong)  # type: ignore[arg-type]
    assert rejected is not None
    assert rejected.type == "invalid-argument"
    host.complete("a")
    assert host.task().assignee == "ada"


def test_a_listener_neither_brings_variables_nor_throws_nor_denies_the_creation() -> None:
    host = one("creating:n")
    host.start()
    found = [host.complete("n", {"v": 1}), host.answer("n", denied=True), host.throw("n", "E")]
    assert [rejected.type for rejected in found if rejected is not None] == [
        "invalid-argument",
        "invalid-argument",
        "invalid-state",
    ]
    assert host.complete("n") is None


def test_no_other_change_is_taken_while_listeners_run() -> None:
    host = one("assigning:a")
    host.start()
    host.assign_task("ada")
    for rejected in (host.assign_task("bob"), host.complete_task()):
        assert rejected is not None
        assert rejected.type == "invalid-state"


def test_a_failing_listener_is_an_incident_and_is_tried_again() -> None:
    host = one("completing:a", "completing:=kind")
    key = host.start()
    host.complete_task()
    host.fail("a")
    assert host.incident().error_type == "JOB_NO_RETRIES"
    host.resolve()
    host.complete("a")
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"kind": "b"})
    host.resolve()
    host.complete("b")
    assert key in host.ended


def test_an_interrupted_task_is_canceled_with_the_listener_that_runs() -> None:
    late = boundary("late", "x", duration("PT1M")) + element("endEvent", "stop") + flows("late", "stop")
    host = one("completing:c", more=late)
    key = host.start()
    host.complete_task()
    host.wait(60_000)
    assert key in host.ended
    assert kinds(host)[-1] == "canceled"
    assert host.nothing_left()


@pytest.mark.parametrize(
    "thing",
    [
        service("x", zeebe=listeners("assigning:a", tag="taskListener")),
        user("x", zeebe=listeners("canceling:a", tag="taskListener")),
        user("x", zeebe=listeners("start:a", tag="taskListener")),
        user("x", zeebe=listeners("assigning:a", "assigning:a", tag="taskListener")),
    ],
)
def test_a_task_listener_that_could_not_run_is_refused(thing: str) -> None:
    with pytest.raises(Faulty) as refused:
        reading.read(bpmn(start(), thing, end(), flows("start", "x", "end")))
    assert ("bpmn.listener", "x") in {(fault.rule, fault.element) for fault in refused.value.faults}
