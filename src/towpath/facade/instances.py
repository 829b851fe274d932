"""Process instances under their business name: catalog, start, list, get, cancel."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.facade.catalog import OWNER, Resource
from towpath.facade.context import Facade
from towpath.facade.ids import derived_id, derived_token, fresh_id
from towpath.facade.representation import ENGINE_STATES, Listing, Representation, represent
from towpath.facade.requests import (
    AnyRequest,
    Submission,
    check_reserved,
    decode_json,
    multipart,
    one_of,
    query,
    read_json,
    refuse,
    truth,
    whole,
)
from towpath.http import Problem, caller
from towpath.identity import Identity
from towpath.wire import CreateProcessInstance, Document, Page, ProcessError, Search, Sort

PAGE = 50  # items of a page where the caller does not say
MAX_KEY = 255  # characters of an Idempotency-Key
FRESH_IDS = 3  # tries to find an id that is not taken: 50 random bits hardly ever meet


def instance_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """Handlers of ``/catalog`` and ``/{resource}``."""

    @get("/catalog")
    async def catalog() -> dict[str, Any]:
        view = await facade.catalog.view()
        return {
            "resources": [
                {
                    "name": resource.name,
                    "process": resource.process_id,
                    "title": resource.title,
                    "singular": resource.singular,
                    "startForm": resource.start_form.document if resource.start_form else None,
                }
                for resource in view.resources.values()
                if resource.configured
            ]
        }

    @post("/{resource_name:str}", status_code=201)
    async def start(request: AnyRequest, resource_name: FromPath[str]) -> Response[Representation]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        roles = resource.settings.start_roles
        if roles and not identity.has(*roles):
            raise Problem(
                403, f"Starting a {resource.singular.lower()} needs one of the roles: {', '.join(roles)}."
            )
        query(request)
        key = idempotency_key(request)
        async with _submission(request, facade) as submission:
            data = _data(resource, submission)
            business_id, replayed = await _start(facade, resource, identity, data, submission, key)
        instance = await facade.owned(resource, business_id, identity)
        shown = await represent(facade, resource, [instance], identity, documents=True)
        headers = {"Location": f"/{resource.name}/{business_id}"}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(shown[0], status_code=201, headers=headers)

    @get("/{resource_name:str}")
    async def listing(request: AnyRequest, resource_name: FromPath[str]) -> Listing:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        wanted = query(
            request,
            state=one_of(*ENGINE_STATES),
            limit=whole(1, facade.settings.max_page),
            after=str,
            mine=truth,
        )
        filter_: dict[str, Any] = {
            "processDefinitionId": resource.process_id,
            "businessId": {"$exists": True},
        }
        if "state" in wanted:
            filter_["state"] = ENGINE_STATES[wanted["state"]]
        mine = wanted.get("mine", False) or not facade.reads_all(resource, identity)
        if mine:
            filter_["variables"] = [_owned_by(resource, identity.subject)]
        limit = wanted.get("limit", PAGE)
        search = Search(
            filter=filter_,
            sort=[Sort(field="startDate", order="DESC")],
            page=Page(limit=limit, after=wanted.get("after")),
        )
        found = await facade.process.search_process_instances(search)
        following = found.page.end_cursor if len(found.items) == limit else None
        if following is not None:
            search.page = Page(limit=1, after=following)
            if not (await facade.process.search_process_instances(search)).items:
                following = None
        items = await represent(facade, resource, found.items, identity)
        return Listing(items=items, next=following)

    @get("/{resource_name:str}/{business_id:str}")
    async def show(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> Representation:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        instance = await facade.find(resource, business_id)
        shown = await represent(facade, resource, [instance] if instance else [], identity, documents=True)
        if not shown:
            raise facade.absent(resource, business_id)
        return shown[0]

    @delete("/{resource_name:str}/{business_id:str}", status_code=204)
    async def cancel(request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]) -> None:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        instance = await facade.owned(resource, business_id, identity)
        roles = {*resource.settings.cancel_roles, *facade.settings.operator_roles}
        if not identity.has(*roles):
            raise Problem(403, f"Canceling this needs one of the roles: {', '.join(sorted(roles))}.")
        if instance.state == "TERMINATED":
            return  # DELETE is idempotent (RFC 9110, 9.2.2)
        if instance.state != "ACTIVE":
            raise Problem(
                409, f"{business_id} is {instance.state.lower()}; only an active one can be canceled."
            )
        await facade.process.cancel_process_instance(instance.process_instance_key, actor=identity.subject)

    return [catalog, start, listing, show, cancel]


def idempotency_key(request: AnyRequest) -> str | None:
    """The header ``Idempotency-Key``. Raises :class:`Problem` 400 where it cannot be one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise refuse(
            [{"field": "Idempotency-Key", "message": f"must have 1 to {MAX_KEY} printable characters."}]
        )
    return key


def _owned_by(resource: Resource, subject: str) -> dict[str, Any]:
    """A filter on the owner; where it is only a superset, :func:`represent` leaves the others out."""
    value = msgspec.json.encode(subject).decode()
    if resource.settings.owner == "customer.id":
        return {"name": OWNER, "value": value}
    if resource.settings.owner == resource.owner_variable:
        return {"name": resource.owner_variable, "value": value}
    escaped = "".join(f"\\{c}" if c in "*?\\" else c for c in value)
    return {"name": resource.owner_variable, "value": {"$like": f"*{escaped}*"}}


@asynccontextmanager
async def _submission(request: AnyRequest, facade: Facade) -> AsyncIterator[Submission]:
    """What was sent to start with: JSON alone, or with files."""
    if request.content_type[0] == "multipart/form-data":
        async with multipart(request, facade.settings) as submission:
            yield submission
    else:
        data = await read_json(request, dict[str, Any], facade.settings.max_json_bytes, empty={})
        yield Submission(msgspec.json.encode(data))


def _data(resource: Resource, submission: Submission) -> dict[str, Any]:
    """The variables that were sent, checked against the start form. Raises :class:`Problem` 400."""
    data = decode_json(submission.data, dict[str, Any]) if submission.data is not None else {}
    check_reserved(data, resource.reserved)
    form = resource.start_form
    fields = form.files if form else {}
    errors = [
        {"field": name, "message": f"{field.label} takes files: send them as parts named {name!r}."}
        for name, field in fields.items()
        if data.get(name)
    ]
    data = {name: value for name, value in data.items() if name not in fields}
    counts: dict[str, int] = {}
    for upload in submission.files:
        counts[upload.field] = counts.get(upload.field, 0) + 1
        known = fields.get(upload.field)
        if form is not None and known is None:
            errors.append({"field": upload.field, "message": "is not a file field of the form."})
        elif known is not None and not known.accepts(upload.file_name, upload.content_type):
            errors.append(
                {
                    "field": upload.field,
                    "message": f"{upload.file_name} ({upload.content_type}) is not one of "
                    f"{', '.join(known.accept)}.",
                }
            )
    for name, field in fields.items():
        if field.required and not counts.get(name):
            errors.append({"field": name, "message": f"{field.label} is required."})
        if not field.multiple and counts.get(name, 0) > 1:
            errors.append({"field": name, "message": f"{field.label} takes one file."})
    check_reserved(counts, resource.reserved)
    if form is not None:
        errors += form.errors(data)
        data = form.taken(data)
    if errors:
        raise refuse(errors)
    return data


async def _start(
    facade: Facade,
    resource: Resource,
    identity: Identity,
    data: dict[str, Any],
    submission: Submission,
    key: str | None,
) -> tuple[str, bool]:
    """Start an instance; its business id, and whether an earlier request had already started it."""
    for _ in range(FRESH_IDS):
        if key is None:
            business_id = fresh_id(resource.id_prefix)
        else:
            secret = facade.key("business ids")
            business_id = derived_id(resource.id_prefix, secret, resource.name, identity.subject, key)
            if await facade.find(resource, business_id) is not None:
                return business_id, True
        documents = await _store(facade, business_id, submission, key is not None)
        variables = data | {
            "id": business_id,
            "customer": {"id": identity.subject, "name": identity.name, "email": identity.email},
            OWNER: identity.subject,
        }
        for field, stored in documents.items():
            variables[field] = [msgspec.to_builtins(document) for document in stored]
        try:
            await facade.process.create_process_instance(
                CreateProcessInstance(
                    process_definition_id=resource.process_id, variables=variables, business_id=business_id
                ),
                actor=identity.subject,
            )
        except ProcessError as error:
            taken = error.code == "ALREADY_EXISTS"
            if taken and key is not None:
                return business_id, True  # the same request, sent twice at once
            if key is None:
                await _discard(facade, documents)
            if not taken:
                raise
        else:
            return business_id, False
    raise Problem(503, "No free id was found; try again.", headers={"Retry-After": "1"})


async def _store(
    facade: Facade, business_id: str, submission: Submission, repeatable: bool
) -> dict[str, list[Document]]:
    """Keep the files under ids that begin with the business id; the same ids where the start is repeated.

    Those of a repeatable start are never taken back: a request with the same key may have started it.
    """
    stored: dict[str, list[Document]] = {}
    try:
        for number, upload in enumerate(submission.files):
            tail = (
                derived_token(facade.key("documents"), business_id, upload.field, str(number))
                if repeatable
                else secrets.token_hex(8)
            )
            document = await facade.process.create_document(
                upload.parts(),
                file_name=upload.file_name,
                content_type=upload.content_type,
                document_id=f"{business_id}.{tail}",
            )
            stored.setdefault(upload.field, []).append(document)
    except ProcessError:
        if not repeatable:
            await _discard(facade, stored)
        raise
    return stored


async def _discard(facade: Facade, documents: dict[str, list[Document]]) -> None:
    for stored in documents.values():
        for document in stored:
            await facade.process.delete_document(document.document_id)
