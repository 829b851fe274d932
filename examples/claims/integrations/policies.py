"""The policy back end: a SQL database."""

from __future__ import annotations

from typing import Any

from towpath.integration import BpmnError, Identity, Retry, route, sql

policies = sql("policies")

POLICY = """
    SELECT number, holder, holder_id, status, cover, make, model, plate, deductible
    FROM policies
"""


@route(
    "job:policy-lookup",
    "http:POST /policy-lookup",
    timeout=5.0,
    retry=Retry(attempts=4, initial=0.2, factor=2, maximum=5),
    dead_letter=True,
)
async def policy_lookup(policy_number: str) -> dict[str, Any]:
    """The policy with a number, as people write it: in any case, with or without blanks."""
    number = "".join(policy_number.split()).upper()
    row = await policies.one(POLICY + "WHERE number = :number", number=number)
    if row is None:
        raise BpmnError("POLICY_NOT_FOUND", f"There is no policy {number[:20]!r}.")
    return {"policy": _policy(row)}


@route("http:GET /policies", users=True, timeout=5.0, retry=Retry(attempts=2))
async def own_policies(caller: Identity) -> list[dict[str, Any]]:
    """The caller's policies, for their devices."""
    rows = await policies.all(POLICY + "WHERE holder_id = :holder ORDER BY number", holder=caller.subject)
    kept = ("number", "cover", "status", "vehicle")
    return [{key: value for key, value in _policy(row).items() if key in kept} for row in rows]


def _policy(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": row["number"],
        "holder": row["holder"],
        "holderId": row["holder_id"],
        "status": row["status"],
        "cover": row["cover"],
        "vehicle": {"make": row["make"], "model": row["model"], "plate": row["plate"]},
        "deductible": row["deductible"],
    }
