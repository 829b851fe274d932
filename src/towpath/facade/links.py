"""Signed links: one message of one instance, carried by whoever holds the link, on any channel."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from towpath.facade.catalog import Resource
from towpath.facade.context import Facade
from towpath.facade.messages import carry, subscriptions
from towpath.facade.pages import page
from towpath.facade.representation import Shown, is_reference
from towpath.facade.requests import AnyRequest, check_reserved, query, read_json, refuse
from towpath.http import Problem, requires
from towpath.wire import ProcessInstance

KIND = "towpath-link+jwt"
SHORTEST = 60  # seconds that a link is good for, at least
MAX_TOKEN = 6_000  # characters; some mail programs cut longer addresses
MOST_FACTS = 12  # lines of what is confirmed


class LinkRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A link to make: ``subject`` is on whose behalf it will act.

    ``variables`` are shown on the page, beside those that the model shows; ``send`` are carried with the
    message.
    """

    resource: str
    id: str
    message: str
    subject: str
    expires_in: int  # seconds
    variables: dict[str, Any] = {}
    send: dict[str, Any] = {}


class Link(Shown):
    """Where the page is, and until when."""

    url: str
    expires_at: str


class Grant(msgspec.Struct, frozen=True):
    """What a link says. The names are short because a link should be."""

    res: str
    id: str
    msg: str
    sub: str
    show: dict[str, Any] = {}
    send: dict[str, Any] = {}


class ExpiredError(Exception):
    """The link was good once."""


class ForgedError(Exception):
    """The link is not one of ours, or was changed or cut."""


class Signer:
    """Signs and reads grants (JWT, HS256) with a key of its own."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)

    def sign(self, grant: Grant, lifetime: int) -> tuple[str, int]:
        """A token, and when it expires (seconds since the epoch)."""
        expires = int(time.time()) + lifetime
        claims = msgspec.to_builtins(grant) | {"exp": expires}
        return jwt.encode({"alg": "HS256", "typ": KIND}, claims, self._key), expires

    def read(self, token: str) -> Grant:
        """What the token grants. Raises :class:`ExpiredError` or :class:`ForgedError`."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=["HS256"])
            if decoded.header.get("typ") != KIND:
                raise ForgedError
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
            return msgspec.convert(decoded.claims, Grant)
        except ExpiredTokenError:
            raise ExpiredError from None
        except (JoseError, ValueError, TypeError):
            raise ForgedError from None


def link_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """Handlers of ``/links``."""
    signer = Signer(facade.key("links"))

    @post("/links", status_code=201, guards=[requires("service")])
    async def make(request: AnyRequest) -> Link:
        query(request)
        wanted = await read_json(request, LinkRequest, facade.settings.max_json_bytes)
        resource = await facade.catalog.resource(wanted.resource)
        if await facade.find(resource, wanted.id) is None:
            raise facade.absent(resource, wanted.id)
        errors = []
        if wanted.message not in resource.messages:
            known = ", ".join(sorted(resource.messages)) or "none"
            errors.append({"field": "message", "message": f"is not one of the process's messages: {known}."})
        longest = facade.settings.max_link_lifetime
        if not SHORTEST <= wanted.expires_in <= longest:
            errors.append({"field": "expiresIn", "message": f"must be from {SHORTEST} to {longest} seconds."})
        if errors:
            raise refuse(errors)
        check_reserved(wanted.send, resource.reserved)
        grant = Grant(resource.name, wanted.id, wanted.message, wanted.subject, wanted.variables, wanted.send)
        token, expires = signer.sign(grant, wanted.expires_in)
        if len(token) > MAX_TOKEN:
            raise refuse([{"field": "variables", "message": "are too much for a link; show less."}])
        return Link(
            url=f"{facade.public_url.rstrip('/')}/links/{token}",
            expires_at=datetime.fromtimestamp(expires, UTC).isoformat().replace("+00:00", "Z"),
        )

    @get("/links/{token:str}")
    async def look(token: FromPath[str]) -> Response[str]:
        opened = await _open(facade, signer, token)
        if isinstance(opened, Response):
            return opened
        grant, resource, instance = opened
        waiting = await subscriptions(facade, resource, instance, grant.msg, "CREATED")
        if not waiting:
            return _used(resource, grant)
        return page(
            "link.html",
            200,
            state="open",
            heading=waiting[0].element_name or resource.messages[grant.msg][0].name,
            resource=resource.singular,
            business_id=grant.id,
            facts=await _facts(facade, resource, instance, grant),
            action=f"/links/{quote(token)}",
        )

    @post("/links/{token:str}", status_code=200)
    async def use(token: FromPath[str]) -> Response[str]:
        opened = await _open(facade, signer, token)
        if isinstance(opened, Response):
            return opened
        grant, resource, instance = opened
        try:
            await carry(facade, resource, instance, grant.msg, grant.send, actor=grant.sub)
        except Problem as problem:
            if problem.status != 409:
                raise
            return _used(resource, grant)
        return page(
            "link.html",
            200,
            state="done",
            heading="Thank you",
            resource=resource.singular,
            business_id=grant.id,
            name=resource.messages[grant.msg][0].name,
            facts=await _facts(facade, resource, instance, grant),
        )

    return [make, look, use]


async def _open(
    facade: Facade, signer: Signer, token: str
) -> Response[str] | tuple[Grant, Resource, ProcessInstance]:
    """What the link is for, or the page that says why it is for nothing."""
    try:
        grant = signer.read(token)
    except ExpiredError:
        return page("link.html", 410, state="expired", heading="This link has expired")
    except ForgedError:
        return page("link.html", 400, state="forged", heading="This link is not valid")
    view = await facade.catalog.view()
    resource = view.resources.get(grant.res)
    instance = await facade.find(resource, grant.id) if resource else None
    if resource is None or instance is None or grant.msg not in resource.messages:
        return page("link.html", 410, state="expired", heading="This link has expired")
    return grant, resource, instance


async def _facts(
    facade: Facade, resource: Resource, instance: ProcessInstance, grant: Grant
) -> list[tuple[str, str]]:
    """What the model says is shown, as it is now, and what the link brings."""
    names = sorted({name for element in resource.messages[grant.msg] for name in element.show})
    key = instance.process_instance_key
    current = (await facade.variables([key], names)).get(key, {}) if names else {}
    return facts(grant.show | current, resource.reserved)


def _used(resource: Resource, grant: Grant) -> Response[str]:
    return page(
        "link.html",
        409,
        state="used",
        heading="There is nothing left to do",
        resource=resource.singular,
        business_id=grant.id,
        name=resource.messages[grant.msg][0].name,
    )


def facts(variables: Mapping[str, Any], hidden: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Variables as lines that a person reads: ``("Shop", "Harbour Garage")``."""
    found: list[tuple[str, str]] = []

    def add(name: str, value: Any) -> None:
        if value is None or value == "" or is_reference(value):
            return
        if isinstance(value, Mapping):
            for inner, below in value.items():
                add(inner, below)
        elif isinstance(value, list):
            if value and not any(isinstance(one, Mapping | list) for one in value):
                found.append((_label(name), ", ".join(map(_text, value))))
        else:
            found.append((_label(name), _text(value)))

    for name, value in variables.items():
        if name not in hidden:
            add(name, value)
    return found[:MOST_FACTS]


def _label(name: str) -> str:
    """``pickUpAt`` as "Pick up at"; a bare ``at`` is a time."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip().lower()
    return "When" if words == "at" else words[:1].upper() + words[1:]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        # The clock time as it was written: an appointment is told in the place's own time.
        return f"{moment:%A}, {moment.day} {moment:%B %Y}, {moment:%H:%M}"
    return str(value)
