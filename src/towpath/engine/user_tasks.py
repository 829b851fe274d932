"""The life of a user task: created, assigned, updated, completed; listeners may correct or deny each change.

A change with listeners waits until they have run: the command is accepted, the task stays as it was, and what
it is to be is in ``listening`` of its element instance. Until then, no other change is taken.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from towpath.engine import listeners, tasks
from towpath.engine.commands import AssignUserTask, CompleteJob, CompleteUserTask, UpdateUserTask
from towpath.engine.documents import Document
from towpath.engine.effects import UserTask, UserTaskRecord
from towpath.engine.state import ElementInstance, Listening
from towpath.engine.work import Failure, Refusal, Work

RECORDS = {"creating": "created", "assigning": "assigned", "updating": "updated", "completing": "completed"}
HEADER = "io.camunda.zeebe:"  # begins the names of the headers that tell a listener about the task


def _task(work: Work, key: int) -> tuple[ElementInstance, UserTask]:
    owner = work.owners.get(key)
    current = work.elements.get(owner) if owner is not None else None
    if current is None or current.task is None or current.task.key != key:
        raise Refusal("not-found", f"There is no user task {key}; it may be completed or canceled.")
    if current.listening is not None:
        raise Refusal(
            "invalid-state", f"The user task {key} waits for its {current.listening.event} listeners."
        )
    return work.edit(current.key), current.task


def complete(work: Work, command: CompleteUserTask) -> None:
    current, task = _task(work, command.task_key)
    variables = Document(command.variables) if command.variables else None
    _begin(work, current, Listening("completing", task=task, action=command.action, variables=variables))


def assign(work: Work, command: AssignUserTask) -> None:
    current, task = _task(work, command.task_key)
    taken = task.assignee is not None and task.assignee != command.assignee
    if taken and command.assignee is not None and not command.allow_override:
        raise Refusal("invalid-state", f"The user task {task.key} is assigned to somebody already.")
    wanted = replace(task, assignee=command.assignee or None)
    _begin(work, current, Listening("assigning", task=wanted, action=command.action))


def update(work: Work, command: UpdateUserTask) -> None:
    current, task = _task(work, command.task_key)
    wanted = replace(task, **_changes(command.changeset))
    _begin(work, current, Listening("updating", task=wanted, action=command.action))


def create(work: Work, current: ElementInstance, task: UserTask) -> None:
    """``current`` (editable) has come to its user task. One with assigning listeners is assigned by them."""
    found = work.element(current).listeners
    assignee = task.assignee if "assigning" in found else None
    current.task = task if assignee is None else replace(task, assignee=None)
    work.owners[task.key] = current.key
    _begin(work, current, Listening("creating", task=current.task, assignee=assignee))


def _begin(work: Work, current: ElementInstance, change: Listening) -> None:
    task = current.task
    assert task is not None
    if change.event not in work.element(current).listeners:
        _finish(work, current, change)
        return
    current.listening = change
    work.effects.append(UserTaskRecord(kind=change.event, task=task, action=change.action))
    work.queue.append(current.key)


def go_on(work: Work, current: ElementInstance) -> None:
    """Run the next listener of the change of ``current`` (editable), or carry it out. Raises Failure."""
    change = current.listening
    assert change is not None
    if listeners.have_run(work, current, work.element(current), change.event):
        current.listening = None
        _finish(work, current, change)


def _finish(work: Work, current: ElementInstance, change: Listening) -> None:
    task = change.task
    assert task is not None
    work.effects.append(UserTaskRecord(kind=RECORDS[change.event], task=task, action=change.action))
    if change.event == "completing":
        if task != current.task:  # corrected
            work.effects.insert(-1, UserTaskRecord(kind="updated", task=task, action=change.action))
        current.task = None
        work.owners.pop(task.key, None)
        work.complete(current, change.variables)
        return
    current.task = task
    if change.assignee is not None:
        _begin(work, current, Listening("assigning", task=replace(task, assignee=change.assignee)))


def answered(work: Work, current: ElementInstance, command: CompleteJob) -> None:
    """A listener of ``current`` (editable) has run. Raises Refusal where it says what it may not."""
    change, task, result = current.listening, current.task, command.result
    assert change is not None
    assert change.task is not None
    assert task is not None
    if command.variables:
        raise Refusal("invalid-argument", "A task listener's job brings no variables.")
    corrections = {
        name: value for name, value in (result.corrections if result else {}).items() if value is not None
    }
    if result is not None and result.denied:
        if change.event == "creating" or corrections:
            raise Refusal(
                "invalid-argument", "Creating cannot be denied, and what is denied cannot be corrected."
            )
        current.listening = None
        work.effects.append(
            UserTaskRecord(kind="denied", task=task, action=change.action, reason=result.reason)
        )
        return
    if "assignee" in corrections and change.event == "creating" and change.assignee is not None:
        raise Refusal("invalid-argument", "The model names an assignee: correct it when it is assigning.")
    wanted = replace(change.task, **_changes(corrections))
    current.listening = replace(change, done=change.done + 1, task=wanted)
    work.queue.append(current.key)


def headers(before: UserTask | None, task: UserTask, action: str) -> dict[str, str]:
    """What a listener is told of the task as it is to be, by reserved names of headers."""
    told: dict[str, Any] = {
        "assignee": task.assignee,
        "candidateGroups": task.candidate_groups,
        "candidateUsers": task.candidate_users,
        "dueDate": _iso(task.due_at),
        "followUpDate": _iso(task.follow_up_at),
        "priority": task.priority,
    }
    fields = ("assignee", "candidate_groups", "candidate_users", "due_at", "follow_up_at", "priority")
    changed = [
        name
        for name, field in zip(told, fields, strict=True)
        if before is not None and getattr(before, field) != getattr(task, field)
    ]
    told |= {
        "action": action or None,
        "changedAttributes": changed,
        "formKey": task.form_key,
        "userTaskKey": task.key,
    }
    return {
        HEADER + name: value if isinstance(value, str) else json.dumps(value)
        for name, value in told.items()
        if value is not None and value != []
    }


def _iso(at: int | None) -> str | None:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat() if at is not None else None


def _changes(changeset: dict[str, Any]) -> dict[str, Any]:
    """A changeset as fields of the task. Raises Refusal."""
    try:
        return dict(_change(name, value) for name, value in changeset.items())
    except Failure as failure:
        raise Refusal("invalid-argument", failure.message) from None


def _change(name: str, value: Any) -> tuple[str, Any]:
    """One entry of a changeset as a field of the task. Raises Failure."""
    if name in ("candidateGroups", "candidateUsers"):
        field = "candidate_groups" if name == "candidateGroups" else "candidate_users"
        return field, tasks.names(value if value is not None else [], name)
    if name in ("dueDate", "followUpDate"):
        field = "due_at" if name == "dueDate" else "follow_up_at"
        if value is None or value == "" or (isinstance(value, int) and not isinstance(value, bool)):
            return field, value or None
        return field, tasks.time(value, name)
    if name == "assignee" and isinstance(value, str):
        return "assignee", value or None
    if name == "priority" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
        return "priority", value
    if name == "priority":
        raise Failure("", "The priority must be a whole number from 0 to 100.")
    raise Failure("", f"A user task has no `{name}` to change.")
