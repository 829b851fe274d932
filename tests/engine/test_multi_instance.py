from towpath.engine import effects

from .host import Host
from .models import boundary, bpmn, duration, each, end, flows, mapping, service, service_for_each, start


def model(loop: str, zeebe: str = "", *more: str) -> bytes:
    return bpmn(start(), service_for_each("work", loop, zeebe), end(), flows("start", "work", "end"), *more)


COLLECT = {"outputCollection": "results", "outputElement": "=result"}


def test_a_parallel_multi_instance_has_one_instance_for_each_item_and_collects_in_order() -> None:
    host = Host(model(each("=items", **COLLECT)))
    key = host.start({"items": ["a", "b", "c"]})
    jobs = {job.variables["item"]: job for job in host.jobs.values()}
    assert sorted(jobs) == ["a", "b", "c"]
    assert [jobs[item].variables["loopCounter"] for item in "abc"] == [1, 2, 3]
    for item in "cab":
        host.complete(jobs[item].key, {"result": item.upper()})
    assert host.values(key) == {"items": ["a", "b", "c"], "results": ["A", "B", "C"]}
    types = [
        r.type
        for r in host.records(effects.ElementRecord)
        if r.kind == "completed" and r.element_id == "work"
    ]
    assert types == ["SERVICE_TASK"] * 3 + ["MULTI_INSTANCE_BODY"]
    assert host.nothing_left()


def test_a_sequential_multi_instance_goes_item_by_item() -> None:
    host = Host(model(each("=items", sequential=True, **COLLECT)))
    key = host.start({"items": [1, 2, 3]})
    for n in (1, 2, 3):
        job = host.job("work")
        assert job.variables["item"] == n
        host.complete("work", {"result": n * n})
    assert host.values(key)["results"] == [1, 4, 9]
    assert host.nothing_left()


def test_an_empty_collection_is_passed() -> None:
    host = Host(model(each("=items", **COLLECT)))
    key = host.start({"items": []})
    assert host.values(key) == {"items": [], "results": []}
    assert host.nothing_left()


def test_a_collection_that_is_no_list_is_an_incident() -> None:
    host = Host(model(each("=items")))
    key = host.start({"items": 3})
    assert host.incident().error_type == "EXTRACT_VALUE_ERROR"
    host.set(key, {"items": [1]})
    host.resolve()
    host.complete("work")
    assert host.nothing_left()


def test_a_completion_condition_ends_the_rest() -> None:
    host = Host(model(each("=items", until="=numberOfCompletedInstances >= 2")))
    host.start({"items": [1, 2, 3, 4]})
    jobs = list(host.jobs)
    host.complete(jobs[1])
    assert len(host.jobs) == 3
    host.complete(jobs[3])
    assert host.nothing_left()


def test_a_sequential_multi_instance_can_end_early() -> None:
    host = Host(model(each("=items", sequential=True, until="=item = 2")))
    host.start({"items": [1, 2, 3]})
    host.complete("work")
    host.complete("work")
    assert host.nothing_left()


def test_a_boundary_event_of_a_multi_instance_ends_all_of_it() -> None:
    host = Host(
        model(
            each("=items"),
            "",
            boundary("late", "work", duration("PT1M")),
            service("instead"),
            flows("late", "instead"),
        )
    )
    key = host.start({"items": [1, 2]})
    assert len(host.timers) == 1
    host.wait(60_000)
    assert host.waiting(key) == ["instead"]
    host.complete("instead")
    assert host.nothing_left()


def test_mappings_belong_to_each_inner_instance() -> None:
    host = Host(
        model(
            each("=items", outputCollection="sums", outputElement="=sum"),
            mapping(inputs={"doubled": "=item * 2"}, outputs={"sum": "=answer + doubled"}),
        )
    )
    key = host.start({"items": [1, 2]})
    for job in list(host.jobs.values()):
        host.complete(job.key, {"answer": 10})
    assert host.values(key) == {"items": [1, 2], "sums": [12, 14]}


def test_a_large_collection_begins_over_several_steps() -> None:
    host = Host(model(each("=for i in 1..1500 return i")))
    key = host.start()
    assert len(host.jobs) == 1500
    assert host.instance(key).pending == []
    host.cancel(key)
    assert host.nothing_left()
