"""A message channel: one message name with one correlation key.

It hands each message to at most one waiting instance of every process, buffers it while it may
live, and takes it back where the instance no longer waited. A message sent to an instance is on
its way (``Subscription.sent``) until the instance accepts or refuses it.
"""

from __future__ import annotations

from copy import copy

from towpath.engine.commands import (
    ChannelCommand,
    CreateInstance,
    ExpireMessages,
    PublishMessage,
    Subscribe,
    TriggerAccepted,
    TriggerMessage,
    TriggerRefused,
    Unsubscribe,
)
from towpath.engine.documents import Document
from towpath.engine.effects import AnyEffect, MessageRecord, Outcome, Rejected, Send
from towpath.engine.models import Keys, Models
from towpath.engine.state import Channel, Message, Subscription
from towpath.engine.work import Refusal


def step(models: Models, state: Channel | None, command: ChannelCommand, keys: Keys) -> Outcome:
    """Carry out a command to a channel; a channel that holds nothing is None."""
    work = _Exchange(models, state, command, keys)
    try:
        match command:
            case PublishMessage():
                work.publish(command)
            case Subscribe():
                work.subscribe(command)
            case Unsubscribe():
                work.unsubscribe(command)
            case TriggerAccepted():
                work.accepted(command)
            case TriggerRefused():
                work.refused(command)
            case ExpireMessages():
                work.expire()
    except Refusal as refusal:
        return Outcome(state=state, rejected=Rejected(type=refusal.type, reason=refusal.reason))
    channel = work.channel
    return Outcome(state=channel if channel.messages or channel.subscriptions else None, effects=work.effects)


class _Exchange:
    """The working copy of a channel: its lists are new, what is in them is replaced, not changed."""

    def __init__(self, models: Models, state: Channel | None, command: ChannelCommand, keys: Keys) -> None:
        self.models = models
        self.keys = keys
        self.command = command
        self.at = command.at
        self.effects: list[AnyEffect] = []
        self.channel = Channel(
            command.name,
            command.correlation_key,
            [copy(message) for message in state.messages] if state is not None else [],
            [copy(found) for found in state.subscriptions] if state is not None else [],
        )

    def publish(self, command: PublishMessage) -> None:
        channel = self.channel
        if any(message.key == command.message_key for message in channel.messages):
            raise Refusal("duplicate", f"The message {command.message_key} is published already.")
        if command.message_id is not None and any(
            message.message_id == command.message_id and self._alive(message) for message in channel.messages
        ):
            raise Refusal(
                "already-exists", f"A message with the id `{command.message_id}` is published already."
            )
        message = Message(
            command.message_key,
            Document(command.variables),
            command.expires_at or 0,
            command.message_id,
        )
        self.effects.append(
            MessageRecord(
                kind="published",
                key=message.key,
                name=channel.name,
                correlation_key=channel.correlation_key,
                expires_at=command.expires_at,
            )
        )
        channel.messages.append(message)
        self._start_instances(message)
        self._deliver(message)
        if command.must_correlate and not message.processes:
            raise Refusal(
                "not-found",
                f"Nothing waits for the message `{command.name}` "
                f"with the correlation key `{command.correlation_key}`.",
            )
        self._tidy()

    def subscribe(self, command: Subscribe) -> None:
        if self._find(command.subscription_key) is not None:
            raise Refusal("duplicate", f"The subscription {command.subscription_key} is open already.")
        subscription = Subscription(
            command.subscription_key, command.instance_key, command.process_id, command.interrupting
        )
        self.channel.subscriptions.append(subscription)
        self._drain(subscription)

    def unsubscribe(self, command: Unsubscribe) -> None:
        found = self._find(command.subscription_key)
        if found is None:
            raise Refusal("not-found", f"There is no subscription {command.subscription_key}.")
        self.channel.subscriptions.remove(found)
        # A message on its way comes back as refused: the instance no longer waits.
        if found.sent:
            self._return(found.sent, found.process_id)
        self._tidy()

    def accepted(self, command: TriggerAccepted) -> None:
        found = self._sent(command.subscription_key, command.message_key)
        found.sent = 0
        if found.interrupting:
            self.channel.subscriptions.remove(found)
        else:
            self._drain(found)
        self._tidy()

    def refused(self, command: TriggerRefused) -> None:
        found = self._sent(command.subscription_key, command.message_key)
        self.channel.subscriptions.remove(found)
        self._return(command.message_key, found.process_id)
        self._tidy()

    def expire(self) -> None:
        if all(self._alive(message) for message in self.channel.messages):
            raise Refusal("invalid-state", "No message of the channel has expired.")
        self._tidy()

    # ------------------------------------------------------------------------------------------

    def _find(self, key: int) -> Subscription | None:
        return next((found for found in self.channel.subscriptions if found.key == key), None)

    def _sent(self, subscription_key: int, message_key: int) -> Subscription:
        found = self._find(subscription_key)
        if found is None or found.sent != message_key:
            raise Refusal("not-found", f"The message {message_key} is not on its way to {subscription_key}.")
        return found

    def _alive(self, message: Message) -> bool:
        return message.expires_at > self.at

    def _start_instances(self, message: Message) -> None:
        for definition_key, start_event in self.models.message_starts(self.channel.name):
            deployed = self.models.process(definition_key)
            if deployed is None or deployed.process_id in message.processes:
                continue
            instance_key = self.keys.next()
            self._send(
                CreateInstance(
                    id=str(self.keys.next()),
                    at=self.at,
                    actor=self.command.actor,
                    instance_key=instance_key,
                    definition_key=definition_key,
                    variables=message.variables.data,
                    start_element=start_event,
                    trigger=str(message.key),
                )
            )
            self._correlated(message, deployed.process_id, instance_key)

    def _deliver(self, message: Message) -> None:
        """Send a message to the first waiting instance of each process that has not had it."""
        for subscription in self.channel.subscriptions:
            if not subscription.sent and subscription.process_id not in message.processes:
                self._trigger(subscription, message)

    def _drain(self, subscription: Subscription) -> None:
        """Send the oldest buffered message that the subscription's process has not had."""
        for message in self.channel.messages:
            if self._alive(message) and subscription.process_id not in message.processes:
                self._trigger(subscription, message)
                return

    def _trigger(self, subscription: Subscription, message: Message) -> None:
        subscription.sent = message.key
        self._send(
            TriggerMessage(
                id=str(self.keys.next()),
                at=self.at,
                actor=self.command.actor,
                instance_key=subscription.instance_key,
                subscription_key=subscription.key,
                message_key=message.key,
                message_name=self.channel.name,
                correlation_key=self.channel.correlation_key,
                variables=message.variables.data,
            )
        )
        self._correlated(message, subscription.process_id, subscription.instance_key)

    def _correlated(self, message: Message, process_id: str, instance_key: int) -> None:
        message.processes = [*message.processes, process_id]
        self.effects.append(
            MessageRecord(
                kind="correlated",
                key=message.key,
                name=self.channel.name,
                correlation_key=self.channel.correlation_key,
                instance_key=instance_key,
                expires_at=message.expires_at or None,
            )
        )

    def _return(self, message_key: int, process_id: str) -> None:
        """A message came back: let another instance of the process have it, else buffer it on."""
        for message in self.channel.messages:
            if message.key == message_key:
                message.processes = [name for name in message.processes if name != process_id]
                for subscription in self.channel.subscriptions:
                    if subscription.process_id == process_id and not subscription.sent:
                        self._trigger(subscription, message)
                        return

    def _tidy(self) -> None:
        """Forget messages whose time is over and that are on their way to nobody."""
        wanted = {found.sent for found in self.channel.subscriptions if found.sent}
        kept = []
        for message in self.channel.messages:
            if self._alive(message) or message.key in wanted:
                kept.append(message)
            elif message.expires_at and not message.processes:
                self.effects.append(
                    MessageRecord(
                        kind="expired",
                        key=message.key,
                        name=self.channel.name,
                        correlation_key=self.channel.correlation_key,
                        expires_at=message.expires_at,
                    )
                )
        self.channel.messages = kept

    def _send(self, command: CreateInstance | TriggerMessage) -> None:
        self.effects.append(Send(command=command))
