"""Escalations on their way outwards, through calls: they are told, and only some events interrupt for them.

Whoever throws an escalation goes on, unless what catches it is interrupting. What nothing catches is no
fault. A called instance waits with its thrower until its callers have said which it is.
"""

from __future__ import annotations

from towpath.bpmn.graph import Element, Escalation
from towpath.engine import events, lifecycle
from towpath.engine.commands import CalledInstanceEscalated, EscalationSettled, Variables
from towpath.engine.documents import Document
from towpath.engine.propagation import ask_caller, find_catcher
from towpath.engine.state import ACTIVE, ElementInstance
from towpath.engine.work import Refusal, Work


def throw_at(work: Work, current: ElementInstance, element: Element) -> None:
    """An escalation throw or end event is reached. What its output mappings make travels with it."""
    assert isinstance(element.event, Escalation)
    assert element.event.code is not None
    code = work.text(element.event.code, current, "escalation code")
    variables = lifecycle.mapped(work, current, element.outputs, merge=True)
    caught = _caught(work, current, code, variables)
    if caught is None and work.instance.parent is not None:
        current.phase = ACTIVE
        ask_caller(
            work,
            CalledInstanceEscalated,
            code=code,
            variables=variables,
            origin_key=work.instance.key,
            thrower=current.key,
        )
    elif caught is None or not caught.interrupting:
        work.complete(current)


def called_escalated(work: Work, current: ElementInstance, command: CalledInstanceEscalated) -> None:
    """The instance that the call activity ``current`` called, or one that it called, escalates."""
    caught = _caught(work, current, command.code, command.variables)
    if caught is None and work.instance.parent is not None:
        ask_caller(
            work,
            CalledInstanceEscalated,
            code=command.code,
            variables=command.variables,
            origin_key=command.origin_key,
            thrower=command.thrower,
        )
    elif caught is None or not caught.interrupting:
        work.send(
            EscalationSettled(
                id=work.effect_id(),
                at=work.at,
                instance_key=command.origin_key,
                element_instance_key=command.thrower,
            )
        )


def settled(work: Work, command: EscalationSettled) -> None:
    current = work.elements.get(command.element_instance_key)
    if (
        current is None
        or current.phase != ACTIVE
        or not isinstance(work.element(current).event, Escalation)
        or work.element(current).kind not in ("throw", "end")
    ):
        raise Refusal("not-found", f"No element instance {command.element_instance_key} waits to go on.")
    work.complete(work.edit(current.key))


def _caught(work: Work, current: ElementInstance, code: str, variables: Variables) -> Element | None:
    """Trigger the nearest event that catches the escalation; None where there is none."""
    found = find_catcher(work, current, Escalation, code)
    if found is None:
        return None
    owner, target = found
    events.trigger(work, work.edit(owner.key), target, Document(variables) if variables else None)
    return target
