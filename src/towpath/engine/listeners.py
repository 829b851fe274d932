"""Listeners: jobs around what an element does, one after the other, before it goes on.

An execution listener's job runs before the element begins (``start``, and ``beforeAll`` for the body of a
multi-instance), or when it has completed and not yet left (``end``). While one has its job, ``listening`` of
the element instance says which, and its phase stays; when the job is done, the element instance is queued and
takes up its phase again.
"""

from __future__ import annotations

from msgspec.structs import replace

from towpath.bpmn.graph import Element
from towpath.engine import lifecycle, tasks, user_tasks
from towpath.engine.commands import Variables
from towpath.engine.effects import EXECUTION_LISTENER, TASK_LISTENER, CloseJob
from towpath.engine.state import ElementInstance, Listening
from towpath.engine.work import Work

# Event type in the model -> as jobs tell it.
EVENTS = {
    "beforeAll": "BEFORE_ALL",
    "start": "START",
    "end": "END",
    "creating": "CREATING",
    "assigning": "ASSIGNING",
    "updating": "UPDATING",
    "completing": "COMPLETING",
}


def have_run(work: Work, current: ElementInstance, element: Element, event: str) -> bool:
    """Whether all listeners of ``event`` have run at ``current`` (editable); else the next one has its job.

    Raises Failure; those that have run do not run again then.
    """
    found = element.listeners.get(event, ())
    listening = current.listening
    if listening is None:
        if not found:
            return True
        listening = current.listening = Listening(event)
    if listening.done >= len(found):
        return True
    if current.job is None:
        listener = found[listening.done]
        headers = {**element.headers, **listener.headers}
        kind = EXECUTION_LISTENER
        if listening.task is not None:
            kind = TASK_LISTENER
            headers.update(user_tasks.headers(current.task, listening.task, listening.action))
        tasks.offer_job(work, current, element, listener.job, headers, kind, EVENTS[event])
    return False


def completed(work: Work, current: ElementInstance, variables: Variables) -> None:
    """The listener that ``current`` (editable) waits for has run, and its job brings ``variables``.

    Those of a start listener are local to the element; those of an end listener go to the scopes around it.
    """
    listening = current.listening
    assert listening is not None
    if listening.event == "end":
        lifecycle.spread(work, current, work.element(current), variables)
    else:
        work.put(current, variables)
    current.listening = replace(listening, done=listening.done + 1)
    work.queue.append(current.key)


def stop(work: Work, current: ElementInstance) -> None:
    """No listener runs at ``current`` (editable) any more, as it does not leave after all."""
    current.listening = None
    if current.job is not None:
        work.owners.pop(current.job.key, None)
        work.effects.append(CloseJob(key=current.job.key, outcome="canceled"))
        current.job = None
