"""What a process offers, read from its BPMN."""

from pathlib import Path

import pytest

from towpath.facade.definitions import read_definition

MODELS = Path(__file__).parent / "models"


def test_messages_tasks_and_calls_are_found() -> None:
    definition = read_definition((MODELS / "ticket.bpmn").read_text(), "ticket")
    assert definition.name == "Ticket"
    assert [(m.message, m.name) for m in definition.messages] == [
        ("ticket-confirmed", "Confirm the visit"),
        ("ticket-note", "A note arrives"),
    ]
    assert [(t.element_id, t.name, t.form_id) for t in definition.tasks] == [
        ("Assess", "Assess the ticket", "assess-ticket")
    ]
    assert definition.calls == {"ticket-visit"}


def test_a_message_that_starts_a_process_is_none_that_an_instance_waits_for() -> None:
    xml = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
      <message id="m" name="begin"/>
      <process id="p"><startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent></process>
    </definitions>"""
    assert read_definition(xml, "p").messages == []


def test_entities_are_not_expanded() -> None:
    xml = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>
    <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
      <process id="p" name="n"><userTask id="t" name="Task"/><documentation>&a;</documentation></process>
    </definitions>"""
    assert read_definition(xml, "p").tasks[0].name == "Task"


@pytest.mark.parametrize("xml", ["", "<a", "<definitions/>"])
def test_what_holds_no_such_process_is_refused(xml: str) -> None:
    with pytest.raises(ValueError):
        read_definition(xml, "p")
