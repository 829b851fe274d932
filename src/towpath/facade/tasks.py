"""User tasks: whoever may see one may take it, give it back and complete it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.facade.catalog import Resource
from towpath.facade.context import MOST, Facade
from towpath.facade.forms import Form, compile_form
from towpath.facade.instances import PAGE, idempotency_key
from towpath.facade.representation import DocumentLink, Shown, TaskSummary, document_link, documents_of
from towpath.facade.requests import (
    AnyRequest,
    check_reserved,
    one_of,
    query,
    read_json,
    refuse,
    truth,
    whole,
)
from towpath.http import Problem, caller
from towpath.identity import Identity
from towpath.wire import Page, ProcessError, ProcessInstance, Search, Sort, UserTask

STATES = {"created": "CREATED", "completed": "COMPLETED", "canceled": "CANCELED"}
RESERVED = frozenset({"id", "customer", "_owner"})  # where the task's process is no resource


class Task(TaskSummary, kw_only=True):
    """A task in a list. ``resource`` and ``business_id`` name what it is about."""

    resource: str | None
    business_id: str | None
    title: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    priority: int
    created_at: str
    completed_at: str | None
    has_form: bool


class TaskDetail(Task, kw_only=True):
    """A task with all that is visible from it."""

    variables: dict[str, Any]
    documents: list[DocumentLink]


class TaskList(Shown):
    items: list[Task]
    next: str | None


class TaskBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a completion."""

    variables: dict[str, Any] = {}


class FormBody(Shown):
    """``schema`` is a form-js document, null for a task without a form; ``data`` fills it."""

    schema: dict[str, Any] | None
    data: dict[str, Any]


def task_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """Handlers of ``/tasks`` and ``/{resource}/{id}/tasks``."""

    @get("/tasks")
    async def listing(request: AnyRequest) -> TaskList:
        identity = caller(request)
        wanted = query(
            request,
            state=one_of(*STATES),
            mine=truth,
            limit=whole(1, facade.settings.max_page),
            after=str,
        )
        filter_: dict[str, Any] = {"state": STATES[wanted.get("state", "created")]}
        if wanted.get("mine"):
            filter_["assignee"] = identity.subject
        elif not facade.is_operator(identity):
            ways: list[dict[str, Any]] = [
                {"assignee": identity.subject},
                {"candidateUser": identity.subject},
            ]
            if identity.roles:
                ways.append({"candidateGroup": {"$in": sorted(identity.roles)}})
            filter_["$or"] = ways
        limit = wanted.get("limit", PAGE)
        search = Search(
            filter=filter_,
            sort=[Sort(field="creationDate", order="DESC")],
            page=Page(limit=limit, after=wanted.get("after")),
        )
        found = await facade.process.search_user_tasks(search)
        following = found.page.end_cursor if len(found.items) == limit else None
        if following is not None:
            search.page = Page(limit=1, after=following)
            if not (await facade.process.search_user_tasks(search)).items:
                following = None
        subjects = await _subjects(facade, found.items)
        return TaskList(
            items=[_task(task, *subjects[task.user_task_key]) for task in found.items], next=following
        )

    @get("/tasks/{task_id:str}")
    async def show(request: AnyRequest, task_id: FromPath[str]) -> TaskDetail:
        query(request)
        return await detail(await visible(task_id, caller(request)))

    @get("/tasks/{task_id:str}/form")
    async def form(request: AnyRequest, task_id: FromPath[str]) -> FormBody:
        query(request)
        task = await visible(task_id, caller(request))
        found = await _form(facade, task)
        variables = await _variables(facade, task)
        return FormBody(schema=found.document if found else None, data=variables)

    @post("/tasks/{task_id:str}/claim", status_code=200)
    async def claim(request: AnyRequest, task_id: FromPath[str]) -> TaskDetail:
        identity = caller(request)
        query(request)
        task = await open_task(task_id, identity)
        if task.assignee != identity.subject:
            if task.assignee is not None:
                raise Problem(409, "Somebody else has taken this task.")
            await facade.process.assign_user_task(
                task_id, identity.subject, allow_override=False, actor=identity.subject
            )
        return await detail(await facade.process.user_task(task_id))

    @post("/tasks/{task_id:str}/release", status_code=200)
    async def release(request: AnyRequest, task_id: FromPath[str]) -> TaskDetail:
        identity = caller(request)
        query(request)
        task = await open_task(task_id, identity)
        if task.assignee is not None:
            if task.assignee != identity.subject and not facade.is_operator(identity):
                raise Problem(
                    409, "Somebody else has taken this task; only they or an operator give it back."
                )
            await facade.process.unassign_user_task(task_id, actor=identity.subject)
        return await detail(await facade.process.user_task(task_id))

    @post("/tasks/{task_id:str}/complete", status_code=200)
    async def complete(request: AnyRequest, task_id: FromPath[str]) -> TaskDetail:
        identity = caller(request)
        query(request)
        key = idempotency_key(request)
        body = await read_json(request, TaskBody, facade.settings.max_json_bytes, empty=TaskBody())
        task = await visible(task_id, identity)
        if task.state == "COMPLETED" and key is not None and task.assignee == identity.subject:
            return await detail(task)  # the same request again: its answer was lost
        task = await open_task(task_id, identity)
        if task.assignee not in (None, identity.subject):
            raise Problem(409, "Somebody else has taken this task.")
        resource = await _resource(facade, task)
        check_reserved(body.variables, resource.reserved if resource else RESERVED)
        variables = body.variables
        found = await _form(facade, task)
        if found is not None:
            errors = found.errors(variables)
            if errors:
                raise refuse(errors)
            variables = found.taken(variables)
        if task.assignee is None:
            # Whoever completes it has taken it: the history then names them.
            await facade.process.assign_user_task(
                task_id, identity.subject, allow_override=False, actor=identity.subject
            )
        await facade.process.complete_user_task(task_id, variables, actor=identity.subject)
        return await detail(await facade.process.user_task(task_id))

    @get("/{resource_name:str}/{business_id:str}/tasks")
    async def of_instance(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> dict[str, list[Task]]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        wanted = query(request, state=one_of(*STATES))
        instance = await facade.owned(resource, business_id, identity)
        tree = await facade.tree(resource, [instance])
        filter_: dict[str, Any] = {"processInstanceKey": {"$in": list(tree)}}
        if "state" in wanted:
            filter_["state"] = STATES[wanted["state"]]
        found = await facade.process.search_user_tasks(Search(filter=filter_, page=Page(limit=MOST)))
        everything = facade.reads_all(resource, identity)
        return {
            "items": [
                _task(task, resource, business_id)
                for task in found.items
                if everything or facade.may_see(task, identity)
            ]
        }

    async def visible(task_id: str, identity: Identity) -> UserTask:
        absent = Problem(404, f"There is no task {task_id!r}.")
        if not (task_id.isascii() and task_id.isdigit() and len(task_id) < 20):
            raise absent
        try:
            task = await facade.process.user_task(task_id)
        except ProcessError as error:
            if error.code == "NOT_FOUND":
                raise absent from None
            raise
        if not facade.may_see(task, identity):
            raise absent
        return task

    async def open_task(task_id: str, identity: Identity) -> UserTask:
        task = await visible(task_id, identity)
        if task.state != "CREATED":
            raise Problem(409, f"The task is already {task.state.lower()}.")
        return task

    async def detail(task: UserTask) -> TaskDetail:
        resource, business_id = (await _subjects(facade, [task]))[task.user_task_key]
        variables = await _variables(facade, task)
        documents: list[DocumentLink] = []
        if resource is not None and business_id is not None:
            instance = await facade.find(resource, business_id)
            keys = list(await facade.tree(resource, [instance])) if instance else []
            documents = [
                document_link(resource, business_id, document)
                for document in await documents_of(facade, business_id, keys, variables)
            ]
        base = _task(task, resource, business_id)
        return TaskDetail(**msgspec.structs.asdict(base), variables=variables, documents=documents)

    return [listing, show, form, claim, release, complete, of_instance]


def _task(task: UserTask, resource: Resource | None, business_id: str | None) -> Task:
    return Task(
        id=task.user_task_key,
        name=task.name or task.element_id,
        state=task.state.lower(),
        assignee=task.assignee,
        due_at=task.due_date,
        resource=resource.name if resource else None,
        business_id=business_id,
        title=resource.singular if resource else None,
        candidate_groups=task.candidate_groups,
        candidate_users=task.candidate_users,
        priority=task.priority,
        created_at=task.creation_date,
        completed_at=task.completion_date,
        has_form=task.form_key is not None,
    )


async def _subjects(facade: Facade, tasks: list[UserTask]) -> dict[str, tuple[Resource | None, str | None]]:
    """The resource and business id that each task is about: those of its root instance."""
    instances = await _instances(facade, {task.process_instance_key for task in tasks})
    roots = {i.root_process_instance_key for i in instances.values()} - {None, *instances}
    instances |= await _instances(facade, {root for root in roots if root})
    view = await facade.catalog.view()
    found: dict[str, tuple[Resource | None, str | None]] = {}
    for task in tasks:
        own = instances.get(task.process_instance_key)
        root = instances.get(own.root_process_instance_key or "", own) if own else None
        resource = view.by_process.get(root.process_definition_id) if root else None
        found[task.user_task_key] = (resource, root.business_id if root else None)
    return found


async def _instances(facade: Facade, keys: set[str]) -> dict[str, ProcessInstance]:
    if not keys:
        return {}
    found = await facade.process.search_process_instances(
        Search(filter={"processInstanceKey": {"$in": sorted(keys)}}, page=Page(limit=len(keys)))
    )
    return {instance.process_instance_key: instance for instance in found.items}


async def _resource(facade: Facade, task: UserTask) -> Resource | None:
    return (await _subjects(facade, [task]))[task.user_task_key][0]


async def _form(facade: Facade, task: UserTask) -> Form | None:
    form = await facade.process.user_task_form(task.user_task_key)
    if form is not None:
        return compile_form(form.schema)
    view = await facade.catalog.view()
    resource = view.by_process.get(task.process_definition_id)
    return resource.task_forms.get(task.element_id) if resource else None


async def _variables(facade: Facade, task: UserTask) -> dict[str, Any]:
    """What is visible from the task, as JSON values, without what is the facade's own."""
    variables = await facade.process.user_task_variables(task.user_task_key)
    return {name: value for name, value in variables.items() if name != "_owner"}
