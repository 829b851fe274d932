"""Routes as workers of a real process server: variables, BPMN errors, incidents, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from integration_servers import Service, serve

from towpath.integration import BpmnError, Exchange, IntegrationSettings, Job, Retry, collecting, route
from towpath.process import ProcessServer, ProcessSettings, open_server
from towpath.storage.documents import DocumentStore
from towpath.wire import CreateProcessInstance, Incident, Resource, Search

PROCESS = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:test">
  <bpmn:process id="order" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <bpmn:serviceTask id="work">
      <bpmn:extensionElements><zeebe:taskDefinition type="work" retries="1"/></bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:boundaryEvent id="sold-out" attachedToRef="work">
      <bpmn:errorEventDefinition errorRef="SoldOut"/>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f2" sourceRef="work" targetRef="done"/>
    <bpmn:sequenceFlow id="f3" sourceRef="sold-out" targetRef="refused"/>
    <bpmn:endEvent id="done"/>
    <bpmn:endEvent id="refused"/>
  </bpmn:process>
  <bpmn:error id="SoldOut" errorCode="SOLD_OUT"/>
</bpmn:definitions>
"""


class Shop:
    """A back end of the test: what it does next, and whom it served."""

    def __init__(self) -> None:
        self.down = False
        self.served: list[str] = []


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ProcessServer]:
    (tmp_path / "process").mkdir()
    documents = DocumentStore.open(str(tmp_path / "documents"))
    async with open_server(ProcessSettings(), state=tmp_path / "process", documents=documents) as server:
        await server.deploy([Resource(name="order.bpmn", content=PROCESS.encode())])
        yield server


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def service(process: ProcessServer, shop: Shop, tmp_path: Path) -> AsyncIterator[Service]:
    with collecting() as registry:

        @route("job:work", retry=Retry(attempts=2, initial=0.01), dead_letter=True)
        async def work(article: str, exchange: Exchange, job: Job) -> dict[str, Any]:
            if article == "none":
                raise BpmnError("SOLD_OUT", "We have none.")
            if shop.down:
                raise ConnectionError("the shop is closed")
            assert exchange.key == job.job_key
            shop.served.append(exchange.key)
            return {"delivered": article.upper()}

    async with serve(
        registry.routes(), IntegrationSettings(), tmp_path / "integration.sqlite", process=process
    ) as running:
        yield running


async def start(process: ProcessServer, **variables: Any) -> str:
    created = await process.create_process_instance(
        CreateProcessInstance(process_definition_id="order", variables=variables)
    )
    return created.process_instance_key


async def until(question: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer that is something."""
    async with asyncio.timeout(20):
        while not (answer := await question()):
            await asyncio.sleep(0.02)
        return answer


async def ended_at(process: ProcessServer, key: str) -> str:
    """The end event that the instance reached."""

    async def look() -> str | None:
        filter_ = {"processInstanceKey": key, "state": "COMPLETED", "type": "END_EVENT"}
        found = await process.search_element_instances(Search(filter=filter_))
        return found.items[0].element_id if found.items else None

    end: str = await until(look)
    return end


async def incident_of(process: ProcessServer, key: str) -> Incident:
    async def look() -> Incident | None:
        filter_ = {"processInstanceKey": key, "state": "ACTIVE"}
        found = await process.search_incidents(Search(filter=filter_))
        return found.items[0] if found.items else None

    incident: Incident = await until(look)
    return incident


async def test_a_route_does_a_jobs_work_and_its_result_becomes_variables(
    process: ProcessServer, service: Service, shop: Shop
) -> None:
    key = await start(process, article="pen", other=1)
    assert await ended_at(process, key) == "done"
    found = await process.search_variables(Search(filter={"processInstanceKey": key, "name": "delivered"}))
    assert [v.value for v in found.items] == ['"PEN"']
    assert len(shop.served) == 1


async def test_a_business_fault_is_the_models_error(process: ProcessServer, service: Service) -> None:
    assert await ended_at(process, await start(process, article="none")) == "refused"
    assert (await service.call("GET", "/dead-letters", who="olga"))[1]["items"] == []


async def test_a_variable_of_the_wrong_type_is_an_incident_that_names_it(
    process: ProcessServer, service: Service
) -> None:
    incident = await incident_of(process, await start(process, article=7))
    assert "article" in incident.error_message
    assert (await service.call("GET", "/dead-letters", who="olga"))[1]["items"] == []


async def test_a_job_that_failed_for_good_is_an_incident_and_resolving_it_runs_the_route_again(
    process: ProcessServer, service: Service, shop: Shop
) -> None:
    shop.down = True
    key = await start(process, article="pen")
    incident = await incident_of(process, key)
    assert "2 attempts" in incident.error_message
    assert "the shop is closed" in incident.error_message
    (letter,) = (await service.call("GET", "/dead-letters", who="olga"))[1]["items"]
    assert (letter["route"], letter["jobKey"]) == ("work", incident.job_key)

    shop.down = False
    assert incident.job_key is not None
    await process.update_job(incident.job_key, retries=1)
    await process.resolve_incident(incident.incident_key)
    assert await ended_at(process, key) == "done"
    # The exchange went well, so its letter is settled.
    assert (await service.call("GET", "/dead-letters", who="olga"))[1]["items"] == []


async def test_redelivering_a_jobs_letter_goes_on_with_the_process(
    process: ProcessServer, service: Service, shop: Shop
) -> None:
    shop.down = True
    key = await start(process, article="pen")
    await incident_of(process, key)
    (letter,) = (await service.call("GET", "/dead-letters", who="olga"))[1]["items"]
    path = f"/dead-letters/{letter['id']}/redelivery"
    shop.down = False
    assert await service.call("POST", path, who="olga") == (200, {"status": "resumed", "result": None})
    assert await ended_at(process, key) == "done"
    assert len(shop.served) == 1


async def test_a_letter_whose_process_is_gone_says_so(
    process: ProcessServer, service: Service, shop: Shop
) -> None:
    shop.down = True
    key = await start(process, article="pen")
    await incident_of(process, key)
    (letter,) = (await service.call("GET", "/dead-letters", who="olga"))[1]["items"]
    await process.cancel_process_instance(key)
    status, problem = await service.call("POST", f"/dead-letters/{letter['id']}/redelivery", who="olga")
    assert status == 409
    assert "Delete the letter" in problem["detail"]
