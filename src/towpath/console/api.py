"""``/console/api``: what the operator's page asks, over the client of the process server."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from litestar import Response, Router, delete, get, patch, post
from litestar.connection import Request
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from towpath.client import ProcessClient
from towpath.console.settings import ConsoleSettings
from towpath.http import Problem, caller, requires
from towpath.wire import (
    ElementInstance,
    EventPage,
    EventQuery,
    Incident,
    JobRow,
    Page,
    ProcessDefinition,
    ProcessInstance,
    Search,
    SearchResult,
    Sort,
    Variable,
    Variables,
)

OPERATOR = "operator"
LIST_LIMIT = 200  # instances a page of the list
DETAIL_LIMIT = 500  # incidents, jobs, variables and called instances shown of one instance
STATES = ("ACTIVE", "COMPLETED", "TERMINATED")

# A change of one of these changes what the list shows.
LIST_EVENTS = ["towpath.instance.*", "towpath.incident.*"]


class InstanceView(Struct, rename="camel", kw_only=True):
    """One process instance as the page draws it. ``position``: listen for events after it."""

    instance: ProcessInstance
    elements: list[ElementInstance]
    flows: list[str]
    incidents: list[Incident]
    jobs: list[JobRow]
    variables: list[Variable]
    called: list[ProcessInstance]
    position: str


class Changed(Struct, rename="camel", kw_only=True):
    """``changed``: true where something happened since the position asked about."""

    changed: bool
    position: str


def operator_api(settings: ConsoleSettings, process: ProcessClient) -> Router:
    """The routes; every one needs the role ``operator``."""

    @get("/processes")
    async def processes() -> SearchResult[ProcessDefinition]:
        """All versions of all deployed processes."""
        return await process.search_process_definitions(Search(page=Page(limit=1_000)))

    @get("/definitions/{key:str}/xml")
    async def diagram(key: FromPath[str]) -> Response[str]:
        """The BPMN file; a definition's key never gets another content."""
        xml = await process.process_definition_xml(key)
        return Response(
            xml, media_type="application/xml", headers={"Cache-Control": "private, max-age=86400, immutable"}
        )

    @get("/instances")
    async def instances(
        process_id: Annotated[str | None, QueryParameter(name="process")] = None,
        instance_state: Annotated[str | None, QueryParameter(name="state")] = None,
        incident: FromQuery[bool | None] = None,
        business_id: Annotated[str | None, QueryParameter(name="businessId")] = None,
        limit: FromQuery[int] = 50,
        after: FromQuery[str | None] = None,
    ) -> SearchResult[ProcessInstance]:
        """Newest first. ``businessId`` matches from its start; ``state`` is as in the wire types."""
        if instance_state is not None and instance_state not in STATES:
            raise Problem(400, f"state is one of {', '.join(STATES)}.")
        wanted: dict[str, Any] = {}
        if process_id:
            wanted["processDefinitionId"] = process_id
        if instance_state:
            wanted["state"] = instance_state
        if incident is not None:
            wanted["hasIncident"] = incident
        if business_id:
            wanted["businessId"] = {"$like": f"{_literal(business_id)}*"}
        return await process.search_process_instances(
            Search(
                filter=wanted,
                sort=[Sort(field="startDate", order="DESC")],
                page=Page(limit=max(1, min(limit, LIST_LIMIT)), after=after),
            )
        )

    @get("/instances/{key:str}")
    async def instance(key: FromPath[str]) -> InstanceView:
        """Everything the page shows of one instance, and from where to listen for changes."""
        # The position is taken first: what happens while the rest is read is then told as a change.
        position = (await process.events(EventQuery(after="latest", limit=1))).position
        of_it = {"processInstanceKey": key}
        found, elements, flows = await asyncio.gather(
            process.process_instance(key),
            process.search_element_instances(
                Search(filter=of_it, sort=[Sort(field="startDate")], page=Page(limit=settings.element_limit))
            ),
            process.sequence_flows(key),
        )
        incidents, jobs, variables, called = await asyncio.gather(
            process.search_incidents(Search(filter=of_it, page=Page(limit=DETAIL_LIMIT))),
            process.search_jobs(Search(filter=of_it, page=Page(limit=DETAIL_LIMIT))),
            process.search_variables(Search(filter=of_it, page=Page(limit=DETAIL_LIMIT))),
            process.search_process_instances(
                Search(filter={"parentProcessInstanceKey": key}, page=Page(limit=DETAIL_LIMIT))
            ),
        )
        return InstanceView(
            instance=found,
            elements=elements.items,
            flows=flows,
            incidents=incidents.items,
            jobs=jobs.items,
            variables=variables.items,
            called=called.items,
            position=position,
        )

    @get("/instances/{key:str}/changes")
    async def instance_changes(key: FromPath[str], after: FromQuery[str]) -> Changed:
        """Answers when something happened to the instance (or those it called), or after ``event_wait``."""
        return told(
            await process.events(
                EventQuery(after=after, process_instance_key=key, wait=settings.event_wait, limit=500)
            )
        )

    @get("/changes")
    async def changes(after: FromQuery[str] = "latest") -> Changed:
        """Answers when an instance or an incident came, went or changed, or after ``event_wait``."""
        wait = 0 if after == "latest" else settings.event_wait
        return told(await process.events(EventQuery(after=after, types=LIST_EVENTS, wait=wait, limit=500)))

    @post("/incidents/{key:str}/resolution", status_code=204)
    async def resolve(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        """Try again: a job without retries gets one more before its incident is resolved."""
        found = (await process.search_incidents(Search(filter={"incidentKey": key}))).items
        if not found:
            raise Problem(404, f"There is no incident {key}.")
        if found[0].job_key is not None:
            await process.update_job(found[0].job_key, retries=1)
        await process.resolve_incident(key, actor=caller(request).subject)

    @patch("/instances/{key:str}/variables", status_code=204)
    async def set_variables(
        request: Request[Any, Any, Any], key: FromPath[str], data: JSONBody[Variables]
    ) -> None:
        """Set variables in the instance's own scope."""
        await process.set_variables(key, data, actor=caller(request).subject)

    @delete("/instances/{key:str}", status_code=204)
    async def cancel(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
        """Cancel the instance and what it called."""
        await process.cancel_process_instance(key, actor=caller(request).subject)

    return Router(
        "/console/api",
        guards=[requires(OPERATOR)],
        route_handlers=[
            processes,
            diagram,
            instances,
            instance,
            instance_changes,
            changes,
            resolve,
            set_variables,
            cancel,
        ],
        include_in_schema=False,
        cache_control=None,
    )


def told(page: EventPage) -> Changed:
    return Changed(changed=bool(page.events), position=page.position)


def _literal(text: str) -> str:
    """``text`` for ``$like``, where ``*`` and ``?`` stand for others unless a backslash is before them."""
    return "".join(f"\\{letter}" if letter in "*?\\" else letter for letter in text)
