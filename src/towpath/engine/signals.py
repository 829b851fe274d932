"""Signals: thrown to everybody who waits for the name at that moment, and kept for nobody."""

from __future__ import annotations

from towpath.bpmn.graph import Element, Signal
from towpath.engine import waits
from towpath.engine.effects import Broadcast
from towpath.engine.state import ElementInstance
from towpath.engine.work import Work


def throw_at(work: Work, current: ElementInstance, element: Element) -> None:
    """A signal throw or end event is reached. What its input mappings make travels with it."""
    assert isinstance(element.event, Signal)
    name = waits.signal_name(work, current, element.event)
    variables = current.variables.data if current.variables is not None else {}
    work.effects.append(Broadcast(key=work.keys.next(), signal_name=name, variables=variables))
    work.complete(current)
