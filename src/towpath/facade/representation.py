"""How a process instance looks from outside, in the terms of the business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from towpath.facade.catalog import Resource
from towpath.facade.context import MOST, Facade
from towpath.identity import Identity
from towpath.wire import Document, Page, ProcessInstance, Search, UserTask

STATES = {"ACTIVE": "active", "COMPLETED": "completed", "TERMINATED": "canceled"}
ENGINE_STATES = {word: state for state, word in STATES.items()}


class Shown(msgspec.Struct, rename="camel", kw_only=True):
    """Common to all: camelCase in JSON."""


class Milestone(Shown):
    """A step that was reached, in words for the customer. ``id`` is the element's."""

    id: str
    name: str
    at: str


class Action(Shown):
    """A message that the process waits for now; ``form`` is a form-js document."""

    message: str
    name: str
    form: dict[str, Any] | None = None


class TaskSummary(Shown):
    """``state``: created, completed, canceled."""

    id: str
    name: str
    state: str
    assignee: str | None
    due_at: str | None


class DocumentLink(Shown):
    """A document and where its bytes are."""

    id: str
    file_name: str
    content_type: str
    size: int  # bytes
    href: str


class Representation(Shown):
    """``state``: active, completed, canceled. ``data``: the exposed variables.

    ``documents`` is absent in lists.
    """

    id: str
    resource: str
    state: str
    title: str
    started_at: str
    ended_at: str | None
    data: dict[str, Any]
    milestones: list[Milestone]
    actions: list[Action]
    tasks: list[TaskSummary]
    documents: list[DocumentLink] | msgspec.UnsetType = msgspec.UNSET


class Listing(Shown):
    """``next``: what to give as ``after`` for the next page; null on the last."""

    items: list[Representation]
    next: str | None


def task_summary(task: UserTask) -> TaskSummary:
    """A task in brief."""
    return TaskSummary(
        id=task.user_task_key,
        name=task.name or task.element_id,
        state=task.state.lower(),
        assignee=task.assignee,
        due_at=task.due_date,
    )


def document_link(resource: Resource, business_id: str, document: Document) -> DocumentLink:
    """A document as callers see it."""
    return DocumentLink(
        id=document.document_id,
        file_name=document.file_name,
        content_type=document.content_type,
        size=document.size,
        href=f"/{resource.name}/{quote(business_id)}/documents/{quote(document.document_id)}",
    )


def is_reference(value: Any) -> bool:
    """True for a document reference inside variables."""
    return isinstance(value, Mapping) and "documentId" in value and "contentHash" in value


def references(value: Any) -> Iterable[Document]:
    """The document references inside a variable's value."""
    if is_reference(value):
        try:
            yield msgspec.convert(value, Document)
        except msgspec.ValidationError:
            return
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def belongs(document_id: str, business_id: str) -> bool:
    """True for ids that the facade gave to files sent with this start: they begin with its business id.

    A reference in a variable proves nothing, since callers may write variables; the id does.
    """
    return document_id.startswith(f"{business_id}.")


def exposed(resource: Resource, business_id: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that the resource shows; documents inside as links."""
    if not resource.configured:
        return {name: _public(resource, business_id, value) for name, value in variables.items()}
    data: dict[str, Any] = {}
    for path in resource.settings.expose:
        *parents, name = path.split(".")
        source: Any = variables
        for part in parents:
            source = source.get(part) if isinstance(source, Mapping) else None
        if isinstance(source, Mapping) and name in source:
            target = data
            for part in parents:
                target = target.setdefault(part, {})
            target[name] = _public(resource, business_id, source[name])
    return data


def _public(resource: Resource, business_id: str, value: Any) -> Any:
    if is_reference(value):
        return next(
            (
                msgspec.to_builtins(document_link(resource, business_id, document))
                for document in references(value)
                if belongs(document.document_id, business_id)
            ),
            None,
        )
    if isinstance(value, Mapping):
        return {name: _public(resource, business_id, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_public(resource, business_id, inner) for inner in value]
    return value


def _wanted(resource: Resource) -> list[str] | None:
    """The variables that a representation is made of; None for all."""
    if not resource.configured:
        return None
    names = {path.split(".")[0] for path in resource.settings.expose}
    files = resource.start_form.files if resource.start_form else {}
    return sorted(names | {resource.owner_variable} | {key.split(".")[0] for key in files})


async def represent(
    facade: Facade,
    resource: Resource,
    instances: list[ProcessInstance],
    identity: Identity,
    *,
    documents: bool = False,
) -> list[Representation]:
    """Representations, in five searches however many instances there are.

    Those that the caller may not see are left out. Callers who are not staff see only tasks that are for
    them. With ``documents`` (for one instance) also its documents.
    """
    if not instances:
        return []
    everything = facade.reads_all(resource, identity)
    variables = await facade.variables([i.process_instance_key for i in instances], _wanted(resource))
    if not everything:
        instances = [
            i
            for i in instances
            if facade.owner(resource, variables.get(i.process_instance_key, {})) == identity.subject
        ]
        if not instances:
            return []
    tree = await facade.tree(resource, instances)
    milestones = await _milestones(facade, tree)
    actions = await _actions(facade, resource, tree)
    tasks = await _tasks(facade, tree, identity, everything=everything)
    shown: list[Representation] = []
    for instance in instances:
        key, business_id = instance.process_instance_key, instance.business_id or ""
        values = variables.get(key, {})
        one = Representation(
            id=business_id,
            resource=resource.name,
            state=STATES.get(instance.state, instance.state.lower()),
            title=resource.singular,
            started_at=instance.start_date,
            ended_at=instance.end_date,
            data=exposed(resource, business_id, values),
            milestones=milestones.get(key, []),
            actions=actions.get(key, []),
            tasks=tasks.get(key, []),
        )
        if documents:
            of_this = [called for called, root in tree.items() if root == key]
            one.documents = [
                document_link(resource, business_id, document)
                for document in await documents_of(facade, business_id, of_this, values)
            ]
        shown.append(one)
    return shown


async def documents_of(
    facade: Facade, business_id: str, instance_keys: list[str], variables: Mapping[str, Any]
) -> list[Document]:
    """What was sent with the start, and what was added later, each once."""
    found = {
        document.document_id: document
        for document in references(dict(variables))
        if belongs(document.document_id, business_id)
    }
    for key in instance_keys:
        for document in await facade.process.search_documents(key):
            found.setdefault(document.document_id, document)
    return list(found.values())


async def _milestones(facade: Facade, tree: dict[str, str]) -> dict[str, list[Milestone]]:
    rows = await facade.process.search_element_instances(
        Search(
            filter={
                "processInstanceKey": {"$in": list(tree)},
                "milestone": {"$exists": True},
                "state": "COMPLETED",
            },
            page=Page(limit=MOST),
        )
    )
    found: dict[str, list[Milestone]] = {}
    for row in sorted(rows.items, key=lambda r: (r.end_date or "", int(r.element_instance_key))):
        if row.milestone:
            found.setdefault(tree[row.process_instance_key], []).append(
                Milestone(id=row.element_id, name=row.milestone, at=row.end_date or row.start_date)
            )
    return found


async def _actions(facade: Facade, resource: Resource, tree: dict[str, str]) -> dict[str, list[Action]]:
    rows = await facade.process.search_message_subscriptions(
        Search(
            filter={"processInstanceKey": {"$in": list(tree)}, "messageSubscriptionState": "CREATED"},
            page=Page(limit=MOST),
        )
    )
    found: dict[str, dict[str, Action]] = {}
    for row in rows.items:
        form = resource.message_forms.get(row.message_name)
        found.setdefault(tree[row.process_instance_key], {}).setdefault(
            row.message_name,
            Action(
                message=row.message_name,
                name=row.element_name or row.message_name,
                form=form.document if form else None,
            ),
        )
    return {key: list(actions.values()) for key, actions in found.items()}


async def _tasks(
    facade: Facade, tree: dict[str, str], identity: Identity, *, everything: bool
) -> dict[str, list[TaskSummary]]:
    rows = await facade.process.search_user_tasks(
        Search(filter={"processInstanceKey": {"$in": list(tree)}, "state": "CREATED"}, page=Page(limit=MOST))
    )
    found: dict[str, list[TaskSummary]] = {}
    for row in rows.items:
        if everything or facade.may_see(row, identity):
            found.setdefault(tree[row.process_instance_key], []).append(task_summary(row))
    return found
