"""What an element instance waits for: timers, messages and signals, its own and those of its boundary.

Preparing evaluates and may fail; opening tells the host. A wait names the element that it triggers,
so boundary events, event sub-processes and event-based gateways all work in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from towpath.bpmn import timers
from towpath.bpmn.graph import Element, Message, Signal, Timer
from towpath.engine.commands import Subscribe, TriggerAccepted, TriggerMessage, Unsubscribe
from towpath.engine.effects import (
    CancelTimer,
    CloseSignalSubscription,
    CloseSubscription,
    OpenSignalSubscription,
    OpenSubscription,
    SetTimer,
)
from towpath.engine.state import ElementInstance, Wait
from towpath.engine.work import Failure, Work, number_text

AWAITED = (Timer, Message, Signal)  # the others are looked for when they are thrown


def prepare(work: Work, owner: ElementInstance, targets: Iterable[Element]) -> list[Wait]:
    """A wait, without a key yet, for each target that something has to trigger. Raises Failure."""
    return [evaluate(work, owner, target) for target in targets if isinstance(target.event, AWAITED)]


def evaluate(work: Work, owner: ElementInstance, target: Element) -> Wait:
    event = target.event
    if isinstance(event, Timer):
        return _timer(work, owner, target, event)
    if isinstance(event, Signal):
        return Wait(key=0, target=target.id, signal=work.text(event.name, owner, "signal name"))
    assert isinstance(event, Message)
    key = event.correlation_key
    found = work.json(key, owner) if key is not None else ""
    if isinstance(found, bool) or found is None or isinstance(found, (list, dict)):
        assert key is not None
        raise work.misfit("The correlation key", key, "a text or a number", found, owner)
    written = found if isinstance(found, str) else number_text(found, "correlation key")
    name = work.text(event.name, owner, "message name")
    return Wait(key=0, target=target.id, name=name, correlation_key=written)


def _timer(work: Work, owner: ElementInstance, target: Element, event: Timer) -> Wait:
    found = work.json(event.value, owner)
    if not isinstance(found, str):
        raise work.misfit("The timer", event.value, f"a {event.kind}", found, owner)
    try:
        due = timers.first_due(event.kind, found, work.at)
    except ValueError as error:
        raise Failure("EXTRACT_VALUE_ERROR", f"The timer cannot be understood: {error}.") from None
    return Wait(key=0, target=target.id, due=due.at, repeat=due.repeat)


def open_all(work: Work, owner: ElementInstance, prepared: Sequence[Wait]) -> None:
    """Begin to wait: set the timers, open the subscriptions. ``owner`` is editable."""
    if not prepared:
        return
    for wait in prepared:
        wait.key = work.keys.next()
        work.owners[wait.key] = owner.key
        if wait.signal is not None:
            work.effects.append(
                OpenSignalSubscription(
                    key=wait.key,
                    signal_name=wait.signal,
                    element_id=wait.target,
                    element_instance_key=owner.key,
                )
            )
            continue
        if wait.name is None:
            work.effects.append(
                SetTimer(
                    key=wait.key,
                    due_at=wait.due,
                    element_id=wait.target,
                    element_instance_key=owner.key,
                )
            )
            continue
        work.effects.append(
            OpenSubscription(
                key=wait.key,
                message_name=wait.name,
                correlation_key=wait.correlation_key,
                element_id=wait.target,
                element_instance_key=owner.key,
            )
        )
        work.send(
            Subscribe(
                id=work.effect_id(),
                at=work.at,
                name=wait.name,
                correlation_key=wait.correlation_key,
                subscription_key=wait.key,
                instance_key=work.instance.key,
                process_id=work.deployed.process_id,
                interrupting=work.graph.elements[wait.target].interrupting,
            )
        )
    owner.waits = [*(owner.waits or ()), *prepared]


def close_all(work: Work, owner: ElementInstance, consumed: int = 0) -> None:
    """Stop waiting for everything. ``consumed`` is the key of the wait that was just triggered."""
    for wait in owner.waits or ():
        work.owners.pop(wait.key, None)
        if wait.key == consumed:
            continue
        if wait.signal is not None:
            work.effects.append(CloseSignalSubscription(key=wait.key, signal_name=wait.signal))
        elif wait.name is None:
            work.effects.append(CancelTimer(key=wait.key))
        else:
            work.effects.append(CloseSubscription(key=wait.key, correlated=False))
            work.send(
                Unsubscribe(
                    id=work.effect_id(),
                    at=work.at,
                    name=wait.name,
                    correlation_key=wait.correlation_key,
                    subscription_key=wait.key,
                )
            )
    owner.waits = None


def drop(work: Work, owner: ElementInstance, wait: Wait) -> None:
    """Forget a wait that was triggered for good (a timer that does not repeat, a message taken)."""
    work.owners.pop(wait.key, None)
    owner.waits = [other for other in owner.waits or () if other.key != wait.key] or None


def end(work: Work, owner: ElementInstance, wait: Wait) -> None:
    """Wait no longer for a signal that came."""
    drop(work, owner, wait)
    assert wait.signal is not None
    work.effects.append(CloseSignalSubscription(key=wait.key, signal_name=wait.signal))


def repeat_timer(work: Work, owner: ElementInstance, wait: Wait) -> None:
    """Set the next turn of a repeating timer. Turns that were missed are not made up for."""
    drop(work, owner, wait)
    if wait.repeat is None:
        return
    due = timers.next_due(wait.repeat, wait.due)
    if due is not None and due.at <= work.at:
        due = timers.next_due(wait.repeat, work.at)
    if due is not None:
        open_all(work, owner, [Wait(key=0, target=wait.target, due=due.at, repeat=due.repeat)])


def accept(work: Work, owner: ElementInstance, wait: Wait, command: TriggerMessage) -> None:
    """Tell the channel that the message arrived; an interrupting subscription ends with it."""
    interrupting = work.graph.elements[wait.target].interrupting
    if interrupting:
        drop(work, owner, wait)
        work.effects.append(CloseSubscription(key=wait.key, correlated=True))
    work.send(
        TriggerAccepted(
            id=work.effect_id(),
            at=work.at,
            name=command.message_name,
            correlation_key=command.correlation_key,
            subscription_key=wait.key,
            message_key=command.message_key,
        )
    )
