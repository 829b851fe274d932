"""Job workers: each serves the service tasks of one job type."""

from __future__ import annotations

from towpath.client import worker


@worker("rate-request")
async def rate_request(text: str) -> dict[str, str]:
    """How urgent a request sounds."""
    return {"urgency": "high" if "urgent" in text.lower() else "normal"}
