"""BPMN for tests, written in a few words: each function answers the XML of one element."""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import quoteattr

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d">'
)


def definitions(*parts: str) -> bytes:
    return (HEAD + "\n".join(parts) + "</bpmn:definitions>").encode()


def process(*parts: str, id: str = "p", extensions: str = "") -> str:
    inside = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    return (
        f'<bpmn:process id="{id}" name="{id}" isExecutable="true">{inside}'
        + "\n".join(parts)
        + "</bpmn:process>"
    )


def bpmn(*parts: str, id: str = "p", globals: str = "") -> bytes:
    """A file with one process."""
    return definitions(process(*parts, id=id), globals)


def element(tag: str, id: str, *inside: str, zeebe: str = "", **attributes: str) -> str:
    """``zeebe`` is what stands in the extension elements."""
    text = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    extensions = f"<bpmn:extensionElements>{zeebe}</bpmn:extensionElements>" if zeebe else ""
    return f'<bpmn:{tag} id="{id}"{text}>{extensions}{"".join(inside)}</bpmn:{tag}>'


def mapping(*, inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    """Target -> source."""
    rows = [
        f"<zeebe:{kind} source={quoteattr(source)} target={quoteattr(target)}/>"
        for kind, found in (("input", inputs or {}), ("output", outputs or {}))
        for target, source in found.items()
    ]
    return f"<zeebe:ioMapping>{''.join(rows)}</zeebe:ioMapping>"


def milestone(text: str) -> str:
    return f'<zeebe:properties><zeebe:property name="milestone" value={quoteattr(text)}/></zeebe:properties>'


def headers(**found: str) -> str:
    rows = "".join(f"<zeebe:header key={quoteattr(k)} value={quoteattr(v)}/>" for k, v in found.items())
    return f"<zeebe:taskHeaders>{rows}</zeebe:taskHeaders>"


def listeners(*found: str, tag: str = "executionListener") -> str:
    """Each is ``event:type``, or ``event:type:retries``."""
    rows = ""
    for one in found:
        event, type_, *retries = one.split(":")
        more = f" retries={quoteattr(retries[0])}" if retries else ""
        rows += f"<zeebe:{tag} eventType={quoteattr(event)} type={quoteattr(type_)}{more}/>"
    return f"<zeebe:{tag}s>{rows}</zeebe:{tag}s>"


def start(id: str = "start", *inside: str, zeebe: str = "", **attributes: str) -> str:
    return element("startEvent", id, *inside, zeebe=zeebe, **attributes)


def end(id: str = "end", *inside: str, zeebe: str = "") -> str:
    return element("endEvent", id, *inside, zeebe=zeebe)


def service(id: str, *inside: str, type: str = "", zeebe: str = "", retries: str = "3") -> str:
    """The job type is the element's id, unless told."""
    job = f"<zeebe:taskDefinition type={quoteattr(type or id)} retries={quoteattr(retries)}/>"
    return element("serviceTask", id, *inside, zeebe=job + zeebe)


def user(id: str, *inside: str, zeebe: str = "") -> str:
    return element("userTask", id, *inside, zeebe="<zeebe:userTask/>" + zeebe)


def script(id: str, expression: str, result: str) -> str:
    return element(
        "scriptTask",
        id,
        zeebe=f"<zeebe:script expression={quoteattr(expression)} resultVariable={quoteattr(result)}/>",
    )


def call(id: str, called: str, *, zeebe: str = "", **attributes: str) -> str:
    text = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return element(
        "callActivity", id, zeebe=f"<zeebe:calledElement processId={quoteattr(called)}{text}/>" + zeebe
    )


def boundary(id: str, host: str, *inside: str, interrupting: bool = True, zeebe: str = "") -> str:
    return element(
        "boundaryEvent",
        id,
        *inside,
        zeebe=zeebe,
        attachedToRef=host,
        cancelActivity="true" if interrupting else "false",
    )


def catch(id: str, *inside: str, zeebe: str = "") -> str:
    return element("intermediateCatchEvent", id, *inside, zeebe=zeebe)


def throw(id: str, *inside: str, zeebe: str = "") -> str:
    return element("intermediateThrowEvent", id, *inside, zeebe=zeebe)


def exclusive(id: str, default: str | None = None) -> str:
    return element("exclusiveGateway", id, **({"default": default} if default else {}))


def parallel(id: str) -> str:
    return element("parallelGateway", id)


def sub(id: str, *parts: str, zeebe: str = "") -> str:
    return element("subProcess", id, *parts, zeebe=zeebe)


def transaction(id: str, *parts: str, zeebe: str = "", **attributes: str) -> str:
    return element("transaction", id, *parts, zeebe=zeebe, **attributes)


def event_sub(id: str, *parts: str) -> str:
    return element("subProcess", id, *parts, triggeredByEvent="true")


def flow(source: str, target: str, condition: str | None = None, id: str | None = None) -> str:
    """The flow's id is ``source-target``, unless told."""
    inside = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
    inside = inside.replace("<bpmn:conditionExpression>", "<bpmn:conditionExpression><![CDATA[").replace(
        "</bpmn:conditionExpression>", "]]></bpmn:conditionExpression>"
    )
    return (
        f'<bpmn:sequenceFlow id="{id or f"{source}-{target}"}" sourceRef="{source}" targetRef="{target}">'
        f"{inside}</bpmn:sequenceFlow>"
    )


def flows(*ids: str) -> str:
    """A chain of flows."""
    return "".join(flow(a, b) for a, b in pairwise(ids))


def duration(text: str) -> str:
    return _timer("timeDuration", text)


def cycle(text: str) -> str:
    return _timer("timeCycle", text)


def date(text: str) -> str:
    return _timer("timeDate", text)


def _timer(tag: str, text: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{tag}>{text}</bpmn:{tag}></bpmn:timerEventDefinition>"


def message(name: str) -> str:
    """Refers to the message that ``message_definition`` made."""
    return f'<bpmn:messageEventDefinition messageRef="message-{name}"/>'


def message_definition(name: str, correlation_key: str | None = "=key") -> str:
    key = (
        f"<bpmn:extensionElements><zeebe:subscription correlationKey={quoteattr(correlation_key)}/>"
        "</bpmn:extensionElements>"
        if correlation_key is not None
        else ""
    )
    return f'<bpmn:message id="message-{name}" name="{name}">{key}</bpmn:message>'


def error(code: str | None = None, **variables: str) -> str:
    """``variables``: errorCodeVariable, errorMessageVariable."""
    reference = f' errorRef="error-{code}"' if code else ""
    text = "".join(f" {name}={quoteattr(value)}" for name, value in variables.items())
    named = f"<bpmn:extensionElements><zeebe:error{text}/></bpmn:extensionElements>" if text else ""
    return f"<bpmn:errorEventDefinition{reference}>{named}</bpmn:errorEventDefinition>"


def error_definition(code: str) -> str:
    """The code may be an expression."""
    return f'<bpmn:error id="error-{code}" errorCode={quoteattr(code)}/>'


def signal(name: str) -> str:
    """Refers to the signal that ``signal_definition`` made."""
    return f'<bpmn:signalEventDefinition signalRef="signal-{name}"/>'


def signal_definition(name: str, text: str | None = None) -> str:
    """``text`` is its name in the model, an expression maybe."""
    return f'<bpmn:signal id="signal-{name}" name={quoteattr(name if text is None else text)}/>'


def condition(text: str, **filter: str) -> str:
    """``filter``: variableNames, variableEvents."""
    said = "".join(f" {name}={quoteattr(value)}" for name, value in filter.items())
    limits = f"<bpmn:extensionElements><zeebe:conditionalFilter{said}/></bpmn:extensionElements>"
    return (
        f"<bpmn:conditionalEventDefinition>{limits if said else ''}"
        f"<bpmn:condition><![CDATA[{text}]]></bpmn:condition></bpmn:conditionalEventDefinition>"
    )


def escalation(code: str | None = None) -> str:
    reference = f' escalationRef="escalation-{code}"' if code else ""
    return f"<bpmn:escalationEventDefinition{reference}/>"


def escalation_definition(code: str) -> str:
    """The code may be an expression."""
    return f'<bpmn:escalation id="escalation-{code}" escalationCode={quoteattr(code)}/>'


def compensation(activity: str | None = None, **attributes: str) -> str:
    if activity is not None:
        attributes["activityRef"] = activity
    text = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<bpmn:compensateEventDefinition{text}/>"


def undone(host: str, handler: str) -> str:
    """A compensation boundary event on ``host``, associated with the XML of its handler."""
    id = handler.split('id="', 1)[1].split('"', 1)[0]
    event = f"{host}-undone"
    return (
        boundary(event, host, compensation())
        + handler.replace(f'id="{id}"', f'id="{id}" isForCompensation="true"', 1)
        + association(event, id)
    )


def association(source: str, target: str) -> str:
    return f'<bpmn:association id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def each(
    collection: str, *, item: str = "item", sequential: bool = False, until: str = "", **attributes: str
) -> str:
    """A multi-instance over ``collection``."""
    text = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    condition = f"<bpmn:completionCondition>{until}</bpmn:completionCondition>" if until else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"<bpmn:extensionElements><zeebe:loopCharacteristics inputCollection={quoteattr(collection)} "
        f'inputElement="{item}"{text}/></bpmn:extensionElements>{condition}'
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def service_for_each(id: str, loop: str, zeebe: str = "") -> str:
    return element("serviceTask", id, loop, zeebe=f'<zeebe:taskDefinition type="{id}"/>{zeebe}')


TERMINATE = "<bpmn:terminateEventDefinition/>"
CANCEL = "<bpmn:cancelEventDefinition/>"
