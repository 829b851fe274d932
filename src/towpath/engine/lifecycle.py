"""The life of an element instance: activate, complete, terminate, the same for every element.

What an element does of its own stands in its handler (``tasks``, ``gateways``, ``events``,
``containers``); this module runs the queue and does what all have in common: mappings, waiting for
boundary events, leaving along sequence flows, ending scopes, incidents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towpath.bpmn.graph import Element, Error, Flow, Mapping, Path
from towpath.engine import compensation, conditions, listeners, multi_instance, user_tasks, waits
from towpath.engine.commands import CancelInstance, Continue, Variables
from towpath.engine.documents import Document
from towpath.engine.effects import CloseJob, UserTaskRecord
from towpath.engine.handlers import HANDLERS
from towpath.engine.pages import at_hand
from towpath.engine.state import ACTIVATING, ACTIVE, COMPLETING, ElementInstance, Wait
from towpath.engine.work import Failure, Work

MOVE_BUDGET = 1_000  # moves in one step: about 10 ms, so that nobody waits long behind a loop
MOVE_LIMIT = 1_000_000  # moves without ever waiting: a modelling loop


def run(work: Work) -> None:
    """Work off the queue up to the next wait states, or to the move budget."""
    instance, elements, graph = work.instance, work.elements, work.graph.elements
    queue, own = work.queue, work.own
    moves = 0
    while True:
        while moves < len(queue):
            if moves == MOVE_BUDGET:
                _pause(work, queue[moves:], moves)
                return
            key = queue[moves]
            moves += 1
            current = elements.get(key)
            if current is None or current.incident is not None:
                continue  # terminated in the meantime, or standing still
            if key not in own:
                current = work.edit(key)
            element, phase = graph[current.element], current.phase
            try:
                if element.multi_instance is not None and not current.counter:
                    _move_body(work, current, element)
                elif phase == ACTIVATING:
                    _activate(work, current, element)
                elif phase == COMPLETING:
                    _complete(work, current, element)
                else:
                    _go_on(work, current)
            except Failure as failure:
                work.open_incident(current, failure.error_type, failure.message)
        if not work.graph.inclusive_joins or not _settle_joins(work):
            break
    if instance.moves:
        instance.moves = 0


def _move_body(work: Work, current: ElementInstance, element: Element) -> None:
    """The body of a multi-instance begins, goes on beginning inner instances, or completes."""
    if current.phase == ACTIVATING:
        if element.listeners and not listeners.have_run(work, current, element, "beforeAll"):
            return
        prepared = waits.prepare(work, current, element.boundary)
        multi_instance.activate(work, current, element)
        current.listening = None
        current.phase = ACTIVE if current.phase == ACTIVATING else current.phase
        if current.phase == ACTIVE:
            waits.open_all(work, current, prepared)
    elif current.phase == ACTIVE:
        multi_instance.spawn(work, current, element)
        _go_on(work, current)
    else:
        _complete(work, current, element)


def _go_on(work: Work, current: ElementInstance) -> None:
    """An active element instance was queued: conditions to look at, or handlers still to start."""
    if current.listening is not None and current.listening.task is not None:
        user_tasks.go_on(work, current)
        if current.key not in work.elements:
            return
    if current.waits is not None and conditions.unsettled(current):
        conditions.settle(work, current)
    if current.compensation is not None and current.key in work.elements:
        compensation.begin(work, current)


def _pause(work: Work, rest: list[int], moves: int) -> None:
    """Keep the rest for a step of its own, or stop what does nothing but move."""
    instance = work.instance
    instance.moves += moves
    if instance.moves < MOVE_LIMIT:
        instance.pending = rest
        work.send(Continue(id=work.effect_id(), at=work.at, instance_key=instance.key))
        return
    instance.moves = 0
    for key in dict.fromkeys(rest):
        if key in work.elements and work.elements[key].incident is None:
            work.open_incident(
                work.edit(key),
                "UNSPECIFIED",
                f"The instance made {MOVE_LIMIT} moves without waiting for anything: is this loop meant?",
            )


# --- activate -------------------------------------------------------------------------------------


def _activate(work: Work, current: ElementInstance, element: Element) -> None:
    """Map the inputs, let the element begin, and wait for its boundary events while it lasts.

    Whatever can fail comes before whatever others see, so that it can be tried again.
    """
    if element.inputs and current.listening is None:
        work.put(current, mapped(work, current, element.inputs))
    if element.listeners and not listeners.have_run(work, current, element, "start"):
        return
    prepared: Sequence[Wait] = ()
    if element.event_starts:
        prepared = waits.prepare(work, current, element.event_starts)
    if element.boundary and not current.counter:
        prepared = [*prepared, *waits.prepare(work, current, element.boundary)]
    HANDLERS[element.kind].activate(work, current, element)
    if current.listening is not None and current.listening.task is None:
        current.listening = None
    phase = current.phase
    if phase == ACTIVATING:
        current.phase = ACTIVE
        if prepared:
            waits.open_all(work, current, prepared)
    elif phase == COMPLETING and work.queue[-1] == current.key:
        # It does not wait: complete it in the same move.
        work.queue.pop()
        _complete(work, current, element)


def mapped(
    work: Work, current: ElementInstance, mappings: Sequence[Mapping], *, merge: bool = False
) -> Variables:
    """The variables that mappings make; each sees those before it. Raises Failure.

    With ``merge``, a nested target goes into the context that is there already.
    """
    made: Variables = {}
    for source, target in mappings:
        name = source.variable
        if name is not None and name not in made:
            value = work.lookup(name, current)[1]
        else:
            value = work.json(source, current, made, "IO_MAPPING_ERROR")
        if len(target) == 1:
            made[target[0]] = value
            continue
        if merge and target[0] not in made:
            before = work.lookup(target[0], current)[1]
            made[target[0]] = before if isinstance(before, dict) else {}
        _assign(made, target, value)
    return made


def _assign(variables: Variables, path: Path, value: Any) -> None:
    """Put ``value`` at ``path``, making contexts on the way; nothing given is changed in place."""
    holder = variables
    for name in path[:-1]:
        inner = holder.get(name)
        holder[name] = dict(inner) if isinstance(inner, dict) else {}
        holder = holder[name]
    holder[path[-1]] = value


# --- complete -------------------------------------------------------------------------------------


def _complete(work: Work, current: ElementInstance, element: Element) -> None:
    """Map the outputs, choose the way out, and leave."""
    if current.children:  # an event sub-process has begun since
        current.phase = ACTIVE
        return
    undone = current.compensation
    if undone is not None and compensation.leave(work, current, element, undone):
        return
    handler = HANDLERS[element.kind]
    flows: Sequence[Flow] = ()
    if not current.counter:
        flows = handler.leave(work, current, element)
    if current.loop is not None:
        multi_instance.finish(work, current, element)
    else:
        if current.listening is None:
            _outputs(work, current, element)
        if element.listeners and not listeners.have_run(work, current, element, "end"):
            return
        if current.counter:
            multi_instance.collect(work, current, element)
    if current.waits is not None:
        waits.close_all(work, current)
    if element.compensable or element.cancel_event is not None:
        compensation.remember(work, current, element)
    scope = work.remove(current, "completed")
    if current.compensation is not None:
        compensation.ended(work, current)
    if scope is None:
        handler.ended(work, current, element)
        return
    for flow in flows:
        work.take(flow, scope)
    if not current.counter:
        handler.ended(work, current, element)
        if scope.key not in work.elements:
            return
    if not scope.children or scope.loop is not None:
        emptied(work, scope)


def emptied(work: Work, scope: ElementInstance) -> None:
    """Something inside ``scope`` (editable) has ended: it ends too, where nothing is left to do."""
    undone = scope.compensation
    if scope.loop is not None and (undone is None or not undone.canceled):
        multi_instance.inner_ended(work, scope)
    elif not scope.children and scope.phase == ACTIVE and not scope.taken:
        work.complete(scope)


def _outputs(work: Work, current: ElementInstance, element: Element) -> None:
    """Bring the variables of its result, as mapped, to the scopes around it."""
    result = current.result.data if current.result is not None else None
    if element.outputs:
        if result:
            local = current.variables
            current.variables = Document(result if local is None else {**local.data, **result})
        spread(work, current, element, mapped(work, current, element.outputs, merge=True))
    elif result:
        if isinstance(element.event, Error):
            # The variables of a caught error stay at the event that caught it, but for those that it names.
            named = (element.event.code_variable, element.event.message_variable)
            result = {name: value for name, value in result.items() if name in named}
        if element.kind == "start":
            spread(work, current, element, result)
        else:
            work.propagate(current, result)


def spread(work: Work, current: ElementInstance, element: Element, variables: Variables) -> None:
    """Set variables outside ``current``; those of an event sub-process's start stay inside it."""
    if current.counter or not current.scope:
        # The output element of a multi-instance is read from the inner instance, so mappings write there.
        work.propagate(current, variables)
        return
    scope = work.edit(current.scope)
    inside = element.scope if element.kind == "start" else None
    if inside is not None and inside.kind == "event-sub-process":
        work.put(scope, variables)
    else:
        work.propagate(scope, variables)


# --- terminate ------------------------------------------------------------------------------------


def terminate(work: Work, current: ElementInstance) -> None:
    """End an element instance and everything inside it, without leaving it."""
    for child in work.children(current):
        terminate(work, child)
    current = work.edit(current.key)
    if current.waits is not None:
        waits.close_all(work, current)
    if current.job is not None:
        work.owners.pop(current.job.key, None)
        outcome = "error-thrown" if current.thrown is not None else "canceled"
        work.effects.append(CloseJob(key=current.job.key, outcome=outcome))
    if current.task is not None:
        work.owners.pop(current.task.key, None)
        work.effects.append(UserTaskRecord(kind="canceled", task=current.task))
    if current.called:
        work.send(
            CancelInstance(
                id=work.effect_id(),
                at=work.at,
                actor=work.command.actor,
                instance_key=current.called,
                reason="the call activity was terminated",
                from_parent=True,
            )
        )
    work.remove(current, "terminated")
    if current.compensation is not None:
        compensation.ended(work, current)


def terminate_children(work: Work, scope: ElementInstance) -> None:
    """End everything inside ``scope`` (editable), and forget the flows that wait at its joins."""
    for child in work.children(scope):
        terminate(work, child)
    scope.taken = None


# --- inclusive joins ------------------------------------------------------------------------------


def _settle_joins(work: Work) -> bool:
    """Activate the inclusive joins that no other flow can reach any more. Whether there was one."""
    for scope in [found for found in at_hand(work.elements) if found.taken]:  # such are on no page
        taken = scope.taken or {}
        joins = {
            work.graph.flows[flow].target.id: work.graph.flows[flow].target
            for flow in taken
            if work.graph.flows[flow].target.kind == "inclusive"
        }
        if not joins:
            continue
        active = {child.element for child in work.children(scope)}
        active.update(work.graph.flows[flow].target.id for flow in taken)
        for join in joins.values():
            if not (active - {join.id}) & join.upstream:
                work.join(join, work.edit(scope.key))
                return True
    return False
