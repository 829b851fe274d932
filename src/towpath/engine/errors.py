"""Errors on their way: from where they are thrown outwards to what catches them, through calls."""

from __future__ import annotations

from msgspec.structs import replace

from towpath.bpmn.graph import Element, Error
from towpath.engine import events
from towpath.engine.commands import CalledInstanceThrew, ErrorNotCaught, Variables
from towpath.engine.documents import Document
from towpath.engine.effects import UpdateJob
from towpath.engine.propagation import ask_caller, find_catcher
from towpath.engine.state import ACTIVE, ElementInstance, Thrown
from towpath.engine.work import NO_VARIABLES, Refusal, Work


def throw_at(work: Work, current: ElementInstance, element: Element) -> None:
    """An error end event is reached."""
    assert isinstance(element.event, Error)
    assert element.event.code is not None
    code = work.text(element.event.code, current, "error code")
    current.phase = ACTIVE
    current.thrown = Thrown(code, "", NO_VARIABLES)
    throw(work, current)


def throw(work: Work, current: ElementInstance) -> None:
    """Bring ``current.thrown`` (``current`` is editable) to what catches it, here or in a caller.

    Until it is caught, the thrower stays where it is, with its job suspended: if nothing catches it,
    there is an incident at the very place.
    """
    thrown = current.thrown
    assert thrown is not None
    if _caught(work, current, thrown.code, thrown.message, thrown.variables.data):
        return
    if current.job is not None and not current.job.suspended:
        current.job = replace(current.job, suspended=True)
        work.effects.append(
            UpdateJob(
                key=current.job.key,
                retries=current.job.retries,
                error_message=thrown.message,
                suspended=True,
            )
        )
    if work.instance.parent is None:
        _not_caught(work, current)
    else:
        ask_caller(
            work,
            CalledInstanceThrew,
            code=thrown.code,
            message=thrown.message,
            variables=thrown.variables.data,
            origin_key=work.instance.key,
            thrower=current.key,
        )


def called_threw(work: Work, current: ElementInstance, command: CalledInstanceThrew) -> None:
    """The instance that the call activity ``current`` called, or one that it called, has thrown."""
    if _caught(work, current, command.code, command.message, command.variables):
        return
    origin = command.origin_key or command.called_key
    if work.instance.parent is not None:
        ask_caller(
            work,
            CalledInstanceThrew,
            code=command.code,
            message=command.message,
            variables=command.variables,
            origin_key=origin,
            thrower=command.thrower,
        )
        return
    work.send(
        ErrorNotCaught(
            id=work.effect_id(),
            at=work.at,
            instance_key=origin,
            element_instance_key=command.thrower,
        )
    )


def not_caught(work: Work, command: ErrorNotCaught) -> None:
    """No caller catches what an element instance here has thrown."""
    current = work.elements.get(command.element_instance_key)
    if current is None or current.thrown is None or current.incident is not None:
        raise Refusal("not-found", f"No element instance {command.element_instance_key} threw an error.")
    _not_caught(work, work.edit(current.key))


def _not_caught(work: Work, current: ElementInstance) -> None:
    thrown = current.thrown
    assert thrown is not None
    said = f": {thrown.message}" if thrown.message else ""
    work.open_incident(current, "UNHANDLED_ERROR_EVENT", f"No event catches the error `{thrown.code}`{said}")


def _caught(work: Work, current: ElementInstance, code: str, message: str, variables: Variables) -> bool:
    """Trigger the nearest event that catches the error, if there is one."""
    found = find_catcher(work, current, Error, code)
    if found is None:
        return False
    owner, target = found
    assert isinstance(target.event, Error)
    named = {target.event.code_variable: code, target.event.message_variable: message}
    brought = {**variables, **{name: value for name, value in named.items() if name is not None}}
    events.trigger(work, work.edit(owner.key), target, Document(brought))
    return True
