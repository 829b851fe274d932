"""How Envoy's configuration is written as JSON values."""

from __future__ import annotations

import ipaddress
from typing import Any

Json = dict[str, Any]


def typed(name: str, /, **fields: Any) -> Json:
    """A message of the type ``name`` where Envoy takes any type; fields that are None are left out."""
    return {"@type": f"type.googleapis.com/{name}", **{k: v for k, v in fields.items() if v is not None}}


def extension(name: str, message: str, /, **fields: Any) -> Json:
    """An extension of Envoy by its ``name``, with its typed configuration."""
    return {"name": name, "typed_config": typed(message, **fields)}


def seconds(value: float) -> str:
    """A duration as protobuf writes it in JSON."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def address(host: str, port: int) -> Json:
    """A socket address."""
    return {"socket_address": {"address": host, "port_value": port}}


def is_ip(host: str) -> bool:
    """Whether ``host`` needs no name resolution."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
