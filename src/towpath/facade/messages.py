"""Messages that an instance waits for, carried to it on behalf of whoever may."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.facade.catalog import Resource
from towpath.facade.context import Facade
from towpath.facade.instances import idempotency_key
from towpath.facade.representation import Action, Representation, represent
from towpath.facade.requests import AnyRequest, check_reserved, query, read_json, refuse
from towpath.http import Problem, caller
from towpath.identity import Identity
from towpath.wire import CorrelateMessage, MessageSubscription, ProcessError, ProcessInstance, Search


class MessageBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a message."""

    variables: dict[str, Any] = {}


def message_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """Handlers of ``/{resource}/{id}/messages``."""

    @get("/{resource_name:str}/{business_id:str}/messages")
    async def waiting(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> dict[str, list[Action]]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        instance = await facade.owned(resource, business_id, identity)
        return {"items": (await represent(facade, resource, [instance], identity))[0].actions}

    @post("/{resource_name:str}/{business_id:str}/messages/{message:str}", status_code=200)
    async def send(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str], message: FromPath[str]
    ) -> Representation:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        query(request)
        key = idempotency_key(request)
        body = await read_json(request, MessageBody, facade.settings.max_json_bytes, empty=MessageBody())
        instance = await facade.owned(resource, business_id, identity)
        if message not in resource.messages:
            known = ", ".join(sorted(resource.messages)) or "none"
            raise Problem(404, f"There is no message {message!r} here; there are: {known}.")
        variables = await _checked(facade, resource, instance, message, body.variables, identity)
        await carry(
            facade, resource, instance, message, variables, actor=identity.subject, repeatable=key is not None
        )
        instance = await facade.process.process_instance(instance.process_instance_key)
        return (await represent(facade, resource, [instance], identity, documents=True))[0]

    return [waiting, send]


async def _checked(
    facade: Facade,
    resource: Resource,
    instance: ProcessInstance,
    message: str,
    variables: dict[str, Any],
    identity: Identity,
) -> dict[str, Any]:
    """The variables of a message, if the caller may send them. Raises :class:`Problem` 400.

    With a form, the form decides. Without one, a caller who is not staff may bring new variables but not
    write over those that the process has, unless output mappings guard them.
    """
    check_reserved(variables, resource.reserved)
    form = resource.message_forms.get(message)
    if form is not None:
        errors = form.errors(variables)
        if errors:
            raise refuse(errors)
        return form.taken(variables)
    guarded = all(element.confined for element in resource.messages[message])
    if variables and not guarded and not facade.reads_all(resource, identity):
        key = instance.process_instance_key
        existing = (await facade.variables([key], list(variables))).get(key, {})
        errors = [
            {"field": name, "message": f"{name} is already known, and this message cannot change it."}
            for name, value in variables.items()
            if name in existing and existing[name] != value
        ]
        if errors:
            raise refuse(errors)
    return variables


async def subscriptions(
    facade: Facade, resource: Resource, instance: ProcessInstance, message: str, state: str
) -> list[MessageSubscription]:
    """The subscriptions of an instance, and of those it called, to one message."""
    tree = await facade.tree(resource, [instance])
    found = await facade.process.search_message_subscriptions(
        Search(
            filter={
                "processInstanceKey": {"$in": list(tree)},
                "messageName": message,
                "messageSubscriptionState": state,
            }
        )
    )
    return found.items


async def carry(
    facade: Facade,
    resource: Resource,
    instance: ProcessInstance,
    message: str,
    variables: dict[str, Any],
    *,
    actor: str,
    repeatable: bool = False,
) -> None:
    """Carry a message to the instance. Raises :class:`Problem` 409 where nothing waits for it.

    ``repeatable``: where it was already carried and the process holds its variables, that counts as done.
    """
    for waiting in await subscriptions(facade, resource, instance, message, "CREATED"):
        try:
            await facade.process.correlate_message(
                CorrelateMessage(name=message, correlation_key=waiting.correlation_key, variables=variables),
                actor=actor,
            )
        except ProcessError as error:
            if error.code not in ("NOT_FOUND", "INVALID_STATE"):
                raise
        else:
            return
    if repeatable and await _applied(facade, resource, instance, message, variables):
        return
    raise Problem(409, f"{instance.business_id} does not wait for {message!r} now.")


async def _applied(
    facade: Facade, resource: Resource, instance: ProcessInstance, message: str, variables: dict[str, Any]
) -> bool:
    if not await subscriptions(facade, resource, instance, message, "CORRELATED"):
        return False
    key = instance.process_instance_key
    held = (await facade.variables([key], list(variables))).get(key, {}) if variables else {}
    return all(name in held and held[name] == value for name, value in variables.items())
