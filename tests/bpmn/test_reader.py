import pytest

from tests.engine.models import (
    CANCEL,
    HEAD,
    TERMINATE,
    association,
    boundary,
    bpmn,
    call,
    catch,
    compensation,
    cycle,
    date,
    definitions,
    duration,
    each,
    element,
    end,
    error,
    error_definition,
    escalation,
    escalation_definition,
    event_sub,
    exclusive,
    flow,
    flows,
    mapping,
    message,
    message_definition,
    milestone,
    process,
    service,
    service_for_each,
    start,
    sub,
    throw,
    transaction,
    undone,
    user,
)
from towpath.bpmn import CaughtMessage, Definitions, read
from towpath.faults import Fault, Faulty


def faults(xml: bytes) -> list[Fault]:
    with pytest.raises(Faulty) as caught:
        read(xml, "model.bpmn")
    return list(caught.value.faults)


def rules(xml: bytes) -> set[tuple[str, str | None]]:
    """The rules broken, and at which elements."""
    return {(fault.rule.removeprefix("bpmn."), fault.element) for fault in faults(xml)}


def around(*parts: str, globals: str = "") -> bytes:
    """A process that would be right but for ``parts``."""
    return bpmn(start(), end(), flows("start", "end"), *parts, globals=globals)


# --- what is read ---------------------------------------------------------------------------------


def test_a_process_tells_what_others_ask_of_it() -> None:
    definitions_ = read(
        bpmn(
            start(zeebe='<zeebe:formDefinition formId="apply"/>' + milestone("Received")),
            service("work", type="send-letter", zeebe=mapping(inputs={"a.b": "=c"})),
            call("pay", "payout"),
            user("check", zeebe='<zeebe:formDefinition formId="check-form"/>'),
            element(
                "businessRuleTask",
                "rule",
                zeebe='<zeebe:calledDecision decisionId="route" resultVariable="r"/>',
            ),
            catch("wait", message("paid")),
            end(),
            flows("start", "work", "pay", "check", "rule", "wait", "end"),
            globals=message_definition("paid"),
        )
    )
    found = definitions_.processes[0]
    assert (found.id, found.name, found.version_tag) == ("p", "p", None)
    assert found.start_form == "apply"
    assert [r.id for r in found.forms] == ["apply", "check-form"]
    assert [(r.id, r.element_id) for r in found.job_types] == [("send-letter", "work")]
    assert [(r.id, r.element_id) for r in found.called_processes] == [("payout", "pay")]
    assert [(r.id, r.element_id) for r in found.called_decisions] == [("route", "rule")]
    assert found.messages == [CaughtMessage("paid", "wait", None)]
    assert found.element("start").milestone == "Received"
    assert found.element("start").properties == {"milestone": "Received"}
    assert found.element("work").type == "SERVICE_TASK"
    assert found.element("work").inputs[0].target == ("a", "b")
    assert all(found.elements[e.id] is e and e.index == n for n, e in enumerate(found.elements.values()))


def test_a_version_tag_is_read() -> None:
    xml = definitions(process(start(), extensions='<zeebe:versionTag value="v7"/>'))
    assert read(xml).processes[0].version_tag == "v7"


def test_processes_that_are_not_executable_are_left_out_unjudged() -> None:
    other = '<bpmn:process id="q"><bpmn:complexGateway id="x"/></bpmn:process>'
    assert [p.id for p in read(definitions(process(start()), other)).processes] == ["p"]


def test_drawn_elements_and_data_have_no_part_in_execution() -> None:
    drawn = (
        '<bpmn:laneSet id="l"><bpmn:lane id="l1"><bpmn:flowNodeRef>start</bpmn:flowNodeRef></bpmn:lane>'
        "</bpmn:laneSet>"
        '<bpmn:dataObject id="d1"/><bpmn:dataObjectReference id="d2" dataObjectRef="d1"/>'
        '<bpmn:dataStoreReference id="d3"/>'
        '<bpmn:textAnnotation id="t"><bpmn:text>x</bpmn:text></bpmn:textAnnotation>'
        '<bpmn:association id="a" sourceRef="start" targetRef="t"/><bpmn:group id="g"/>'
    )
    assert set(read(around(drawn)).processes[0].elements) == {"p", "start", "end"}


def test_reading_the_same_file_twice_gives_the_same_graph() -> None:
    xml = around(service("a"), boundary("b", "a", duration("PT1S")), flows("b", "end"))
    first, second = read(xml).processes[0], read(xml).processes[0]
    assert list(first.elements) == list(second.elements)
    assert list(first.flows) == list(second.flows)


# --- what is refused ------------------------------------------------------------------------------


def test_every_fault_is_told_at_once_with_element_line_rule_and_remedy() -> None:
    xml = definitions(
        process(
            start(),
            '\n<bpmn:serviceTask id="work" name="Do it"/>',
            exclusive("which"),
            flow("which", "work", "=a >"),
            flow("which", "nowhere"),
            "\n<bpmn:complexGateway id='odd'/>",
        )
    )
    found = faults(xml)
    by_element = {fault.element: fault for fault in found}
    assert {"work", "odd", "which-work", "which-nowhere"} <= set(by_element)
    fault = by_element["work"]
    assert (fault.file, fault.rule, fault.element_name) == ("model.bpmn", "bpmn.task-definition", "Do it")
    assert fault.line is not None
    assert fault.line > 1
    assert fault.remedy
    assert str(fault).startswith(f"model.bpmn:{fault.line}: work ('Do it')")


NOT_EXECUTED = {
    "ad-hoc": element("adHocSubProcess", "x"),
    "transaction without compensation": transaction("x", start("s1"), method="##Store"),
    "transaction that an event triggers": transaction("x", start("s1"), triggeredByEvent="true"),
    "complex gateway": element("complexGateway", "x"),
    "escalation caught in a flow": catch("x", escalation()),
    "escalation that starts a process": start("x", escalation()),
    "compensation caught in a flow": catch("x", compensation()),
    "compensation that starts a process": start("x", compensation()),
    "conditional end": end("x", "<bpmn:conditionalEventDefinition/>"),
    "cancel thrown in a flow": throw("x", CANCEL),
    "cancel caught in a flow": catch("x", CANCEL),
    "cancel that starts an event sub-process": event_sub("y", start("x", CANCEL)),
    "several events": catch("x", duration("PT1S"), "<bpmn:signalEventDefinition/>"),
    "error catch": catch("x", error()),
    "timer end": end("x", duration("PT1S")),
    "standard loop": element("task", "x", "<bpmn:standardLoopCharacteristics/>"),
    "error start of a process": start("x", error()),
    "error start of a sub-process": sub("y", start("x", error())),
    "timer thrown": element("intermediateThrowEvent", "x", duration("PT1S")),
    "terminate boundary": service("h") + boundary("x", "h", TERMINATE),
    "an element of the future": element("quantumTask", "x"),
}


@pytest.mark.parametrize("what", NOT_EXECUTED)
def test_what_is_not_executed_is_refused_by_element(what: str) -> None:
    found = faults(around(NOT_EXECUTED[what], globals=message_definition("m")))
    assert ("bpmn.not-executed", "x") in {(fault.rule, fault.element) for fault in found}, found


def test_an_unknown_extension_is_refused() -> None:
    assert ("unknown-extension", "x") in rules(around(service("x", zeebe="<zeebe:magic/>")))


BROKEN = {
    "job without type": (element("serviceTask", "x"), "task-definition"),
    "empty job type": (element("serviceTask", "x", zeebe='<zeebe:taskDefinition type=""/>'), "missing-value"),
    "retries": (service("x", retries="many"), "retries"),
    "mapping": (service("x", zeebe=mapping(inputs={"a": "=1 +"})), "feel-syntax"),
    "mapping target": (service("x", zeebe=mapping(inputs={"a b": "=1"})), "variable-name"),
    "script": (element("scriptTask", "x"), "script"),
    "rule": (element("businessRuleTask", "x"), "called-decision"),
    "call": (element("callActivity", "x"), "called-element"),
    "binding": (call("x", "q", bindingType="newest"), "binding-type"),
    "version tag": (call("x", "q", bindingType="versionTag"), "binding-type"),
    "receive": (element("receiveTask", "x"), "message-missing"),
    "unknown message": (element("receiveTask", "x", messageRef="nothing"), "message-missing"),
    "no correlation key": (catch("x", message("n")), "correlation-key"),
    "catch nothing": (catch("x"), "catch-event"),
    "timer": (catch("x", duration("5 minutes")), "timer"),
    "date": (catch("x", date("tomorrow")), "timer"),
    "no timer": (catch("x", "<bpmn:timerEventDefinition/>"), "timer"),
    "cron": (
        start("x", cycle("0 0 25 * * *")),
        "timer",
    ),
    "boundary of nothing": (boundary("x", "start", duration("PT1S")), "boundary-event"),
    "boundary without trigger": (service("h") + boundary("x", "h"), "boundary-event"),
    "non-interrupting error": (service("h") + boundary("x", "h", error(), interrupting=False), "error-event"),
    "non-interrupting error start": (
        event_sub("y", start("x", error(), isInterrupting="false")),
        "error-event",
    ),
    "event sub-process with a message without key": (
        event_sub("y", start("x", message("n"))),
        "correlation-key",
    ),
    "the same error twice": (
        service("h") + boundary("y", "h", error()) + boundary("x", "h", error()),
        "error-event",
    ),
    "unknown error": (service("h") + boundary("x", "h", error("E")), "error-missing"),
    "error end without code": (end("x", error()), "error-code"),
    "escalation thrown without code": (throw("x", escalation()), "escalation-code"),
    "escalation end without code": (end("x", escalation()), "escalation-code"),
    "unknown escalation": (throw("x", escalation("E")), "escalation-missing"),
    "an expression that catches": (service("h") + boundary("x", "h", escalation("=code")), "escalation-code"),
    "the same escalation twice": (
        service("h") + boundary("y", "h", escalation("S")) + boundary("x", "h", escalation("S")),
        "escalation-event",
    ),
    "two event sub-processes for all escalations": (
        event_sub("y", start("s1", escalation())) + event_sub("x", start("s2", escalation())),
        "escalation-event",
    ),
    "non-interrupting compensation start": (
        sub("y", start("s1"), event_sub("z", start("x", compensation(), isInterrupting="false"))),
        "compensation-event",
    ),
    "compensation without a handler": (service("h") + boundary("x", "h", compensation()), "compensation"),
    "a handler that is not marked": (
        service("h") + boundary("x", "h", compensation()) + service("u") + association("x", "u"),
        "compensation",
    ),
    "a handler in another scope": (
        service("h")
        + boundary("x", "h", compensation())
        + sub("y", start("s1"), element("task", "u", isForCompensation="true"))
        + association("x", "u"),
        "compensation",
    ),
    "a handler with a flow": (
        service("h") + undone("h", element("task", "x")) + flow("x", "end", id="f"),
        "compensation",
    ),
    "a handler of nothing": (element("task", "x", isForCompensation="true"), "compensation"),
    "an event sub-process as handler": (
        service("h") + undone("h", event_sub("x", start("s1", duration("PT1S")))),
        "compensation",
    ),
    "a handler that is compensated": (
        service("h")
        + undone("h", service("u"))
        + boundary("x", "u", compensation())
        + element("task", "v", isForCompensation="true")
        + association("x", "v"),
        "compensation",
    ),
    "two compensation boundary events": (
        service("h")
        + undone("h", service("u"))
        + boundary("x", "h", compensation())
        + element("task", "v", isForCompensation="true")
        + association("x", "v"),
        "compensation",
    ),
    "a flow from a compensation boundary event": (
        service("x") + undone("x", service("u")) + flow("x-undone", "end", id="f"),
        "compensation",
    ),
    "a process that is compensated": (event_sub("y", start("x", compensation())), "compensation"),
    "two event sub-processes that compensate": (
        sub(
            "y",
            start("s1"),
            event_sub("y1", start("s2", compensation())),
            event_sub("y2", start("x", compensation())),
        ),
        "compensation",
    ),
    "compensation of nothing": (service("h") + throw("x", compensation("h")), "compensation"),
    "compensation of what is not there": (end("x", compensation("nobody")), "compensation"),
    "compensation of what is elsewhere": (
        sub("y", start("s1"), service("h"), undone("h", service("u"))) + throw("x", compensation("h")),
        "compensation",
    ),
    "compensation of a handler": (
        service("h") + undone("h", service("u")) + throw("x", compensation("u")),
        "compensation",
    ),
    "cancel outside a transaction": (sub("y", start("s1"), end("x", CANCEL)), "cancel-event"),
    "a cancel event of no transaction": (
        sub("h", start("s1")) + boundary("x", "h", CANCEL),
        "cancel-event",
    ),
    "cancel without a way out": (transaction("y", start("s1"), end("x", CANCEL)), "cancel-event"),
    "two ways out": (
        transaction("h", start("s1"), end("e1", CANCEL))
        + boundary("y", "h", CANCEL)
        + boundary("x", "h", CANCEL),
        "cancel-event",
    ),
    "non-interrupting cancel": (
        transaction("h", start("s1")) + boundary("x", "h", CANCEL, interrupting=False),
        "cancel-event",
    ),
    "a handler that cancels": (
        transaction(
            "t",
            start("s1"),
            service("h"),
            undone("h", sub("u", start("s2"), end("x", CANCEL))),
        )
        + boundary("y", "t", CANCEL),
        "cancel-event",
    ),
    "a compensating event sub-process that cancels": (
        transaction("t", start("s1"), event_sub("u", start("s2", compensation()), end("x", CANCEL)))
        + boundary("y", "t", CANCEL),
        "cancel-event",
    ),
    "transaction with a timer start": (transaction("x", start("s1", duration("PT1S"))), "start-event"),
    "an unknown extension in an event definition": (
        catch(
            "x",
            duration("PT1S").replace(
                "><", "><bpmn:extensionElements><zeebe:magic/></bpmn:extensionElements><", 1
            ),
        ),
        "unknown-extension",
    ),
    "a variable for an error's code that is none": (
        service("h") + boundary("x", "h", error(None, errorCodeVariable="a b")),
        "variable-name",
    ),
    "a path for an error's message": (
        service("h") + boundary("x", "h", error(None, errorMessageVariable="a.b")),
        "variable-name",
    ),
    "an expression that catches an error": (service("h") + boundary("x", "h", error("=code")), "error-code"),
    "link": (element("intermediateThrowEvent", "x", '<bpmn:linkEventDefinition name="l"/>'), "link-name"),
    "default flow": (exclusive("x", default="none"), "default-flow"),
    "no condition": (exclusive("x") + flow("x", "end", id="f1") + flow("x", "end", id="f2"), "condition"),
    "condition on a task": (service("x") + flow("x", "end", "=true"), "condition"),
    "static condition": (exclusive("g") + flow("g", "end", "true", id="x"), "condition"),
    "flow to a start": (service("y") + flow("y", "x") + start("x", duration("PT1S")), "incoming-flow"),
    "flow from an end": (end("x") + flow("x", "end"), "outgoing-flow"),
    "empty sub-process": (sub("x"), "start-event"),
    "sub-process with a timer start": (sub("x", start("s", duration("PT1S"))), "start-event"),
    "event sub-process without trigger": (event_sub("x", start("s")), "start-event"),
    "flow across a border": (sub("y", start("s1"), end("e1"), flow("s1", "end", id="x")), "sequence-flow"),
    "event-based gateway": (element("eventBasedGateway", "x") + flow("x", "end"), "event-based-gateway"),
    "multi-instance": (element("task", "x", "<bpmn:multiInstanceLoopCharacteristics/>"), "multi-instance"),
    "half an output": (service_for_each("x", each("=a", outputCollection="b")), "multi-instance"),
    "the same id twice": (service("x") + service("x"), "duplicate-id"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_element_is_a_fault_at_that_element(what: str) -> None:
    part, rule = BROKEN[what]
    globals_ = message_definition("n", None) + escalation_definition("S") + escalation_definition("=code")
    globals_ += error_definition("=code")
    found = rules(around(part, globals=globals_))
    named = {element for found_rule, element in found if found_rule == rule}
    assert named & {"x", "x-undone", "p"}, found


def test_a_process_needs_a_start_event_and_at_most_one_without_trigger() -> None:
    assert ("start-event", "p") in rules(bpmn(end()))
    assert ("start-event", "p") in rules(bpmn(start("a"), start("b")))


def test_a_file_without_an_executable_process_is_refused() -> None:
    assert rules(definitions('<bpmn:process id="p"/>')) == {("no-executable-process", "p")}


# --- hostile files --------------------------------------------------------------------------------


def test_entities_and_external_references_are_refused() -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    external = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    remote = b'<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x.dtd">'
    for head in (bomb, external, remote):
        assert rules(head + around()) == {("xml-doctype", None)}


def test_deep_and_huge_xml_is_refused() -> None:
    deep = HEAD + "<bpmn:x>" * 220 + "</bpmn:x>" * 220 + "</bpmn:definitions>"
    assert rules(deep.encode()) <= {("xml-depth", None), ("xml-syntax", None)}
    deeper = HEAD + "<bpmn:x>" * 50_000
    assert rules(deeper.encode()) == {("xml-syntax", None)}
    assert rules(b"<a>" + b" " * (10 * 1024 * 1024) + b"</a>") == {("xml-size", None)}


@pytest.mark.parametrize("xml", [b"", b"not xml", b"<a", b"\xff\xfe\x00", b"<html/>", b"{}"])
def test_what_is_no_bpmn_is_refused(xml: bytes) -> None:
    assert {rule for rule, _ in rules(xml)} <= {"xml-syntax", "not-bpmn"}


def test_a_model_of_thousands_of_elements_is_read() -> None:
    names = [f"t{n}" for n in range(3000)]
    xml = bpmn(start(), *(service(n, type="t") for n in names), end(), flows("start", *names, "end"))
    found: Definitions = read(xml)
    assert len(found.processes[0].elements) == 3003


def test_an_error_code_is_read_from_the_file() -> None:
    found = read(
        bpmn(
            start(),
            service("a"),
            boundary("b", "a", error("E")),
            end(),
            flows("start", "a", "end"),
            flows("b", "end"),
            globals=error_definition("E"),
        )
    )
    assert [e.id for e in found.processes[0].element("a").boundary] == ["b"]
