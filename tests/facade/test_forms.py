"""form-js forms as JSON Schema, and submissions checked against them."""

import json
from typing import Any

import pytest

from towpath.facade.forms import Form, compile_form


def form(*components: dict[str, Any]) -> Form:
    return compile_form(json.dumps({"type": "default", "id": "test", "components": list(components)}))


def wrong(subject: Form, **data: Any) -> dict[str, str]:
    return {error["field"]: error["message"] for error in subject.errors(data)}


def field(type_: str, key: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "key": key, "label": key.capitalize(), **more}


def test_a_required_field_that_is_missing_empty_or_null_is_named_with_its_label() -> None:
    subject = form(field("textfield", "policy", validate={"required": True}))
    expected = {"policy": "Policy is required."}
    assert wrong(subject) == expected
    assert wrong(subject, policy="") == expected
    assert wrong(subject, policy=None) == expected
    assert wrong(subject, policy="P-1") == {}


def test_every_missing_field_is_told_at_once() -> None:
    subject = form(*(field("textfield", key, validate={"required": True}) for key in ("a", "b", "c")))
    assert list(wrong(subject, b="x")) == ["a", "c"]


def test_what_is_not_a_field_of_the_form_is_refused() -> None:
    assert wrong(form(field("textfield", "a")), a="x", decision={}) == {
        "decision": "decision is not a field of the form."
    }


@pytest.mark.parametrize(
    ("component", "value", "reason"),
    [
        (field("textfield", "x", validate={"minLength": 3}), "ab", "X must have at least 3 characters."),
        (field("textarea", "x", validate={"maxLength": 3}), "abcd", "X must have at most 3 characters."),
        (field("textfield", "x", validate={"pattern": "^P-[0-9]+$"}), "Q", "X must match ^P-[0-9]+$."),
        (field("textfield", "x"), 5, "X must be a string."),
        (field("textfield", "x", validate={"validationType": "email"}), "ada", "X must match "),
        (field("textfield", "x", validate={"validationType": "phone"}), "call me", "X must match "),
        (field("number", "x", validate={"min": 0}), -1, "X must be at least 0."),
        (field("number", "x", validate={"max": "10"}), 10.5, "X must be at most 10."),
        (field("number", "x"), "5", "X must be a number."),
        (field("number", "x", decimalDigits=0), 1.5, "X must be an integer."),
        (field("number", "x", serializeToString=True), "1,5", "X must match "),
        (field("checkbox", "x"), "yes", "X must be a boolean."),
        (field("checkbox", "x", validate={"required": True}), False, "X has to be ticked."),
        (field("radio", "x", values=[{"label": "A", "value": "a"}]), "b", 'X must be one of "a".'),
        (field("select", "x", values=[{"label": "Yes", "value": True}]), "yes", "X must be one of true."),
        (field("datetime", "x", subtype="date"), "tomorrow", "X must match "),
        (field("datetime", "x", subtype="time"), "9", "X must match "),
        (field("datetime", "x", subtype="datetime"), "2026-11-22", "X must match "),
    ],
)
def test_a_constraint_of_the_form_holds(component: dict[str, Any], value: Any, reason: str) -> None:
    found = wrong(form(component), x=value)
    assert list(found) == ["x"]
    assert found["x"].startswith(reason)


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (field("number", "x", validate={"min": 0, "max": 10}), 9.75),
        (field("select", "x", values=[{"label": "A", "value": "a"}]), "a"),
        (field("select", "x", valuesExpression="=options"), "whatever the process offers"),
        (field("select", "x", values=[{"label": "A", "value": "a"}]), None),
        (field("taglist", "x", values=[{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]), ["b"]),
        (field("datetime", "x", subtype="datetime"), "2026-11-22T10:00+01:00"),
        (field("textfield", "x", validate={"pattern": "(?<year>\\d{4})"}), "2026"),
        (field("textfield", "x", validate={"validationType": "email"}), "ada@example.com"),
    ],
)
def test_what_the_form_would_take_is_taken(component: dict[str, Any], value: Any) -> None:
    assert wrong(form(component), x=value) == {}


def test_a_choice_made_twice_or_not_offered_is_named_by_its_place() -> None:
    subject = form(field("checklist", "x", values=[{"label": "A", "value": "a"}]))
    assert wrong(subject, x=["a", "a"]) == {"x": "X must not name anything twice."}
    assert list(wrong(subject, x=["b"])) == ["x.0"]


def test_groups_and_dotted_keys_nest() -> None:
    subject = form(
        {
            "type": "group",
            "path": "driver",
            "components": [field("textfield", "name", validate={"required": True})],
        },
        field("textfield", "car.plate", validate={"required": True}),
    )
    assert wrong(subject, driver={"name": "Ada"}, car={"plate": "HH 1"}) == {}
    assert list(wrong(subject, driver={}, car={})) == ["car.plate", "driver.name"]


def test_a_group_without_a_path_does_not_nest() -> None:
    subject = form({"type": "group", "components": [field("textfield", "name")]})
    assert wrong(subject, name="Ada") == {}


def test_the_rows_of_a_dynamic_list_are_checked_each() -> None:
    subject = form(
        {"type": "dynamiclist", "path": "items", "components": [field("number", "price")]},
    )
    assert wrong(subject, items=[{"price": 1}, {"price": 2}]) == {}
    assert list(wrong(subject, items=[{"price": 1}, {"price": "two"}])) == ["items.1.price"]


def test_a_field_under_a_condition_is_not_required() -> None:
    subject = form(field("textfield", "x", validate={"required": True}, conditional={"hide": "=a"}))
    assert wrong(subject) == {}


def test_what_the_form_only_shows_is_never_taken_from_a_submission() -> None:
    subject = form(field("textfield", "policy", readonly=True), field("number", "amount"))
    assert wrong(subject, policy=7, amount=1) == {}
    assert subject.taken({"policy": "P-9", "amount": 1}) == {"amount": 1}


def test_a_filepicker_is_no_field_of_the_data() -> None:
    subject = form(field("filepicker", "photos", accept="image/*, .pdf", multiple=True))
    assert subject.schema["properties"] == {}
    photos = subject.files["photos"]
    assert photos.multiple
    assert not photos.required
    assert photos.accepts("dent.JPG", "image/jpeg")
    assert photos.accepts("letter.PDF", "application/octet-stream")
    assert not photos.accepts("page.html", "text/html")


def test_texts_and_buttons_hold_no_data() -> None:
    subject = form({"type": "text", "text": "# Hello"}, {"type": "button", "key": "go", "action": "submit"})
    assert subject.schema["properties"] == {}


@pytest.mark.parametrize("text", ["[]", "7", "{", '"form"'])
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        compile_form(text)
