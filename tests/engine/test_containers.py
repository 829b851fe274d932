from towpath.engine import commands as c
from towpath.engine import effects

from .host import Host
from .models import (
    boundary,
    bpmn,
    call,
    definitions,
    duration,
    end,
    error,
    error_definition,
    flows,
    mapping,
    parallel,
    process,
    service,
    start,
    sub,
)

CHILD = bpmn(start(), service("work"), end(), flows("start", "work", "end"), id="child")


def calling(zeebe: str = "", **attributes: str) -> bytes:
    return bpmn(
        start(), call("call", "child", zeebe=zeebe, **attributes), end(), flows("start", "call", "end")
    )


def test_a_sub_process_runs_inside_the_instance() -> None:
    host = Host(
        bpmn(
            start(),
            sub("inner", start("s1"), service("work"), end("e1"), flows("s1", "work", "e1")),
            boundary("late", "inner", duration("PT1M")),
            service("instead"),
            end(),
            flows("start", "inner", "end"),
            flows("late", "instead"),
        )
    )
    host.start()
    host.complete("work")
    assert host.path() == ["start", "s1", "work", "e1", "inner", "end", "p"]
    assert host.nothing_left()
    host.start()
    host.wait(60_000)
    host.complete("instead")
    assert host.nothing_left()


def test_a_call_activity_passes_variables_both_ways() -> None:
    host = Host(CHILD, calling())
    key = host.start({"a": 1})
    child = host.job_instance[host.job("work").key]
    assert child != key
    created = [r for r in host.records(effects.InstanceRecord) if r.kind == "created"]
    assert created[1].parent == key
    assert host.job("work").variables == {"a": 1}
    host.complete("work", {"b": 2})
    assert host.values(key) == {"a": 1, "b": 2}
    assert host.nothing_left()


def test_a_call_activity_can_pass_only_what_is_mapped() -> None:
    host = Host(
        CHILD,
        calling(
            mapping(inputs={"x": "=a"}, outputs={"y": "=b"}),
            propagateAllParentVariables="false",
            propagateAllChildVariables="false",
        ),
    )
    key = host.start({"a": 1})
    assert host.job("work").variables == {"x": 1}
    host.complete("work", {"b": 2})
    assert host.values(key) == {"a": 1, "y": 2}


def test_without_propagation_and_mappings_nothing_comes_back() -> None:
    host = Host(CHILD, calling(propagateAllChildVariables="false"))
    key = host.start({"a": 1})
    host.complete("work", {"b": 2})
    assert host.values(key) == {"a": 1}


def test_a_missing_called_process_is_an_incident() -> None:
    host = Host(calling())
    host.start()
    assert host.incident().error_type == "CALLED_ELEMENT_ERROR"
    assert "child" in host.incident().message
    host.deploy(CHILD)
    host.resolve()
    host.complete("work")
    assert host.nothing_left()


def test_cancelling_the_caller_cancels_the_called_and_not_the_other_way() -> None:
    host = Host(CHILD, calling())
    key = host.start()
    child = host.job_instance[host.job("work").key]
    rejected = host.cancel(child)
    assert rejected is not None
    assert rejected.type == "invalid-state"
    host.cancel(key)
    assert host.ended[child].terminated
    assert host.ended[key].terminated
    assert host.nothing_left()


def chain(*levels: str, catcher: str = "") -> list[bytes]:
    """Processes that call each other; ``catcher`` is attached to the call of the first."""
    files = [CHILD]
    for name, called in zip(levels, [*levels[1:], "child"], strict=True):
        first = name == levels[0]
        files.append(
            definitions(
                process(
                    start(),
                    call("call", called),
                    end(),
                    flows("start", "call", "end"),
                    *(
                        (boundary("caught", "call", catcher), service("instead"), flows("caught", "instead"))
                        if first and catcher
                        else ()
                    ),
                    id=name,
                ),
                error_definition("BAD"),
            )
        )
    return files


def test_an_error_goes_up_through_calls_to_what_catches_it() -> None:
    host = Host(*chain("p", "q", "r", catcher=error("BAD")))
    key = host.start({"a": 1})
    host.throw("work", "BAD", {"why": "x"})
    assert host.waiting(key) == ["instead"]
    assert len(host.states) == 1, "the called instances are gone"
    assert host.values(key) == {"a": 1}
    host.complete("instead")
    assert host.nothing_left()


def test_an_error_that_no_caller_catches_is_an_incident_where_it_was_thrown() -> None:
    host = Host(*chain("p", "q", "r", catcher=error("BAD")))
    key = host.start()
    host.throw("work", "OTHER")
    assert host.incident().error_type == "UNHANDLED_ERROR_EVENT"
    assert host.incident().element_id == "work"
    assert host.incident().job_key == host.job("work").key
    host.resolve()
    host.complete("work")
    assert key in host.ended
    assert host.nothing_left()


def test_a_called_instance_that_was_terminated_is_an_incident_that_calls_again() -> None:
    host = Host(CHILD, calling())
    key = host.start()
    child = host.job_instance[host.job("work").key]
    waiting = next(e for e in host.instance(key).elements.values() if e.element == "call")
    host.send(c.CancelInstance(id="x", at=host.now, instance_key=child, from_parent=True))
    host.send(
        c.CalledInstanceTerminated(
            id="y", at=host.now, instance_key=key, element_instance_key=waiting.key, called_key=child
        )
    )
    assert host.incident().error_type == "CALLED_ELEMENT_ERROR"
    host.resolve()
    host.complete("work")
    assert host.nothing_left()


def test_cancelling_ends_everything() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            service("a"),
            sub("inner", start("s1"), service("b"), flows("s1", "b")),
            boundary("late", "inner", duration("PT1M")),
            end(),
            flows("start", "fork", "a"),
            flows("fork", "inner"),
            flows("late", "end"),
        )
    )
    key = host.start()
    host.cancel(key)
    assert host.ended[key].terminated
    assert host.nothing_left()
    assert sorted(host.path("terminated")) == ["a", "b", "inner", "p"]


def test_a_process_without_a_none_start_cannot_be_started_as_such() -> None:
    host = Host(bpmn(start("s", duration("PT1M")), end(), flows("s", "end")))
    deployed = host.find_process("p", caller=0)
    assert deployed is not None
    create = c.CreateInstance(id="1", at=host.now, instance_key=1, definition_key=deployed.key)
    rejected = host.send(create)
    assert rejected is not None
    assert rejected.type == "invalid-state"
    for wrong in ("end", "nothing"):
        rejected = host.send(
            c.CreateInstance(
                id="2", at=host.now, instance_key=2, definition_key=deployed.key, start_element=wrong
            )
        )
        assert rejected is not None
        assert rejected.type == "invalid-argument"
    host.start(start_element="s")
    assert host.nothing_left()
