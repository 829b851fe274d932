from towpath.engine import commands as c
from towpath.engine import effects

from .host import Host
from .models import bpmn, end, flows, mapping, service, start, sub


def nested(**inputs: str) -> bytes:
    return bpmn(
        start(),
        sub(
            "outer",
            start("s1"),
            service("work"),
            end("e1"),
            flows("s1", "work", "e1"),
            zeebe=mapping(inputs=inputs) if inputs else "",
        ),
        service("after"),
        end(),
        flows("start", "outer", "after", "end"),
    )


def test_a_result_goes_to_the_nearest_scope_that_has_the_variable() -> None:
    host = Host(nested(x="=0"))
    key = host.start({"x": 1})
    host.complete("work", {"x": 2})
    assert host.job("after").variables == {"x": 1}
    assert host.values(key) == {"x": 1}


def test_a_new_variable_goes_to_the_process() -> None:
    host = Host(nested(x="=0"))
    key = host.start()
    host.complete("work", {"y": 2})
    assert host.values(key) == {"y": 2}


def test_an_element_sees_the_variables_of_all_scopes_around_it_the_nearest_first() -> None:
    host = Host(nested(x="=7"))
    host.start({"x": 1, "z": 3})
    assert host.job("work").variables == {"x": 7, "z": 3}


def test_variables_can_be_set_from_outside_locally_or_propagated() -> None:
    host = Host(nested(x="=0"))
    key = host.start({"x": 1})
    outer = next(e.key for e in host.instance(key).elements.values() if e.element == "outer")
    host.set(key, {"x": 5, "y": 6}, scope=outer)
    assert host.values(key) == {"x": 1, "y": 6}
    host.set(key, {"y": 7}, scope=outer, local=True)
    assert host.values(key) == {"x": 1, "y": 6}
    values = host.instance(key).elements[outer].variables
    assert values is not None
    assert values.data == {"x": 5, "y": 7}


def test_a_variable_record_says_whether_it_is_new() -> None:
    host = Host(nested())
    key = host.start({"x": 1})
    host.complete("work", {"x": 2, "y": 3})
    found = [
        (name, value, name not in record.before)
        for record in host.records(effects.VariablesRecord)
        for name, value in record.values.items()
    ]
    assert found == [("x", 1, True), ("x", 2, False), ("y", 3, True)]
    assert all(record.scope_key == key for record in host.records(effects.VariablesRecord))


def test_a_variable_named_like_a_function_is_seen_by_expressions() -> None:
    host = Host(
        bpmn(
            start(),
            service("work", zeebe=mapping(inputs={"x": "=count + 1"})),
            end(),
            flows("start", "work", "end"),
        )
    )
    host.start({"count": 4})
    assert host.job("work").variables["x"] == 5


def test_variables_of_an_unknown_scope_are_refused() -> None:
    host = Host(nested())
    key = host.start()
    rejected = host.send(
        c.SetVariables(id="x", at=host.now, instance_key=key, scope_key=1, variables={"a": 1})
    )
    assert rejected is not None
    assert rejected.type == "not-found"
