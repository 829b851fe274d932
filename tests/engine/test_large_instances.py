"""Instances with many element instances: kept in pages, and read from snapshots of earlier versions."""

from __future__ import annotations

import base64
from decimal import Decimal

from towpath.engine import commands as c
from towpath.engine import decode, encode, step
from towpath.engine.state import Instance, Page

from .host import Host, check
from .models import (
    boundary,
    bpmn,
    each,
    end,
    error,
    error_definition,
    flow,
    flows,
    service,
    service_for_each,
    start,
)

COLLECTING = bpmn(
    start(),
    service_for_each("work", each("=items", outputCollection="all", outputElement="=result")),
    service("after"),
    end(),
    flows("start", "work", "after", "end"),
)
# Taken with schema version 1: three items, the second complete.
VERSION_1 = (
    "AYWka2luZKhpbnN0YW5jZaNrZXnNA+quZGVmaW5pdGlvbl9rZXnNA+moZWxlbWVudHOEzQPq3gAGo2tlec0D6qdlbGVtZW50oXCl"
    "c2NvcGUApXBoYXNlAal2YXJpYWJsZXPEGXsiaXRlbXMiOlsiYSIsMS41MCxudWxsXX2oY2hpbGRyZW4BzQPt3gAHo2tlec0D7adl"
    "bGVtZW50pHdvcmulc2NvcGXNA+qlcGhhc2UBqXZhcmlhYmxlc8QYeyJhbGwiOltudWxsLG51bGwsbnVsbF19qGNoaWxkcmVuAqRs"
    "b29whaVpdGVtc8QZeyJpdGVtcyI6WyJhIiwxLjUwLG51bGxdfaRzaXplA6dzdGFydGVkA6ljb21wbGV0ZWQBp291dHB1dHPECnsi"
    "MiI6Mi41MH3NA+7eAAeja2V5zQPup2VsZW1lbnSkd29ya6VzY29wZc0D7aVwaGFzZQGpdmFyaWFibGVzxCp7Imxvb3BDb3VudGVy"
    "IjoxLCJpdGVtIjoiYSIsInJlc3VsdCI6bnVsbH2jam9igqNrZXnNA/GncmV0cmllcwOnY291bnRlcgHNA/DeAAeja2V5zQPwp2Vs"
    "ZW1lbnSkd29ya6VzY29wZc0D7aVwaGFzZQGpdmFyaWFibGVzxCt7Imxvb3BDb3VudGVyIjozLCJpdGVtIjpudWxsLCJyZXN1bHQi"
    "Om51bGx9o2pvYoKja2V5zQPzp3JldHJpZXMDp2NvdW50ZXIDpm93bmVyc4LNA/HNA+7NA/PNA/A="
)


def test_outputs_of_many_items_are_collected_in_their_order() -> None:
    host = Host(COLLECTING, near=16)
    key = host.start({"items": list(range(300))})
    assert len(host.instance(key).pages) > 3
    assert len(host.instance(key).elements) <= 16
    for job in sorted(host.jobs, reverse=True):
        host.complete(job, {"result": job})
    assert host.values(key)["all"] == sorted(host.values(key)["all"])
    assert len(host.values(key)["all"]) == 300
    assert host.instance(key).pages == {}
    host.complete("after")
    assert host.nothing_left()


def test_a_step_unpacks_only_the_page_that_it_is_about() -> None:
    host = Host(COLLECTING, near=16)
    key = host.start({"items": list(range(1_000))})
    before = decode(encode(host.instance(key)))
    assert isinstance(before, Instance)
    job = sorted(host.jobs)[500]
    state = step(host, before, c.CompleteJob(id="x", at=1, instance_key=key, job_key=job), host.keys).state
    assert len(state.pages) > 10
    changed = [number for number, page in state.pages.items() if page is not before.pages[number]]
    assert 1 <= len(changed) <= 2
    unpacked = [number for number, page in state.pages.items() if _unpacked(page)]
    assert unpacked == changed


def _unpacked(page: Page) -> bool:
    return page._parked is not None


def test_an_error_in_one_of_many_ends_the_others() -> None:
    host = Host(
        bpmn(
            start(),
            service_for_each("work", each("=items")),
            boundary("caught", "work", error("E")),
            service("rescue"),
            end(),
            flows("start", "work", "end"),
            flow("caught", "rescue"),
            globals=error_definition("E"),
        ),
        near=16,
    )
    key = host.start({"items": list(range(200))})
    job = sorted(host.jobs)[150]
    host.send(c.ThrowJobError(id="e", at=host.now, instance_key=key, job_key=job, code="E"))
    assert host.waiting(key) == ["rescue"]
    assert list(host.jobs) == [host.job("rescue").key]
    check(host.instance(key))


def test_a_snapshot_of_version_1_goes_on_where_it_was() -> None:
    state = decode(base64.b64decode(VERSION_1))
    assert isinstance(state, Instance)
    host = Host(COLLECTING)
    host.processes = {state.definition_key: next(iter(host.processes.values()))}
    host.states[state.key] = state
    host.keys.last = 2_000
    for job, result in ((1009, "first"), (1011, "third")):
        command = c.CompleteJob(
            id=str(job), at=host.now, instance_key=state.key, job_key=job, variables={"result": result}
        )
        host.jobs[job] = None  # type: ignore[assignment]  # it was offered before
        assert host.send(command) is None
    assert host.values(state.key) == {
        "items": ["a", Decimal("1.50"), None],
        "all": ["first", Decimal("2.50"), "third"],
    }
