"""Errors on their way: from where they are thrown outwards to what catches them, through calls."""

from __future__ import annotations

from msgspec.structs import replace

from towpath.bpmn.graph import Element, Error
from towpath.engine import events
from towpath.engine.commands import CalledInstanceThrew, ErrorNotCaught
from towpath.engine.effects import UpdateJob
from towpath.engine.propagation import find_catcher
from towpath.engine.state import ACTIVE, ElementInstance, Thrown
from towpath.engine.work import NO_VARIABLES, Work


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
    caught = find_catcher(work, current, Error, thrown.code)
    if caught is not None:
        owner, target = caught
        events.trigger(work, work.edit(owner.key), target, thrown.variables)
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
    parent = work.instance.parent
    if parent is None:
        not_caught(work, current)
        return
    work.send(
        CalledInstanceThrew(
            id=work.effect_id(),
            at=work.at,
            instance_key=parent.instance_key,
            element_instance_key=parent.element_instance_key,
            called_key=work.instance.key,
            code=thrown.code,
            message=thrown.message,
            variables=thrown.variables.data,
            thrower=current.key,
        )
    )


def not_caught(work: Work, current: ElementInstance) -> None:
    """Nothing catches it: tell the called instance that threw, or open the incident here."""
    thrown = current.thrown
    assert thrown is not None
    if current.called:
        current.thrown = None
        work.send(
            ErrorNotCaught(
                id=work.effect_id(),
                at=work.at,
                instance_key=current.called,
                element_instance_key=thrown.thrower,
            )
        )
        return
    said = f": {thrown.message}" if thrown.message else ""
    work.open_incident(current, "UNHANDLED_ERROR_EVENT", f"No event catches the error `{thrown.code}`{said}")
