"""Signals: broadcast to all who wait for them, however many that are.

The first to hear of a signal do so in the transaction that threw it; for the others a row remembers how far
it got, and each further transaction takes some. A subscription has a smaller key than a signal that came
after it, so that who waits later never hears of it, and nobody hears of it twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from towpath.engine.commands import AnyCommand, Command, CreateInstance, TriggerSignal, Variables
from towpath.engine.effects import Broadcast
from towpath.process.values import to_json
from towpath.storage.tables import PENDING, SIGNAL_SUBSCRIPTION

if TYPE_CHECKING:
    from towpath.process.batch import Work

AT_ONCE = 100  # instances that hear of a signal in one transaction: others wait about 50 ms for it


class Distribute(Command, frozen=True, kw_only=True, tag="distribute"):
    """Tell of a signal those whose subscriptions have keys from ``after`` on."""

    signal_key: int
    signal_name: str
    variables: Variables = field(default_factory=dict)
    after: int = 0


Later = AnyCommand | Distribute
"""What is kept to be carried out in a later transaction."""


def broadcast(work: Work, signal: Broadcast, *, at: int, actor: str | None, told: bool = False) -> None:
    """Let everybody hear of ``signal``, and start an instance of every definition that it starts.

    ``told``: no step made it, so the event feed is to be told of it.
    """
    for definition_key, element_id in work.models.signal_starts(signal.signal_name):
        id_ = f"signal:{signal.key}:{definition_key}"
        work.send(
            CreateInstance(
                id=id_,
                at=at,
                actor=actor,
                instance_key=work.key(),
                definition_key=definition_key,
                start_element=element_id,
                variables=signal.variables,
                trigger=id_,
            )
        )
    command = Distribute(
        id=f"signal:{signal.key}",
        at=at,
        actor=actor,
        signal_key=signal.key,
        signal_name=signal.signal_name,
        variables=signal.variables,
    )
    if told:
        work.record(None, command, [signal])
    distribute(work, command)


def distribute(work: Work, command: Distribute) -> None:
    """Tell the next :data:`AT_ONCE`; keep a row for those after them."""
    found = _waiting(work, command, AT_ONCE + 1)
    now, rest = found[:AT_ONCE], found[AT_ONCE:]
    work.batch.prefetch({instance_key for _, instance_key in now})
    for key, instance_key in now:
        work.send(
            TriggerSignal(
                id=f"{command.id}:{key}",
                at=command.at,
                actor=command.actor,
                instance_key=instance_key,
                subscription_key=key,
                signal_key=command.signal_key,
                variables=command.variables,
            )
        )
    if rest:
        keep(work, replace(command, after=now[-1][0]))


def keep(work: Work, command: Later) -> None:
    """Carry out ``command`` in a later transaction, also after a restart."""
    key = work.key()
    work.changes.row(PENDING, key, [work.b, key, to_json(command)])
    work.told.pending.append((key, command))


def _waiting(work: Work, command: Distribute, limit: int) -> list[tuple[int, int]]:
    """Up to ``limit`` subscriptions by key, as stored and as this transaction changes them."""
    name, after, before = command.signal_name, command.after, command.signal_key
    unwritten = (work.batch.changes, work.changes)
    closed = {key for changes in unwritten for key in changes.dropped.get(SIGNAL_SUBSCRIPTION, ())}
    found = {
        key: instance_key
        for key, instance_key in work.session.signal_subscriptions(
            work.b, name, after, before, limit + len(closed)
        )
        if (name, key) not in closed
    }
    for changes in unwritten:
        found |= {
            key: instance_key
            for _, opened, key, instance_key in changes.put.get(SIGNAL_SUBSCRIPTION, {}).values()
            if opened == name and after < key < before and (name, key) not in closed
        }
    return sorted(found.items())[:limit]
