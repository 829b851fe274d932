"""What every handler of the facade works with, and who may do what."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from towpath.client import ProcessClient
from towpath.facade.catalog import Catalog, Resource
from towpath.facade.settings import FacadeSettings
from towpath.http import Problem
from towpath.identity import Identity
from towpath.wire import Page, ProcessInstance, Search, UserTask

SERVICE = "service"
MOST = 10_000  # rows of a search that is not paged


@dataclass(slots=True)
class Facade:
    """The parts of a facade."""

    settings: FacadeSettings
    process: ProcessClient
    catalog: Catalog
    public_url: str
    secret: bytes

    def key(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, derived from the secret."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()

    # --- who may do what ---------------------------------------------------------------------------

    def is_operator(self, identity: Identity) -> bool:
        """Operators see and mend everything."""
        return identity.has(*self.settings.operator_roles)

    def reads_all(self, resource: Resource, identity: Identity) -> bool:
        """Staff and our own services see everybody's; customers see their own."""
        return identity.has(SERVICE, *resource.settings.read_roles) or self.is_operator(identity)

    def require_operator(self, identity: Identity) -> None:
        """Raises :class:`Problem` 403."""
        if not self.is_operator(identity):
            raise Problem(403, f"This needs one of the roles: {', '.join(self.settings.operator_roles)}.")

    def may_see(self, task: UserTask, identity: Identity) -> bool:
        """A task is seen by its assignee and its candidates, and by operators."""
        return (
            task.assignee == identity.subject
            or identity.subject in task.candidate_users
            or not identity.roles.isdisjoint(task.candidate_groups)
            or self.is_operator(identity)
        )

    async def resource(self, name: str, identity: Identity) -> Resource:
        """A resource that the caller may know of. Raises :class:`Problem` 404."""
        resource = await self.catalog.resource(name)
        if not resource.configured and not self.is_operator(identity):
            raise Problem(404, f"There is no resource /{name}; GET /catalog lists what there is.")
        return resource

    # --- finding what belongs to whom ---------------------------------------------------------------

    async def find(self, resource: Resource, business_id: str) -> ProcessInstance | None:
        """The instance with a business id, whoever owns it."""
        found = await self.process.search_process_instances(
            Search(
                filter={"businessId": business_id, "processDefinitionId": resource.process_id},
                page=Page(limit=1),
            )
        )
        return found.items[0] if found.items else None

    async def owned(self, resource: Resource, business_id: str, identity: Identity) -> ProcessInstance:
        """The instance with a business id, if the caller may see it.

        Raises :class:`Problem` 404 also where it is another's: that it exists is not told.
        """
        instance = await self.find(resource, business_id)
        if instance is not None and not self.reads_all(resource, identity):
            variables = await self.variables([instance.process_instance_key], [resource.owner_variable])
            owner = self.owner(resource, variables.get(instance.process_instance_key, {}))
            if owner != identity.subject:
                instance = None
        if instance is None:
            raise self.absent(resource, business_id)
        return instance

    def absent(self, resource: Resource, business_id: str) -> Problem:
        """The same 404 for what is not there and for what is another's."""
        return Problem(404, f"There is no {resource.singular.lower()} {business_id!r}.")

    def owner(self, resource: Resource, variables: Mapping[str, Any]) -> str | None:
        """The owner's subject among an instance's variables."""
        value: Any = variables
        for part in resource.settings.owner.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else None

    async def variables(
        self, instance_keys: list[str], names: list[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """The root variables of instances by instance key, in one search; ``names`` None: all."""
        filter_: dict[str, Any] = {"scopeKey": {"$in": instance_keys}}
        if names is not None:
            filter_["name"] = {"$in": names}
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        while True:
            page = await self.process.search_variables(
                Search(filter=filter_, page=Page(limit=MOST, after=after))
            )
            for row in page.items:
                found.setdefault(row.scope_key, {})[row.name] = json.loads(row.value)
            after = page.page.end_cursor
            if len(page.items) < MOST or after is None:
                return found

    async def tree(self, resource: Resource, instances: list[ProcessInstance]) -> dict[str, str]:
        """The keys of the instances and of all that they called, each with its root's key."""
        roots = {i.process_instance_key: i.process_instance_key for i in instances}
        if not resource.calls or not roots:
            return roots
        found = await self.process.search_process_instances(
            Search(filter={"rootProcessInstanceKey": {"$in": list(roots)}}, page=Page(limit=MOST))
        )
        called = {i.process_instance_key: i.root_process_instance_key for i in found.items}
        return roots | {key: root for key, root in called.items() if root in roots}
