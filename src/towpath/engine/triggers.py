"""What happens to an instance from outside: timers, messages, and what called instances report."""

from __future__ import annotations

from towpath.engine import errors, escalations, events, waits
from towpath.engine.commands import (
    CalledInstanceCompleted,
    CalledInstanceEscalated,
    CalledInstanceTerminated,
    CalledInstanceThrew,
    Continue,
    TriggerMessage,
    TriggerSignal,
    TriggerTimer,
)
from towpath.engine.documents import Document
from towpath.engine.state import ElementInstance, Wait
from towpath.engine.work import Refusal, Work


def _wait(work: Work, key: int, what: str) -> tuple[ElementInstance, Wait]:
    owner = work.owners.get(key)
    current = work.elements.get(owner) if owner is not None else None
    for wait in (current.waits or ()) if current is not None else ():
        if wait.key == key:
            assert current is not None
            return work.edit(current.key), wait
    raise Refusal("not-found", f"Nothing waits for the {what} {key} any more.")


def trigger_timer(work: Work, command: TriggerTimer) -> None:
    owner, wait = _wait(work, command.timer_key, "timer")
    if command.at < wait.due:
        raise Refusal("invalid-state", f"The timer {wait.key} is not due yet.")
    target = work.graph.elements[wait.target]
    if wait.repeat is not None and not target.interrupting:
        waits.repeat_timer(work, owner, wait)
    else:
        waits.drop(work, owner, wait)
    events.trigger(work, owner, target, None)


def trigger_message(work: Work, command: TriggerMessage) -> None:
    owner, wait = _wait(work, command.subscription_key, "message subscription")
    waits.accept(work, owner, wait, command)
    target = work.graph.elements[wait.target]
    events.trigger(work, owner, target, Document(command.variables) if command.variables else None)


def trigger_signal(work: Work, command: TriggerSignal) -> None:
    owner, wait = _wait(work, command.subscription_key, "signal")
    target = work.graph.elements[wait.target]
    if target.interrupting:
        waits.end(work, owner, wait)
    events.trigger(work, owner, target, Document(command.variables) if command.variables else None)


def _calling(work: Work, key: int, called: int) -> ElementInstance:
    current = work.elements.get(key)
    if current is None or not current.called or current.called != called:
        raise Refusal("not-found", f"No call activity {key} waits for the instance {called}.")
    return work.edit(key)


def called_completed(work: Work, command: CalledInstanceCompleted) -> None:
    current = _calling(work, command.element_instance_key, command.called_key)
    element = work.element(current)
    current.called = 0
    result = Document(command.variables) if command.variables else None
    called = element.called
    if called is not None and not called.propagate_all_child_variables and not element.outputs:
        result = None
    work.complete(current, result)


def called_terminated(work: Work, command: CalledInstanceTerminated) -> None:
    """Somebody ended the called instance: an incident, and resolving it calls once more."""
    current = _calling(work, command.element_instance_key, command.called_key)
    current.called = 0
    work.open_incident(
        current, "CALLED_ELEMENT_ERROR", f"The called instance {command.called_key} was terminated."
    )


def called_threw(work: Work, command: CalledInstanceThrew) -> None:
    current = _calling(work, command.element_instance_key, command.called_key)
    errors.called_threw(work, current, command)


def called_escalated(work: Work, command: CalledInstanceEscalated) -> None:
    current = _calling(work, command.element_instance_key, command.called_key)
    escalations.called_escalated(work, current, command)


def go_on(work: Work, _: Continue) -> None:
    if not work.instance.pending:
        raise Refusal("invalid-state", "The instance has nothing left to go on with.")
    work.queue, work.instance.pending = list(work.instance.pending), []
