"""Tasks: work for a job worker or a person, a decision, a script."""

from __future__ import annotations

from typing import Any

from towpath import feel
from towpath.bpmn.graph import Assignment, Element, JobDefinition, Path, Value
from towpath.engine import user_tasks
from towpath.engine.documents import Document
from towpath.engine.effects import BPMN_ELEMENT, DecisionRecord, OfferJob, UserTask
from towpath.engine.handlers import Handler, bound
from towpath.engine.state import ElementInstance, Job
from towpath.engine.work import EVALUATION_ERRORS, Failure, Work, describe

DEFAULT_PRIORITY = 50


class JobTask(Handler):
    """A service, send, script or business rule task, or a message thrown, that a worker carries out."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        assert element.job is not None
        offer_job(work, current, element, element.job, element.headers)


def offer_job(
    work: Work,
    current: ElementInstance,
    element: Element,
    definition: JobDefinition,
    headers: dict[str, str],
    kind: str = BPMN_ELEMENT,
    listener_event: str | None = None,
) -> None:
    """Give ``current`` (editable) a job. Raises Failure."""
    if definition.type.expression is None:
        type_ = definition.type.text
    else:
        type_ = work.text(definition.type, current, "job type")
    retries = definition.static_retries
    if retries is None:
        retries = _whole(work.json(definition.retries, current), "number of retries", definition.retries)
    job = Job(work.keys.next(), retries)
    current.job = job
    work.owners[job.key] = current.key
    work.effects.append(
        OfferJob(
            key=job.key,
            type=type_,
            element_id=element.id,
            element_instance_key=current.key,
            retries=retries,
            headers=headers,
            kind=kind,
            listener_event=listener_event,
        )
    )


class UserTaskHandler(Handler):
    """A user task: waits for a person."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        assignment = element.assignment
        assert assignment is not None
        form_id, form_key, external = _form(work, current, assignment)
        assignee = _optional_text(work, current, assignment.assignee, "assignee")
        groups = _names(work, current, assignment.candidate_groups, "candidate groups")
        users = _names(work, current, assignment.candidate_users, "candidate users")
        due = _time(work, current, assignment.due_date, "due date")
        follow_up = _time(work, current, assignment.follow_up_date, "follow-up date")
        priority = DEFAULT_PRIORITY
        if assignment.priority is not None:
            value = assignment.priority
            priority = _whole(work.json(value, current), "priority", value)
        task = UserTask(
            key=work.keys.next(),
            element_id=element.id,
            element_instance_key=current.key,
            name=element.name,
            assignee=assignee,
            candidate_groups=groups,
            candidate_users=users,
            due_at=due,
            follow_up_at=follow_up,
            priority=priority,
            form_id=form_id,
            form_key=form_key,
            external_form=external,
            headers=element.headers,
        )
        user_tasks.create(work, current, task)


class DecisionTask(Handler):
    """A business rule task: evaluates a DMN decision, and keeps how it came about."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        called = element.decision
        assert called is not None
        reference = called.decision
        decision_id = work.text(reference.id, current, "id of the called decision")
        found = work.models.find_decision(
            decision_id, reference.binding, reference.version_tag, caller=work.deployed.key
        )
        if found is None:
            raise Failure(
                "CALLED_DECISION_ERROR", f"No decision `{decision_id}` is deployed{bound(reference)}."
            )
        try:
            evaluation = found.model.evaluate(decision_id, work.visible(current), now=work.at)
        except KeyError:
            raise Failure(
                "CALLED_DECISION_ERROR", f"The deployed model holds no decision `{decision_id}`."
            ) from None
        except EVALUATION_ERRORS as error:
            raise Failure(
                "DECISION_EVALUATION_ERROR", f"The decision `{decision_id}` could not be evaluated: {error}"
            ) from None
        failed, message = bool(evaluation.failed), str(evaluation.message or "")
        output = feel.to_json(evaluation.output)
        work.effects.append(
            DecisionRecord(
                key=work.keys.next(),
                decision_id=decision_id,
                decision_key=found.key,
                element_id=element.id,
                element_instance_key=current.key,
                result=output,
                audit=evaluation.audit,
                failed=failed,
                message=message,
            )
        )
        if failed:
            raise Failure("DECISION_EVALUATION_ERROR", f"The decision `{decision_id}` failed: {message}")
        work.complete(current, Document(_at(called.result, output)))


class ScriptTask(Handler):
    """A FEEL script."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        script = element.script
        assert script is not None
        value = feel.to_json(work.evaluate(script.expression, current))
        work.complete(current, Document(_at(script.result, value)))


def _at(path: Path, value: Any) -> dict[str, Any]:
    for name in reversed(path[1:]):
        value = {name: value}
    return {path[0]: value}


def _form(
    work: Work, current: ElementInstance, assignment: Assignment
) -> tuple[str | None, int | None, str | None]:
    """Id and key of a form of ours, or a reference that only the task application understands."""
    if assignment.external_form is not None:
        return None, None, work.text(assignment.external_form, current, "form reference")
    form = assignment.form
    if form is None:
        return None, None, None
    form_id = work.text(form.id, current, "id of the form")
    key = work.models.find_form(form_id, form.binding, form.version_tag, caller=work.deployed.key)
    if key is None:
        raise Failure("FORM_NOT_FOUND", f"No form `{form_id}` is deployed{bound(form)}.")
    return form_id, key, None


def _optional_text(work: Work, current: ElementInstance, value: Value | None, what: str) -> str | None:
    if value is None:
        return None
    found = work.json(value, current)
    if found is None or isinstance(found, str):
        return found or None
    raise Failure(
        "EXTRACT_VALUE_ERROR", f"The {what} `{value.text}` must be a text, but is {describe(found)}."
    )


def _names(work: Work, current: ElementInstance, value: Value | None, what: str) -> list[str]:
    """A static list separated by commas, or an expression that makes a list of texts."""
    if value is None:
        return []
    found = work.json(value, current)
    if isinstance(found, str):
        return [name.strip() for name in found.split(",") if name.strip()]
    if found is None:
        return []
    return names(found, f"{what} `{value.text}`")


def names(found: Any, what: str) -> list[str]:
    """``found`` as a list of texts. Raises Failure."""
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return list(found)
    raise Failure("EXTRACT_VALUE_ERROR", f"The {what} must be a list of texts, but is {describe(found)}.")


def _time(work: Work, current: ElementInstance, value: Value | None, what: str) -> int | None:
    if value is None:
        return None
    found = work.json(value, current)
    return None if found is None or found == "" else time(found, f"{what} `{value.text}`")


def time(found: Any, what: str) -> int:
    """A date and time as ms since the epoch. Raises Failure."""
    if isinstance(found, str):
        try:
            return feel.parse_date_time(found)
        except (ValueError, OverflowError):
            pass
    raise Failure("EXTRACT_VALUE_ERROR", f"The {what} must be a date and time, but is {describe(found)}.")


def _whole(found: Any, what: str, value: Value) -> int:
    if isinstance(found, str) and found.isdecimal():
        return int(found)
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    raise Failure(
        "EXTRACT_VALUE_ERROR", f"The {what} `{value.text}` must be a whole number, but is {describe(found)}."
    )
