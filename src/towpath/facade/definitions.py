"""What a deployed process offers to callers, read from its BPMN: messages, user tasks, called processes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
EMBEDDED = "camunda-forms:bpmn:"  # a form key that names a form inside the process


@dataclass(frozen=True, slots=True)
class MessageElement:
    """An element that waits for a message.

    ``form_id`` is its property ``form``; ``show`` its property ``show``: names of variables, by commas, that
    the page of a link shows before the message is sent.
    ``confined``: output mappings decide what of the message reaches the process.
    """

    message: str
    element_id: str
    name: str
    form_id: str | None
    confined: bool
    show: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskElement:
    """A user task; ``form_text`` is the form-js document of an embedded form."""

    element_id: str
    name: str
    form_id: str | None
    form_text: str | None


@dataclass(slots=True)
class Definition:
    """One process of a BPMN file."""

    process_id: str
    name: str
    messages: list[MessageElement] = field(default_factory=list)
    tasks: list[TaskElement] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)  # ids of the processes it calls


def read_definition(xml: str, process_id: str) -> Definition:
    """The process ``process_id`` of ``xml``. Raises ValueError where it is not there."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"The process {process_id!r} is no XML: {error}") from None
    found = [process for process in root.iter(f"{BPMN}process") if process.get("id") == process_id]
    if not found:
        raise ValueError(f"The file holds no process {process_id!r}.")
    process = found[0]
    names = {message.get("id"): message.get("name", "") for message in root.iter(f"{BPMN}message")}
    definition = Definition(process_id, process.get("name") or process_id)
    for element in process.iter(etree.Element):
        tag = str(element.tag)
        if tag == f"{BPMN}callActivity":
            called = element.find(f"{BPMN}extensionElements/{ZEEBE}calledElement")
            if called is not None and called.get("processId"):
                definition.calls.add(called.get("processId", ""))
        elif tag == f"{BPMN}userTask":
            definition.tasks.append(_task(element, process))
        elif tag == f"{BPMN}startEvent" and element.getparent() is process:
            continue  # starts an instance; no instance waits for it
        elif message := names.get(_message_ref(element)):
            definition.messages.append(_message(element, message))
    return definition


def _message_ref(element: etree._Element) -> str | None:
    if element.tag == f"{BPMN}receiveTask":
        return element.get("messageRef")
    if element.tag in {f"{BPMN}{kind}" for kind in ("intermediateCatchEvent", "boundaryEvent", "startEvent")}:
        event = element.find(f"{BPMN}messageEventDefinition")
        return event.get("messageRef") if event is not None else None
    return None


def _message(element: etree._Element, message: str) -> MessageElement:
    extensions = element.find(f"{BPMN}extensionElements")
    properties: dict[str, str] = {}
    confined = False
    if extensions is not None:
        properties = {
            p.get("name", ""): p.get("value", "")
            for p in extensions.iterfind(f"{ZEEBE}properties/{ZEEBE}property")
        }
        confined = next(extensions.iter(f"{ZEEBE}output"), None) is not None
    return MessageElement(
        message=message,
        element_id=element.get("id", ""),
        name=element.get("name") or message,
        form_id=properties.get("form") or None,
        confined=confined,
        show=tuple(name.strip() for name in properties.get("show", "").split(",") if name.strip()),
    )


def _task(element: etree._Element, process: etree._Element) -> TaskElement:
    form = element.find(f"{BPMN}extensionElements/{ZEEBE}formDefinition")
    form_id = text = None
    if form is not None:
        form_id = form.get("formId")
        key = form.get("formKey") or ""
        if key.startswith(EMBEDDED):
            wanted = key.removeprefix(EMBEDDED)
            embedded = process.iter(f"{ZEEBE}userTaskForm")
            text = next((f.text for f in embedded if f.get("id") == wanted), None)
    return TaskElement(
        element.get("id", ""), element.get("name") or element.get("id") or "", form_id, _json_or_none(text)
    )


def _json_or_none(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        json.loads(text)
    except ValueError:
        return None
    return text
