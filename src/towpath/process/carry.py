"""Effects carried out: the rows and timers that a step asks for, in the transaction of its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from towpath.engine import effects as fx
from towpath.engine.commands import AnyCommand, FailJob, ResolveIncident, ThrowJobError
from towpath.process.feed import Head
from towpath.process.signals import broadcast
from towpath.process.values import to_text
from towpath.storage import tables as db

if TYPE_CHECKING:
    from towpath.process.batch import Work

SHORT = 200  # characters of a value that are indexed

_STATES = {"activated": "ACTIVE", "created": "ACTIVE", "completed": "COMPLETED", "terminated": "TERMINATED"}
_TASK_STATES = {"assigning": "ASSIGNING", "updating": "UPDATING", "completing": "COMPLETING"}
_JOB_OUTCOMES = {"completed": "COMPLETED", "canceled": "CANCELED", "error-thrown": "ERROR_THROWN"}


class Context:
    """What the effects of one step have in common."""

    __slots__ = ("b", "changes", "command", "head", "instance_key", "now", "work")

    def __init__(self, work: Work, head: Head | None, command: AnyCommand) -> None:
        self.work = work
        self.changes = work.changes
        self.b = work.b
        self.command = command
        self.now = command.at
        # A channel's records name no instance, and none of them reads these.
        self.head: Head = head  # type: ignore[assignment]
        self.instance_key: int = getattr(command, "instance_key", 0)


def carry_out(work: Work, head: Head | None, command: AnyCommand, effects: list[fx.AnyEffect]) -> None:
    """Collect in ``work`` all that ``effects`` ask for."""
    context = Context(work, head, command)
    for effect in effects:
        _HANDLERS[type(effect)](context, effect)
    work.record(head, command, effects)


def short(value: str) -> str:
    """The beginning of a value's JSON text, as it is indexed."""
    return value[:SHORT]


# --- jobs -----------------------------------------------------------------------------------------


def _offer_job(c: Context, e: fx.OfferJob) -> None:
    # A worker gets the variables as they are when it takes the job: see Batch.visible.
    h = c.head
    c.changes.row(
        db.JOB,
        e.key,
        [
            c.b,
            e.key,
            e.type,
            "CREATED",
            1,
            c.now,
            e.priority,
            e.retries,
            c.instance_key,
            h.definition_key,
            h.process_id,
            h.version,
            h.business_id,
            e.element_id,
            e.element_instance_key,
            to_text(e.headers) if e.headers else "{}",
            None,
            None,
            c.now,
            None,
            e.kind,
            e.listener_event,
        ],
    )
    c.work.told.offered.add(e.type)


def _update_job(c: Context, e: fx.UpdateJob) -> None:
    if not isinstance(c.command, FailJob | ThrowJobError | ResolveIncident):
        # Whoever works on it keeps it.
        c.changes.update(db.AMEND_JOB, e.retries, c.b, e.key)
        return
    if e.suspended:
        state = "ERROR_THROWN" if isinstance(c.command, ThrowJobError) else "FAILED"
        ready, at = None, None
    elif e.retry_at is not None and e.retry_at > c.now:
        state, ready, at = "FAILED", 0, e.retry_at
        c.work.told.due(e.retry_at)
    else:
        state, ready, at = ("FAILED" if e.error_message else "CREATED"), 1, c.now
        # The type is the row's affair; all pollers look again.
        c.work.told.offered.add("*")
    c.changes.update(db.CHANGE_JOB, state, ready, at, e.retries, e.error_message or None, c.b, e.key)


def _close_job(c: Context, e: fx.CloseJob) -> None:
    state = _JOB_OUTCOMES[e.outcome]
    fresh = c.changes.fresh(db.JOB, e.key)
    if fresh is not None:
        fresh[3], fresh[4], fresh[5], fresh[19] = state, None, None, c.now
    else:
        c.changes.update(db.END_JOB, state, c.now, c.b, e.key)


# --- timers and messages --------------------------------------------------------------------------


def _set_timer(c: Context, e: fx.SetTimer) -> None:
    c.changes.row(
        db.TIMER,
        e.key,
        [c.b, e.key, e.due_at, "element", c.instance_key, None, e.element_id, e.element_instance_key, None],
    )
    c.work.told.due(e.due_at)


def _cancel_timer(c: Context, e: fx.CancelTimer) -> None:
    c.changes.drop(db.TIMER, e.key, [c.b, e.key])


def _send(c: Context, e: fx.Send) -> None:
    c.work.send(e.command)


def _open_subscription(c: Context, e: fx.OpenSubscription) -> None:
    h = c.head
    c.changes.row(
        db.SUBSCRIPTION,
        e.key,
        [
            c.b,
            e.key,
            c.instance_key,
            h.definition_key,
            h.process_id,
            e.element_id,
            c.work.element_name(h.definition_key, e.element_id),
            e.element_instance_key,
            e.message_name,
            e.correlation_key,
            "CREATED",
            c.now,
            None,
        ],
    )


def _close_subscription(c: Context, e: fx.CloseSubscription) -> None:
    state = "CORRELATED" if e.correlated else "DELETED"
    fresh = c.changes.fresh(db.SUBSCRIPTION, e.key)
    if fresh is not None:
        fresh[10], fresh[12] = state, c.now
    else:
        c.changes.update(db.CLOSE_SUBSCRIPTION, state, c.now, c.b, e.key)


def _message(c: Context, e: fx.MessageRecord) -> None:
    if e.kind == "published" and e.expires_at is not None:
        detail = to_text([e.name, e.correlation_key])
        c.changes.row(db.TIMER, e.key, [c.b, e.key, e.expires_at, "message", None, None, None, None, detail])
        c.work.told.due(e.expires_at)


# --- signals --------------------------------------------------------------------------------------


def _open_signal_subscription(c: Context, e: fx.OpenSignalSubscription) -> None:
    c.changes.row(db.SIGNAL_SUBSCRIPTION, (e.signal_name, e.key), [c.b, e.signal_name, e.key, c.instance_key])


def _close_signal_subscription(c: Context, e: fx.CloseSignalSubscription) -> None:
    c.changes.drop(db.SIGNAL_SUBSCRIPTION, (e.signal_name, e.key), [c.b, e.signal_name, e.key])


def _broadcast(c: Context, e: fx.Broadcast) -> None:
    broadcast(c.work, e, at=c.now, actor=c.command.actor)


# --- what happened --------------------------------------------------------------------------------


def _instance(c: Context, e: fx.InstanceRecord) -> None:
    state = _STATES[e.kind]
    if e.kind == "created":
        c.changes.row(
            db.PROCESS_INSTANCE,
            e.key,
            [
                c.b,
                e.key,
                e.definition_key,
                e.process_id,
                e.version,
                state,
                e.business_id,
                e.parent,
                e.parent_element_instance,
                c.head.root_key,
                c.now,
                None,
            ],
        )
        return
    fresh = c.changes.fresh(db.PROCESS_INSTANCE, e.key)
    if fresh is not None:
        fresh[5], fresh[11] = state, c.now
    else:
        c.changes.update(db.END_INSTANCE, state, c.now, c.b, e.key)


def _element(c: Context, e: fx.ElementRecord) -> None:
    state = _STATES[e.kind]
    if e.kind == "activated":
        h = c.head
        c.changes.row(
            db.ELEMENT_INSTANCE,
            e.key,
            [
                c.b,
                e.key,
                c.instance_key,
                h.definition_key,
                h.process_id,
                e.element_id,
                e.name,
                e.type,
                state,
                e.scope_key,
                e.milestone,
                c.now,
                None,
            ],
        )
        return
    fresh = c.changes.fresh(db.ELEMENT_INSTANCE, e.key)
    if fresh is not None:
        fresh[8], fresh[12] = state, c.now
    else:
        c.changes.update(db.END_ELEMENT, state, c.now, c.b, e.key)


def _flow(c: Context, e: fx.FlowRecord) -> None:
    c.changes.row(db.FLOW, (c.instance_key, e.flow_id), [c.b, c.instance_key, e.flow_id, e.scope_key, c.now])


def _variables(c: Context, e: fx.VariablesRecord) -> None:
    for name, given in e.values.items():
        value = to_text(given)
        c.changes.row(
            db.VARIABLE,
            (e.scope_key, name),
            [
                c.b,
                e.scope_key,
                name,
                c.work.key(),
                c.instance_key,
                c.head.process_id,
                short(value),
                value,
                c.now,
            ],
        )


def _incident(c: Context, e: fx.IncidentRecord) -> None:
    if e.kind == "resolved":
        fresh = c.changes.fresh(db.INCIDENT, e.key)
        if fresh is not None:
            fresh[8], fresh[11] = "RESOLVED", c.now
        else:
            c.changes.update(db.RESOLVE_INCIDENT, c.now, c.b, e.key)
        return
    h = c.head
    c.changes.row(
        db.INCIDENT,
        e.key,
        [
            c.b,
            e.key,
            c.instance_key,
            h.definition_key,
            h.process_id,
            e.element_id,
            e.element_instance_key,
            e.error_type,
            e.message,
            "ACTIVE",
            e.job_key,
            c.now,
            None,
        ],
    )


def _user_task(c: Context, e: fx.UserTaskRecord) -> None:
    t, h, b = e.task, c.head, c.b
    groups, users = to_text(t.candidate_groups), to_text(t.candidate_users)
    if e.kind in ("created", "creating"):
        c.changes.row(
            db.USER_TASK,
            t.key,
            [
                b,
                t.key,
                c.instance_key,
                h.definition_key,
                h.process_id,
                h.business_id,
                t.element_id,
                t.element_instance_key,
                t.name,
                "CREATING" if e.kind == "creating" else "CREATED",
                t.assignee,
                t.due_at,
                t.follow_up_at,
                t.priority,
                t.form_key,
                t.external_form,
                to_text(t.headers),
                groups,
                users,
                c.now,
                None,
            ],
        )
    elif e.kind not in ("completed", "canceled"):
        state = _TASK_STATES.get(e.kind, "CREATED")
        dates = (t.due_at, t.follow_up_at)
        c.changes.update(db.CHANGE_USER_TASK, state, t.assignee, *dates, t.priority, groups, users, b, t.key)
    else:
        state = "COMPLETED" if e.kind == "completed" else "CANCELED"
        c.changes.update(db.END_USER_TASK, state, t.assignee, c.now, b, t.key)
    if e.kind in ("created", "assigned", "updated"):
        if e.kind != "created":
            c.changes.update(db.DROP_CANDIDATES, b, t.key)
        for kind, names in (("group", t.candidate_groups), ("user", t.candidate_users)):
            for name in names:
                c.changes.row(db.CANDIDATE, (kind, name, t.key), [b, kind, name, t.key])


def _decision(c: Context, e: fx.DecisionRecord) -> None:
    c.changes.row(
        db.DECISION_INSTANCE,
        e.key,
        [
            c.b,
            e.key,
            e.decision_id,
            e.decision_key,
            c.instance_key,
            c.head.process_id,
            e.element_id,
            e.element_instance_key,
            "FAILED" if e.failed else "EVALUATED",
            c.now,
            to_text(e.result),
            to_text(e.audit),
            e.message or None,
        ],
    )


def _completed(c: Context, e: fx.Completed) -> None:
    c.work.end(e.key, terminated=e.terminated, variables=e.variables)


_HANDLERS: dict[type, Callable[[Context, Any], None]] = {
    fx.OfferJob: _offer_job,
    fx.UpdateJob: _update_job,
    fx.CloseJob: _close_job,
    fx.SetTimer: _set_timer,
    fx.CancelTimer: _cancel_timer,
    fx.Send: _send,
    fx.OpenSubscription: _open_subscription,
    fx.CloseSubscription: _close_subscription,
    fx.OpenSignalSubscription: _open_signal_subscription,
    fx.CloseSignalSubscription: _close_signal_subscription,
    fx.Broadcast: _broadcast,
    fx.InstanceRecord: _instance,
    fx.ElementRecord: _element,
    fx.FlowRecord: _flow,
    fx.VariablesRecord: _variables,
    fx.IncidentRecord: _incident,
    fx.UserTaskRecord: _user_task,
    fx.DecisionRecord: _decision,
    fx.MessageRecord: _message,
    fx.Completed: _completed,
}
