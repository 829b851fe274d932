"""Reading BPMN 2.0 XML in the ``zeebe:`` dialect into :class:`towpath.bpmn.Definitions`."""

from __future__ import annotations

from lxml import etree

from towpath.bpmn import compensation, events, listeners, rules, transactions
from towpath.bpmn.extensions import Extensions, multi_instance
from towpath.bpmn.graph import (
    CaughtMessage,
    Condition,
    Definitions,
    Element,
    Flow,
    Message,
    Process,
    Reference,
    Signal,
    Timer,
)
from towpath.bpmn.notes import Notes
from towpath.bpmn.xml import BPMN, line_of, parse, split, text_of
from towpath.faults import Faulty

# Tag -> (type in Camunda's spelling, kind); None: decided by the extension elements.
ACTIVITIES: dict[str, tuple[str, str | None]] = {
    "task": ("TASK", "pass"),
    "manualTask": ("MANUAL_TASK", "pass"),
    "serviceTask": ("SERVICE_TASK", "job"),
    "sendTask": ("SEND_TASK", "job"),
    "userTask": ("USER_TASK", "user-task"),
    "businessRuleTask": ("BUSINESS_RULE_TASK", None),
    "scriptTask": ("SCRIPT_TASK", None),
    "receiveTask": ("RECEIVE_TASK", "receive"),
    "callActivity": ("CALL_ACTIVITY", "call-activity"),
    "subProcess": ("SUB_PROCESS", "sub-process"),
    "transaction": ("SUB_PROCESS", "transaction"),  # clients know no type of its own
}
GATEWAYS = {
    "exclusiveGateway": ("EXCLUSIVE_GATEWAY", "exclusive"),
    "parallelGateway": ("PARALLEL_GATEWAY", "parallel"),
    "inclusiveGateway": ("INCLUSIVE_GATEWAY", "inclusive"),
    "eventBasedGateway": ("EVENT_BASED_GATEWAY", "event-based"),
}
EVENTS = {
    "startEvent": ("START_EVENT", "start"),
    "endEvent": ("END_EVENT", "end"),
    "intermediateCatchEvent": ("INTERMEDIATE_CATCH_EVENT", "catch"),
    "intermediateThrowEvent": ("INTERMEDIATE_THROW_EVENT", "throw"),
    "boundaryEvent": ("BOUNDARY_EVENT", "boundary"),
}
# Drawn and kept in the XML, without meaning for execution.
ARTIFACTS = {
    "association",
    "auditing",
    "categoryValueRef",
    "dataInputAssociation",
    "dataObject",
    "dataObjectReference",
    "dataOutputAssociation",
    "dataStoreReference",
    "documentation",
    "extensionElements",
    "group",
    "incoming",
    "ioSpecification",
    "laneSet",
    "monitoring",
    "multiInstanceLoopCharacteristics",
    "outgoing",
    "property",
    "standardLoopCharacteristics",
    "supports",
    "textAnnotation",
}
NOT_EXECUTED = {
    "adHocSubProcess": "An ad-hoc sub-process",
    "complexGateway": "A complex gateway",
    "implicitThrowEvent": "An implicit throw event",
    "event": "An event without a direction",
    "callChoreography": "A choreography",
    "choreographyTask": "A choreography",
    "subChoreography": "A choreography",
    "subConversation": "A conversation",
}


def read(xml: bytes, file: str | None = None) -> Definitions:
    """Read, check and compile a BPMN file.

    Raises :class:`towpath.faults.Faulty` with everything that is wrong with it: each fault names the
    element, its line, the rule that it breaks and a remedy. What is not executed is a fault, too.
    Processes that are not executable are left out, without being judged.
    """
    root = parse(xml, file)
    notes = Notes(file)
    if split(root) != (BPMN, "definitions"):
        notes.fault(
            root,
            "not-bpmn",
            f"The root element is `{split(root)[1]}`, not BPMN 2.0 `definitions`.",
            "Save the model as BPMN 2.0 XML.",
        )
        raise Faulty(notes.faults)
    scope = events.read_globals(root, notes)
    nodes = root.findall(f"{{{BPMN}}}process")
    executable = [node for node in nodes if node.get("isExecutable") == "true"]
    if not executable:
        place = nodes[0] if nodes else root
        notes.fault(
            place,
            "no-executable-process",
            "No process is executable.",
            'Set isExecutable="true" on a process.',
        )
    processes: list[Process] = []
    for node in executable:
        process = _Reader(node, scope, notes).process()
        if any(other.id == process.id for other in processes):
            notes.fault(node, "duplicate-id", f"The process id `{process.id}` stands twice in this file.")
        processes.append(process)
    if any(fault.severity == "error" for fault in notes.faults):
        raise Faulty(notes.faults)
    return Definitions(root.get("id"), root.get("name"), processes)


class _Reader:
    """One process: its elements first, then the flows between them, then what they mean together."""

    def __init__(self, node: etree._Element, scope: events.Globals, notes: Notes) -> None:
        self.node = node
        self.globals = scope
        self.notes = notes
        self.elements: dict[str, Element] = {}
        self.nodes: dict[str, etree._Element] = {}
        self.flows: dict[str, Flow] = {}
        self.flow_nodes: list[tuple[etree._Element, Element]] = []
        self.forms: list[Reference] = []
        self.start_form: str | None = None

    def process(self) -> Process:
        node, notes = self.node, self.notes
        if not node.get("id"):
            notes.fault(node, "missing-id", "The process has no id.", "Set the id of the process.")
        root = self._element(node, "PROCESS", "process", None)
        extensions = Extensions(node, notes)
        root.properties = extensions.properties()
        listeners.read(root, extensions, notes)
        self._children(node, root)
        for flow_node, flow_scope in self.flow_nodes:
            self._flow(flow_node, flow_scope)
        self._connect()
        transactions.bind(self.elements, self.nodes, notes)
        compensation.bind(node, self.elements, self.nodes, notes)
        rules.check(self.elements, self.nodes, notes)
        listeners.check(self.elements, self.nodes, notes)
        process = Process(
            id=root.id,
            name=root.name,
            version_tag=extensions.version_tag(),
            line=root.line,
            root=root,
            elements=self.elements,
            flows=self.flows,
            start_form=self.start_form,
            forms=self.forms,
        )
        _index(process)
        return process

    def _element(self, node: etree._Element, type_: str, kind: str, scope: Element | None) -> Element:
        identifier = node.get("id") or f"_{len(self.elements)}"
        if scope is not None and not node.get("id"):
            self.notes.fault(node, "missing-id", f"A {split(node)[1]} has no id.", "Give it an id.")
        if identifier in self.elements:
            self.notes.fault(node, "duplicate-id", f"The id `{identifier}` stands twice.", "Make ids unique.")
            identifier = f"{identifier}#{len(self.elements)}"
        element = Element(
            id=identifier,
            name=node.get("name") or None,
            type=type_,
            kind=kind,
            line=line_of(node),
            index=len(self.elements),
            scope=scope,
        )
        self.elements[identifier] = element
        self.nodes[identifier] = node
        return element

    def _children(self, node: etree._Element, scope: Element) -> None:
        for child in node:
            namespace, tag = split(child)
            if namespace != BPMN:
                continue
            if tag in ACTIVITIES:
                self._activity(child, tag, scope)
            elif tag in GATEWAYS:
                element = self._element(child, *GATEWAYS[tag], scope)
                self._common(child, element)
                element.instantiate = child.get("instantiate") == "true"
                if element.instantiate and child.get("eventGatewayType") == "Parallel":
                    self.notes.fault(
                        child,
                        "not-executed",
                        "A gateway that needs several events to begin an instance is not executed.",
                        "Make it exclusive.",
                    )
            elif tag in EVENTS:
                self._event(child, tag, scope)
            elif tag == "sequenceFlow":
                self.flow_nodes.append((child, scope))
            elif tag not in ARTIFACTS:
                self.notes.fault(
                    child,
                    "not-executed",
                    f"{NOT_EXECUTED.get(tag, f'The element `{tag}`')} is not executed.",
                    "Model it with elements that are executed.",
                )

    def _common(self, node: etree._Element, element: Element) -> Extensions:
        extensions = Extensions(node, self.notes)
        element.inputs, element.outputs = extensions.mappings()
        element.headers = extensions.headers()
        listeners.read(element, extensions, self.notes)
        element.properties = extensions.properties()
        element.milestone = element.properties.get("milestone") or None
        if element.inputs and element.kind not in ACTIVITY_KINDS and element.kind not in ("throw", "end"):
            self.notes.fault(
                node, "mapping", "Input mappings have no meaning here.", "Move them to an activity."
            )
        return extensions

    def _activity(self, node: etree._Element, tag: str, scope: Element) -> None:
        type_, kind = ACTIVITIES[tag]
        element = self._element(node, type_, kind or "job", scope)
        extensions = self._common(node, element)
        notes = self.notes
        if node.find(f"{{{BPMN}}}standardLoopCharacteristics") is not None:
            notes.fault(node, "not-executed", "A standard loop is not executed.", "Use a gateway to loop.")
        element.for_compensation = node.get("isForCompensation") == "true"
        loop = node.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
        if loop is not None:
            element.multi_instance = multi_instance(loop, notes)
        if tag in ("subProcess", "transaction"):
            if tag == "transaction":
                transactions.method(node, notes)
            elif node.get("triggeredByEvent") == "true":
                element.type, element.kind = "EVENT_SUB_PROCESS", "event-sub-process"
                if loop is not None:
                    notes.fault(loop, "not-executed", "An event sub-process cannot be multi-instance.")
            self._children(node, element)
        elif tag == "callActivity":
            element.called = extensions.called_element()
            if "calledElement" not in extensions:
                notes.fault(
                    node, "called-element", "The call activity calls nothing.", "Set the called process id."
                )
        elif tag == "userTask":
            element.assignment = extensions.assignment()
            if element.assignment.form is not None and element.assignment.form.id.static is not None:
                self.forms.append(Reference(element.assignment.form.id.static, element.id, element.line))
        elif tag == "receiveTask":
            element.instantiate = node.get("instantiate") == "true"
            element.event = events.message(node, self.globals, notes, needs_key=not element.instantiate)
        elif kind is None and "taskDefinition" not in extensions:
            self._evaluated(node, tag, element, extensions)
        elif kind != "pass":
            self._job(node, element, extensions)

    def _evaluated(self, node: etree._Element, tag: str, element: Element, extensions: Extensions) -> None:
        """A business rule or script task that is not a job."""
        if tag == "businessRuleTask":
            element.kind, element.decision = "decision", extensions.decision()
            if "calledDecision" not in extensions:
                self.notes.fault(
                    node,
                    "called-decision",
                    "The business rule task has neither a called decision nor a task definition.",
                    "Set the decision id, or the job type of a worker.",
                )
        else:
            element.kind, element.script = "script", extensions.script()
            if "script" not in extensions:
                self.notes.fault(
                    node,
                    "script",
                    "The script task has neither a FEEL script nor a task definition.",
                    "Set expression and result variable, or the job type of a worker.",
                )

    def _job(self, node: etree._Element, element: Element, extensions: Extensions) -> None:
        element.job = extensions.job()
        if "taskDefinition" not in extensions:
            self.notes.fault(
                node,
                "task-definition",
                "No job type says what is to be done.",
                "Add a task definition with a type.",
            )

    def _event(self, node: etree._Element, tag: str, scope: Element) -> None:
        element = self._element(node, *EVENTS[tag], scope)
        extensions = self._common(node, element)
        before = len(self.notes.faults)
        element.event = events.definition(node, events.place(node, scope.kind), self.globals, self.notes)
        if tag == "startEvent":
            element.interrupting = node.get("isInterrupting", "true") != "false"
            form, _ = extensions.form()
            if form is not None and form.id.static is not None:
                self.forms.append(Reference(form.id.static, element.id, element.line))
                if scope.scope is None and element.event is None:
                    self.start_form = form.id.static
        elif tag == "boundaryEvent":
            element.interrupting = node.get("cancelActivity", "true") != "false"
            if element.event is None and len(self.notes.faults) == before:
                self.notes.fault(
                    node, "boundary-event", "The boundary event catches nothing.", "Give it a trigger."
                )
        elif tag == "intermediateCatchEvent":
            if element.event is None and len(self.notes.faults) == before:
                self.notes.fault(
                    node, "catch-event", "The catch event waits for nothing.", "Give it a trigger."
                )
        elif node.find(f"{{{BPMN}}}messageEventDefinition") is not None:
            element.kind = "job"
            self._job(node, element, extensions)

    def _flow(self, node: etree._Element, scope: Element) -> None:
        notes = self.notes
        identifier = node.get("id") or f"_flow{len(self.flows)}"
        if identifier in self.flows or identifier in self.elements:
            notes.fault(node, "duplicate-id", f"The id `{identifier}` stands twice.", "Make ids unique.")
            return
        ends: list[Element] = []
        for attribute in ("sourceRef", "targetRef"):
            found = self.elements.get(node.get(attribute) or "")
            if found is None:
                notes.fault(
                    node,
                    "sequence-flow",
                    f"The flow's {attribute} `{node.get(attribute) or ''}` is no element of this process.",
                    "Connect the flow again.",
                )
            elif found.scope is not scope:
                notes.fault(
                    node,
                    "sequence-flow",
                    f"The sequence flow crosses the border of a sub-process at `{found.id}`.",
                    "Connect elements of one scope; use events to leave a sub-process.",
                )
            else:
                ends.append(found)
        if len(ends) != 2:
            return
        flow = Flow(identifier, node.get("name") or None, line_of(node), ends[0], ends[1])
        condition = node.find(f"{{{BPMN}}}conditionExpression")
        if condition is not None and text_of(condition):
            value = notes.value(condition, text_of(condition), "condition")
            if value is not None and value.expression is None:
                notes.fault(
                    condition,
                    "condition",
                    f"The condition `{value.text}` is not an expression.",
                    "Begin it with `=`.",
                )
            elif value is not None:
                flow.condition = value.expression
        self.flows[identifier] = flow

    def _connect(self) -> None:
        """What elements refer to: flows, defaults, hosts of boundary events, starts of scopes, links."""
        incoming: dict[str, list[Flow]] = {}
        outgoing: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            outgoing.setdefault(flow.source.id, []).append(flow)
            incoming.setdefault(flow.target.id, []).append(flow)
        boundary: dict[str, list[Element]] = {}
        event_starts: dict[str, list[Element]] = {}
        for element in self.elements.values():
            node = self.nodes[element.id]
            element.incoming = tuple(incoming.get(element.id, ()))
            element.outgoing = tuple(outgoing.get(element.id, ()))
            default = node.get("default")
            if default is not None:
                element.default = next((flow for flow in element.outgoing if flow.id == default), None)
                if element.default is None:
                    self.notes.fault(
                        node, "default-flow", f"The default flow `{default}` does not leave this element."
                    )
            if element.kind == "boundary":
                host = self.elements.get(node.get("attachedToRef") or "")
                if host is None or host.scope is not element.scope or host.kind not in HOST_KINDS:
                    self.notes.fault(
                        node,
                        "boundary-event",
                        f"`{node.get('attachedToRef') or ''}` is no activity of the event's scope.",
                        "Attach it to an activity.",
                    )
                else:
                    element.attached_to = host
                    boundary.setdefault(host.id, []).append(element)
            elif element.kind == "start" and element.scope is not None:
                holder = element.scope
                if holder.kind == "event-sub-process" and holder.scope is not None:
                    event_starts.setdefault(holder.scope.id, []).append(element)
                    holder.start = element
                elif element.event is None:
                    holder.start = element
        for identifier, found in boundary.items():
            self.elements[identifier].boundary = tuple(found)
        for identifier, found in event_starts.items():
            self.elements[identifier].event_starts = tuple(found)


# What can carry mappings and boundary events.
ACTIVITY_KINDS = {
    "pass",
    "job",
    "user-task",
    "decision",
    "script",
    "receive",
    "call-activity",
    "sub-process",
    "event-sub-process",
    "transaction",
}
HOST_KINDS = ACTIVITY_KINDS - {"event-sub-process"}


def _index(process: Process) -> None:
    """What others ask of a process: its start events, and everything outside that it names."""
    for element in process.elements.values():
        begins = element.kind == "start" or (element.instantiate and element.event is not None)
        if begins and element.scope is process.root:
            if isinstance(element.event, Timer):
                process.timer_starts += (element,)
            elif isinstance(element.event, Message):
                process.message_starts += (element,)
            elif isinstance(element.event, Signal):
                process.signal_starts += (element,)
            elif isinstance(element.event, Condition):
                process.condition_starts += (element,)
        if element.kind == "inclusive" and len(element.incoming) > 1:
            process.inclusive_joins = True
        if isinstance(element.event, Message):
            name = element.event.name.static
            if name is not None:
                process.messages.append(CaughtMessage(name, element.id, element.name))
        jobs = [element.job] if element.job is not None else []
        jobs += [one.job for found in element.listeners.values() for one in found]
        for job in jobs:
            if job.type.static is not None:
                process.job_types.append(Reference(job.type.static, element.id, element.line))
        if element.called is not None and element.called.process.id.static is not None:
            process.called_processes.append(
                Reference(element.called.process.id.static, element.id, element.line)
            )
        if element.decision is not None and element.decision.decision.id.static is not None:
            process.called_decisions.append(
                Reference(element.decision.decision.id.static, element.id, element.line)
            )
