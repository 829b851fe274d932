"""Gateways. Joins are counted where flows are taken (:meth:`towpath.engine.work.Work.take`)."""

from __future__ import annotations

from collections.abc import Sequence

from towpath.bpmn.graph import Element, Flow
from towpath.engine import waits
from towpath.engine.handlers import Handler
from towpath.engine.state import ElementInstance
from towpath.engine.work import Failure, Work


def holds(work: Work, current: ElementInstance, flow: Flow) -> bool:
    """Whether a flow's condition is true. Raises Failure where it is neither true nor false."""
    assert flow.condition is not None
    found = work.evaluate(flow.condition, current)
    if found is True or found is False:
        return found
    what = f"The condition of the flow `{flow.id}`,"
    raise work.misfit(what, flow.condition, "true or false", found, current)


def _no_flow(element: Element) -> Failure:
    return Failure(
        "CONDITION_ERROR",
        f"No condition of the gateway `{element.id}` is true, and it has no default flow.",
    )


class Exclusive(Handler):
    """The first flow whose condition is true, else the default flow."""

    def leave(self, work: Work, current: ElementInstance, element: Element) -> Sequence[Flow]:
        outgoing, default = element.outgoing, element.default
        for flow in outgoing:
            if flow.condition is None:
                if flow is not default:
                    return (flow,)  # the only way out
            elif holds(work, current, flow):
                return (flow,)
        if default is not None:
            return (default,)
        if outgoing:
            raise _no_flow(element)
        return ()


class Inclusive(Handler):
    """Every flow whose condition is true, else the default flow."""

    def leave(self, work: Work, current: ElementInstance, element: Element) -> Sequence[Flow]:
        outgoing, default = element.outgoing, element.default
        chosen = [
            flow
            for flow in outgoing
            if flow is not default and (flow.condition is None or holds(work, current, flow))
        ]
        if chosen:
            return chosen
        if default is not None:
            return (default,)
        if outgoing:
            raise _no_flow(element)
        return ()


class EventBased(Handler):
    """Waits for all events behind it; the first one that happens decides the way."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        targets = [flow.target for flow in element.outgoing]
        waits.open_all(work, current, waits.prepare(work, current, targets))

    def leave(self, work: Work, current: ElementInstance, element: Element) -> Sequence[Flow]:
        return ()  # the event that was triggered stands in the scope already
