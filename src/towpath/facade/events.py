"""An instance's milestones and changes as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import structlog
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage
from litestar.types import ControllerRouterHandler

from towpath.facade.context import Facade
from towpath.facade.representation import STATES
from towpath.facade.requests import AnyRequest, query
from towpath.http import caller
from towpath.wire import Event, EventPage, EventQuery, ProcessError

RETRY = 3_000  # ms after which a client that lost the stream comes back
TYPES = [
    "towpath.element.completed",
    "towpath.instance.*",
    "towpath.user-task.*",
    "towpath.subscription.*",
    "towpath.incident.*",
]
ENDED = {"towpath.instance.completed": "COMPLETED", "towpath.instance.terminated": "TERMINATED"}
CHANGES = {"towpath.user-task": "tasks", "towpath.subscription": "actions", "towpath.incident": "incidents"}
log = structlog.get_logger()


def event_routes(facade: Facade) -> list[ControllerRouterHandler]:
    """The handler of ``/{resource}/{id}/events``."""

    @get("/{resource_name:str}/{business_id:str}/events")
    async def events(
        request: AnyRequest, resource_name: FromPath[str], business_id: FromPath[str]
    ) -> ServerSentEvent | Response[None]:
        identity = caller(request)
        resource = await facade.resource(resource_name, identity)
        wanted = query(request, after=str)
        instance = await facade.owned(resource, business_id, identity)
        position = request.headers.get("last-event-id") or wanted.get("after", "")
        key = instance.process_instance_key
        first = await facade.process.events(EventQuery(after=position, types=TYPES, process_instance_key=key))
        if instance.state != "ACTIVE" and not first.events:
            # Everything was told. 204 is what tells an EventSource not to come back.
            return Response(None, status_code=204)
        return ServerSentEvent(
            _stream(facade, key, first, incidents=facade.reads_all(resource, identity)),
            retry_duration=RETRY,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return [events]


async def _stream(
    facade: Facade, key: str, page: EventPage, *, incidents: bool
) -> AsyncIterator[ServerSentEventMessage]:
    """The events of ``page`` and all after it until the instance ends; a comment where it is quiet."""
    while True:
        for event in page.events:
            told = _tell(event, key)
            if told is not None and (incidents or told[1].get("what") != "incidents"):
                name, data = told
                yield ServerSentEventMessage(data=msgspec.json.encode(data), event=name, id=event.id)
            if event.type in ENDED and event.data.get("processInstanceKey") == key:
                return
        try:
            page = await facade.process.events(
                EventQuery(
                    after=page.position,
                    types=TYPES,
                    process_instance_key=key,
                    wait=facade.settings.keep_alive,
                )
            )
        except ProcessError as error:
            log.warning("event stream ended", reason=error.detail)
            return  # the client comes back with the last id it saw
        if not page.events:
            yield ServerSentEventMessage(data=None, comment="still here")


def _tell(event: Event, key: str) -> tuple[str, dict[str, Any]] | None:
    """The event's name and data for callers; None where it is not for them."""
    own = event.data.get("processInstanceKey") == key
    if event.type == "towpath.element.completed":
        milestone = event.data.get("milestone")
        if not milestone:
            return None
        return "milestone", {"id": event.data.get("elementId"), "name": milestone, "at": event.time}
    if event.type == "towpath.instance.created" and own:
        return "state", {"state": STATES["ACTIVE"], "at": event.time}
    if event.type in ENDED:
        return ("state", {"state": STATES[ENDED[event.type]], "at": event.time}) if own else None
    what = CHANGES.get(event.type.rpartition(".")[0])
    return ("change", {"what": what, "at": event.time}) if what else None
