"""Reading what callers send: query strings, JSON bodies, files. Whatever is wrong is told by its name."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any, TypeVar
from urllib.parse import unquote

import msgspec
from anyio import to_thread
from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from towpath.facade.settings import FacadeSettings
from towpath.http import Problem

IN_MEMORY = 256 * 1024  # bytes of a file held in memory before it goes to a temporary file
CHUNK = 256 * 1024  # bytes of it read at a time
DATA_PART = "data"
MAX_HEADER = 4096  # bytes of one header of a part

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]


def refuse(errors: list[dict[str, str]], detail: str = "") -> Problem:
    """A 400 that names each field."""
    names = ", ".join(dict.fromkeys(error["field"] for error in errors if error["field"]))
    return Problem(400, detail or f"Not accepted: {names or 'the data'}.", errors=errors)


def query(request: AnyRequest, **parameters: Callable[[str], Any]) -> dict[str, Any]:
    """The query parameters, each read by its function (which raises ValueError saying what it must be)."""
    values: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for name, texts in request.query_params.dict().items():
        reader = parameters.get(name)
        if reader is None:
            known = ", ".join(sorted(parameters)) or "none"
            errors.append({"field": name, "message": f"is not a parameter; known are: {known}."})
        elif len(texts) > 1:
            errors.append({"field": name, "message": "is given more than once."})
        else:
            try:
                values[name] = reader(texts[0])
            except ValueError as error:
                errors.append({"field": name, "message": f"{error}."})
    if errors:
        raise refuse(errors)
    return values


def one_of(*words: str) -> Callable[[str], str]:
    """Reads one of ``words``."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from ``low`` to ``high``."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not low <= int(text[:18]) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def truth(text: str) -> bool:
    """Reads true or false."""
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


async def read_json(request: AnyRequest, kind: type[T], limit: int, *, empty: T | None = None) -> T:
    """The JSON body as ``kind``. Raises :class:`Problem` 400, 413 or 415."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, f"The body is larger than {limit} bytes.")
    if not body.strip() and empty is not None:
        return empty
    media_type = request.content_type[0]
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, f"Send application/json, not {media_type}.")
    return decode_json(bytes(body), kind)


def decode_json(body: bytes, kind: type[T]) -> T:
    """``body`` as ``kind``. Raises :class:`Problem` 400 naming the member that is wrong."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        field_ = path.rstrip("`").lstrip(".") if path else ""
        raise refuse(
            [{"field": field_, "message": f"{message}."}], f"The body is not accepted: {error}."
        ) from None
    except msgspec.DecodeError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None
    except UnicodeDecodeError:
        raise Problem(400, "The body is not JSON: it is not UTF-8.") from None
    except RecursionError:
        raise Problem(400, "The body is nested too deeply.") from None


@dataclass(slots=True)
class Upload:
    """A file that was sent, spooled. ``field`` is the part's name."""

    field: str
    file_name: str
    content_type: str
    content: IO[bytes]
    size: int = 0

    async def parts(self) -> AsyncIterator[bytes]:
        """Its bytes, from the start."""
        self.content.seek(0)
        while chunk := await to_thread.run_sync(self.content.read, CHUNK):
            yield chunk


@dataclass(slots=True)
class Submission:
    """A multipart body: the JSON part ``data`` and the files."""

    data: bytes | None = None
    files: list[Upload] = field(default_factory=list)


@asynccontextmanager
async def multipart(request: AnyRequest, settings: FacadeSettings) -> AsyncIterator[Submission]:
    """The parts of a multipart/form-data body; the files are gone when the block ends.

    Raises :class:`Problem` as soon as a limit is passed, without reading on: 413 for a file's size, 400 for
    the number of files.
    """
    submission = Submission()
    try:
        await _read_parts(request, settings, submission)
        yield submission
    finally:
        for upload in submission.files:
            upload.content.close()


async def _read_parts(request: AnyRequest, settings: FacadeSettings, submission: Submission) -> None:
    boundary = request.content_type[1].get("boundary")
    if not boundary:
        raise Problem(400, "The multipart body has no boundary in its Content-Type.")
    parser = PushMultipartParser(
        boundary, max_segment_count=settings.max_documents + 10, max_header_size=MAX_HEADER
    )
    upload: Upload | None = None
    text: bytearray | None = None
    try:
        with parser:
            async for chunk in request.stream():
                for piece in parser.parse(chunk):
                    if isinstance(piece, MultipartSegment):
                        upload, text = _open_part(piece, settings, submission)
                    elif piece and upload is not None:
                        await _spool(upload, piece, settings.max_document_bytes)
                    elif piece and text is not None:
                        text += piece
                        if len(text) > settings.max_json_bytes:
                            raise Problem(
                                413, f"The part data is larger than {settings.max_json_bytes} bytes."
                            )
                    elif not piece and text is not None:
                        submission.data, text = bytes(text), None
    except MultipartError as error:
        raise Problem(400, f"The multipart body is not well formed: {error}.") from None


def _open_part(
    segment: MultipartSegment, settings: FacadeSettings, submission: Submission
) -> tuple[Upload | None, bytearray | None]:
    if segment.filename is None:
        if segment.name != DATA_PART:
            raise refuse(
                [
                    {
                        "field": segment.name,
                        "message": f"is no file; put values into the JSON part {DATA_PART}.",
                    }
                ]
            )
        return None, bytearray()
    if segment.name == DATA_PART:
        return None, bytearray()  # browsers send a JSON blob with a file name
    if len(submission.files) >= settings.max_documents:
        raise Problem(400, f"At most {settings.max_documents} files can be sent at once.")
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by multipart()
    upload = Upload(
        segment.name,
        safe_name(segment.filename),
        segment.content_type or "application/octet-stream",
        spool,
    )
    submission.files.append(upload)
    return upload, None


async def _spool(upload: Upload, piece: bytes | bytearray, limit: int) -> None:
    upload.size += len(piece)
    if upload.size > limit:
        raise Problem(
            413,
            f"{upload.file_name} is larger than {limit} bytes.",
            errors=[{"field": upload.field, "message": f"must have at most {limit} bytes."}],
        )
    if upload.size > IN_MEMORY:
        await to_thread.run_sync(upload.content.write, bytes(piece))
    else:
        upload.content.write(piece)


def safe_name(name: str) -> str:
    """A file's name without folders or control characters, at most 200 characters.

    Senders percent-encode quotes (HTML) or all that is not plain (aiohttp).
    """
    last = PurePosixPath(unquote(name).replace("\\", "/")).name
    return "".join(c for c in last if c.isprintable())[:200] or "file"


def check_reserved(data: Mapping[str, Any], reserved: frozenset[str]) -> None:
    """Raises :class:`Problem` 400 where a caller sets what only the facade sets."""
    errors = [
        {"field": name, "message": f"{name} is set by the service, not by the caller."}
        for name in data
        if name in reserved
    ]
    if errors:
        raise refuse(errors)
