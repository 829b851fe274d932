import pytest

from towpath.engine import effects

from .host import Host
from .models import (
    bpmn,
    catch,
    duration,
    element,
    end,
    exclusive,
    flow,
    flows,
    message,
    message_definition,
    parallel,
    service,
    start,
)

CHOICE = bpmn(
    start(),
    exclusive("which", default="which-c"),
    service("a"),
    service("b"),
    service("c"),
    end(),
    flows("start", "which"),
    flow("which", "a", "=n > 10"),
    flow("which", "b", "=n > 5"),
    flow("which", "c"),
    flows("a", "end"),
    flows("b", "end"),
    flows("c", "end"),
)


@pytest.mark.parametrize(("n", "way"), [(11, "a"), (6, "b"), (1, "c")])
def test_an_exclusive_gateway_takes_the_first_true_condition_else_the_default(n: int, way: str) -> None:
    host = Host(CHOICE)
    host.start({"n": n})
    host.complete(way)
    assert host.nothing_left()


def test_a_condition_that_is_neither_true_nor_false_is_an_incident() -> None:
    host = Host(CHOICE)
    key = host.start({"n": "many"})
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    assert "n > 10" in host.incident().message
    host.set(key, {"n": 6})
    host.resolve()
    host.complete("b")
    assert host.nothing_left()


def test_the_incident_of_a_null_condition_says_why_it_is_null_and_what_may_have_been_meant() -> None:
    host = Host(CHOICE)
    host.start({"m": 6, "number": 1})
    assert "must be true or false, but is null (1:1: variable 'n' not found" in host.incident().message
    misspelt = bpmn(
        start(),
        exclusive("which", default="which-end"),
        service("a"),
        end(),
        flows("start", "which"),
        flow("which", "a", "=amout > 10"),
        flow("which", "end"),
        flows("a", "end"),
    )
    host = Host(misspelt)
    host.start({"amount": 6})
    assert "(1:1: variable 'amout' not found, did you mean 'amount'?)" in host.incident().message


@pytest.mark.parametrize("kind", ["exclusiveGateway", "inclusiveGateway"])
def test_no_true_condition_without_a_default_is_an_incident(kind: str) -> None:
    host = Host(
        bpmn(
            start(),
            element(kind, "which"),
            service("a"),
            service("b"),
            flows("start", "which"),
            flow("which", "a", "=n = 1"),
            flow("which", "b", "=n = 2"),
        )
    )
    key = host.start({"n": 3})
    assert host.incident().error_type == "CONDITION_ERROR"
    host.set(key, {"n": 2})
    host.resolve()
    host.complete("b")
    assert host.nothing_left()


def test_a_parallel_gateway_takes_all_flows_and_joins_them() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            *(service(name) for name in "abcd"),
            parallel("join"),
            service("after"),
            end(),
            flows("start", "fork"),
            *(flows("fork", name, "join") for name in "abcd"),
            flows("join", "after", "end"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["a", "b", "c", "d"]
    for name in "dbc":
        host.complete(name)
        assert host.waiting(key) == sorted(set(host.waiting(key)))
    assert host.waiting(key) == ["a"]
    host.complete("a")
    assert host.waiting(key) == ["after"]
    host.complete("after")
    assert host.path().count("join") == 1
    assert host.nothing_left()


def test_a_parallel_join_needs_one_of_each_flow_even_when_one_came_twice() -> None:
    host = Host(
        bpmn(
            start(),
            parallel("fork"),
            exclusive("merge"),
            service("slow"),
            parallel("join"),
            service("after"),
            flows("start", "fork"),
            flow("fork", "merge", id="one"),
            flow("fork", "merge", id="two"),
            flows("fork", "slow", "join"),
            flows("merge", "join", "after"),
        )
    )
    key = host.start()
    assert host.waiting(key) == ["slow"]
    host.complete("slow")
    assert host.waiting(key) == ["after"]
    host.complete("after")
    # The second arrival of one flow still waits for the other: the instance cannot end.
    assert host.instance(key).root.taken == {"merge-join": 1}


INCLUSIVE = bpmn(
    start(),
    element("inclusiveGateway", "fork", default="fork-c"),
    service("a"),
    service("b"),
    service("c"),
    element("inclusiveGateway", "join"),
    service("after"),
    end(),
    flows("start", "fork"),
    flow("fork", "a", "=a"),
    flow("fork", "b", "=b"),
    flow("fork", "c"),
    flows("a", "join"),
    flows("b", "join"),
    flows("c", "join"),
    flows("join", "after", "end"),
)


@pytest.mark.parametrize(
    ("a", "b", "ways"),
    [(True, True, ["a", "b"]), (True, False, ["a"]), (False, True, ["b"]), (False, False, ["c"])],
)
def test_an_inclusive_gateway_takes_all_true_flows_and_joins_what_was_taken(
    a: bool, b: bool, ways: list[str]
) -> None:
    host = Host(INCLUSIVE)
    key = host.start({"a": a, "b": b})
    assert host.waiting(key) == ways
    for way in ways:
        assert "after" not in host.waiting(key)
        host.complete(way)
    assert host.waiting(key) == ["after"]
    host.complete("after")
    assert host.nothing_left()


def test_an_inclusive_join_goes_on_when_the_other_branch_ends_elsewhere() -> None:
    host = Host(
        bpmn(
            start(),
            element("inclusiveGateway", "fork"),
            service("a"),
            service("b"),
            exclusive("out", default="out-join"),
            end("away"),
            element("inclusiveGateway", "join"),
            service("after"),
            end(),
            flows("start", "fork"),
            flow("fork", "a", "=true"),
            flow("fork", "b", "=true"),
            flows("a", "join"),
            flows("b", "out"),
            flow("out", "away", "=leave"),
            flow("out", "join"),
            flows("join", "after", "end"),
        )
    )
    key = host.start({"leave": True})
    host.complete("a")
    assert host.waiting(key) == ["b"]
    host.complete("b")
    assert host.waiting(key) == ["after"]
    host.complete("after")
    assert host.nothing_left()


RACE = bpmn(
    start(),
    element("eventBasedGateway", "race"),
    catch("late", duration("PT10M")),
    catch("paid", message("paid")),
    service("remind"),
    service("ship"),
    flows("start", "race", "late", "remind"),
    flows("race", "paid", "ship"),
    globals=message_definition("paid"),
)


def test_an_event_based_gateway_follows_the_first_event_and_forgets_the_others() -> None:
    host = Host(RACE)
    key = host.start({"key": "k"})
    assert host.waiting(key) == ["race"]
    host.publish("paid", "k", {"sum": 3})
    assert host.timers == {}
    assert host.job("ship").variables == {"key": "k", "sum": 3}
    assert {"race-paid", "paid-ship"} <= {f.flow_id for f in host.records(effects.FlowRecord)}
    assert "paid" in host.path()


def test_an_event_based_gateway_can_time_out() -> None:
    host = Host(RACE)
    host.start({"key": "k"})
    host.wait(600_000)
    host.complete("remind")
    assert host.nothing_left()
