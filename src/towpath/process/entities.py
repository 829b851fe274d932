"""What can be searched: for each kind of thing its table, its fields in the API, and how a row reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from towpath import wire
from towpath.process.carry import short
from towpath.process.clock import iso, iso_or_none
from towpath.process.models import Registry
from towpath.process.values import exact, from_json, to_text
from towpath.storage.search import BOOLEAN, INTEGER, KEY, TIME, Entity, Field, SearchError, Special

Render = Callable[[Registry, Any], Any]
"""A row of the entity's columns as its wire type."""


def key_field(sql: str, *, nullable: bool = False) -> Field:
    return Field(sql, KEY, nullable)


TENANT = Field(f"'{wire.DEFAULT_TENANT}'")
_OF_INSTANCE: dict[str, Field] = {
    "processInstanceKey": key_field("t.instance_key"),
    "processDefinitionKey": key_field("t.definition_key"),
    "processDefinitionId": Field("t.process_id"),
    "tenantId": TENANT,
}


def key_text(key: int | None) -> str | None:
    return None if key is None else str(key)


# --- process instances ----------------------------------------------------------------------------


def _has_variables(wanted: Any, parameters: list[Any], buckets: str) -> str:
    if not isinstance(wanted, list) or len(wanted) > 100:
        raise SearchError("filter.variables must be a list of {name, value}.")
    parts = []
    for one in wanted:
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str) or "value" not in one:
            raise SearchError("filter.variables must be a list of {name, value}.")
        parameters.append(one["name"])
        value = _value_condition(one["value"], parameters)
        # Not a correlated EXISTS: what has the value is found once, by the value's index.
        found = f"SELECT v.instance_key FROM variable v WHERE v.b IN ({buckets})"  # noqa: S608
        parts.append(f"t.key IN ({found} AND v.name = ? AND {value})")
    return " AND ".join(parts) or "1 = 1"


def _value_condition(wanted: Any, parameters: list[Any]) -> str:
    operations = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
    parts = []
    for operator, value in operations.items():
        if operator == "$exists":
            parts.append("1 = 1" if value else "1 = 0")
        elif operator in ("$eq", "$neq"):
            text = _canonical(value)
            parameters += [short(text), text]
            equal = "v.short = ? AND v.value = ?"
            parts.append(equal if operator == "$eq" else f"NOT ({equal})")
        elif operator == "$in" and isinstance(value, list) and len(value) <= 100:
            texts = [_canonical(one) for one in value]
            parameters += texts
            parts.append(f"v.value IN ({', '.join('?' * len(texts))})" if texts else "1 = 0")
        elif operator == "$like" and isinstance(value, str):
            parameters.append(
                value.replace("%", "\\%").replace("_", "\\_").replace("*", "%").replace("?", "_")
            )
            parts.append("v.value LIKE ? ESCAPE '\\'")
        else:
            raise SearchError(f"filter.variables: {operator} cannot be used on a variable's value.")
    return " AND ".join(parts)


def _canonical(value: Any) -> str:
    """JSON text as it is stored: the API has values as JSON text, such as ``"\\"EU\\""``."""
    if not isinstance(value, str):
        raise SearchError('filter.variables: a value is JSON text, such as "\\"EU\\"" or "42".')
    try:
        return to_text(exact(value))
    except ValueError:
        return to_text(value)


_INCIDENT_OF = (
    "EXISTS (SELECT 1 FROM incident i WHERE i.b = t.b AND i.instance_key = {0} AND i.state = 'ACTIVE'{1})"
)

PROCESS_INSTANCE = Entity(
    "process_instance",
    (
        "t.key",
        "t.definition_key",
        "t.process_id",
        "t.version",
        "t.state",
        "t.business_id",
        "t.parent_key",
        "t.parent_element_key",
        "t.root_key",
        "t.started_at",
        "t.ended_at",
        _INCIDENT_OF.format("t.key", ""),
    ),
    {
        "processInstanceKey": key_field("t.key"),
        "processDefinitionKey": key_field("t.definition_key"),
        "processDefinitionId": Field("t.process_id"),
        "processDefinitionVersion": Field("t.version", INTEGER),
        "processDefinitionName": Field(
            "(SELECT d.name FROM definition d WHERE d.key = t.definition_key)", nullable=True
        ),
        "state": Field("t.state"),
        "businessId": Field("t.business_id", nullable=True),
        "parentProcessInstanceKey": key_field("t.parent_key", nullable=True),
        "parentElementInstanceKey": key_field("t.parent_element_key", nullable=True),
        "rootProcessInstanceKey": key_field("t.root_key"),
        "startDate": Field("t.started_at", TIME),
        "endDate": Field("t.ended_at", TIME, nullable=True),
        "hasIncident": Field(_INCIDENT_OF.format("t.key", ""), BOOLEAN),
        "tenantId": TENANT,
    },
    {"variables": _has_variables},
)


def process_instance(registry: Registry, row: Any) -> wire.ProcessInstance:
    definition = registry.definitions.get(row[1])
    return wire.ProcessInstance(
        process_instance_key=str(row[0]),
        process_definition_key=str(row[1]),
        process_definition_id=row[2],
        process_definition_name=definition.name if definition else None,
        process_definition_version=row[3],
        state=row[4],
        business_id=row[5],
        parent_process_instance_key=key_text(row[6]),
        parent_element_instance_key=key_text(row[7]),
        root_process_instance_key=str(row[8]),
        start_date=iso(row[9]),
        end_date=iso_or_none(row[10]),
        has_incident=bool(row[11]),
    )


# --- element instances ----------------------------------------------------------------------------

_INCIDENT_KEY = (
    "(SELECT min(i.key) FROM incident i WHERE i.b = t.b AND i.instance_key = t.instance_key "
    "AND i.element_instance_key = t.key AND i.state = 'ACTIVE')"
)
ELEMENT_INSTANCE = Entity(
    "element_instance",
    (
        "t.key",
        "t.instance_key",
        "t.definition_key",
        "t.process_id",
        "t.element_id",
        "t.name",
        "t.type",
        "t.state",
        "t.scope_key",
        "t.milestone",
        "t.started_at",
        "t.ended_at",
        _INCIDENT_KEY,
    ),
    _OF_INSTANCE
    | {
        "elementInstanceKey": key_field("t.key"),
        "elementId": Field("t.element_id"),
        "elementName": Field("t.name", nullable=True),
        "type": Field("t.type"),
        "state": Field("t.state"),
        "scopeKey": key_field("t.scope_key"),
        "elementInstanceScopeKey": key_field("t.scope_key"),
        "milestone": Field("t.milestone", nullable=True),
        "startDate": Field("t.started_at", TIME),
        "endDate": Field("t.ended_at", TIME, nullable=True),
        "hasIncident": Field(
            _INCIDENT_OF.format("t.instance_key", " AND i.element_instance_key = t.key"), BOOLEAN
        ),
        "incidentKey": key_field(_INCIDENT_KEY, nullable=True),
    },
)


def element_instance(_: Registry, row: Any) -> wire.ElementInstance:
    return wire.ElementInstance(
        element_instance_key=str(row[0]),
        process_instance_key=str(row[1]),
        process_definition_key=str(row[2]),
        process_definition_id=row[3],
        element_id=row[4],
        element_name=row[5],
        type=row[6],
        state=row[7],
        scope_key=str(row[8]),
        milestone=row[9],
        start_date=iso(row[10]),
        end_date=iso_or_none(row[11]),
        has_incident=row[12] is not None,
        incident_key=key_text(row[12]),
    )


# --- variables, incidents ---------------------------------------------------------------------------


def _variable_value(wanted: Any, parameters: list[Any], _: str) -> str:
    return _value_condition(wanted, parameters).replace("v.", "t.")


VARIABLE = Entity(
    "variable",
    ("t.key", "t.name", "t.value", "t.scope_key", "t.instance_key"),
    {
        "variableKey": key_field("t.key"),
        "name": Field("t.name"),
        "scopeKey": key_field("t.scope_key"),
        "processInstanceKey": key_field("t.instance_key"),
        "processDefinitionId": Field("t.process_id"),
        "tenantId": TENANT,
        "isTruncated": Field("1 = 0", BOOLEAN),
    },
    {"value": _variable_value},
)


def variable(_: Registry, row: Any) -> wire.Variable:
    return wire.Variable(
        variable_key=str(row[0]),
        name=row[1],
        value=row[2],
        scope_key=str(row[3]),
        process_instance_key=str(row[4]),
    )


INCIDENT = Entity(
    "incident",
    (
        "t.key",
        "t.instance_key",
        "t.definition_key",
        "t.process_id",
        "t.element_id",
        "t.element_instance_key",
        "t.error_type",
        "t.error_message",
        "t.state",
        "t.created_at",
        "t.job_key",
    ),
    _OF_INSTANCE
    | {
        "incidentKey": key_field("t.key"),
        "elementId": Field("t.element_id"),
        "elementInstanceKey": key_field("t.element_instance_key"),
        "errorType": Field("t.error_type"),
        "errorMessage": Field("t.error_message"),
        "state": Field("t.state"),
        "creationTime": Field("t.created_at", TIME),
        "jobKey": key_field("t.job_key", nullable=True),
    },
)


def incident(_: Registry, row: Any) -> wire.Incident:
    return wire.Incident(
        incident_key=str(row[0]),
        process_instance_key=str(row[1]),
        process_definition_key=str(row[2]),
        process_definition_id=row[3],
        element_id=row[4],
        element_instance_key=str(row[5]),
        error_type=row[6],
        error_message=row[7],
        state=row[8],
        creation_time=iso(row[9]),
        job_key=key_text(row[10]),
    )


# --- jobs, subscriptions ----------------------------------------------------------------------------

JOB = Entity(
    "job",
    (
        "t.key",
        "t.type",
        "t.state",
        "t.instance_key",
        "t.process_id",
        "t.definition_key",
        "t.element_id",
        "t.element_instance_key",
        "t.retries",
        "t.worker",
        "CASE WHEN t.ready = 0 AND t.worker IS NOT NULL THEN t.available_at END",
        "t.error_message",
        "t.kind",
        "t.listener_event",
    ),
    _OF_INSTANCE
    | {
        "jobKey": key_field("t.key"),
        "type": Field("t.type"),
        "state": Field("t.state"),
        "elementId": Field("t.element_id"),
        "elementInstanceKey": key_field("t.element_instance_key"),
        "retries": Field("t.retries", INTEGER),
        "worker": Field("t.worker", nullable=True),
        "deadline": Field("t.available_at", TIME, nullable=True),
        "errorMessage": Field("t.error_message", nullable=True),
        "kind": Field("t.kind"),
        "listenerEventType": Field(f"COALESCE(t.listener_event, '{wire.UNSPECIFIED}')"),
        "creationTime": Field("t.created_at", TIME),
        "endTime": Field("t.ended_at", TIME, nullable=True),
    },
)


def job(_: Registry, row: Any) -> wire.JobRow:
    return wire.JobRow(
        job_key=str(row[0]),
        type=row[1],
        state=row[2],
        process_instance_key=str(row[3]),
        process_definition_id=row[4],
        process_definition_key=str(row[5]),
        element_id=row[6],
        element_instance_key=str(row[7]),
        retries=row[8],
        worker=row[9],
        deadline=iso_or_none(row[10]),
        error_message=row[11],
        kind=row[12],
        listener_event_type=row[13] or wire.UNSPECIFIED,
    )


SUBSCRIPTION = Entity(
    "subscription",
    (
        "t.key",
        "t.instance_key",
        "t.process_id",
        "t.element_id",
        "t.element_name",
        "t.element_instance_key",
        "t.message_name",
        "t.correlation_key",
        "t.state",
    ),
    _OF_INSTANCE
    | {
        "messageSubscriptionKey": key_field("t.key"),
        "elementId": Field("t.element_id"),
        "elementInstanceKey": key_field("t.element_instance_key"),
        "messageName": Field("t.message_name"),
        "correlationKey": Field("t.correlation_key"),
        "messageSubscriptionState": Field("t.state"),
        "lastUpdatedDate": Field("t.updated_at", TIME, nullable=True),
    },
)


def subscription(_: Registry, row: Any) -> wire.MessageSubscription:
    return wire.MessageSubscription(
        message_subscription_key=str(row[0]),
        process_instance_key=str(row[1]),
        process_definition_id=row[2],
        element_id=row[3],
        element_name=row[4],
        element_instance_key=str(row[5]),
        message_name=row[6],
        correlation_key=row[7],
        message_subscription_state=row[8],
    )


# --- user tasks -------------------------------------------------------------------------------------


def _candidate(kind: str, field: str) -> Special:
    def condition(wanted: Any, parameters: list[Any], buckets: str) -> str:
        names = wanted
        if isinstance(wanted, Mapping):
            if set(wanted) - {"$in", "$eq"}:
                raise SearchError(f"filter.{field} takes $eq and $in.")
            names = wanted.get("$in", wanted.get("$eq"))
        if isinstance(names, str):
            names = [names]
        if (
            not isinstance(names, list)
            or not all(isinstance(name, str) for name in names)
            or len(names) > 500
        ):
            raise SearchError(f"filter.{field} must be a name or {{$in: [names]}}.")
        parameters.append(kind)
        parameters.extend(names)
        marks = ", ".join("?" * len(names)) or "NULL"
        found = f"SELECT c.task_key FROM user_task_candidate c WHERE c.b IN ({buckets})"  # noqa: S608
        return f"t.key IN ({found} AND c.kind = ? AND c.name IN ({marks}))"

    return condition


def _of_instance_with(wanted: Any, parameters: list[Any], buckets: str) -> str:
    return _has_variables(wanted, parameters, buckets).replace("t.key IN", "t.instance_key IN")


USER_TASK = Entity(
    "user_task",
    (
        "t.key",
        "t.instance_key",
        "t.definition_key",
        "t.process_id",
        "t.business_id",
        "t.element_id",
        "t.element_instance_key",
        "t.name",
        "t.state",
        "t.assignee",
        "t.due_at",
        "t.follow_up_at",
        "t.priority",
        "t.form_key",
        "t.external_form",
        "t.headers",
        "t.candidate_groups",
        "t.candidate_users",
        "t.created_at",
        "t.ended_at",
    ),
    _OF_INSTANCE
    | {
        "userTaskKey": key_field("t.key"),
        "elementId": Field("t.element_id"),
        "elementInstanceKey": key_field("t.element_instance_key"),
        "name": Field("t.name", nullable=True),
        "state": Field("t.state"),
        "assignee": Field("t.assignee", nullable=True),
        "businessId": Field("t.business_id", nullable=True),
        "priority": Field("t.priority", INTEGER),
        "dueDate": Field("t.due_at", TIME, nullable=True),
        "followUpDate": Field("t.follow_up_at", TIME, nullable=True),
        "creationDate": Field("t.created_at", TIME),
        "completionDate": Field("t.ended_at", TIME, nullable=True),
    },
    {
        "candidateGroup": _candidate("group", "candidateGroup"),
        "candidateUser": _candidate("user", "candidateUser"),
        "candidateGroups": _candidate("group", "candidateGroups"),
        "candidateUsers": _candidate("user", "candidateUsers"),
        "processInstanceVariables": _of_instance_with,
    },
)


def user_task(_: Registry, row: Any) -> wire.UserTask:
    return wire.UserTask(
        user_task_key=str(row[0]),
        process_instance_key=str(row[1]),
        process_definition_key=str(row[2]),
        process_definition_id=row[3],
        business_id=row[4],
        element_id=row[5],
        element_instance_key=str(row[6]),
        name=row[7],
        state=row[8],
        assignee=row[9],
        due_date=iso_or_none(row[10]),
        follow_up_date=iso_or_none(row[11]),
        priority=row[12],
        form_key=key_text(row[13]),
        external_form_reference=row[14],
        custom_headers=from_json(row[15]),
        candidate_groups=from_json(row[16]),
        candidate_users=from_json(row[17]),
        creation_date=iso(row[18]),
        completion_date=iso_or_none(row[19]),
    )
