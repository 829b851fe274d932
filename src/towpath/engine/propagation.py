"""What travels outwards through scopes, from where it is thrown to the nearest event that catches it."""

from __future__ import annotations

from typing import Any

from towpath.bpmn.graph import Element, Error, Escalation
from towpath.engine.commands import CalledInstanceEscalated, CalledInstanceThrew
from towpath.engine.state import ElementInstance
from towpath.engine.work import Work

Kind = type[Error] | type[Escalation]


def ask_caller(
    work: Work, question: type[CalledInstanceThrew] | type[CalledInstanceEscalated], **told: Any
) -> None:
    """Ask the instance that called this one whether it catches what nothing catches here."""
    parent = work.instance.parent
    assert parent is not None
    work.send(
        question(
            id=work.effect_id(),
            at=work.at,
            instance_key=parent.instance_key,
            element_instance_key=parent.element_instance_key,
            called_key=work.instance.key,
            **told,
        )
    )


def find_catcher(
    work: Work, current: ElementInstance, kind: Kind, code: str
) -> tuple[ElementInstance, Element] | None:
    """The nearest event of ``kind`` for ``code`` from ``current`` outwards, and whose it is.

    On each level an event with the very code comes before one that catches all. An event
    sub-process does not catch what is thrown inside it.
    """
    while True:
        # Boundary events belong to the body of a multi-instance, and to no sub-process that completed before.
        past = current.compensation is not None and current.compensation.restored
        if not current.counter and not past:
            found = _match(work.element(current).boundary, kind, code)
            if found is not None:
                return current, found
        inner = work.element(current)
        scope = work.elements.get(current.scope)
        if scope is None:
            return None
        if scope.loop is None and not scope.interrupted:
            starts = tuple(start for start in work.element(scope).event_starts if start.scope is not inner)
            found = _match(starts, kind, code)
            if found is not None:
                return scope, found
        current = scope


def _match(candidates: tuple[Element, ...], kind: Kind, code: str) -> Element | None:
    catch_all = None
    for candidate in candidates:
        event = candidate.event
        if isinstance(event, (Error, Escalation)) and isinstance(event, kind):
            if event.code is None:
                catch_all = candidate
            elif event.code.text == code:
                return candidate
    return catch_all
