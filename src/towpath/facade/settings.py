"""``[facade]`` of ``towpath.toml``."""

from __future__ import annotations

import re

import msgspec

OWN_PATHS = frozenset(
    {"catalog", "tasks", "links", "docs", "openapi.json", "health", "metrics", "assets", "schema"}
)
"""First segments of the facade's own paths, which no resource can be called."""

RESOURCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class ResourceSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[facade.resources.NAME]``: one process under a name of the business.

    ``owner`` is the variable path that holds the owner's subject. ``expose`` names what a representation
    shows of the process's variables, ``a`` or ``a.b``. Roles: who may start (none named: whoever is
    signed in), who reads everybody's, who may cancel; operators may read and cancel all.
    """

    process: str
    title: str = ""
    singular: str = ""
    id_prefix: str = ""  # of business ids, before the hyphen; the first letter of the singular where empty
    owner: str = "customer.id"
    expose: list[str] = []
    start_roles: list[str] = []
    read_roles: list[str] = []
    cancel_roles: list[str] = []


class FacadeSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything of the facade that a solution decides."""

    resources: dict[str, ResourceSettings] = {}
    operator_roles: list[str] = msgspec.field(default_factory=lambda: ["operator"])
    max_json_bytes: int = 1024 * 1024  # of a JSON body, and of the part ``data`` of a multipart one
    max_document_bytes: int = 10 * 1024 * 1024  # of one file
    max_documents: int = 20  # files of one request
    max_page: int = 200  # items of one page of a list
    keep_alive: int = 15_000  # ms of silence on an event stream before a comment is sent
    refresh: float = 1.0  # seconds for which what is known of the deployed processes is trusted
    max_link_lifetime: int = 90 * 24 * 3600  # seconds
    issuer: str = ""  # told in the OpenAPI document; the issuer of the tokens where empty
    client_id: str = "towpath-web"  # as which one signs in at /docs

    def __post_init__(self) -> None:
        for name, resource in self.resources.items():
            if name in OWN_PATHS:
                raise ValueError(f"facade.resources.{name}: the facade uses the path /{name} itself")
            if not RESOURCE_NAME.fullmatch(name):
                raise ValueError(
                    f"facade.resources.{name}: a resource is named in lower case letters, digits and hyphens"
                )
            if resource.id_prefix and not re.fullmatch(r"[A-Z][A-Z0-9]{0,7}-?", resource.id_prefix):
                raise ValueError(
                    f"facade.resources.{name}.id_prefix: one to eight capital letters or digits, "
                    f"not {resource.id_prefix!r}"
                )
