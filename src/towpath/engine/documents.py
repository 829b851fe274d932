"""Documents: the JSON variables of one scope."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from towpath.engine.commands import Variables

_to_json = msgspec.json.Encoder(decimal_format="number").encode
_from_json = msgspec.json.Decoder(float_hook=Decimal).decode


class Document:
    """JSON variables of one scope, never changed in place.

    Kept as JSON text inside a snapshot (msgpack has no decimals), and parsed when first read:
    what a step does not touch, it neither parses nor writes again.
    """

    __slots__ = ("_json", "data")

    data: Variables
    """The variables; not to be changed."""

    def __init__(self, data: Variables | None = None, json: bytes | None = None) -> None:
        if data is not None:
            self.data = data
        self._json = json

    def __getattr__(self, name: str) -> Variables:
        # Asked only for what is not there: a slot is read several times faster than a property.
        if name != "data":
            raise AttributeError(name)
        self.data = _from_json(self._json or b"{}")
        return self.data

    @property
    def json(self) -> bytes:
        if self._json is None:
            self._json = _to_json(self.data)
        return self._json

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.json == other.json

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Document({self.data!r})"


def merged(scopes: Sequence[Document]) -> Variables:
    """All variables of scopes, the innermost first; not to be changed."""
    if len(scopes) == 1:
        return scopes[0].data
    found: Variables = {}
    for document in reversed(scopes):
        found.update(document.data)
    return found
