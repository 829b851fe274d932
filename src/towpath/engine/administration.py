"""Commands of workers and people to an instance: jobs, user tasks, variables, incidents, cancelling."""

from __future__ import annotations

from msgspec.structs import replace

from towpath.engine import conditions, containers, errors, lifecycle, listeners, user_tasks
from towpath.engine.commands import (
    CancelInstance,
    CompleteJob,
    FailJob,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJobRetries,
)
from towpath.engine.documents import Document
from towpath.engine.effects import CloseJob, UpdateJob
from towpath.engine.state import ACTIVATING, ACTIVE, ElementInstance, Job, Thrown
from towpath.engine.work import Refusal, Work


def _job(work: Work, key: int, *, active: bool = True) -> tuple[ElementInstance, Job]:
    """The job, and the element instance (editable) that has it. Raises Refusal."""
    owner = work.owners.get(key)
    current = work.elements.get(owner) if owner is not None else None
    if current is None or current.job is None or current.job.key != key:
        raise Refusal("not-found", f"There is no job {key}; it may be completed or canceled.")
    if active and current.job.suspended:
        raise Refusal("invalid-state", f"The job {key} waits for an incident to be resolved.")
    return work.edit(current.key), current.job


def complete_job(work: Work, command: CompleteJob) -> None:
    current, job = _job(work, command.job_key)
    current.job = None
    del work.owners[job.key]
    work.effects.append(CloseJob(key=job.key, outcome="completed"))
    if current.listening is not None and current.listening.task is not None:
        user_tasks.answered(work, current, command)
    elif current.listening is not None:
        listeners.completed(work, current, command.variables)
    else:
        work.complete(current, Document(command.variables) if command.variables else None)


def fail_job(work: Work, command: FailJob) -> None:
    """With retries left the job is offered again; without, there is an incident."""
    current, job = _job(work, command.job_key)
    retries = max(command.retries, 0)
    work.put(current, command.variables)
    current.job = replace(job, retries=retries, suspended=not retries)
    work.effects.append(
        UpdateJob(
            key=job.key,
            retries=retries,
            retry_at=command.retry_at if retries else None,
            error_message=command.message,
            suspended=not retries,
            variables=work.visible(current) if command.variables else None,
        )
    )
    if not retries:
        work.open_incident(current, "JOB_NO_RETRIES", command.message or "No retries of the job are left.")


def throw_job_error(work: Work, command: ThrowJobError) -> None:
    current, job = _job(work, command.job_key)
    if current.listening is not None:
        raise Refusal("invalid-state", f"The job {job.key} is a listener's, which cannot throw an error.")
    current.thrown = Thrown(command.code, command.message, Document(command.variables))
    errors.throw(work, current)


def update_job_retries(work: Work, command: UpdateJobRetries) -> None:
    """An incident for want of retries stands until it is resolved."""
    current, job = _job(work, command.job_key, active=False)
    if command.retries < 1:
        raise Refusal("invalid-argument", "The number of retries must be at least 1.")
    current.job = replace(job, retries=command.retries)
    work.effects.append(UpdateJob(key=job.key, retries=command.retries, suspended=job.suspended))


# --- variables, incidents, cancelling -------------------------------------------------------------


def set_variables(work: Work, command: SetVariables) -> None:
    if command.scope_key not in work.elements:
        raise Refusal("not-found", f"There is no active element instance {command.scope_key}.")
    scope = work.edit(command.scope_key)
    if command.local:
        work.put(scope, command.variables)
    else:
        work.propagate(scope, command.variables)


def resolve_incident(work: Work, command: ResolveIncident) -> None:
    """Try again what failed: activate or complete once more, offer the job again, throw again."""
    owner = work.owners.get(command.incident_key)
    current = work.elements.get(owner) if owner is not None else None
    if current is None or current.incident is None or current.incident.key != command.incident_key:
        raise Refusal("not-found", f"There is no active incident {command.incident_key}.")
    current = work.edit(current.key)
    work.close_incident(current)
    if conditions.unsettled(current):
        work.queue.append(current.key)
    if current.job is not None and not current.job.suspended:
        return  # the incident was about a condition
    if current.job is not None:
        current.thrown = None
        current.job = replace(current.job, suspended=False, retries=max(current.job.retries, 1))
        work.effects.append(
            UpdateJob(key=current.job.key, retries=current.job.retries, variables=work.visible(current))
        )
    elif current.phase != ACTIVE:
        work.queue.append(current.key)
    elif current.thrown is not None:
        errors.throw(work, current)
    elif work.element(current).kind == "call-activity" and current.loop is None and not current.called:
        current.phase = ACTIVATING
        work.queue.append(current.key)
    else:
        work.queue.append(current.key)


def cancel_instance(work: Work, command: CancelInstance) -> None:
    if work.instance.parent is not None and not command.from_parent:
        raise Refusal(
            "invalid-state",
            f"The instance was called by {work.instance.parent.instance_key}: cancel that one.",
        )
    root = work.instance.root
    lifecycle.terminate(work, root)
    containers.finish(work, root, terminated=True)
