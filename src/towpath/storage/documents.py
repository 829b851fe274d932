"""Documents (photos, letters) in an object store: a local folder, S3, GCS or Azure, by URL."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

CHUNK = 1024 * 1024  # bytes read from the store at a time


class TooLargeError(ValueError):
    """More bytes came than are allowed; nothing was kept."""


class DocumentStore:
    """Bytes under a key, written whole or not at all."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder  # where the store is a local one

    @classmethod
    def open(cls, url: str) -> DocumentStore:
        """``url``: a folder's path, or s3://, gs://, az:// with the usual environment variables."""
        if "://" not in url:
            folder = Path(url)
            folder.mkdir(parents=True, exist_ok=True)
            return cls(LocalStore(prefix=folder), folder)
        return cls(from_url(url))

    async def put(
        self, key: str, content: AsyncIterator[bytes] | bytes, *, limit: int | None = None
    ) -> tuple[int, str]:
        """Store ``content``; gives its size in bytes and its SHA-256 in hex.

        Raises :class:`TooLargeError` past ``limit`` bytes.
        """
        digest = hashlib.sha256()
        parts: list[bytes] = []
        size = 0
        async for part in _parts(content):
            size += len(part)
            if limit is not None and size > limit:
                raise TooLargeError(f"The document is larger than {limit} bytes.")
            digest.update(part)
            parts.append(part)
        # Checked against the limit before anything is written, so a refusal leaves nothing behind.
        await obstore.put_async(self._store, key, b"".join(parts))
        if self._folder is not None:
            await asyncio.to_thread(_settle, self._folder / key)
        return size, digest.hexdigest()

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The document's bytes. Raises KeyError where there is none."""
        try:
            found = await obstore.get_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            raise KeyError(key) from None

        async def stream() -> AsyncIterator[bytes]:
            async for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

        return stream()

    async def delete(self, key: str) -> None:
        """Remove it; removing what is not there is no error."""
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return


def _settle(path: Path) -> None:
    """Wait until a file and its name are on disk: the local store renames into place but does not sync."""
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def _parts(content: AsyncIterator[bytes] | bytes) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    async for part in content:
        yield part
