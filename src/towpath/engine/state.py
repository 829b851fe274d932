"""The state of a process instance: active element instances and flows taken but not yet consumed.

A step works on copies: it copies an element instance before it changes it, and replaces documents
and lists instead of changing them, so that the state it was given stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from towpath.engine.commands import Parent, Variables
from towpath.engine.documents import Document
from towpath.engine.effects import UserTask

# Phases of an element instance.
ACTIVATING = 0
ACTIVE = 1  # it waits: for a job, an event, its children
COMPLETING = 2


PAGE_BITS = 6  # of a key are its place on a page: an element instance takes one key or two
LOOP_PART = 64  # items of a multi-instance, or outputs, that are kept together
SNAPSHOTS = 64  # completed sub-processes that are packed together, so that a step need not look at each


class Wait(Struct, omit_defaults=True):
    """What triggers the element ``target``: a timer, a message (``name``), a signal, or a condition."""

    key: int
    target: str
    due: int = 0  # ms since the epoch
    repeat: str | None = None
    name: str | None = None
    correlation_key: str = ""
    signal: str | None = None
    # a condition; "unsettled": a variable that it reads has changed; "held": it was true when last evaluated
    condition: bool = False
    unsettled: bool = False
    held: bool = False


class Job(Struct, omit_defaults=True):
    key: int
    retries: int
    suspended: bool = False  # an incident, or an error on its way up, stands in the way


class Listening(Struct, omit_defaults=True):
    """The listeners of an event that run at an element instance; the next one has its job."""

    event: str  # as in the model: beforeAll, start, end; creating, assigning, updating, completing
    done: int = 0  # how many of them have run
    # Of a user task: how it is to be then, and what brought it about.
    task: UserTask | None = None
    action: str = ""
    variables: Document | None = None
    assignee: str | None = None  # whom the model names, until the task is created


class Incident(Struct, omit_defaults=True):
    key: int
    error_type: str


class Thrown(Struct, omit_defaults=True):
    """An error on its way to whatever catches it, or caught by nothing."""

    code: str
    message: str
    variables: Document


class Loop(Struct, omit_defaults=True):
    """The body of a multi-instance: what it goes over and what has come of it."""

    # In parts of LOOP_PART, so that a step reads and writes only the one it is about.
    items: list[Document]  # {"items": [...]}
    size: int
    started: int = 0
    completed: int = 0
    outputs: dict[int, Document] | None = None  # by part: {"1": ...}, by the counter of the inner instance


def in_parts(items: list[Any]) -> list[Document]:
    """Items as a loop keeps them."""
    return [Document({"items": items[at : at + LOOP_PART]}) for at in range(0, len(items), LOOP_PART)]


class Completed(Struct, omit_defaults=True):
    """What completed in a scope and can be compensated.

    ``activities`` with a handler of their own, and how often they completed; sub-processes that
    completed with something inside: the last ones in ``scopes``, those before them in ``parts``.
    """

    activities: dict[str, int] = field(default_factory=dict)
    scopes: list[Snapshot] = field(default_factory=list)
    parts: list[Snapshots] = field(default_factory=list)


class Snapshot(Struct, omit_defaults=True):
    """A sub-process that completed, kept for its compensation: its variables, and what completed in it."""

    element: str
    counter: int = 0  # > 0: it was an inner instance of a multi-instance
    variables: Document | None = None
    completed: Completed | None = None


class Snapshots:
    """Some snapshots, never changed in place: unpacked when first read, packed when written."""

    __slots__ = ("_packed", "_snapshots")

    def __init__(self, snapshots: list[Snapshot] | None = None, packed: bytes | None = None) -> None:
        self._snapshots = snapshots
        self._packed = packed

    @property
    def snapshots(self) -> list[Snapshot]:
        """Not to be changed."""
        found = self._snapshots
        if found is None:
            found = self._snapshots = _snapshots_decoder.decode(self._packed or b"\x90")
        return found

    @property
    def packed(self) -> bytes:
        if self._packed is None:
            self._packed = _encoder.encode(self._snapshots)
        return self._packed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshots) and self.packed == other.packed

    __hash__ = None  # type: ignore[assignment]


class Compensation(Struct, omit_defaults=True):
    """What an element instance has to do with compensation. Most have nothing to do with it."""

    completed: Completed | None = None  # in this scope; or what a throw event took, and has still to begin
    under_way: bool = False  # the handlers of all that completed are being started
    awaits: int = 0  # a throw event: handlers that are not done yet
    thrower: int = 0  # a handler: the throw event that waits for it
    restored: bool = False  # a sub-process that completed before, back to be compensated
    canceled: bool = False  # a transaction, or an inner instance of one, that ends when all is undone


class ElementInstance(Struct, omit_defaults=True):
    """An active element. ``scope`` is the key of the element instance around it, 0 for the process."""

    key: int
    element: str
    scope: int
    phase: int = ACTIVATING
    variables: Document | None = None
    result: Document | None = None  # of its job, event, script..., until it is complete
    children: int = 0
    taken: dict[str, int] | None = None  # flow id -> how often, for joins inside this scope
    waits: list[Wait] | None = None
    job: Job | None = None
    task: UserTask | None = None
    called: int = 0  # key of the called instance
    thrown: Thrown | None = None
    incident: Incident | None = None
    loop: Loop | None = None  # set: this is the body of a multi-instance
    counter: int = 0  # > 0: an inner instance of a multi-instance
    interrupted: bool = False  # an event sub-process has interrupted this scope
    compensation: Compensation | None = None
    listening: Listening | None = None


class Parked(Struct, omit_defaults=True):
    """Element instances of one page, and the keys of what such own."""

    elements: dict[int, ElementInstance] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)


class Page:
    """Part of a large instance, never changed in place: unpacked when first read, packed when written."""

    __slots__ = ("_packed", "_parked")

    def __init__(self, parked: Parked | None = None, packed: bytes | None = None) -> None:
        self._parked = parked
        self._packed = packed

    @property
    def parked(self) -> Parked:
        """What is on the page; not to be changed."""
        parked = self._parked
        if parked is None:
            parked = self._parked = _page_decoder.decode(self._packed or b"")
        return parked

    @property
    def packed(self) -> bytes:
        if self._packed is None:
            self._packed = _encoder.encode(self._parked)
        return self._packed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Page) and self.packed == other.packed

    __hash__ = None  # type: ignore[assignment]


class Instance(Struct, omit_defaults=True, tag_field="kind", tag="instance"):
    """A process instance. ``elements`` holds the process itself under the instance's own key.

    Of a large one, most element instances and owners are on ``pages``: see :meth:`find` and :meth:`whole`.
    """

    key: int
    definition_key: int
    business_id: str | None = None
    parent: Parent | None = None
    start: str | None = None  # the start event it began at, where that is not the none start event
    elements: dict[int, ElementInstance] = field(default_factory=dict)
    # Key of a job, user task, timer, subscription or incident -> the element instance that has it.
    owners: dict[int, int] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)  # what a step's move budget left to do
    moves: int = 0  # since the instance last waited
    recent: list[str] = field(default_factory=list)  # ids of the last commands that consume nothing

    # Name of a variable -> wait of a condition that heeds it -> the element instance that has the wait.
    watched: dict[str, dict[int, int]] = field(default_factory=dict)
    pages: dict[int, Page] = field(default_factory=dict)  # see towpath.engine.pages

    @property
    def root(self) -> ElementInstance:
        return self.elements[self.key]

    def find(self, key: int) -> ElementInstance | None:
        """The active element instance of that key."""
        found = self.elements.get(key)
        if found is None and self.pages:
            page = self.pages.get(key >> PAGE_BITS)
            found = page.parked.elements.get(key) if page is not None else None
        return found

    def scopes(self, key: int) -> list[Document]:
        """The variables that are visible from an element instance: its own first, the process's last."""
        found: list[Document] = []
        current = self.find(key)
        while current is not None:
            if current.variables is not None:
                found.append(current.variables)
            current = self.find(current.scope)
        return found

    def whole(self) -> Parked:
        """All element instances and owners, those on pages among them."""
        found = Parked(self.elements.copy(), self.owners.copy())
        for page in self.pages.values():
            found.elements.update(page.parked.elements)
            found.owners.update(page.parked.owners)
        return found


class Message(Struct, omit_defaults=True):
    """A message buffered in its channel until it expires."""

    key: int
    variables: Document
    expires_at: int = 0  # 0: not buffered
    message_id: str | None = None
    processes: list[str] = field(default_factory=list)  # ids of the processes that had it


class Subscription(Struct, omit_defaults=True):
    """An instance that waits. ``sent``: the message on its way to it."""

    key: int
    instance_key: int
    process_id: str
    interrupting: bool = True
    sent: int = 0


class Channel(Struct, omit_defaults=True, tag_field="kind", tag="channel"):
    """A message name with a correlation key: who waits, and what waits for them, in order."""

    name: str
    correlation_key: str
    messages: list[Message] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)


# --- snapshots ------------------------------------------------------------------------------------

SCHEMA = 2


def _loops_in_parts(plain: dict[str, Any]) -> dict[str, Any]:
    """Until version 1, a loop kept all its items in one document, and all its outputs in another."""
    for element in plain.get("elements", {}).values():
        loop = element.get("loop")
        if loop is not None:
            items = Document(json=loop["items"]).data["items"]
            loop["items"] = [part.json for part in in_parts(items)]
            if loop.get("outputs") is not None:
                parts: dict[int, Variables] = {}
                for counter, value in Document(json=loop["outputs"]).data.items():
                    parts.setdefault(int(counter) // LOOP_PART, {})[counter] = value
                loop["outputs"] = {number: Document(part).json for number, part in parts.items()}
    return plain


# Schema version -> what makes the next version of its plain data.
UPCASTERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _loops_in_parts}


def _encode_document(value: Any) -> bytes:
    if isinstance(value, Document):
        return value.json
    if isinstance(value, (Page, Snapshots)):
        return value.packed
    raise TypeError(f"a state holds no {type(value).__name__}")


def _decode_document(kind: type, value: Any) -> Any:
    if kind is Document:
        return Document(json=value)
    if kind is Page:
        return Page(packed=value)
    if kind is Snapshots:
        return Snapshots(packed=value)
    raise TypeError(f"a state holds no {kind.__name__}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_document)
_decoder: msgspec.msgpack.Decoder[Instance | Channel] = msgspec.msgpack.Decoder(
    Instance | Channel, dec_hook=_decode_document
)
_snapshots_decoder = msgspec.msgpack.Decoder(list[Snapshot], dec_hook=_decode_document)
_page_decoder = msgspec.msgpack.Decoder(Parked, dec_hook=_decode_document)


def encode(state: Instance | Channel) -> bytes:
    """A snapshot: one byte of schema version, then msgpack."""
    return bytes((SCHEMA,)) + _encoder.encode(state)


def decode(data: bytes) -> Instance | Channel:
    """The state of a snapshot of this or an earlier schema version.

    Raises ValueError where it is none, or comes from a later version.
    """
    if not data:
        raise ValueError("an empty snapshot")
    version = data[0]
    if version == SCHEMA:
        return _decoder.decode(memoryview(data)[1:])
    if version > SCHEMA:
        raise ValueError(f"the snapshot has schema version {version}; this version reads up to {SCHEMA}")
    plain = msgspec.msgpack.decode(memoryview(data)[1:])
    try:
        while version < SCHEMA:
            plain = UPCASTERS[version](plain)
            version += 1
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no snapshot of schema version {data[0]}: {error!r}") from None
    return msgspec.convert(plain, Instance | Channel, dec_hook=_decode_document, strict=False)
