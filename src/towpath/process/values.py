"""Variables at the edge: JSON outside, exact decimals inside."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from towpath.wire import ProcessError, Variables

MAX_VARIABLES = 8 * 1024 * 1024  # bytes of JSON that one command may carry

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_plain = msgspec.json.Decoder()


def to_json(value: Any) -> bytes:
    """JSON bytes; decimals as numbers."""
    return _encoder.encode(value)


def to_text(value: Any) -> str:
    return _encoder.encode(value).decode()


def from_json(text: str | bytes) -> Any:
    """As callers see it: numbers that are not integers as floats."""
    return _plain.decode(text)


def exact(text: str | bytes) -> Any:
    """As the core sees it: numbers that are not integers as decimals."""
    return _decoder.decode(text)


def variables(given: Variables | None) -> Variables:
    """A caller's variables for the core: checked, copied and exact.

    Raises ProcessError INVALID_ARGUMENT where they are not JSON or too large.
    """
    if not given:
        return {}
    try:
        text = _encoder.encode(given)
        if len(text) > MAX_VARIABLES:
            raise ProcessError(
                "INVALID_ARGUMENT",
                f"The variables are {len(text)} bytes of JSON; {MAX_VARIABLES} are allowed. "
                "Store large content as a document and put its reference into a variable.",
            )
        found = _decoder.decode(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ProcessError("INVALID_ARGUMENT", f"The variables are not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise ProcessError("INVALID_ARGUMENT", "The variables must be an object.")
    return found
