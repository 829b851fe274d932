"""The verbs that the handler of every kind of element has."""

from __future__ import annotations

from collections.abc import Sequence

from towpath.bpmn.graph import Called, Element, Flow
from towpath.engine.state import ElementInstance
from towpath.engine.work import Work


class Handler:
    """How a kind of element behaves; what it leaves out, all elements have in common.

    ``activate`` begins: it evaluates what can fail first, and either completes at once or leaves the
    element instance waiting. ``leave`` chooses the flows to take and may fail too. ``ended`` is told
    when the element instance is gone. All that a terminated element instance leaves behind is in its
    fields, so terminating is the same for every kind (:func:`towpath.engine.lifecycle.terminate`).
    """

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        """``current`` may be changed."""
        work.complete(current)

    def leave(self, work: Work, current: ElementInstance, element: Element) -> Sequence[Flow]:
        """The flows to take on completion."""
        return element.outgoing

    def ended(self, work: Work, current: ElementInstance, element: Element) -> None:
        """``current`` has completed, and its flows are taken."""


# Kind of element -> its handler. Filled by ``towpath.engine.elements``, which imports the families.
HANDLERS: dict[str, Handler] = {}


def bound(reference: Called) -> str:
    """Where a reference looks, for the message that nothing is there."""
    if reference.binding == "deployment":
        return " in the same deployment"
    if reference.binding == "versionTag":
        return f" with the version tag `{reference.version_tag}`"
    return ""
