"""Transactions: canceling ends what is active, undoes what completed, and leaves by the cancel event.

An error that leaves a transaction (a hazard) undoes nothing: that is what any boundary event does.
"""

from __future__ import annotations

from msgspec.structs import replace

from towpath.engine import compensation, lifecycle, listeners, waits
from towpath.engine.state import ACTIVATING, ACTIVE, Compensation, ElementInstance
from towpath.engine.work import Work


def cancel(work: Work, scope: ElementInstance) -> None:
    """A cancel end event inside ``scope`` is complete: cancel the transaction, with all of its instances."""
    transaction = scope
    while work.element(transaction).kind != "transaction":
        transaction = work.elements[transaction.scope]
    if transaction.counter:
        transaction = work.elements[transaction.scope]
        for inner in work.children(transaction):
            if inner.phase == ACTIVATING:
                lifecycle.terminate(work, inner)
            else:
                _undo(work, work.edit(inner.key))
    _undo(work, work.edit(transaction.key))


def _undo(work: Work, scope: ElementInstance) -> None:
    """End what is active in ``scope`` (editable) but for what is being undone there, and undo the rest."""
    waits.close_all(work, scope)
    work.close_incident(scope)
    if scope.listening is not None:
        listeners.stop(work, scope)
    if scope.loop is not None:
        scope.loop = replace(scope.loop, size=scope.loop.started)
    else:
        for child in work.children(scope):
            undoing = child.compensation is not None and child.compensation.restored
            if not undoing and not work.element(child).for_compensation:
                lifecycle.terminate(work, child)
        scope.taken = None
    scope.interrupted = True
    scope.phase = ACTIVE
    kept = scope.compensation or Compensation()
    scope.compensation = replace(kept, under_way=True, canceled=True)
    compensation.begin(work, scope)
