"""The revision tree of a document, as in CouchDB: every replica finds the same winner, whatever came first.

A revision id is ``{generation}-{hash}``. The tree holds which revision grew from which and which of them
delete the document. The winner is the leaf that is not a deletion, with the highest generation, with the
highest hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from towpath.frontend.sync.errors import bad_request

# CouchDB's own are 32 hex digits; clients with their own algorithm use other letters.
REVISION = re.compile(r"[1-9][0-9]{0,8}-[0-9A-Za-z_.~=+-]{1,128}")


def check_revision(rev: object) -> str:
    """``rev`` where it is a revision id. Raises CouchError 400."""
    if not isinstance(rev, str) or not REVISION.fullmatch(rev):
        raise bad_request("Invalid rev format")
    return rev


def generation(rev: str) -> int:
    """How many edits made it."""
    return int(rev.partition("-")[0])


def _rank(rev: str) -> tuple[int, str]:
    number, _, digest = rev.partition("-")
    return int(number), digest


@dataclass(slots=True)
class _Node:
    parent: str | None
    deleted: bool


@dataclass(slots=True)
class Tree:
    """Revisions by id; a parent that has been forgotten (see :meth:`stem`) makes its child a root."""

    nodes: dict[str, _Node] = field(default_factory=dict)

    @classmethod
    def decode(cls, text: str | bytes) -> Tree:
        rows = msgspec.json.decode(text, type=list[tuple[str, int, bool]])
        return cls(
            {rev: _Node(None if parent < 0 else rows[parent][0], deleted) for rev, parent, deleted in rows}
        )

    def encode(self) -> str:
        """JSON: [[rev, index of its parent or -1, deleted], ...]."""
        index = {rev: number for number, rev in enumerate(self.nodes)}
        return msgspec.json.encode(
            [(rev, index.get(node.parent or "", -1), node.deleted) for rev, node in self.nodes.items()]
        ).decode()

    def __contains__(self, rev: str) -> bool:
        return rev in self.nodes

    def deleted(self, rev: str) -> bool:
        return self.nodes[rev].deleted

    def leaves(self) -> list[str]:
        """The winner first; then the others in the order in which they would win."""
        if len(self.nodes) == 1:
            return list(self.nodes)
        parents = {node.parent for node in self.nodes.values()}
        found = [rev for rev in self.nodes if rev not in parents]
        found.sort(key=lambda rev: (not self.nodes[rev].deleted, *_rank(rev)), reverse=True)
        return found

    def is_leaf(self, rev: str) -> bool:
        return rev in self.nodes and not any(node.parent == rev for node in self.nodes.values())

    def history(self, rev: str) -> Iterator[str]:
        """``rev`` and its ancestors, the newest first."""
        at: str | None = rev
        while at is not None:
            yield at
            at = self.nodes[at].parent

    def descendants(self, rev: str) -> list[str]:
        """The leaves that grew from ``rev``, itself where it is one."""
        return [leaf for leaf in self.leaves() if rev in self.history(leaf)]

    def merge(self, history: Sequence[str], *, deleted: bool) -> bool:
        """Add a revision with its known ancestors, the newest first; False where it was there already."""
        if history[0] in self.nodes:
            return False
        parent: str | None = None
        for rev in reversed(history):
            node = self.nodes.get(rev)
            if node is None:
                self.nodes[rev] = _Node(parent, False)
            elif node.parent is None and parent is not None:
                node.parent = parent  # its ancestors had been forgotten here
            parent = rev
        self.nodes[history[0]].deleted = deleted
        return True

    def stem(self, limit: int) -> None:
        """Forget ancestors that are ``limit`` or more edits away from every leaf."""
        if len(self.nodes) <= limit:
            return
        kept: set[str] = set()
        for leaf in self.leaves():
            for depth, rev in enumerate(self.history(leaf)):
                if depth >= limit:
                    break
                kept.add(rev)
        self.nodes = {
            rev: _Node(node.parent if node.parent in kept else None, node.deleted)
            for rev, node in self.nodes.items()
            if rev in kept
        }

    def ancestors_known(self, rev: str) -> list[str]:
        """Leaves of a lower generation: what a sender may build a delta on (``possible_ancestors``)."""
        return [leaf for leaf in self.leaves() if generation(leaf) < generation(rev)]


def revisions_member(history: Sequence[str]) -> dict[str, object]:
    """``_revisions`` of a document: {"start": generation, "ids": hashes, the newest first}."""
    return {"start": generation(history[0]), "ids": [rev.partition("-")[2] for rev in history]}


def parse_revisions(member: object) -> list[str]:
    """The revision ids of a ``_revisions`` member. Raises CouchError 400."""
    match member:
        case {"start": int(start), "ids": [*ids]} if ids and 0 < len(ids) <= start and start < 10**9:
            return [check_revision(f"{start - age}-{digest}") for age, digest in enumerate(ids)]
    raise bad_request("_revisions must be {start, ids}, no longer than its start.")
