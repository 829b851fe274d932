"""Deployments, definitions, forms, documents: what comes and goes as files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from towpath.http import Problem
from towpath.process.rest.common import answer, nothing, search_handler
from towpath.process.server import ProcessServer
from towpath.wire import DeployedResource, Deployment, Document, Resource, Wire

# Our name of a kind -> Camunda's, with its members' names.
_CAMUNDA = {
    "process": ("processDefinition", "processDefinition"),
    "decision": ("decisionDefinition", "decisionDefinition"),
    "decisionRequirements": ("decisionRequirements", "decisionRequirements"),
    "form": ("form", "form"),
}


class _Metadata(Wire):
    file_name: str | None = None
    content_type: str | None = None
    process_instance_key: str | None = None
    custom_properties: dict[str, Any] = msgspec.field(default_factory=dict)


def _as_camunda(resource: DeployedResource, tenant_id: str) -> dict[str, Any]:
    member, prefix = _CAMUNDA[resource.kind]
    return {
        member: {
            f"{prefix}Id": resource.id,
            f"{prefix}Key": resource.key,
            f"{prefix}Version" if prefix.endswith("Definition") else "version": resource.version,
            "name": resource.name,
            "resourceName": resource.resource_name,
            "tenantId": tenant_id,
        }
    }


def _deployment(deployed: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(deployed)
    return found | {"deployments": [_as_camunda(one, deployed.tenant_id) for one in deployed.resources]}


def _document(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(document)
    metadata = {
        name: found[name]
        for name in ("fileName", "contentType", "size", "processInstanceKey", "processDefinitionId")
    }
    return found | {
        "camunda.document.type": "camunda",
        "metadata": metadata | {"customProperties": document.custom_properties},
    }


async def _files(request: Request[Any, Any, Any]) -> list[tuple[str, UploadFile]]:
    form = await request.form()
    return [(name, part) for name, part in form.multi_items() if isinstance(part, UploadFile)]


async def _metadata(request: Request[Any, Any, Any]) -> _Metadata:
    part = (await request.form()).get("metadata")
    if part is None:
        return _Metadata()
    text = await part.read() if isinstance(part, UploadFile) else str(part).encode()
    try:
        return msgspec.json.decode(text, type=_Metadata)
    except msgspec.DecodeError as error:
        raise Problem(400, f"The part metadata is not as it should be: {error}.") from None


def handlers(server: ProcessServer) -> list[ControllerRouterHandler]:
    @post("/deployments", status_code=200)
    async def deploy(request: Request[Any, Any, Any]) -> Response[bytes]:
        resources = [
            Resource(name=part.filename, content=await part.read()) for _, part in await _files(request)
        ]
        return answer(_deployment(await server.deploy(resources)))

    @get("/process-definitions/{key:str}")
    async def definition(key: FromPath[str]) -> Response[bytes]:
        return answer(await server.process_definition(key))

    @get("/process-definitions/{key:str}/xml")
    async def xml(key: FromPath[str]) -> Response[bytes]:
        text = await server.process_definition_xml(key)
        return Response(text.encode(), media_type="text/xml; charset=utf-8")

    @get("/process-definitions/{key:str}/form")
    async def start_form(key: FromPath[str]) -> Response[bytes]:
        found = await server.start_form(key)
        return nothing() if found is None else answer(found)

    @get("/forms/{key:str}")
    async def form(key: FromPath[str]) -> Response[bytes]:
        """By the form's own id, or by its key."""
        found = await server.form(key)
        return answer(found if found is not None else await server.form_by_key(key))

    @post("/documents", status_code=201)
    async def create_document(request: Request[Any, Any, Any]) -> Response[bytes]:
        files = dict(await _files(request))
        part = files.get("file")
        if part is None:
            raise Problem(400, "The multipart body has no part `file` with a file name.")
        metadata = await _metadata(request)
        created = await server.create_document(
            await part.read(),
            file_name=metadata.file_name or part.filename,
            content_type=metadata.content_type or part.content_type or "application/octet-stream",
            process_instance_key=metadata.process_instance_key,
            document_id=request.query_params.get("documentId"),
            properties=metadata.custom_properties,
        )
        return answer(_document(created), 201)

    @get("/documents/{id_:str}/metadata")
    async def metadata(id_: FromPath[str]) -> Response[bytes]:
        return answer(_document(await server.document_metadata(id_)))

    @get("/documents/{id_:str}")
    async def document(id_: FromPath[str]) -> Stream:
        described, content = await server.document(id_)
        return Stream(
            content,
            media_type=described.content_type,
            headers={
                # What somebody uploaded is never shown as a page of ours.
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(described.file_name, safe='')}",
                "Content-Length": str(described.size),
                "X-Content-Type-Options": "nosniff",
            },
        )

    @delete("/documents/{id_:str}", status_code=204)
    async def delete_document(id_: FromPath[str]) -> None:
        await server.delete_document(id_)

    return [
        deploy,
        definition,
        xml,
        start_form,
        form,
        create_document,
        metadata,
        document,
        delete_document,
        search_handler("/process-definitions/search", ProcessServer.search_process_definitions, server),
        search_handler("/documents/search", ProcessServer.find_documents, server),
    ]
