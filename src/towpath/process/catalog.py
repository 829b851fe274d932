"""What can be searched beside instances and work: decisions as evaluated, definitions, documents."""

from __future__ import annotations

from typing import Any

from towpath import wire
from towpath.process.clock import iso
from towpath.process.entities import TENANT, key_field, key_text
from towpath.process.models import Registry
from towpath.process.values import from_json
from towpath.storage.search import INTEGER, TIME, Entity, Field, SearchError

DECISION_INSTANCE = Entity(
    "decision_instance",
    (
        "t.key",
        "t.decision_id",
        "t.decision_key",
        "t.instance_key",
        "t.element_id",
        "t.element_instance_key",
        "t.state",
        "t.evaluated_at",
        "t.result",
        "t.audit",
        "t.message",
    ),
    {
        "decisionInstanceKey": key_field("t.key"),
        "decisionEvaluationKey": key_field("t.key"),
        "decisionDefinitionId": Field("t.decision_id"),
        "decisionDefinitionKey": key_field("t.decision_key"),
        "processInstanceKey": key_field("t.instance_key", nullable=True),
        "processDefinitionId": Field("t.process_id", nullable=True),
        "elementId": Field("t.element_id", nullable=True),
        "elementInstanceKey": key_field("t.element_instance_key", nullable=True),
        "state": Field("t.state"),
        "evaluationDate": Field("t.evaluated_at", TIME),
        "tenantId": TENANT,
    },
)


def decision_instance(_: Registry, row: Any) -> wire.DecisionInstance:
    return wire.DecisionInstance(
        decision_instance_key=str(row[0]),
        decision_definition_id=row[1],
        decision_definition_key=str(row[2]),
        process_instance_key=key_text(row[3]),
        element_id=row[4],
        element_instance_key=key_text(row[5]),
        state=row[6],
        evaluation_date=iso(row[7]),
        result=None if row[8] is None else from_json(row[8]),
        audit=None if row[9] is None else from_json(row[9]),
        failure_message=row[10],
    )


def _is_latest(wanted: Any, _: list[Any], __: str) -> str:
    if not isinstance(wanted, bool):
        raise SearchError("filter.isLatestVersion must be true or false.")
    latest = (
        "t.version = (SELECT max(d.version) FROM definition d "
        "WHERE d.b = t.b AND d.kind = t.kind AND d.id = t.id)"
    )
    return latest if wanted else f"NOT ({latest})"


def _of_kind(wanted: Any, parameters: list[Any], _: str) -> str:
    parameters.append(wanted)
    return "t.kind = ?"


KIND = "$kind"  # a filter that only the server itself sets
PROCESS_DEFINITION = Entity(
    "definition",
    ("t.key", "t.id", "t.name", "t.version", "t.resource_name", "t.version_tag"),
    {
        "processDefinitionKey": key_field("t.key"),
        "processDefinitionId": Field("t.id"),
        "name": Field("t.name", nullable=True),
        "version": Field("t.version", INTEGER),
        "versionTag": Field("t.version_tag", nullable=True),
        "resourceName": Field("t.resource_name"),
        "tenantId": TENANT,
    },
    {"isLatestVersion": _is_latest, KIND: _of_kind},
)


def process_definition(registry: Registry, row: Any) -> wire.ProcessDefinition:
    deployed = registry.process(row[0])
    return wire.ProcessDefinition(
        process_definition_key=str(row[0]),
        process_definition_id=row[1],
        name=row[2],
        version=row[3],
        resource_name=row[4],
        version_tag=row[5],
        has_start_form=bool(deployed is not None and deployed.graph.start_form),
    )


DOCUMENT = Entity(
    "document",
    (
        "t.id",
        "t.hash",
        "t.file_name",
        "t.content_type",
        "t.size",
        "t.instance_key",
        "t.process_id",
        "t.properties",
        "t.object_key",
    ),
    {
        "documentId": Field("t.id"),
        "fileName": Field("t.file_name"),
        "contentType": Field("t.content_type"),
        "size": Field("t.size", INTEGER),
        "processInstanceKey": key_field("t.instance_key", nullable=True),
        "processDefinitionId": Field("t.process_id", nullable=True),
        "creationDate": Field("t.created_at", TIME),
    },
    key=Field("t.id"),
)


def document(_: Registry, row: Any) -> wire.Document:
    return wire.Document(
        document_id=row[0],
        content_hash=row[1],
        file_name=row[2],
        content_type=row[3],
        size=row[4],
        process_instance_key=key_text(row[5]),
        process_definition_id=row[6],
        custom_properties=from_json(row[7]),
    )
