"""The API's description (OpenAPI 3.1), made from what is deployed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
from litestar import Response, get
from litestar.types import ControllerRouterHandler

from towpath import __version__
from towpath.facade.catalog import Resource, View
from towpath.facade.context import Facade
from towpath.facade.forms import Form
from towpath.facade.links import Link, LinkRequest
from towpath.facade.operations import History, Incident, Resolution
from towpath.facade.representation import ENGINE_STATES, Action, DocumentLink, Representation
from towpath.facade.tasks import STATES, FormBody, Task, TaskDetail, TaskList

Json = dict[str, Any]

DESCRIPTION = """\
Each resource is a business process. Ids are business ids; a caller sees what is theirs, staff see \
what their role reads. Every refusal is problem details (RFC 9457), with `errors` \
naming each field that is not accepted.
"""
STRUCTS = [Representation, Action, DocumentLink, Task, TaskDetail, TaskList, FormBody, Incident, History]
STRUCTS += [Resolution, LinkRequest, Link]
PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
REASONS = {
    400: "The request is not accepted; `errors` names the fields.",
    401: "The bearer token is missing, expired or not to be believed.",
    403: "The caller's roles do not allow it.",
    404: "It does not exist, or is not the caller's.",
    409: "It is not in a state for this.",
    410: "The link has expired.",
    413: "A file or the body is too large.",
    415: "The media type is not accepted.",
}
IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key of the same caller is carried out once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def openapi_routes(facade: Facade, *, issuer: str) -> list[ControllerRouterHandler]:
    """The handler of ``/openapi.json``; the document is made anew when something was deployed."""
    made: tuple[str, bytes] = ("", b"")

    @get("/openapi.json")
    async def document() -> Response[bytes]:
        nonlocal made
        view = await facade.catalog.view()
        if made[0] != view.revision or not made[1]:
            made = (view.revision, msgspec.json.encode(describe(view, facade, issuer=issuer)))
        return Response(made[1], media_type="application/json", headers={"Cache-Control": "no-cache"})

    return [document]


def describe(view: View, facade: Facade, *, issuer: str) -> Json:
    """The document for what ``view`` shows: the configured resources, the tasks and the links."""
    _, schemas = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    schemas["Problem"] = PROBLEM
    paths: Json = {
        "/catalog": {
            "get": _operation("catalog", "catalog", "What can be started, with the forms", {"type": "object"})
            | {"security": []}
        }
    }
    for resource in sorted(view.resources.values(), key=lambda r: r.name):
        if resource.configured:
            paths |= _resource_paths(resource, schemas, facade.settings.max_page)
    paths |= _task_paths(view, schemas, facade.settings.max_page)
    paths |= _link_paths()
    scheme: Json = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    security: list[Json] = [{"bearer": []}]
    if issuer:
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        scheme["openId"] = {"type": "openIdConnect", "openIdConnectUrl": url}
        security.append({"openId": []})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Process facade", "version": __version__, "description": DESCRIPTION},
        "servers": [{"url": facade.public_url.rstrip("/") or "/"}],
        "security": security,
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": scheme},
    }


def _resource_paths(resource: Resource, schemas: Json, max_page: int) -> Json:
    name, what = resource.name, resource.singular.lower()
    pascal = "".join(part.capitalize() for part in name.split("-"))
    shown = _named(schemas, pascal, _representation(resource, schemas))
    start = _named(schemas, f"{pascal}Start", _form_schema(resource.start_form))

    def operation(id_: str, summary: str, *args: Any, **options: Any) -> Json:
        return _operation(f"{id_}{pascal}", resource.title, summary, *args, **options)

    id_parameter = _path_parameter("id", f"The {what}'s business id.")
    paths: Json = {
        f"/{name}": {
            "get": operation(
                "list",
                f"List: {resource.title}",
                {
                    "type": "object",
                    "required": ["items", "next"],
                    "properties": {
                        "items": {"type": "array", "items": shown},
                        "next": {"type": ["string", "null"]},
                    },
                },
                parameters=[
                    *_paging(max_page),
                    _state(ENGINE_STATES),
                    _flag("mine", "Only the caller's own."),
                ],
                refusals=[400],
            ),
            "post": operation(
                "start",
                f"Start: {resource.singular}",
                shown,
                status=201,
                parameters=[IDEMPOTENCY],
                body=_start_body(resource, start),
                refusals=[400, 403, 413, 415],
            ),
        },
        f"/{name}/{{id}}": {
            "parameters": [id_parameter],
            "get": operation("get", f"Get: {resource.singular}", shown, refusals=[404]),
            "delete": operation(
                "cancel", f"Cancel: {resource.singular}", status=204, refusals=[403, 404, 409]
            ),
        },
        f"/{name}/{{id}}/events": {
            "parameters": [id_parameter],
            "get": operation(
                "follow",
                "Milestones and changes as server-sent events",
                {"type": "string"},
                media_type="text/event-stream",
                parameters=[
                    {
                        "name": "Last-Event-ID",
                        "in": "header",
                        "description": "Go on after this event.",
                        "schema": {"type": "string"},
                    }
                ],
                refusals=[404],
            ),
        },
        f"/{name}/{{id}}/documents": {
            "parameters": [id_parameter],
            "get": operation("documentsOf", "List the documents", _items("DocumentLink"), refusals=[404]),
            "post": operation(
                "addDocumentsTo",
                "Add documents",
                _items("DocumentLink"),
                status=201,
                parameters=[IDEMPOTENCY],
                body={
                    "multipart/form-data": {"schema": {"type": "object", "properties": {"file": _files()}}}
                },
                refusals=[400, 404, 413, 415],
            ),
        },
        f"/{name}/{{id}}/documents/{{documentId}}": {
            "parameters": [id_parameter, _path_parameter("documentId", "The document's id.")],
            "get": operation(
                "documentOf", "Read a document", {"type": "string"}, media_type="*/*", refusals=[404]
            ),
        },
        f"/{name}/{{id}}/messages": {
            "parameters": [id_parameter],
            "get": operation("messagesOf", "What it waits for now", _items("Action"), refusals=[404]),
        },
        f"/{name}/{{id}}/tasks": {
            "parameters": [id_parameter],
            "get": operation(
                "tasksOf",
                "Its tasks, as far as they are for the caller",
                _items("Task"),
                parameters=[_state(STATES)],
                refusals=[400, 404],
            ),
        },
    }
    for number, message in enumerate(sorted(resource.messages)):
        form = resource.message_forms.get(message)
        body = {"type": "object", "properties": {"variables": _form_schema(form)}}
        if form and form.schema.get("required"):
            body["required"] = ["variables"]
        paths[f"/{name}/{{id}}/messages/{message}"] = {
            "parameters": [id_parameter],
            "post": operation(
                f"sendMessage{number + 1}To",
                resource.messages[message][0].name,
                shown,
                parameters=[IDEMPOTENCY],
                body={"application/json": {"schema": body}},
                refusals=[400, 404, 409, 413, 415],
            ),
        }
    return paths | _operator_paths(name, id_parameter, operation)


def _operator_paths(name: str, id_parameter: Json, operation: Any) -> Json:
    variables = {"type": "object", "properties": {"variables": {"type": "object"}}}
    return {
        f"/{name}/{{id}}/variables": {
            "parameters": [id_parameter],
            "get": operation("variablesOf", "Operators: all variables", variables, refusals=[403, 404]),
            "patch": operation(
                "changeVariablesOf",
                "Operators: set variables",
                variables,
                body={"application/json": {"schema": {"type": "object"}}},
                refusals=[400, 403, 404, 409, 413, 415],
            ),
        },
        f"/{name}/{{id}}/incidents": {
            "parameters": [id_parameter],
            "get": operation(
                "incidentsOf",
                "Operators: incidents",
                _items("Incident"),
                parameters=[_state({"active": 1, "resolved": 1})],
                refusals=[400, 403, 404],
            ),
        },
        f"/{name}/{{id}}/incidents/{{incidentId}}/resolution": {
            "parameters": [id_parameter, _path_parameter("incidentId", "The incident's id.")],
            "post": operation(
                "resolveIncidentOf",
                "Operators: resolve an incident and go on",
                status=204,
                body={"application/json": {"schema": _ref("Resolution")}},
                refusals=[400, 403, 404, 409, 413, 415],
            ),
        },
        f"/{name}/{{id}}/history": {
            "parameters": [id_parameter],
            "get": operation("historyOf", "Operators: what happened", _ref("History"), refusals=[403, 404]),
        },
    }


def _task_paths(view: View, schemas: Json, max_page: int) -> Json:
    choices: list[Json] = []
    for resource in sorted(view.resources.values(), key=lambda r: r.name):
        if not resource.configured:
            continue
        for element_id, form in sorted(resource.task_forms.items()):
            schema = _form_schema(form) | {"title": resource.tasks[element_id].name}
            choices.append(_named(schemas, f"Complete{_identifier(element_id)}", schema))
    variables: Json = {"anyOf": [*choices, {"type": "object"}]} if choices else {"type": "object"}
    body = {"type": "object", "properties": {"variables": variables}}
    id_parameter = _path_parameter("id", "The task's id.")

    def operation(id_: str, summary: str, *args: Any, **options: Any) -> Json:
        return _operation(id_, "Tasks", summary, *args, **options)

    paths: Json = {
        "/tasks": {
            "get": operation(
                "listTasks",
                "Tasks that the caller may do",
                _ref("TaskList"),
                parameters=[*_paging(max_page), _state(STATES), _flag("mine", "Only those the caller took.")],
                refusals=[400],
            )
        },
        "/tasks/{id}": {
            "parameters": [id_parameter],
            "get": operation("getTask", "A task with its variables", _ref("TaskDetail"), refusals=[404]),
        },
        "/tasks/{id}/form": {
            "parameters": [id_parameter],
            "get": operation("taskForm", "Its form and the data in it", _ref("FormBody"), refusals=[404]),
        },
        "/tasks/{id}/complete": {
            "parameters": [id_parameter],
            "post": operation(
                "completeTask",
                "Complete it",
                _ref("TaskDetail"),
                parameters=[IDEMPOTENCY],
                body={"application/json": {"schema": body}},
                refusals=[400, 404, 409, 413, 415],
            ),
        },
    }
    for verb, summary in (("claim", "Take it"), ("release", "Give it back")):
        paths[f"/tasks/{{id}}/{verb}"] = {
            "parameters": [id_parameter],
            "post": operation(f"{verb}Task", summary, _ref("TaskDetail"), refusals=[404, 409]),
        }
    return paths


def _link_paths() -> Json:
    token = _path_parameter("token", "The signed token; it is the credential.")
    html = {"type": "string"}
    return {
        "/links": {
            "post": _operation(
                "makeLink",
                "Links",
                "Services: make a link that carries one message",
                _ref("Link"),
                status=201,
                body={"application/json": {"schema": _ref("LinkRequest")}},
                refusals=[400, 403, 404, 413, 415],
            )
        },
        "/links/{token}": {
            "parameters": [token],
            "get": _operation("lookAtLink", "Links", "A page; nothing changes", html, media_type="text/html")
            | {"security": []},
            "post": _operation("useLink", "Links", "Carry the message", html, media_type="text/html")
            | {"security": []},
        },
    }


def _operation(
    id_: str,
    tag: str,
    summary: str,
    schema: Json | None = None,
    *,
    status: int = 200,
    media_type: str = "application/json",
    parameters: list[Json] | None = None,
    body: Json | None = None,
    refusals: list[int] | None = None,
) -> Json:
    done: Json = {"description": "Done."}
    if schema is not None:
        done["content"] = {media_type: {"schema": schema}}
    operation: Json = {
        "operationId": id_,
        "tags": [tag],
        "summary": summary,
        "responses": {str(status): done},
    }
    for refusal in [401, *(refusals or [])]:
        operation["responses"][str(refusal)] = {
            "description": REASONS[refusal],
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
        }
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"content": body}
    return operation


def _start_body(resource: Resource, start: Json) -> Json:
    files = resource.start_form.files.values() if resource.start_form else []
    properties: Json = {"data": start}
    for field in files:
        properties[field.key] = _files() | {"title": field.label}
    required = [field.key for field in files if field.required]
    form: Json = {"type": "object", "required": ["data", *required], "properties": properties}
    content: Json = {
        "multipart/form-data": {
            "schema": form,
            "encoding": {"data": {"contentType": "application/json"}},
        }
    }
    if not required:
        content = {"application/json": {"schema": start}} | content
    return content


def _representation(resource: Resource, schemas: Json) -> Json:
    """The general shape, with the exposed variables by name."""
    schema: Json = deepcopy(schemas["Representation"])
    fields = _form_schema(resource.start_form).get("properties", {})
    names = [path.split(".")[0] for path in resource.settings.expose]
    schema["title"] = resource.singular
    schema["properties"]["data"] = {
        "type": "object",
        "properties": {name: {"title": fields.get(name, {}).get("title", name)} for name in names},
    }
    return schema


def _form_schema(form: Form | None) -> Json:
    """A form's schema; without a form, any object."""
    return deepcopy(form.schema) if form else {"type": "object"}


def _named(schemas: Json, name: str, schema: Json) -> Json:
    schemas[name] = schema
    return _ref(name)


def _identifier(text: str) -> str:
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c in "_-."))


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _items(name: str) -> Json:
    return {"type": "object", "properties": {"items": {"type": "array", "items": _ref(name)}}}


def _files() -> Json:
    return {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}}


def _path_parameter(name: str, description: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def _paging(max_page: int) -> list[Json]:
    return [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": max_page}},
        {
            "name": "after",
            "in": "query",
            "description": "`next` of the page before.",
            "schema": {"type": "string"},
        },
    ]


def _state(states: Json) -> Json:
    return {"name": "state", "in": "query", "schema": {"type": "string", "enum": list(states)}}


def _flag(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "boolean"}}
