"""What operators do: variables, incidents, history."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.facade.catalog import Resource
from towpath.facade.context import MOST, Facade
from towpath.facade.representation import Shown
from towpath.facade.requests import AnyRequest, check_reserved, one_of, query, read_json
from towpath.http import Problem, caller
from towpath.wire import Page, ProcessInstance, Search, Sort


class Incident(Shown):
    """``type``: JOB_NO_RETRIES, IO_MAPPING_ERROR...; ``state``: active, resolved."""

    id: str
    type: str
    message: str
    state: str
    element: str
    process: str
    at: str


class Resolution(msgspec.Struct, forbid_unknown_fields=True):
    """How to go on: ``retries`` for the job that failed, ``variables`` set beforehand."""

    retries: int = 1
    variables: dict[str, Any] = {}


class HistoryEntry(Shown):
    """An element that was entered. ``state``: active, completed, terminated."""

    element: str
    name: str | None
    type: str
    process: str
    state: str
    started_at: str
    ended_at: str | None
    milestone: str | None


class DecisionEntry(Shown):
    """A decision that was made, with the audit of its rules."""

    decision: str
    element: str | None
    state: str
    at: str
    result: Any
    audit: Any


class History(Shown):
    elements: list[HistoryEntry]
    decisions: list[DecisionEntry]


def operation_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """Handlers below ``/{resource}/{id}`` that only operators may use."""

    async def instance_of(
        request: AnyRequest, resource_name: str, business_id: str
    ) -> tuple[Resource, ProcessInstance]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        # A customer learns the same of another's claim as of one that is not there.
        instance = await facade.owned(resource, business_id, identity)
        facade.require_operator(identity)
        return resource, instance

    @get("/{resource_name:str}/{business_id:str}/variables")
    async def variables(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> dict[str, dict[str, Any]]:
        query(request)
        _, instance = await instance_of(request, resource_name, business_id)
        key = instance.process_instance_key
        return {"variables": (await facade.variables([key])).get(key, {})}

    @patch("/{resource_name:str}/{business_id:str}/variables")
    async def change(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> dict[str, dict[str, Any]]:
        query(request)
        resource, instance = await instance_of(request, resource_name, business_id)
        changes = await read_json(request, dict[str, Any], facade.settings.max_json_bytes)
        check_reserved(changes, resource.reserved)
        if instance.state != "ACTIVE":
            raise Problem(409, f"{business_id} is {instance.state.lower()}; its variables stay as they are.")
        key = instance.process_instance_key
        await facade.process.set_variables(key, changes, actor=caller(request).subject)
        return {"variables": (await facade.variables([key])).get(key, {})}

    @get("/{resource_name:str}/{business_id:str}/incidents")
    async def incidents(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> dict[str, list[Incident]]:
        wanted = query(request, state=one_of("active", "resolved"))
        resource, instance = await instance_of(request, resource_name, business_id)
        filter_: dict[str, Any] = {
            "processInstanceKey": {"$in": list(await facade.tree(resource, [instance]))}
        }
        if "state" in wanted:
            filter_["state"] = wanted["state"].upper()
        found = await facade.process.search_incidents(Search(filter=filter_, page=Page(limit=MOST)))
        return {
            "items": [
                Incident(
                    id=row.incident_key,
                    type=row.error_type,
                    message=row.error_message,
                    state=row.state.lower(),
                    element=row.element_id,
                    process=row.process_definition_id,
                    at=row.creation_time,
                )
                for row in found.items
            ]
        }

    @post("/{resource_name:str}/{business_id:str}/incidents/{incident_id:str}/resolution", status_code=204)
    async def resolve(
        request: AnyRequest,
        resource_name: FromPath[str],
        business_id: FromPath[str],
        incident_id: FromPath[str],
    ) -> None:
        query(request)
        resource, instance = await instance_of(request, resource_name, business_id)
        body = await read_json(request, Resolution, facade.settings.max_json_bytes, empty=Resolution())
        check_reserved(body.variables, resource.reserved)
        if body.retries < 1:
            raise Problem(
                400, "retries must be at least 1.", errors=[{"field": "retries", "message": "at least 1."}]
            )
        tree = await facade.tree(resource, [instance])
        found = await facade.process.search_incidents(
            Search(filter={"processInstanceKey": {"$in": list(tree)}}, page=Page(limit=MOST))
        )
        incident = next((row for row in found.items if row.incident_key == incident_id), None)
        if incident is None:
            raise Problem(404, f"{business_id} has no incident {incident_id!r}.")
        if incident.state != "ACTIVE":
            raise Problem(409, "The incident is already resolved.")
        actor = caller(request).subject
        if body.variables:
            await facade.process.set_variables(incident.process_instance_key, body.variables, actor=actor)
        if incident.job_key is not None:
            await facade.process.update_job(incident.job_key, retries=body.retries)
        await facade.process.resolve_incident(incident_id, actor=actor)

    @get("/{resource_name:str}/{business_id:str}/history")
    async def history(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> History:
        query(request)
        resource, instance = await instance_of(request, resource_name, business_id)
        filter_ = {"processInstanceKey": {"$in": list(await facade.tree(resource, [instance]))}}
        elements = await facade.process.search_element_instances(
            Search(filter=filter_, sort=[Sort(field="startDate")], page=Page(limit=MOST))
        )
        decisions = await facade.process.search_decision_instances(
            Search(filter=filter_, page=Page(limit=MOST))
        )
        return History(
            elements=[
                HistoryEntry(
                    element=row.element_id,
                    name=row.element_name,
                    type=row.type,
                    process=row.process_definition_id,
                    state=row.state.lower(),
                    started_at=row.start_date,
                    ended_at=row.end_date,
                    milestone=row.milestone,
                )
                for row in elements.items
            ],
            decisions=[
                DecisionEntry(
                    decision=decision.decision_definition_id,
                    element=decision.element_id,
                    state=decision.state.lower(),
                    at=decision.evaluation_date,
                    result=decision.result,
                    audit=decision.audit,
                )
                for decision in decisions.items
            ],
        )

    return [variables, change, incidents, resolve, history]
