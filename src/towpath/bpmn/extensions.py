"""The ``zeebe:`` extension elements of one element, each read into the graph's terms."""

from __future__ import annotations

from lxml import etree

from towpath.bpmn.graph import (
    Assignment,
    Called,
    CalledDecision,
    CalledElement,
    JobDefinition,
    Listener,
    Mapping,
    MultiInstance,
    Script,
    Value,
)
from towpath.bpmn.notes import Notes
from towpath.bpmn.xml import BPMN, ZEEBE, split

DEFAULT_RETRIES = Value("3")
CHANGES = frozenset({"create", "update"})  # of a variable

# Read, or without meaning for execution: shown by tools, or taken from elsewhere.
KNOWN = {
    "assignmentDefinition",
    "calledDecision",
    "calledElement",
    "conditionalFilter",
    "error",
    "executionListeners",
    "formDefinition",
    "ioMapping",
    "loopCharacteristics",
    "priorityDefinition",
    "properties",
    "script",
    "subscription",
    "taskDefinition",
    "taskHeaders",
    "taskListeners",
    "taskSchedule",
    "userTask",
    "userTaskForm",
    "versionTag",
}
NOT_EXECUTED = {
    "adHoc": "ad-hoc activities",
    "linkedResources": "linked resources",
}


class Extensions:
    """What ``bpmn:extensionElements`` of ``node`` say, by local name."""

    def __init__(self, node: etree._Element, notes: Notes) -> None:
        self.node = node
        self.notes = notes
        self.found: dict[str, etree._Element] = {}
        holder = node.find(f"{{{BPMN}}}extensionElements")
        for child in holder if holder is not None else ():
            namespace, name = split(child)
            if namespace != ZEEBE:
                continue
            if name in NOT_EXECUTED:
                notes.fault(
                    child,
                    "not-executed",
                    f"zeebe:{name}: {NOT_EXECUTED[name]} are not executed.",
                    f"Remove zeebe:{name}, or model it with other elements.",
                )
            elif name not in KNOWN:
                notes.fault(
                    child, "unknown-extension", f"zeebe:{name} is not known.", f"Remove zeebe:{name}."
                )
            self.found[name] = child

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def mappings(self) -> tuple[tuple[Mapping, ...], tuple[Mapping, ...]]:
        """Inputs and outputs, in the order written."""
        inputs: list[Mapping] = []
        outputs: list[Mapping] = []
        for child in self._children("ioMapping"):
            name = split(child)[1]
            if name not in ("input", "output"):
                continue
            target = self.notes.path(child, child.get("target"), f"{name} mapping's target")
            source_text = child.get("source")
            source: Value | None
            if source_text is None or source_text == "":
                source = Value("")  # Camunda Modeler writes an empty source for an empty text
            else:
                source = self.notes.value(child, source_text, f"{name} mapping's source")
            if source is not None:
                (inputs if name == "input" else outputs).append(Mapping(source, target))
        return tuple(inputs), tuple(outputs)

    def headers(self) -> dict[str, str]:
        return _headers(self._children("taskHeaders"))

    def properties(self) -> dict[str, str]:
        return {
            child.get("name", ""): child.get("value", "")
            for child in self._children("properties")
            if child.get("name")
        }

    def version_tag(self) -> str | None:
        tag = self.found.get("versionTag")
        return tag.get("value") if tag is not None else None

    def job(self) -> JobDefinition | None:
        """``zeebe:taskDefinition``; None where there is none, or it is faulty."""
        node = self.found.get("taskDefinition")
        return self._job(node) if node is not None else None

    def _job(self, node: etree._Element) -> JobDefinition | None:
        """Job type and retries; None where they are faulty."""
        kind = self.notes.required(node, "type", "job type", "Set the type of the job.")
        retries = self.notes.value(node, node.get("retries"), "number of retries") or DEFAULT_RETRIES
        static = None
        if retries.static is not None and retries.static.isdecimal():
            static = int(retries.static)
        elif retries.static is not None:
            self.notes.fault(
                node, "retries", f"The number of retries `{retries.text}` is not a whole number."
            )
        return JobDefinition(kind, retries, static) if kind is not None else None

    def listeners(self) -> list[tuple[etree._Element, Listener]]:
        """Execution and task listeners in the order written, each with its node."""
        found: list[tuple[etree._Element, Listener]] = []
        for node in (*self._children("executionListeners"), *self._children("taskListeners")):
            job = self._job(node)
            inside = [child for child in node.iter() if split(child) == (ZEEBE, "header")]
            if job is not None:
                found.append((node, Listener(node.get("eventType", ""), job, _headers(inside))))
        return found

    def script(self) -> Script | None:
        node = self.found.get("script")
        if node is None:
            return None
        text = (node.get("expression") or "").strip()
        result = self.notes.path(node, node.get("resultVariable"), "result variable")
        if not text.removeprefix("=").strip():
            self.notes.fault(node, "missing-value", "The script has no expression.", "Set `expression`.")
            return None
        expression = self.notes.expression(node, text.removeprefix("="), "script")
        return Script(expression, result) if expression is not None else None

    def decision(self) -> CalledDecision | None:
        node = self.found.get("calledDecision")
        if node is None:
            return None
        name = self.notes.required(node, "decisionId", "id of the called decision")
        result = self.notes.path(node, node.get("resultVariable"), "result variable")
        return CalledDecision(self._called(node, name), result) if name is not None else None

    def called_element(self) -> CalledElement | None:
        node = self.found.get("calledElement")
        if node is None:
            return None
        name = self.notes.required(node, "processId", "id of the called process")
        if name is None:
            return None
        return CalledElement(
            self._called(node, name),
            propagate_all_child_variables=node.get("propagateAllChildVariables", "true") != "false",
            propagate_all_parent_variables=node.get("propagateAllParentVariables", "true") != "false",
        )

    def assignment(self) -> Assignment:
        """People, dates, priority and form of a user task."""
        people = self.found.get("assignmentDefinition", self.node)
        schedule = self.found.get("taskSchedule", self.node)
        priority = self.found.get("priorityDefinition")
        form, external = self.form()
        value = self.notes.value
        return Assignment(
            assignee=value(people, people.get("assignee"), "assignee"),
            candidate_groups=value(people, people.get("candidateGroups"), "candidate groups"),
            candidate_users=value(people, people.get("candidateUsers"), "candidate users"),
            due_date=value(schedule, schedule.get("dueDate"), "due date"),
            follow_up_date=value(schedule, schedule.get("followUpDate"), "follow-up date"),
            priority=value(priority, priority.get("priority"), "priority") if priority is not None else None,
            form=form,
            external_form=external,
        )

    def form(self) -> tuple[Called | None, Value | None]:
        """A form of ours by id, or a reference that only the task application understands."""
        node = self.found.get("formDefinition")
        if node is None:
            return None, None
        external = node.get("externalReference") or node.get("formKey")
        if external:
            return None, self.notes.value(node, external, "form reference")
        name = self.notes.required(node, "formId", "id of the form")
        return (self._called(node, name), None) if name is not None else (None, None)

    def error_variables(self) -> tuple[str | None, str | None]:
        """``zeebe:error`` of an error that is caught: the variables for its code and its message."""
        return self._variable("error", "errorCodeVariable"), self._variable("error", "errorMessageVariable")

    def _variable(self, name: str, attribute: str) -> str | None:
        node = self.found.get(name)
        text = node.get(attribute) if node is not None else None
        if node is None or not text:
            return None
        path = self.notes.path(node, text, attribute)
        if len(path) > 1:
            self.notes.fault(
                node, "variable-name", f"`{text}` leads into a context.", "Name a variable without dots."
            )
        return path[0]

    def conditional_filter(self) -> tuple[frozenset[str], frozenset[str]]:
        """The variables and the changes (create, update) that a condition heeds; empty where it heeds all."""
        node = self.found.get("conditionalFilter")
        if node is None:
            return frozenset(), frozenset()
        names = _listed(node.get("variableNames"))
        for name in names:
            self.notes.path(node, name, "variable of the filter")
        changes = _listed(node.get("variableEvents"))
        for change in sorted(changes - CHANGES):
            self.notes.fault(
                node, "conditional-filter", f"The change `{change}` is not known.", "Use create or update."
            )
        return names, changes

    def correlation_key(self) -> Value | None:
        node = self.found.get("subscription")
        if node is None:
            return None
        return self.notes.required(node, "correlationKey", "correlation key")

    def _called(self, node: etree._Element, name: Value) -> Called:
        binding = node.get("bindingType", "latest")
        tag = node.get("versionTag")
        if binding not in ("latest", "deployment", "versionTag"):
            self.notes.fault(
                node,
                "binding-type",
                f"The binding `{binding}` is not known.",
                "Use latest, deployment or versionTag.",
            )
        if binding == "versionTag" and not tag:
            self.notes.fault(
                node, "binding-type", "The binding versionTag needs a version tag.", "Set `versionTag`."
            )
        return Called(name, binding, tag if binding == "versionTag" else None)

    def _children(self, name: str) -> list[etree._Element]:
        node = self.found.get(name)
        return [child for child in node if split(child)[0] == ZEEBE] if node is not None else []


def _listed(text: str | None) -> frozenset[str]:
    """Names separated by commas."""
    return frozenset(name.strip() for name in (text or "").split(",") if name.strip())


def _headers(nodes: list[etree._Element]) -> dict[str, str]:
    return {node.get("key", ""): node.get("value", "") for node in nodes if node.get("key")}


def multi_instance(node: etree._Element, notes: Notes) -> MultiInstance | None:
    """``bpmn:multiInstanceLoopCharacteristics`` with its ``zeebe:loopCharacteristics``."""
    extensions = Extensions(node, notes)
    loop = extensions.found.get("loopCharacteristics")
    if loop is None:
        notes.fault(
            node,
            "multi-instance",
            "The multi-instance has no input collection.",
            "Add zeebe:loopCharacteristics with an inputCollection.",
        )
        return None
    collection = notes.required(loop, "inputCollection", "input collection")
    output_element = notes.value(loop, loop.get("outputElement"), "output element")
    output_collection = loop.get("outputCollection") or None
    input_element = loop.get("inputElement") or None
    for name, what in ((output_collection, "output collection"), (input_element, "input element")):
        if name is not None:
            notes.path(loop, name, what)
    if (output_element is None) != (output_collection is None):
        notes.fault(
            loop,
            "multi-instance",
            "An output collection and an output element need each other.",
            "Set both, or neither.",
        )
    completion = node.find(f"{{{BPMN}}}completionCondition")
    condition = None
    if completion is not None and (completion.text or "").strip():
        condition = notes.value(completion, completion.text, "completion condition")
    if collection is None:
        return None
    return MultiInstance(
        sequential=node.get("isSequential", "false") == "true",
        input_collection=collection,
        input_element=input_element,
        output_collection=output_collection,
        output_element=output_element,
        completion_condition=condition,
    )
