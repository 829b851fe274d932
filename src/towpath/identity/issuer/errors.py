"""Refusals of OAuth, in the form of RFC 6749 (5.2 and 4.1.2.1)."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.datastructures import FormMultiDict


class OAuthError(Exception):
    """``error`` is a code of RFC 6749 or OpenID Connect; ``description`` is for the developer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def refuse(_: Request[Any, Any, Any], error: OAuthError) -> Response[dict[str, str]]:
    """The error as JSON; Litestar's exception handler for it."""
    headers = dict(NO_STORE)
    if error.status == 401:
        scheme = "Bearer" if error.error == "invalid_token" else "Basic"
        headers["WWW-Authenticate"] = f'{scheme} realm="towpath", error="{error.error}"'
    return Response(
        {"error": error.error, "error_description": error.description},
        status_code=error.status,
        headers=headers,
    )


def once(parameters: FormMultiDict | Any) -> dict[str, str]:
    """Parameters as a dictionary. Raises OAuthError where one is repeated (RFC 6749, 3.1)."""
    found: dict[str, str] = {}
    for name, value in parameters.multi_items():
        if name in found or not isinstance(value, str):
            raise OAuthError("invalid_request", f"The parameter {name} must be there once, as text.")
        found[name] = value
    return found
