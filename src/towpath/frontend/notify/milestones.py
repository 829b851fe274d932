"""Tells the owner of a case of each milestone that it reaches, once.

The feed's position is stored with the notifications that its events made, in one transaction.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from towpath.client import ProcessClient
from towpath.frontend.notify import tables
from towpath.frontend.notify.cases import Cases
from towpath.frontend.notify.deliveries import Deliverer
from towpath.frontend.notify.notifications import Notification, tell
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.notify.templates import RenderError, Template
from towpath.frontend.sql import upsert
from towpath.frontend.upstream import Refused, Unreachable
from towpath.wire import Event, EventQuery, ProcessError

FEED = "milestones"
CATEGORY = "milestone"
WAIT = 20_000  # ms of one long poll
LONGEST_PAUSE = 10.0  # seconds between attempts to reach the process server
DEFAULT = Template(CATEGORY, "{{ milestone }}", "{{ title }} {{ id }}", category=CATEGORY)
"""Used where the solution has no template ``milestone``."""

log = structlog.get_logger()


class MilestoneReader:
    """One reader of the feed. ``fault``: why it does not come forward, None where all is well."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: NotifySettings,
        process: ProcessClient,
        cases: Cases,
        templates: Mapping[str, Template],
        deliverer: Deliverer,
        *,
        mirror: bool,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._process = process
        self._cases = cases
        self._template = templates.get(CATEGORY)
        self._deliverer = deliverer
        self._mirror = mirror
        self.fault: str | None = "The process server's feed has not been read yet."

    async def run(self) -> None:
        """Until cancelled."""
        pause = 0.1
        while True:
            try:
                position = await self._position()
                wait = 0
                while True:
                    query = EventQuery(after=position, milestones=True, wait=wait)
                    page = await self._process.events(query)
                    self.fault, pause, wait = None, 0.1, WAIT
                    if page.position != position:
                        await self._take(position, page.position, page.events)
                    position = page.position
            except (ProcessError, Unreachable, Refused) as error:
                self.fault = f"The feed waits: {error}"
                log.warning("feed waits", reason=str(error))
            except Exception as error:
                self.fault = f"The feed waits: {type(error).__name__}: {error}"
                log.exception("feed failed")
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _position(self) -> str:
        table = tables.positions
        async with self._engine.begin() as connection:
            await connection.execute(
                upsert(connection, table).on_conflict_do_nothing(), {"feed": FEED, "position": ""}
            )
            return str(await connection.scalar(select(table.c.position).where(table.c.feed == FEED)))

    async def _take(self, before: str, after: str, events: Sequence[Event]) -> None:
        notes = [note for event in events if (note := await self._note(event)) is not None]
        table = tables.positions
        async with self._engine.begin() as connection:
            moved = await connection.execute(
                update(table).where(table.c.feed == FEED, table.c.position == before).values(position=after)
            )
            if not moved.rowcount:
                return  # another replica read the same events
            for note in notes:
                await tell(connection, note, mirror=self._mirror)
        self._deliverer.wake()

    async def _note(self, event: Event) -> Notification | None:
        root = event.data.get("rootProcessInstanceKey") or event.data.get("processInstanceKey")
        milestone = event.data.get("milestone")
        if not root or not isinstance(milestone, str) or not milestone:
            return None
        customer = await self._cases.customer(str(root))
        if customer is None:
            return None
        process_id = event.data.get("rootProcessDefinitionId") or event.data.get("processDefinitionId")
        resource = await self._cases.resource(str(process_id)) if process_id else None
        target = event.data.get("rootBusinessId") or event.data.get("businessId")
        template = self._template or DEFAULT
        variables = {
            "milestone": milestone,
            "id": target or "",
            "resource": resource or "",
            "title": await self._cases.title(resource) if resource else "",
            "customer": {"id": customer.id, "name": customer.name, "email": customer.email},
        }
        try:
            title, body = template.render(variables)
        except RenderError as error:
            log.error("milestone template failed", reason=str(error))
            title, body = DEFAULT.render(variables)
        return Notification(
            source=f"event:{event.id}",
            category=template.category or CATEGORY,
            title=title,
            body=body,
            channels=template.channels if self._template else self._settings.milestone_channels,
            subject=customer.id,
            email=customer.email,
            resource=resource,
            target=target,
        )
