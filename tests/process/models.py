"""Small models for the process server's tests."""

from __future__ import annotations

from itertools import pairwise

from towpath.wire import Resource

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'id="definitions" targetNamespace="urn:tests">'
)


def definitions(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{_HEAD}{body}</bpmn:definitions>'.encode()


def process(id_: str, *elements: str, before: str = "", after: str = "") -> Resource:
    """A process of elements in sequence: each is XML with ``{flows}`` where its flows belong."""
    ids = [element.split('id="', 1)[1].split('"', 1)[0] for element in elements]
    body: list[str] = []
    for i, element in enumerate(elements):
        incoming = f"<bpmn:incoming>{ids[i - 1]}-{ids[i]}</bpmn:incoming>" if i else ""
        outgoing = f"<bpmn:outgoing>{ids[i]}-{ids[i + 1]}</bpmn:outgoing>" if i + 1 < len(ids) else ""
        body.append(element.replace("{flows}", incoming + outgoing))
    for source, target in pairwise(ids):
        body.append(f'<bpmn:sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>')
    head = f'<bpmn:process id="{id_}" name="{id_.title()}" isExecutable="true">'
    xml = f"{before}{head}{''.join(body)}{after}</bpmn:process>"
    return Resource(name=f"{id_}.bpmn", content=definitions(xml))


START = '<bpmn:startEvent id="start">{flows}</bpmn:startEvent>'
END = '<bpmn:endEvent id="end">{flows}</bpmn:endEvent>'


def service(id_: str, type_: str | None = None, retries: int = 3, extra: str = "") -> str:
    return (
        f'<bpmn:serviceTask id="{id_}" name="Do {id_}"><bpmn:extensionElements>'
        f'<zeebe:taskDefinition type="{type_ or id_}" retries="{retries}"/>{extra}'
        f"</bpmn:extensionElements>{{flows}}</bpmn:serviceTask>"
    )


def milestone(text: str) -> str:
    return f'<zeebe:properties><zeebe:property name="milestone" value="{text}"/></zeebe:properties>'


def user_task(id_: str, assignment: str = 'candidateGroups="adjuster"', form: str = "") -> str:
    return (
        f'<bpmn:userTask id="{id_}" name="Look at {id_}"><bpmn:extensionElements><zeebe:userTask/>'
        f"<zeebe:assignmentDefinition {assignment}/>{form}</bpmn:extensionElements>{{flows}}</bpmn:userTask>"
    )


def timer(id_: str, duration: str) -> str:
    return (
        f'<bpmn:intermediateCatchEvent id="{id_}">{{flows}}<bpmn:timerEventDefinition id="{id_}-t">'
        f'<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">{duration}</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )


def message(id_: str, name: str, key: str) -> str:
    """The ``bpmn:message`` to put before the process."""
    return (
        f'<bpmn:message id="{id_}" name="{name}"><bpmn:extensionElements>'
        f'<zeebe:subscription correlationKey="{key}"/></bpmn:extensionElements></bpmn:message>'
    )


def catch_message(id_: str, message_id: str) -> str:
    return (
        f'<bpmn:intermediateCatchEvent id="{id_}">{{flows}}'
        f'<bpmn:messageEventDefinition id="{id_}-m" messageRef="{message_id}"/></bpmn:intermediateCatchEvent>'
    )


def call(id_: str, process_id: str) -> str:
    return (
        f'<bpmn:callActivity id="{id_}"><bpmn:extensionElements>'
        f'<zeebe:calledElement processId="{process_id}" propagateAllChildVariables="true"/>'
        f"</bpmn:extensionElements>{{flows}}</bpmn:callActivity>"
    )


ONE_TASK = process("one-task", START, service("work"), END)
NO_TASK = process("no-task", START, END)
FORM = Resource(
    name="look.form",
    content=b'{"id": "look", "type": "default", "components": [{"type": "textfield", "key": "note"}]}',
)
