from decimal import Decimal
from typing import Any

from towpath import dmn
from towpath.engine import commands as c
from towpath.engine import effects
from towpath.engine.models import DeployedDecision

from .host import Host
from .models import bpmn, element, end, flows, headers, mapping, script, service, start, user

ONE = bpmn(start(), service("work"), end(), flows("start", "work", "end"))


def test_a_service_task_offers_a_job_and_waits() -> None:
    host = Host(
        bpmn(
            start(),
            service("work", retries="=2 + 3", zeebe=headers(template="letter")),
            end(),
            flows("start", "work", "end"),
        )
    )
    key = host.start({"amount": 3})
    job = host.job("work")
    assert job.retries == 5
    assert job.headers == {"template": "letter"}
    assert job.variables == {"amount": 3}
    assert host.waiting(key) == ["work"]


def test_a_completed_job_goes_on_and_brings_its_variables() -> None:
    host = Host(ONE)
    key = host.start({"a": 1})
    assert host.complete("work", {"b": Decimal("2.50")}) is None
    assert host.ended[key].variables == {"a": 1, "b": Decimal("2.50")}
    assert not host.ended[key].terminated
    assert host.nothing_left()


def test_a_job_is_completed_once() -> None:
    host = Host(ONE)
    host.start()
    key = host.job("work").key
    host.complete("work")
    rejected = host.complete(key)
    assert rejected is not None
    assert rejected.type == "not-found"


def test_a_job_type_can_be_an_expression() -> None:
    host = Host(bpmn(start(), service("work", type='="type-" + kind'), end(), flows("start", "work", "end")))
    host.start({"kind": "a"})
    assert host.job("type-a").element_id == "work"


def test_a_job_type_that_is_no_text_is_an_incident_and_resolving_tries_again() -> None:
    host = Host(bpmn(start(), service("work", type="=kind"), end(), flows("start", "work", "end")))
    key = host.start()
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    assert host.jobs == {}
    host.set(key, {"kind": "a"})
    host.resolve()
    assert host.incidents == {}
    host.complete("a")
    assert host.nothing_left()


def test_a_failed_job_with_retries_left_is_offered_again_later() -> None:
    host = Host(ONE)
    host.start()
    host.fail("work", retries=2, retry_at=host.now + 500, message="busy", variables={"try": 1})
    update = next(host.records(effects.UpdateJob))
    assert (update.retries, update.retry_at, update.suspended) == (2, host.now + 500, False)
    assert update.variables == {"try": 1}
    assert host.incidents == {}
    host.complete("work")
    assert host.nothing_left()


def test_the_variables_of_a_failed_job_stay_at_its_element() -> None:
    host = Host(ONE)
    key = host.start({"try": 0})
    host.fail("work", retries=1, variables={"try": 1})
    assert host.values(key) == {"try": 0}


def test_a_job_out_of_retries_is_an_incident_that_names_the_job() -> None:
    host = Host(ONE)
    key = host.start()
    host.fail("work", message="no connection")
    incident = host.incident()
    assert incident.error_type == "JOB_NO_RETRIES"
    assert incident.message == "no connection"
    assert incident.job_key == host.job("work").key
    rejected = host.complete("work")
    assert rejected is not None
    assert rejected.type == "invalid-state"
    host.resolve()
    last = list(host.records(effects.UpdateJob))[-1]
    assert (last.retries, last.suspended) == (1, False)
    host.complete("work")
    assert key in host.ended


def test_a_script_task_evaluates_feel_into_its_result_variable() -> None:
    host = Host(bpmn(start(), script("sum", "=a + b", "total"), end(), flows("start", "sum", "end")))
    key = host.start({"a": 1, "b": Decimal("0.1")})
    assert host.values(key)["total"] == Decimal("1.1")


def test_manual_and_undefined_tasks_pass() -> None:
    host = Host(
        bpmn(
            start(), element("task", "a"), element("manualTask", "b"), end(), flows("start", "a", "b", "end")
        )
    )
    host.start()
    assert host.path() == ["start", "a", "b", "end", "p"]
    assert [r.type for r in host.records(effects.ElementRecord) if r.kind == "activated"] == [
        "PROCESS",
        "START_EVENT",
        "TASK",
        "MANUAL_TASK",
        "END_EVENT",
    ]


def test_send_script_and_rule_tasks_with_a_job_type_are_jobs() -> None:
    definition = '<zeebe:taskDefinition type="worker"/>'
    for tag in ("sendTask", "scriptTask", "businessRuleTask"):
        host = Host(bpmn(start(), element(tag, "a", zeebe=definition), end(), flows("start", "a", "end")))
        host.start()
        host.complete("worker")
        assert host.nothing_left()


# --- user tasks -----------------------------------------------------------------------------------

PEOPLE = (
    '<zeebe:assignmentDefinition assignee="=owner" candidateGroups="adjuster, lead" '
    'candidateUsers=\'=["ada", "ben"]\'/>'
    '<zeebe:taskSchedule dueDate=\'=now() + duration("P1D")\' followUpDate="2027-01-15T09:00:00Z"/>'
    '<zeebe:priorityDefinition priority="80"/>'
)
USER = bpmn(start(), user("ask", zeebe=PEOPLE), end(), flows("start", "ask", "end"))


def test_a_user_task_says_who_when_and_how_urgent() -> None:
    host = Host(USER)
    host.start({"owner": "carl"})
    task = host.task()
    assert task.assignee == "carl"
    assert task.candidate_groups == ["adjuster", "lead"]
    assert task.candidate_users == ["ada", "ben"]
    assert task.due_at == host.now + 86_400_000
    assert task.follow_up_at == 1_800_003_600_000
    assert task.priority == 80


def test_a_completed_user_task_brings_its_variables() -> None:
    host = Host(USER)
    key = host.start()
    assert host.task().assignee is None
    host.complete_task({"answer": True})
    assert host.values(key) == {"answer": True}
    assert host.nothing_left()


def test_a_user_task_with_a_form_carries_its_key_or_is_an_incident() -> None:
    form = '<zeebe:formDefinition formId="ask-form"/>'
    host = Host(bpmn(start(), user("ask", zeebe=form), end(), flows("start", "ask", "end")))
    host.start()
    assert host.incident().error_type == "FORM_NOT_FOUND"
    host.forms["ask-form"] = 77
    host.resolve()
    assert (host.task().form_id, host.task().form_key) == ("ask-form", 77)


def test_a_user_task_can_be_assigned_unassigned_and_updated() -> None:
    host = Host(USER)
    key = host.start()
    task = host.task().key

    def assign(assignee: str | None, **more: Any) -> effects.Rejected | None:
        return host.send(
            c.AssignUserTask(
                id=host.id(), at=host.now, instance_key=key, task_key=task, assignee=assignee, **more
            )
        )

    assert assign("ada") is None
    refused = assign("ben", allow_override=False)
    assert refused is not None
    assert refused.type == "invalid-state"
    assert host.task().assignee == "ada"
    assert assign(None) is None
    assert host.task().assignee is None

    def update(**changes: Any) -> effects.Rejected | None:
        return host.send(
            c.UpdateUserTask(id=host.id(), at=host.now, instance_key=key, task_key=task, changeset=changes)
        )

    assert (
        update(priority=10, candidateGroups=["x"], dueDate="2027-01-15T09:00:00Z", followUpDate=None) is None
    )
    found = host.task()
    assert (found.priority, found.candidate_groups, found.due_at) == (10, ["x"], 1_800_003_600_000)
    assert found.follow_up_at is None
    for wrong in ({"priority": 200}, {"dueDate": "soon"}, {"nonsense": 1}, {"candidateUsers": "ada"}):
        rejected = update(**wrong)
        assert rejected is not None
        assert rejected.type == "invalid-argument"


# --- decisions ------------------------------------------------------------------------------------


def rule(id: str, when: str, then: str) -> str:
    return (
        f'<rule id="{id}"><inputEntry id="{id}-i"><text>{when}</text></inputEntry>'
        f'<outputEntry id="{id}-o"><text>{then}</text></outputEntry></rule>'
    )


# Below 10 north, above 5 south: between them two rules match, which a unique table does not allow.
ROUTE = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="test">'
    '<decision id="route" name="Route"><variable name="Route"/><decisionTable id="t" hitPolicy="UNIQUE">'
    '<input id="i" label="n"><inputExpression id="ie"><text>n</text></inputExpression></input>'
    '<output id="o" name="to"/>'
    f"{rule('r1', '&lt; 10', '&quot;north&quot;')}{rule('r2', '> 5', '&quot;south&quot;')}"
    "</decisionTable></decision></definitions>"
).encode()
RULE = bpmn(
    start(),
    element(
        "businessRuleTask", "rule", zeebe='<zeebe:calledDecision decisionId="route" resultVariable="way"/>'
    ),
    end(),
    flows("start", "rule", "end"),
)


def _deploy(host: Host, decision_id: str = "route") -> None:
    host.decisions["route"] = DeployedDecision(
        key=9, decision_id=decision_id, version=1, version_tag=None, model=dmn.read(ROUTE)
    )


def test_a_business_rule_task_puts_the_decision_into_its_result_variable_with_its_audit() -> None:
    host = Host(RULE)
    _deploy(host)
    key = host.start({"n": 3})
    assert host.values(key) == {"n": 3, "way": "north"}
    record = next(host.records(effects.DecisionRecord))
    assert (record.decision_id, record.decision_key, record.element_id) == ("route", 9, "rule")
    assert record.result == "north"
    assert record.audit[0]["matchedRules"][0]["ruleId"] == "r1"
    assert not record.failed


def test_a_missing_or_failing_decision_is_an_incident() -> None:
    host = Host(RULE)
    key = host.start({"n": 7})
    assert host.incident().error_type == "CALLED_DECISION_ERROR"
    _deploy(host)
    host.resolve()
    assert host.incident().error_type == "DECISION_EVALUATION_ERROR"
    assert next(host.records(effects.DecisionRecord)).failed
    host.set(key, {"n": 11})
    host.resolve()
    assert host.values(key)["way"] == "south"


def test_input_mappings_are_local_and_output_mappings_choose_what_leaves() -> None:
    host = Host(
        bpmn(
            start(),
            service("work", zeebe=mapping(inputs={"x": "=a + 1", "y": "=x * 2"}, outputs={"r.sum": "=out"})),
            end(),
            flows("start", "work", "end"),
        )
    )
    key = host.start({"a": 1, "r": {"kept": True}})
    assert host.job("work").variables == {"a": 1, "x": 2, "y": 4, "r": {"kept": True}}
    host.complete("work", {"out": 5, "noise": 1})
    assert host.values(key) == {"a": 1, "r": {"kept": True, "sum": 5}}
