"""Which case of whom a process instance is: its root, in terms of the business."""

from __future__ import annotations

import msgspec

from towpath.client import ProcessClient
from towpath.frontend.catalog import Catalog
from towpath.wire import Search

CUSTOMER = "customer"  # the variable that the facade sets on a start


class Customer(msgspec.Struct, kw_only=True):
    """Whom a case belongs to."""

    id: str
    name: str | None = None
    email: str | None = None


class Cases:
    """Looks cases up at the process server and in the facade's catalog."""

    def __init__(self, process: ProcessClient, catalog: Catalog) -> None:
        self._process = process
        self._catalog = catalog

    async def of_instance(self, key: str) -> tuple[str | None, str | None]:
        """Resource and business id of the root of an instance; None where it is none of the facade's."""
        instance = await self._process.process_instance(key)
        root = instance.root_process_instance_key
        if root is not None and root != key:
            instance = await self._process.process_instance(root)
        resource = await self.resource(instance.process_definition_id)
        return resource, instance.business_id

    async def resource(self, process_id: str) -> str | None:
        """The facade's resource that a process is."""
        return (await self._catalog.of_processes({process_id})).get(process_id)

    async def title(self, resource: str) -> str:
        """What one of the resource is called."""
        return await self._catalog.singular(resource)

    async def customer(self, root_key: str) -> Customer | None:
        """Whose case the root instance is; None where it has no customer."""
        found = await self._process.search_variables(
            Search(filter={"processInstanceKey": root_key, "name": CUSTOMER})
        )
        for variable in found.items:
            if variable.scope_key == root_key:
                return as_customer(msgspec.json.decode(variable.value))
        return None


def as_customer(value: object) -> Customer | None:
    """A customer variable, None where it is not one."""
    try:
        return msgspec.convert(value, Customer)
    except msgspec.ValidationError:
        return None
