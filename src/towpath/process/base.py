"""What the parts of the process server have in common."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn, TypeVar

from towpath.engine.commands import AnyCommand
from towpath.engine.effects import Outcome, Rejected
from towpath.process.batch import Work
from towpath.process.clock import Clock
from towpath.process.entities import Render
from towpath.process.host import Host
from towpath.process.models import Registry
from towpath.process.settings import ProcessSettings
from towpath.storage.documents import DocumentStore
from towpath.storage.search import Entity, SearchError, query
from towpath.storage.store import Session
from towpath.wire import DEFAULT_TENANT, PageInfo, ProcessError, Search, SearchResult

T = TypeVar("T")

_CODES = {
    "not-found": "NOT_FOUND",
    "invalid-state": "INVALID_STATE",
    "invalid-argument": "INVALID_ARGUMENT",
    "already-exists": "ALREADY_EXISTS",
    "duplicate": "ALREADY_EXISTS",
}


class Base:
    """The parts share a host, what is deployed, and the documents."""

    def __init__(
        self,
        host: Host,
        registry: Registry,
        documents: DocumentStore,
        settings: ProcessSettings,
        clock: Clock,
    ) -> None:
        self.host = host
        self.registry = registry
        self.settings = settings
        self.clock = clock
        self._documents = documents
        self._buckets = host.store.buckets
        self.deploying = asyncio.Lock()

    async def find(self, entity: Entity, render: Render, search: Search) -> SearchResult[Any]:
        """Carry out a search. Raises ProcessError INVALID_ARGUMENT naming what is wrong with it."""
        page = search.page
        try:
            found = query(
                entity,
                self._buckets,
                search.filter,
                [(one.field, one.order) for one in search.sort],
                offset=page.from_,
                limit=page.limit,
                after=page.after,
                before=page.before,
            )
        except SearchError as error:
            raise ProcessError("INVALID_ARGUMENT", str(error)) from None

        def look(session: Session) -> tuple[list[Any], int]:
            return (
                session.rows(found.sql, found.parameters),
                session.rows(found.total_sql, found.total_parameters)[0][0],
            )

        rows, total = await self.host.read(look)
        if found.reverse:
            rows.reverse()
        return SearchResult(
            items=[render(self.registry, row) for row in rows],
            page=PageInfo(
                total_items=min(total, 10_000),
                has_more_total_items=total > 10_000,
                start_cursor=found.cursor(rows[0]) if rows else None,
                end_cursor=found.cursor(rows[-1]) if rows else None,
            ),
        )

    async def get(self, entity: Entity, render: Render, field: str, key: str, what: str) -> Any:
        """The one thing with a key. Raises ProcessError NOT_FOUND."""
        number = parse_key(key, what)
        found = await self.find(entity, render, Search(filter={field: number}))
        if not found.items:
            raise missing(what, key)
        return found.items[0]


def parse_key(key: str, what: str) -> int:
    """A key as it stands in the API. What is no key names nothing: ProcessError NOT_FOUND."""
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 20 and int(key) < 2**63:
        return int(key)
    raise missing(what, key)


def missing(what: str, key: Any) -> ProcessError:
    return ProcessError("NOT_FOUND", f"There is no {what} with the key {str(key)[:80]!r}.")


def refuse(rejected: Rejected) -> NoReturn:
    """The core's rejection as the API's refusal."""
    raise ProcessError(_CODES.get(rejected.type, "INVALID_STATE"), rejected.reason)


def carried_out(work: Work, command: AnyCommand) -> Outcome:
    """The command's outcome. Raises ProcessError where the core rejects it."""
    outcome = work.command(command)
    if outcome.rejected is not None:
        refuse(outcome.rejected)
    return outcome


def check_tenant(tenant_id: str | None) -> None:
    """There is one tenant. Raises ProcessError INVALID_ARGUMENT for another."""
    if tenant_id not in (None, "", DEFAULT_TENANT):
        raise ProcessError(
            "INVALID_ARGUMENT", f"There is no tenant {tenant_id!r}; the only one is {DEFAULT_TENANT!r}."
        )
