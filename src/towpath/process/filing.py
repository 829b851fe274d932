"""Documents: what they are in the engine's store, their bytes in the object store."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

from towpath.process import catalog
from towpath.process.base import Base, missing, parse_key
from towpath.process.batch import Work
from towpath.process.values import to_text
from towpath.storage.documents import TooLargeError
from towpath.storage.store import Session
from towpath.storage.tables import DOCUMENT
from towpath.wire import Document, Page, ProcessError, Search, SearchResult

_ID = re.compile(r"[A-Za-z0-9._:@-]{1,200}")
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;\s*[\w.+-]+=[^\s;]+)*")


class Filing(Base):
    async def create_document(
        self,
        content: AsyncIterator[bytes] | bytes,
        *,
        file_name: str,
        content_type: str,
        process_instance_key: str | None = None,
        document_id: str | None = None,
        properties: dict[str, Any] | None = None,
    ) -> Document:
        """Store a document. A repeated ``document_id`` with the same content answers the stored one.

        Raises ProcessError INVALID_ARGUMENT (too large, unusable id), NOT_FOUND (instance) or
        ALREADY_EXISTS (the id has another content).
        """
        id_ = document_id or str(uuid.uuid4())
        if not _ID.fullmatch(id_):
            raise ProcessError(
                "INVALID_ARGUMENT", "documentId has 1 to 200 letters, digits and the characters . _ : @ -"
            )
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise ProcessError("INVALID_ARGUMENT", f"{content_type[:80]!r} is not a content type.")
        if not file_name or len(file_name) > 255 or any(ord(character) < 32 for character in file_name):
            raise ProcessError("INVALID_ARGUMENT", "fileName has 1 to 255 printable characters.")
        instance_key = process_id = None
        if process_instance_key is not None:
            instance_key = parse_key(process_instance_key, "process instance")
            process_id = await self._process_of(instance_key)
        # A new place each time: bytes that turn out not to be wanted overwrite nothing.
        place = f"{uuid.uuid4().hex}"
        try:
            size, digest = await self._documents.put(place, content, limit=self.settings.document_limit)
        except TooLargeError as error:
            raise ProcessError("INVALID_ARGUMENT", str(error)) from None

        def keep(work: Work) -> Any:
            found = _row(work.session, work.b, id_)
            if found is None and (fresh := work.earlier(DOCUMENT, id_)) is not None:
                found = tuple(fresh[1:])
            if found is not None:
                return found
            row = [
                work.b,
                id_,
                digest,
                file_name,
                content_type,
                size,
                instance_key,
                process_id,
                to_text(properties or {}),
                place,
                work.now,
            ]
            work.changes.row(DOCUMENT, id_, row)
            return tuple(row[1:])

        row = await self.host.run(keep)
        if row[8] != place:
            await self._documents.delete(place)
            if row[1] != digest:
                raise ProcessError("ALREADY_EXISTS", f"The document {id_!r} has another content already.")
        return catalog.document(self.registry, row)

    async def document_metadata(self, document_id: str) -> Document:
        return catalog.document(self.registry, await self._found(document_id))

    async def document(self, document_id: str) -> tuple[Document, AsyncIterator[bytes]]:
        """The document and its bytes. Raises ProcessError NOT_FOUND."""
        row = await self._found(document_id)
        try:
            content = await self._documents.get(row[8])
        except KeyError:
            raise missing("document", document_id) from None
        return catalog.document(self.registry, row), content

    async def search_documents(self, process_instance_key: str) -> list[Document]:
        found = await self.find_documents(
            Search(filter={"processInstanceKey": process_instance_key}, page=Page(limit=1000))
        )
        return found.items

    async def find_documents(self, search: Search) -> SearchResult[Document]:
        return await self.find(catalog.DOCUMENT, catalog.document, search)

    async def delete_document(self, document_id: str) -> None:
        row = await self._found(document_id)

        def drop(work: Work) -> None:
            work.changes.drop(DOCUMENT, document_id, [work.b, document_id])

        await self.host.run(drop)
        await self._documents.delete(row[8])

    async def _found(self, document_id: str) -> Any:
        row = await self.host.read(lambda session: _row(session, self._buckets[0], document_id))
        if row is None:
            raise missing("document", document_id)
        return row

    async def _process_of(self, instance_key: int) -> str:
        rows = await self.host.read(
            lambda session: session.rows(
                "SELECT process_id FROM process_instance WHERE b = ? AND key = ?",
                (self._buckets[0], instance_key),
            )
        )
        if not rows:
            raise missing("process instance", instance_key)
        found: str = rows[0][0]
        return found


def _row(session: Session, b: int, document_id: str) -> Any:
    columns = ", ".join(catalog.DOCUMENT.columns)
    rows = session.rows(
        f"SELECT {columns} FROM document t WHERE t.b = ? AND t.id = ?",  # noqa: S608
        (b, document_id),
    )
    return rows[0] if rows else None
