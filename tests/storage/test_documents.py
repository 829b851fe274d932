"""Documents in an object store."""

import hashlib
from pathlib import Path

import pytest

from towpath.storage.documents import DocumentStore, TooLargeError


async def collect(store: DocumentStore, key: str) -> bytes:
    return b"".join([part async for part in await store.get(key)])


async def test_a_document_comes_back_as_it_was_put(tmp_path: Path) -> None:
    store = DocumentStore.open(str(tmp_path / "documents"))
    size, digest = await store.put("a/b.jpg", b"photo")
    assert size == 5
    assert digest == hashlib.sha256(b"photo").hexdigest()
    assert await collect(store, "a/b.jpg") == b"photo"


async def test_a_document_that_is_too_large_leaves_nothing_behind(tmp_path: Path) -> None:
    store = DocumentStore.open(str(tmp_path / "documents"))
    with pytest.raises(TooLargeError):
        await store.put("big", b"x" * 11, limit=10)
    with pytest.raises(KeyError):
        await store.get("big")


async def test_deleting_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    store = DocumentStore.open(str(tmp_path / "documents"))
    await store.put("k", b"x")
    await store.delete("k")
    await store.delete("k")
    with pytest.raises(KeyError):
        await store.get("k")
