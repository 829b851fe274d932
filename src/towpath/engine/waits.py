"""What an element instance waits for: timers, messages, signals, conditions; its own and its boundary's.

Preparing evaluates and may fail; opening tells the host. A wait names the element that it triggers,
so boundary events, event sub-processes and event-based gateways all work in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from towpath.bpmn import timers
from towpath.bpmn.graph import Condition, Element, Message, Signal, Timer
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

AWAITED = (Timer, Message, Signal, Condition)  # the others are looked for when they are thrown


def prepare(work: Work, owner: ElementInstance, targets: Iterable[Element]) -> list[Wait]:
    """A wait, without a key yet, for each target that something has to trigger. Raises Failure."""
    return [evaluate(work, owner, target) for target in targets if isinstance(target.event, AWAITED)]


def evaluate(work: Work, owner: ElementInstance, target: Element) -> Wait:
    event = target.event
    if isinstance(event, Timer):
        return _timer(work, owner, target, event)
    if isinstance(event, Signal):
        return Wait(key=0, target=target.id, signal=signal_name(work, owner, event))
    if isinstance(event, Condition):
        return Wait(key=0, target=target.id, condition=True, unsettled=holds(work, owner, target))
    assert isinstance(event, Message)
    key = event.correlation_key
    found = work.json(key, owner) if key is not None else ""
    if isinstance(found, bool) or found is None or isinstance(found, (list, dict)):
        assert key is not None
        raise work.misfit("The correlation key", key, "a text or a number", found, owner)
    written = found if isinstance(found, str) else number_text(found, "correlation key")
    name = work.text(event.name, owner, "message name")
    return Wait(key=0, target=target.id, name=name, correlation_key=written)


def signal_name(work: Work, current: ElementInstance, event: Signal) -> str:
    """The name of a signal that is caught or thrown. Raises Failure."""
    name = work.text(event.name, current, "signal name")
    if not name:
        raise Failure("EXTRACT_VALUE_ERROR", f"The signal name `{event.name.text}` is an empty text.")
    return name


def holds(work: Work, owner: ElementInstance, target: Element) -> bool:
    """Whether the condition of an event is true now; null is not. Raises Failure."""
    event = target.event
    assert isinstance(event, Condition)
    found = work.evaluate(event.expression, owner)
    if found is None or found is True or found is False:
        return found is True
    what = f"The condition of the event `{target.id}`,"
    raise work.misfit(what, event.expression, "true or false", found, owner)


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
        if wait.condition:
            _watch(work, owner, wait)
            continue
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


def _watch(work: Work, owner: ElementInstance, wait: Wait) -> None:
    """Heed the variables that a condition reads; where it is true already, it is the next to be looked at."""
    for name in _names(work, wait):
        _watched(work).setdefault(name, {})[wait.key] = owner.key
    if wait.unsettled:
        work.queue.append(owner.key)


def _unwatch(work: Work, wait: Wait) -> None:
    watched = _watched(work)
    for name in _names(work, wait):
        del watched[name][wait.key]
        if not watched[name]:
            del watched[name]


def _watched(work: Work) -> dict[str, dict[int, int]]:
    """The instance's index of conditions, to be changed."""
    watched: dict[str, dict[int, int]] = work.instance.watched
    if not work.watching:
        work.instance.watched = watched = {name: dict(found) for name, found in watched.items()}
        work.watching = True
    return watched


def _names(work: Work, wait: Wait) -> frozenset[str]:
    event = work.graph.elements[wait.target].event
    return event.names if isinstance(event, Condition) else frozenset()


def close_all(work: Work, owner: ElementInstance, consumed: int = 0) -> None:
    """Stop waiting for everything. ``consumed`` is the key of the wait that was just triggered."""
    for wait in owner.waits or ():
        work.owners.pop(wait.key, None)
        if wait.key == consumed:
            continue
        if wait.condition:
            _unwatch(work, wait)
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
    if wait.condition:
        _unwatch(work, wait)
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
