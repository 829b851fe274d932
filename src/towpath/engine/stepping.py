"""One step: a command carried out on the state it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from towpath.bpmn.graph import Element
from towpath.engine import (
    administration,
    channel,
    containers,
    elements,
    errors,
    escalations,
    lifecycle,
    pages,
    triggers,
    user_tasks,
)
from towpath.engine import commands as c
from towpath.engine.effects import Outcome, Rejected, Send
from towpath.engine.models import Keys, Models
from towpath.engine.state import Channel, ElementInstance, Instance
from towpath.engine.work import Refusal, Work

RECENT = 32  # ids of commands kept, to know a repeated one that consumes nothing

COMMANDS: dict[type[c.Command], Callable[[Work, Any], None]] = {
    c.CompleteJob: administration.complete_job,
    c.FailJob: administration.fail_job,
    c.ThrowJobError: administration.throw_job_error,
    c.UpdateJobRetries: administration.update_job_retries,
    c.CompleteUserTask: user_tasks.complete,
    c.AssignUserTask: user_tasks.assign,
    c.UpdateUserTask: user_tasks.update,
    c.SetVariables: administration.set_variables,
    c.ResolveIncident: administration.resolve_incident,
    c.CancelInstance: administration.cancel_instance,
    c.TriggerTimer: triggers.trigger_timer,
    c.TriggerMessage: triggers.trigger_message,
    c.TriggerSignal: triggers.trigger_signal,
    c.CalledInstanceCompleted: triggers.called_completed,
    c.CalledInstanceTerminated: triggers.called_terminated,
    c.CalledInstanceThrew: triggers.called_threw,
    c.ErrorNotCaught: errors.not_caught,
    c.CalledInstanceEscalated: triggers.called_escalated,
    c.EscalationSettled: escalations.settled,
    c.Continue: triggers.go_on,
}
# What such a command is about is still there afterwards, so only its id tells that it came before.
CONSUMES_NOTHING: frozenset[type[c.Command]] = frozenset(
    {
        c.FailJob,
        c.ThrowJobError,
        c.UpdateJobRetries,
        c.CompleteUserTask,  # its listeners may deny it
        c.AssignUserTask,
        c.UpdateUserTask,
        c.SetVariables,
        c.TriggerMessage,
        c.TriggerSignal,
        c.CalledInstanceThrew,
        c.ErrorNotCaught,
        c.CalledInstanceEscalated,
    }
)


def step(models: Models, state: Instance | Channel | None, command: c.AnyCommand, keys: Keys) -> Outcome:
    """Carry out ``command`` on ``state`` (None: there is no such instance or channel).

    Pure: the same arguments give the same outcome, and ``state`` stays as it is. Total: whatever is
    asked, the answer is an outcome. A command that is stale, repeated or impossible leaves the state
    and is answered with ``rejected``; what fails in the model becomes an incident. The outcome's
    state is None when the instance is over, or the channel empty.

    An instance key is created once: a host that still knows an ended instance refuses to create it
    again. A message for an instance that no longer waits is sent back to its channel.
    """
    carry_out = COMMANDS.get(type(command))
    instance = state if isinstance(state, Instance) else None
    try:
        if carry_out is not None:
            return _continue(models, instance, command, keys, carry_out)  # type: ignore[arg-type]
        if isinstance(command, c.CreateInstance):
            return _create(models, instance, command, keys)
        channel_state = state if isinstance(state, Channel) else None
        return channel.step(models, channel_state, command, keys)  # type: ignore[arg-type]
    except Refusal as refusal:
        if isinstance(command, c.TriggerMessage) and refusal.type == "not-found":
            return Outcome(state=state, effects=[Send(command=_refused(command, keys))])
        return Outcome(state=state, rejected=Rejected(type=refusal.type, reason=refusal.reason))
    except Exception as defect:
        # A defect of ours must cost only this command: the given state is untouched by construction.
        reason = f"A defect of the engine: {type(defect).__name__}: {defect} ({_place(defect)})"
        return Outcome(state=state, rejected=Rejected(type="internal", reason=reason))


def _place(defect: BaseException) -> str:
    """Module and line of the innermost frame."""
    trace = defect.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else "?"


def _create(models: Models, instance: Instance | None, command: c.CreateInstance, keys: Keys) -> Outcome:
    if instance is not None:
        raise Refusal("already-exists", f"The instance {command.instance_key} exists already.")
    deployed = models.process(command.definition_key)
    if deployed is None:
        raise Refusal("not-found", f"No process definition {command.definition_key} is deployed.")
    graph = deployed.graph
    begin = graph.root.start
    if command.start_element is not None:
        begin = graph.elements.get(command.start_element)
        if begin is None or not _begins(begin) or begin.scope is not graph.root:
            raise Refusal(
                "invalid-argument",
                f"`{command.start_element}` is no start event of the process `{deployed.process_id}`.",
            )
    if begin is None:
        raise Refusal("invalid-state", f"The process `{deployed.process_id}` has no none start event.")
    key = command.instance_key
    created = Instance(
        key=key,
        definition_key=deployed.key,
        business_id=command.business_id,
        parent=command.parent,
        elements={key: ElementInstance(key, graph.root.id, 0)},
    )
    work = Work(models, deployed, created, keys, command)
    containers.start(work, command, begin)
    lifecycle.run(work)
    return _outcome(work)


def _begins(element: Element) -> bool:
    return element.kind == "start" or (element.instantiate and element.event is not None)


def _continue(
    models: Models,
    instance: Instance | None,
    command: c.InstanceCommand,
    keys: Keys,
    carry_out: Callable[[Work, Any], None],
) -> Outcome:
    if instance is None:
        raise Refusal("not-found", f"There is no active instance {command.instance_key}.")
    deployed = models.process(instance.definition_key)
    if deployed is None:
        raise Refusal("not-found", f"No process definition {instance.definition_key} is deployed.")
    if command.id in instance.recent:
        raise Refusal("duplicate", f"The command {command.id} was carried out already.")
    work = Work(models, deployed, instance, keys, command)
    carry_out(work, command)
    if type(command) in CONSUMES_NOTHING:
        work.instance.recent = [*instance.recent, command.id][-RECENT:]
    if work.instance.pending:
        # A Continue is on its way, and works all of it off.
        work.instance.pending = [*work.instance.pending, *work.queue]
    else:
        lifecycle.run(work)
    return _outcome(work)


def _outcome(work: Work) -> Outcome:
    instance = work.instance
    if work.pages is not None or len(work.elements) > pages.NEAR:
        pages.settle(instance, work.pages)
    return Outcome(state=instance if instance.elements else None, effects=work.effects)


def _refused(command: c.TriggerMessage, keys: Keys) -> c.TriggerRefused:
    return c.TriggerRefused(
        id=str(keys.next()),
        at=command.at,
        name=command.message_name,
        correlation_key=command.correlation_key,
        subscription_key=command.subscription_key,
        message_key=command.message_key,
    )


__all__ = ["elements", "step"]
