"""Multi-instance activities: a body that holds an inner instance for each item of a collection.

The body and its inner instances share the element; the body has ``loop``, inner instances have a
``counter``. Boundary events belong to the body, mappings and everything else to the inner instances.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from towpath.bpmn.graph import Element, MultiInstance, Value
from towpath.engine import lifecycle
from towpath.engine.commands import Variables
from towpath.engine.documents import Document
from towpath.engine.state import COMPLETING, LOOP_PART, ElementInstance, Loop, in_parts
from towpath.engine.work import Work

SPAWN = 100  # inner instances begun in one move, so that a large collection does not fill a step


def activate(work: Work, current: ElementInstance, element: Element) -> None:
    """Evaluate the collection and begin: all at once, or the first."""
    multi = _of(element)
    items = work.json(multi.input_collection, current)
    if not isinstance(items, list):
        raise work.misfit("The input collection", multi.input_collection, "a list", items, current)
    current.loop = Loop(in_parts(items), len(items))
    if multi.output_collection is not None:
        work.put(current, {multi.output_collection: [None] * len(items)})
    if not items:
        work.complete(current)
    else:
        _begin(work, current, element, 1 if multi.sequential else SPAWN)


def spawn(work: Work, current: ElementInstance, element: Element) -> None:
    """Go on beginning inner instances of a parallel multi-instance."""
    if not _of(element).sequential:
        _begin(work, current, element, SPAWN)


def _begin(work: Work, current: ElementInstance, element: Element, count: int) -> None:
    multi, loop = _of(element), current.loop
    assert loop is not None
    last = min(loop.started + count, loop.size)
    local = _local_output(multi.output_element)
    for index in range(loop.started, last):
        inner = work.add(element, current, counter=index + 1)
        variables: Variables = {"loopCounter": index + 1}
        if multi.input_element is not None:
            part = loop.items[index // LOOP_PART].data["items"]
            variables[multi.input_element] = part[index % LOOP_PART]
        if local is not None and local not in variables:
            variables[local] = None
        work.put(inner, variables)
    current.loop = replace(loop, started=last)
    if last < loop.size and not multi.sequential:
        work.queue.append(current.key)


def collect(work: Work, inner: ElementInstance, element: Element) -> None:
    """An inner instance completes: note its output, and whether that completes the body."""
    multi = _of(element)
    body = work.edit(inner.scope)
    loop = body.loop
    assert loop is not None
    outputs = loop.outputs
    if multi.output_element is not None and multi.output_collection is not None:
        value = work.json(multi.output_element, inner)
        number = inner.counter // LOOP_PART
        part = outputs[number].data if outputs and number in outputs else {}
        outputs = {**(outputs or {}), number: Document({**part, str(inner.counter): value})}
    completed = loop.completed + 1
    if multi.completion_condition is not None:
        numbers = {
            "numberOfInstances": loop.started if multi.sequential else loop.size,
            "numberOfActiveInstances": body.children - 1,
            "numberOfCompletedInstances": completed,
            "numberOfTerminatedInstances": 0,
        }
        found = work.json(multi.completion_condition, inner, numbers)
        if not isinstance(found, bool):
            raise work.misfit(
                "The completion condition",
                multi.completion_condition,
                "true or false",
                found,
                inner,
                numbers,
            )
        if found:
            loop = replace(loop, size=loop.started)
            body.loop = replace(loop, outputs=outputs, completed=loop.size)
            return
    body.loop = replace(loop, outputs=outputs, completed=completed)


def inner_ended(work: Work, body: ElementInstance) -> None:
    """An inner instance is gone: begin the next one, or complete the body."""
    loop, element = body.loop, work.element(body)
    assert loop is not None
    if loop.completed >= loop.size:
        lifecycle.terminate_children(work, body)
        if body.phase != COMPLETING:
            work.complete(body)
    elif _of(element).sequential and loop.started < loop.size and not body.children:
        _begin(work, body, element, 1)


def finish(work: Work, body: ElementInstance, element: Element) -> None:
    """The body completes: the collected outputs go to the scope around it, in the items' order."""
    multi, loop = _of(element), body.loop
    assert loop is not None
    if multi.output_collection is None:
        return
    collected: dict[str, Any] = {}
    for part in (loop.outputs or {}).values():
        collected.update(part.data)
    size = sum(len(part.data["items"]) for part in loop.items)
    values = [collected.get(str(counter)) for counter in range(1, size + 1)]
    work.propagate(work.elements[body.scope], {multi.output_collection: values})


def _of(element: Element) -> MultiInstance:
    assert element.multi_instance is not None
    return element.multi_instance


def _local_output(output: Value | None) -> str | None:
    """The variable that an output element plainly names; it is made local to each inner instance."""
    if output is None or output.expression is None:
        return None
    name = output.text.removeprefix("=").strip()
    return name if output.expression.reads == {name} else None
