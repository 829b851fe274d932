"""Scopes: the process itself, sub-processes, and call activities."""

from __future__ import annotations

from towpath.bpmn.graph import Element
from towpath.engine.commands import CalledInstanceCompleted, CreateInstance, Parent
from towpath.engine.documents import Document
from towpath.engine.effects import Completed, ElementRecord, FlowRecord, InstanceRecord
from towpath.engine.handlers import Handler, bound
from towpath.engine.state import COMPLETING, ElementInstance
from towpath.engine.work import Failure, Work


class SubProcess(Handler):
    """An embedded or event sub-process: begins at its start event, ends when nothing is left inside."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        assert element.start is not None
        # What an event brought goes to the start event, whose outputs map it into this scope.
        result, current.result = current.result, None
        if element.kind == "event-sub-process" and result is not None and not element.start.outputs:
            work.put(current, result.data)
            result = None
        work.add(element.start, current, result=result)


class ProcessScope(Handler):
    """The instance itself: begins at the start event that it was created at."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        begin = element.start
        if work.instance.start is not None:
            begin = work.graph.elements[work.instance.start]
        assert begin is not None
        result, current.result = current.result, None
        if not begin.instantiate:
            work.add(begin, current, result=result)
            return
        # Its message or signal was what created the instance, so it does not wait for another.
        for flow in begin.incoming:
            work.add(flow.source, current, phase=COMPLETING)
            work.effects.append(FlowRecord(flow_id=flow.id, scope_key=current.key))
        work.add(begin, current, result=result, phase=COMPLETING)

    def ended(self, work: Work, current: ElementInstance, element: Element) -> None:
        finish(work, current, terminated=False)


def start(work: Work, command: CreateInstance, begin: Element) -> None:
    """Create the instance's outermost scope, to begin at the start event ``begin``."""
    instance, parent = work.instance, work.instance.parent
    root = work.edit(instance.key)
    work.effects.append(
        InstanceRecord(
            kind="created",
            key=instance.key,
            definition_key=work.deployed.key,
            process_id=work.deployed.process_id,
            version=work.deployed.version,
            business_id=instance.business_id,
            parent=parent.instance_key if parent is not None else None,
            parent_element_instance=parent.element_instance_key if parent is not None else None,
        )
    )
    element = work.graph.root
    work.effects.append(
        ElementRecord(
            kind="activated",
            key=root.key,
            scope_key=0,
            element_id=element.id,
            type=element.type,
            name=element.name,
        )
    )
    if begin.event is None:
        work.put(root, command.variables)
    else:
        instance.start = begin.id
        root.result = Document(command.variables)
    work.queue.append(root.key)


def finish(work: Work, root: ElementInstance, *, terminated: bool) -> None:
    """The instance is over: say so, and bring its variables to the call activity that waits."""
    instance, deployed = work.instance, work.deployed
    variables = root.variables.data if root.variables is not None else {}
    work.effects.append(
        InstanceRecord(
            kind="terminated" if terminated else "completed",
            key=instance.key,
            definition_key=deployed.key,
            process_id=deployed.process_id,
            version=deployed.version,
            business_id=instance.business_id,
        )
    )
    work.effects.append(Completed(key=instance.key, terminated=terminated, variables=variables))
    if instance.parent is not None and not terminated:
        work.send(
            CalledInstanceCompleted(
                id=work.effect_id(),
                at=work.at,
                instance_key=instance.parent.instance_key,
                element_instance_key=instance.parent.element_instance_key,
                called_key=instance.key,
                variables=variables,
            )
        )


class CallActivity(Handler):
    """Starts an instance of another process, and completes when that has."""

    def activate(self, work: Work, current: ElementInstance, element: Element) -> None:
        called = element.called
        assert called is not None
        reference = called.process
        process_id = work.text(reference.id, current, "id of the called process")
        found = work.models.find_process(
            process_id, reference.binding, reference.version_tag, caller=work.deployed.key
        )
        if found is None:
            raise Failure("CALLED_ELEMENT_ERROR", f"No process `{process_id}` is deployed{bound(reference)}.")
        if found.graph.root.start is None:
            raise Failure("CALLED_ELEMENT_ERROR", f"The process `{process_id}` has no none start event.")
        if called.propagate_all_parent_variables:
            variables = work.visible(current)
        else:
            variables = current.variables.data if current.variables is not None else {}
        current.called = work.keys.next()
        work.send(
            CreateInstance(
                id=work.effect_id(),
                at=work.at,
                actor=work.command.actor,
                instance_key=current.called,
                definition_key=found.key,
                variables=variables,
                parent=Parent(instance_key=work.instance.key, element_instance_key=current.key),
            )
        )
