"""What a worker takes from a job and gives back; without a server."""

import sys
from types import ModuleType
from typing import Any

import msgspec
import pytest

from towpath.client import JobFailed, Worker, collect_workers, worker
from towpath.wire import Job


def job(retries: int = 3, **variables: Any) -> Job:
    return Job(
        job_key="7",
        type="charge",
        process_instance_key="1",
        process_definition_id="order",
        process_definition_version=1,
        process_definition_key="2",
        element_id="Charge",
        element_instance_key="3",
        custom_headers={},
        worker="test",
        retries=retries,
        deadline=0,
        variables=variables,
    )


class Card(msgspec.Struct):
    number: str
    limit: float = 0


def test_parameters_are_filled_from_variables_of_the_same_name() -> None:
    made = Worker("charge", lambda amount, currency="EUR": None)
    assert made.arguments(job(amount=5, other=1)) == {"amount": 5}
    assert made.arguments(job(amount=5, currency="USD")) == {"amount": 5, "currency": "USD"}
    assert made.fetches == ["amount", "currency"]


def test_a_parameter_in_snake_case_takes_the_variable_in_camel_case() -> None:
    made = Worker("charge", lambda policy_number: None)
    assert made.arguments(job(policyNumber="P-1")) == {"policy_number": "P-1"}
    assert made.fetches == ["policy_number", "policyNumber"]


def test_a_parameter_annotated_job_takes_the_job_and_then_all_variables_are_fetched() -> None:
    def charge(current: Job, amount: float) -> None: ...

    given = job(amount=5)
    made = Worker("charge", charge)
    assert made.arguments(given) == {"current": given, "amount": 5}
    assert made.fetches is None


def test_a_rest_parameter_takes_every_other_variable() -> None:
    def charge(amount: float, **rest: Any) -> None: ...

    made = Worker("charge", charge)
    assert made.arguments(job(amount=5, a=1, b=2)) == {"amount": 5, "a": 1, "b": 2}
    assert made.fetches is None


def test_what_is_fetched_can_be_said() -> None:
    def charge(current: Job) -> None: ...

    assert Worker("charge", charge, fetch=["amount"]).fetches == ["amount"]


def test_a_missing_variable_fails_the_job_at_once_and_names_it() -> None:
    made = Worker("charge", lambda policy_number: None)
    with pytest.raises(JobFailed, match="'policyNumber', which is not visible at 'Charge'") as failed:
        made.arguments(job())
    assert failed.value.retries == 0


def test_an_annotated_variable_is_converted() -> None:
    def charge(card: Card) -> None: ...

    assert Worker("charge", charge).arguments(job(card={"number": "4"})) == {"card": Card("4")}
    with pytest.raises(JobFailed, match=r"'card'.*number") as failed:
        Worker("charge", charge).arguments(job(card={"limit": 1}))
    assert failed.value.retries == 0


def test_a_positional_only_parameter_is_refused_with_its_place() -> None:
    def charge(amount: float, /) -> None: ...

    with pytest.raises(TypeError, match=r"test_worker\.py:\d+.*'amount'"):
        Worker("charge", charge)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, {}), ({"a": 1}, {"a": 1}), (Card("4", 2), {"number": "4", "limit": 2})],
)
def test_a_result_becomes_variables(value: Any, expected: dict[str, Any]) -> None:
    assert Worker("charge", lambda: None).result(value) == expected


@pytest.mark.parametrize("value", [5, "text", [1], True])
def test_a_result_that_is_no_dict_fails_the_job(value: Any) -> None:
    with pytest.raises(JobFailed, match="return a dict or None"):
        Worker("charge", lambda: None).result(value)


def test_the_backoff_doubles_with_each_attempt_up_to_its_limit() -> None:
    made = Worker("charge", lambda: None, retries=5, backoff=2.0, max_backoff=10.0)
    assert [made.delay(job(retries=left)) for left in (5, 4, 3, 2, 9)] == [2.0, 4.0, 8.0, 10.0, 2.0]


def test_a_decorated_function_stays_a_function() -> None:
    @worker("double")
    def double(x: int) -> dict[str, int]:
        return {"y": 2 * x}

    assert double(x=4) == {"y": 8}


def test_the_workers_of_a_module_are_collected_in_order_with_their_place() -> None:
    module = ModuleType("some_workers")
    sys.modules["some_workers"] = module
    source = (
        "from towpath.client import worker\n"
        "@worker('second')\n@worker('first', timeout=5)\ndef f(): ...\n"
        "g = f\n"
        "@worker('third')\nasync def h(): ...\n"
        "class NotOne: ...\n"
    )
    exec(compile(source, "some_workers.py", "exec"), module.__dict__)
    found = collect_workers(module)
    del sys.modules["some_workers"]
    assert [(made.type, made.file) for made in found] == [
        ("first", "some_workers.py"),
        ("second", "some_workers.py"),
        ("third", "some_workers.py"),
    ]
    assert [made.is_async for made in found] == [False, False, True]
    assert found[0].timeout == 5


def test_workers_that_a_module_only_imports_are_not_its_own() -> None:
    module = ModuleType("other_workers")

    @worker("elsewhere")
    def elsewhere() -> None: ...

    module.__dict__["elsewhere"] = elsewhere
    assert collect_workers(module) == []
