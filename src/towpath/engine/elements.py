"""The handler of every kind of element, from the modules of the element families."""

from __future__ import annotations

from towpath.bpmn.graph import Cancel, Compensate, Error, Escalation, Signal, Terminate
from towpath.engine import (
    compensation,
    containers,
    errors,
    escalations,
    events,
    gateways,
    lifecycle,
    signals,
    tasks,
    transactions,
)
from towpath.engine.handlers import HANDLERS, Handler

HANDLERS.update(
    {
        # tasks
        "pass": Handler(),
        "job": tasks.JobTask(),
        "user-task": tasks.UserTaskHandler(),
        "decision": tasks.DecisionTask(),
        "script": tasks.ScriptTask(),
        "receive": events.Catch(),
        # gateways
        "exclusive": gateways.Exclusive(),
        "parallel": Handler(),
        "inclusive": gateways.Inclusive(),
        "event-based": gateways.EventBased(),
        # events
        "start": Handler(),
        "end": events.End(),
        "catch": events.Catch(),
        "throw": events.Throw(),
        "boundary": Handler(),
        # containers
        "process": containers.ProcessScope(),
        "sub-process": containers.SubProcess(),
        "event-sub-process": containers.SubProcess(),
        "transaction": containers.SubProcess(),
        "call-activity": containers.CallActivity(),
    }
)
events.THROWN.update(
    {
        Error: errors.throw_at,
        Escalation: escalations.throw_at,
        Compensate: compensation.throw_at,
        Signal: signals.throw_at,
    }
)
events.ENDED.update({Terminate: lifecycle.terminate_children, Cancel: transactions.cancel})
