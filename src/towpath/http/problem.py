"""Problem details (RFC 9457): the one shape of every refusal."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from towpath.wire import HTTP_STATUS, ProcessError

MEDIA_TYPE = "application/problem+json"
LONGEST_SEGMENT = 100  # characters of a path's segment that the log shows
log = structlog.get_logger()


class Problem(Exception):
    """Answer ``status`` with problem details; ``extensions`` become members of the document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        type_: str = "about:blank",
        headers: dict[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.type = type_
        self.headers = headers or {}
        self.extensions = extensions

    def document(self, instance: str | None = None) -> dict[str, Any]:
        """The problem as JSON values."""
        body: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if instance:
            body["instance"] = instance
        return body | self.extensions


def from_process(error: ProcessError) -> Problem:
    """The process server's refusal as a problem: its code decides the status."""
    extensions: dict[str, Any] = {"errors": error.faults} if error.faults else {}
    return Problem(HTTP_STATUS.get(error.code, 500), error.detail, title=error.code, **extensions)


def as_problem(error: Exception) -> Problem:
    """Any exception as the problem that a caller may see; an unknown one tells nothing of itself."""
    match error:
        case Problem():
            return error
        case ProcessError():
            return from_process(error)
        case ValidationException():
            extra = error.extra if isinstance(error.extra, list) else []
            return Problem(400, str(error.detail), errors=extra) if extra else Problem(400, str(error.detail))
        case HTTPException():
            return Problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))
        case msgspec.ValidationError() | msgspec.DecodeError():
            return Problem(400, str(error))
        case _:
            return Problem(
                HTTP_500_INTERNAL_SERVER_ERROR, "The service failed; its log has the reason under this path."
            )


def without_tokens(path: str) -> str:
    """A path for the log: a signed link lets whoever reads it act, so what is long is cut."""
    return "/".join(part if len(part) <= LONGEST_SEGMENT else f"{part[:8]}…" for part in path.split("/"))


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    problem = as_problem(error)
    if problem.status >= HTTP_500_INTERNAL_SERVER_ERROR:
        log.error(
            "request failed", path=without_tokens(request.url.path), method=request.method, exc_info=error
        )
    return Response(
        msgspec.json.encode(problem.document(request.url.path)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )
