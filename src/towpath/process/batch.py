"""One transaction's worth of work: operations carried out one after the other, written together.

A :class:`Batch` lives as long as its transaction. Each operation gets a :class:`Work`, in which it steps
aggregates through the core and collects what is to be written; an operation that raises takes back only its
own.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from towpath.engine import decode, encode, step
from towpath.engine.commands import AnyCommand, ChannelCommand, CreateInstance
from towpath.engine.documents import merged
from towpath.engine.effects import AnyEffect, Outcome
from towpath.engine.models import Models
from towpath.process.carry import carry_out
from towpath.process.feed import Block, Head, notes, pack
from towpath.process.signals import Later, keep
from towpath.process.values import to_json
from towpath.storage.changes import Changes
from towpath.storage.store import MAX_EVENTS, ActivatedRow, Session
from towpath.storage.tables import BUSINESS_ID, CHANNEL, EVENT, INSTANCE, Table
from towpath.wire import ProcessError, Variables

KEY_BLOCK = 1000  # keys reserved at a time

T = TypeVar("T")
Operation = Callable[["Work"], T]
"""What a caller wants done within a transaction. May raise ProcessError; answered after the commit."""

ChannelName = tuple[str, str]

_head_encoder = msgspec.msgpack.Encoder()
_head_decoder = msgspec.msgpack.Decoder(Head)


class Aggregate:
    """An instance or a channel within a batch. A step never changes a state, it makes another."""

    __slots__ = ("dirty", "head", "state", "stored", "version")

    def __init__(self, head: Head | None = None, state: Any = None, version: int = 0) -> None:
        self.head = head
        self.state = state
        self.version = version
        self.stored = state is not None
        self.dirty = False


class SnapshotCache:
    """The latest committed states of instances, the least recently used given up first."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)  # what was just loaded has to be there
        self._kept: OrderedDict[int, tuple[Head, Any, int]] = OrderedDict()

    def get(self, key: int) -> tuple[Head, Any, int] | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: int, head: Head, state: Any, version: int) -> None:
        self._kept[key] = (head, state, version)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def drop(self, key: int) -> None:
        self._kept.pop(key, None)


@dataclass(slots=True)
class Ended:
    """How an instance ended, for those who wait for it."""

    terminated: bool
    variables: Variables


@dataclass(slots=True)
class Told:
    """What an operation has to tell its host besides its result."""

    ended: dict[int, Ended] = field(default_factory=dict)
    watched: list[tuple[int, Any]] = field(default_factory=list)
    offered: set[str] = field(default_factory=set)
    earliest: int | None = None
    pending: list[tuple[int, Later]] = field(default_factory=list)
    on_commit: list[Callable[[], None]] = field(default_factory=list)
    events: list[Block] = field(default_factory=list)

    def due(self, at: int) -> None:
        """Something is to be looked at then."""
        if self.earliest is None or at < self.earliest:
            self.earliest = at

    def absorb(self, other: Told) -> None:
        self.ended.update(other.ended)
        self.watched += other.watched
        self.offered |= other.offered
        if other.earliest is not None:
            self.due(other.earliest)
        self.pending += other.pending
        self.on_commit += other.on_commit
        self.events += other.events


class KeyBlock:
    """Keys of a bucket, reserved in blocks within the transaction that first needs them."""

    def __init__(self, b: int) -> None:
        self.b = b
        self._next = self._end = 0
        self.session: Session | None = None

    def next(self) -> int:
        if self._next == self._end:
            assert self.session is not None
            self._next = self.session.reserve_keys(self.b, KEY_BLOCK)
            self._end = self._next + KEY_BLOCK
        key = self._next
        self._next += 1
        return key

    def forget(self) -> None:
        """The transaction that reserved the block was undone."""
        self._next = self._end = 0


class Batch:
    """The working set of one transaction over one bucket."""

    def __init__(
        self,
        session: Session,
        keys: KeyBlock,
        models: Models,
        cache: SnapshotCache,
        now: int,
        follow_ups: int,
    ) -> None:
        self.session = session
        self.b = keys.b
        self.keys = keys
        keys.session = session
        self.models = models
        self.now = now
        self.follow_ups = follow_ups
        self.changes = Changes()
        self.told = Told()
        self.instances: dict[int, Aggregate] = {}
        self.channels: dict[ChannelName, Aggregate] = {}
        self.business: dict[tuple[str, str], int] = {}
        self._cache = cache

    def run(self, operation: Operation[T]) -> T:
        """Carry out one operation. Where it raises, the batch is as if it had not been there."""
        work = Work(self)
        try:
            result = operation(work)
            work.follow_up()
        except BaseException:
            work.undo()
            raise
        self.changes.absorb(work.changes)
        self.told.absorb(work.told)
        self.business.update(work.business)
        return result

    def prefetch(self, keys: set[int]) -> None:
        """Load these instances at once, as far as they are not known."""
        missing = {key for key in keys if key not in self.instances and self._cache.get(key) is None}
        if missing:
            for key, found in self.session.instances(self.b, missing).items():
                head = _head_decoder.decode(found.head)
                self._cache.put(key, head, decode(found.data), found.version)

    def instance(self, key: int) -> Aggregate:
        aggregate = self.instances.get(key)
        if aggregate is None:
            cached = self._cache.get(key)
            if cached is None:
                self.prefetch({key})
                cached = self._cache.get(key)
            aggregate = Aggregate() if cached is None else Aggregate(*cached)
            self.instances[key] = aggregate
        return aggregate

    def channel(self, name: ChannelName) -> Aggregate:
        aggregate = self.channels.get(name)
        if aggregate is None:
            found = self.session.channel(self.b, *name)
            aggregate = Aggregate(None, decode(found[1]), found[0]) if found else Aggregate()
            self.channels[name] = aggregate
        return aggregate

    def visible(self, job: ActivatedRow) -> bytes:
        """JSON of the variables that are visible from a job's element now."""
        state = self.instance(job.instance_key).state
        scopes = state.scopes(job.element_instance_key) if state is not None else []
        if len(scopes) == 1:
            found: bytes = scopes[0].json
            return found
        return to_json(merged(scopes))

    def flush(self) -> None:
        """Write everything; the transaction may then be committed."""
        changes, b = self.changes, self.b
        for key, aggregate in self.instances.items():
            if not aggregate.dirty:
                continue
            if aggregate.state is not None:
                aggregate.version += 1
                stored = _head_encoder.encode(aggregate.head)
                changes.row(INSTANCE, key, [b, key, aggregate.version, stored, encode(aggregate.state)])
            elif aggregate.stored:
                changes.drop(INSTANCE, key, [b, key])
        for name, aggregate in self.channels.items():
            if not aggregate.dirty:
                continue
            if aggregate.state is not None:
                aggregate.version += 1
                changes.row(CHANNEL, name, [b, *name, aggregate.version, encode(aggregate.state)])
            elif aggregate.stored:
                changes.drop(CHANNEL, name, [b, *name])
        blocks = self.told.events
        if blocks:
            position = self.session.reserve_positions(b, sum(len(block.effects) for block in blocks))
            for block in blocks:
                count = len(block.effects)
                head = block.head
                changes.row(
                    EVENT,
                    position,
                    [
                        b,
                        position,
                        count,
                        block.at,
                        block.instance_key,
                        head.root_key if head else None,
                        head.process_id if head else None,
                        block.kinds,
                        to_json(block),
                    ],
                )
                position += count
        self.session.write(changes)

    def committed(self) -> None:
        """Remember the snapshots that are now the committed ones."""
        for key, aggregate in self.instances.items():
            if not aggregate.dirty:
                continue
            if aggregate.state is None:
                self._cache.drop(key)
            else:
                assert aggregate.head is not None
                self._cache.put(key, aggregate.head, aggregate.state, aggregate.version)
        for callback in self.told.on_commit:
            callback()


class Work:
    """One operation within a batch: what it may use, and what it has changed so far."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.session = batch.session
        self.models = batch.models
        self.b = batch.b
        self.now = batch.now
        self.changes = Changes()
        self.told = Told()
        self.business: dict[tuple[str, str], int] = {}
        self._before: dict[int | ChannelName, tuple[Aggregate, Head | None, Any, bool]] = {}
        self._sends: deque[AnyCommand] = deque()

    def key(self) -> int:
        """A new key."""
        return self.batch.keys.next()

    def command_id(self) -> str:
        """An id for a command that no other command has."""
        return str(self.key())

    def command(self, command: AnyCommand) -> Outcome:
        """Step the command's aggregate and collect what follows. A rejection changes nothing."""
        target: int | ChannelName
        if isinstance(command, ChannelCommand):
            target = (command.name, command.correlation_key)
            aggregate = self.batch.channel(target)
        else:
            target = command.instance_key
            aggregate = self.batch.instance(target)
        if target not in self._before:
            self._before[target] = (aggregate, aggregate.head, aggregate.state, aggregate.dirty)
        outcome: Outcome = step(self.models, aggregate.state, command, self.batch.keys)
        if outcome.rejected is not None:
            return outcome
        aggregate.state = outcome.state
        aggregate.dirty = True
        if isinstance(command, CreateInstance):
            aggregate.head = self._new_head(command)
        carry_out(self, aggregate.head, command, outcome.effects)
        return outcome

    def send(self, command: AnyCommand) -> None:
        """Carry out another aggregate's command after this one."""
        self._sends.append(command)

    def record(self, head: Head | None, command: Later, effects: list[AnyEffect]) -> None:
        """Tell the event feed."""
        instance_key: int | None = getattr(command, "instance_key", None)
        happened = notes(effects)
        for begin in range(0, len(happened), MAX_EVENTS):
            block = pack(head, instance_key, command, happened[begin : begin + MAX_EVENTS])
            if block is not None:
                self.told.events.append(block)

    def follow_up(self) -> None:
        """Carry out what was sent, as far as the budget allows; the rest is kept for later batches."""
        budget = self.batch.follow_ups
        while self._sends:
            command = self._sends.popleft()
            if budget <= 0:
                keep(self, command)
                continue
            budget -= 1
            # A rejection is not an error here: the aggregate has moved on, or has seen it already.
            self.command(command)

    def claim_business_id(self, process_id: str, business_id: str, instance_key: int) -> int | None:
        """Take the business id for an instance; gives the instance that has it already."""
        name = (process_id, business_id)
        holder = self.business.get(name) or self.batch.business.get(name)
        if holder is None:
            holder = self.session.business_key(self.b, process_id, business_id)
        if holder is not None:
            return holder
        self.business[name] = instance_key
        self.changes.row(BUSINESS_ID, name, [self.b, *name, instance_key])
        return None

    def earlier(self, table: Table, key: Any) -> list[Any] | None:
        """A row that an earlier operation of the batch writes."""
        return self.batch.changes.fresh(table, key)

    def head_of(self, instance_key: int) -> Head | None:
        """The host's part of a live instance."""
        return self.batch.instance(instance_key).head

    def undo(self) -> None:
        """Put every aggregate back to where this operation found it."""
        for aggregate, head, state, dirty in self._before.values():
            aggregate.head, aggregate.state, aggregate.dirty = head, state, dirty

    def end(self, instance_key: int, *, terminated: bool, variables: Variables) -> None:
        """The instance is over: its state goes, and those who wait for it are told."""
        self.told.ended[instance_key] = Ended(terminated, variables)

    def watch(self, instance_key: int, future: Any) -> None:
        """Tell the asyncio future ``future`` how the instance ended, when it has."""
        self.told.watched.append((instance_key, future))

    def element_name(self, definition_key: int, element_id: str) -> str | None:
        """An element's name in its model."""
        process = self.models.process(definition_key)
        element = process.graph.elements.get(element_id) if process is not None else None
        return element.name if element is not None else None

    def _new_head(self, command: CreateInstance) -> Head:
        process = self.models.process(command.definition_key)
        if process is None:
            raise ProcessError("NOT_FOUND", f"No process definition has the key {command.definition_key}.")
        parent = command.parent
        above = self.head_of(parent.instance_key) if parent is not None else None
        return Head(
            definition_key=command.definition_key,
            process_id=process.process_id,
            version=process.version,
            business_id=command.business_id,
            parent_key=parent.instance_key if parent else None,
            parent_element_key=parent.element_instance_key if parent else None,
            root_key=above.root_key if above else command.instance_key,
            root_process_id=above.root_process_id if above else process.process_id,
            root_business_id=above.root_business_id if above else command.business_id,
        )
