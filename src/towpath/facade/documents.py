"""Documents of an instance: list, add, read."""

from __future__ import annotations

from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from towpath.facade.context import Facade
from towpath.facade.ids import derived_token, sequential_token
from towpath.facade.instances import idempotency_key
from towpath.facade.representation import DocumentLink, belongs, document_link, documents_of
from towpath.facade.requests import AnyRequest, multipart, query, refuse
from towpath.http import Problem, caller
from towpath.wire import ProcessError, ProcessInstance

SHOWN_INLINE = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "application/pdf"}
)
"""Kinds that a browser may show in place; all else, HTML and SVG above all, is for download only."""


def document_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """Handlers of ``/{resource}/{id}/documents``."""

    async def stored(instance: ProcessInstance, resource_name: str) -> list[DocumentLink]:
        resource = await facade.catalog.resource(resource_name)
        business_id = instance.business_id or ""
        fields = resource.start_form.files if resource.start_form else {}
        names = sorted({key.split(".")[0] for key in fields}) if resource.start_form else None
        key = instance.process_instance_key
        variables = (await facade.variables([key], names)).get(key, {}) if names != [] else {}
        tree = await facade.tree(resource, [instance])
        found = await documents_of(facade, business_id, list(tree), variables)
        return [document_link(resource, business_id, document) for document in found]

    @get("/{resource_name:str}/{business_id:str}/documents")
    async def listing(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> dict[str, list[DocumentLink]]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        instance = await facade.owned(resource, business_id, identity)
        return {"items": await stored(instance, resource_name)}

    @post("/{resource_name:str}/{business_id:str}/documents", status_code=201)
    async def add(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> Response[dict[str, list[DocumentLink]]]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        key = idempotency_key(request)
        instance = await facade.owned(resource, business_id, identity)
        if request.content_type[0] != "multipart/form-data":
            raise Problem(415, "Send the files as multipart/form-data.")
        links = []
        async with multipart(request, facade.settings) as submission:
            if not submission.files:
                raise refuse([{"field": "file", "message": "No file was sent."}])
            for number, upload in enumerate(submission.files):
                parts = (business_id, identity.subject, key or "", str(number))
                tail = derived_token(facade.key("documents"), *parts) if key else sequential_token(number)
                document = await facade.process.create_document(
                    upload.parts(),
                    file_name=upload.file_name,
                    content_type=upload.content_type,
                    process_instance_key=instance.process_instance_key,
                    document_id=f"{business_id}.{tail}",
                    properties={"addedBy": identity.subject},
                )
                links.append(document_link(resource, business_id, document))
        return Response({"items": links}, status_code=201, headers={"Location": links[0].href})

    @get("/{resource_name:str}/{business_id:str}/documents/{document_id:str}")
    async def read(
        request: AnyRequest,
        resource_name: FromPath[str],
        business_id: FromPath[str],
        document_id: FromPath[str],
    ) -> Stream:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        instance = await facade.owned(resource, business_id, identity)
        absent = Problem(404, f"{business_id} has no document {document_id!r}.")
        if not belongs(document_id, business_id):
            known = await stored(instance, resource_name)
            if document_id not in {link.id for link in known}:
                raise absent
        try:
            document, content = await facade.process.document(document_id)
        except ProcessError as error:
            if error.code == "NOT_FOUND":
                raise absent from None
            raise
        inline = document.content_type.split(";")[0].strip().lower() in SHOWN_INLINE
        name = quote(document.file_name, safe="")
        return Stream(
            content,
            media_type=document.content_type,
            headers={
                "Content-Length": str(document.size),
                "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{name}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, max-age=31536000, immutable",  # a document never changes
            },
        )

    return [listing, add, read]
