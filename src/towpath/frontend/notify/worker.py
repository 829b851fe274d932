"""The job worker ``notify``: a notification as a step of a process, with a receipt.

Custom headers of the task: ``template``; ``to``: a variable that holds {id, name, email} (``customer``) or
``role:NAME``; ``link``: a message that the notification's link carries to the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from towpath.client import JobFailed, Worker
from towpath.frontend.notify.cases import CUSTOMER, Cases, Customer, as_customer
from towpath.frontend.notify.deliveries import Deliverer
from towpath.frontend.notify.notifications import Notification, exists, tell
from towpath.frontend.notify.settings import NotifySettings
from towpath.frontend.notify.templates import RenderError, Template
from towpath.frontend.times import now_iso
from towpath.frontend.upstream import Refused, Unreachable, Upstream
from towpath.wire import Job, ProcessError

JOB_TYPE = "notify"
PAUSE = 5.0  # seconds until a job is tried again whose neighbour did not answer
log = structlog.get_logger()


class NotifyWorker:
    """Turns jobs into notifications."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: NotifySettings,
        cases: Cases,
        templates: Mapping[str, Template],
        deliverer: Deliverer,
        facade: Upstream,
        *,
        mirror: bool,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._cases = cases
        self._templates = templates
        self._deliverer = deliverer
        self._facade = facade
        self._mirror = mirror

    def worker(self) -> Worker:
        """For a WorkerPool."""
        return Worker(JOB_TYPE, self.notify)

    async def notify(self, job: Job) -> dict[str, Any]:
        """Tell, and complete with the variable ``receipt``. Raises JobFailed."""
        source = f"job:{job.job_key}"
        template = self._template(job)
        made = await exists(self._engine, source)
        if made is None:
            try:
                note = await self._note(job, source, template)
            except (Unreachable, ProcessError) as error:
                # A neighbour that restarts is no reason for an incident: the job keeps its retries.
                raise JobFailed(str(error), retries=job.retries, backoff=PAUSE) from None
            except Refused as error:
                raise JobFailed(f"The facade makes no link: {error}", retries=0) from None
            async with self._engine.begin() as connection:
                await tell(connection, note, mirror=self._mirror)
            made = note.id
            self._deliverer.wake()
        receipt = {"id": made, "template": template.name, "channels": list(template.channels)}
        return {"receipt": {**receipt, "at": now_iso()}}

    def _template(self, job: Job) -> Template:
        name = job.custom_headers.get("template", "")
        found = self._templates.get(name)
        if found is None:
            known = ", ".join(sorted(self._templates)) or "none"
            raise JobFailed(
                f"The task {job.element_id!r} wants the template {name!r} (header 'template'); "
                f"the folder notifications has: {known}.",
                retries=0,
            )
        return found

    async def _note(self, job: Job, source: str, template: Template) -> Notification:
        to = job.custom_headers.get("to", CUSTOMER)
        customer = None if to.startswith("role:") else self._customer(job, to)
        resource, target = await self._cases.of_instance(job.process_instance_key)
        link: str | None = None
        message = job.custom_headers.get("link")
        if message:
            link = await self._link(job, message, customer, resource, target)
        try:
            title, body = template.render({**job.variables, "link": link or ""})
        except RenderError as error:
            raise JobFailed(str(error), retries=0) from None
        return Notification(
            source=source,
            category=template.category or template.name,
            title=title,
            body=body,
            channels=template.channels,
            subject=customer.id if customer else None,
            role=None if customer else to.removeprefix("role:"),
            email=customer.email if customer else None,
            link=link,
            resource=resource,
            target=target,
        )

    def _customer(self, job: Job, to: str) -> Customer:
        customer = as_customer(job.variables.get(to))
        if customer is None:
            raise JobFailed(
                f"The task {job.element_id!r} tells the variable {to!r} (header 'to'), which must hold "
                "{id, name, email}.",
                retries=0,
            )
        return customer

    async def _link(
        self,
        job: Job,
        message: str,
        customer: Customer | None,
        resource: str | None,
        target: str | None,
    ) -> str:
        if customer is None or resource is None or target is None:
            raise JobFailed(
                f"The task {job.element_id!r} has a link, which needs a person to tell and a resource of "
                "the facade.",
                retries=0,
            )
        wanted = {
            "resource": resource,
            "id": target,
            "message": message,
            "subject": customer.id,
            "expiresIn": self._settings.link_lifetime,
            "variables": {},
        }
        made = await self._facade.call("POST", "/links", None, json=wanted)
        return str(made["url"])
