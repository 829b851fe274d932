"""The payment back end: a REST service that pays once for each Idempotency-Key.

POST /payments {reference, amount, currency, payee} -> 201 {id, status, paidAt, ...}; the same key again ->
200 with the same payment; the same key with another payment -> 409; above the limit -> 422.
GET /payments, GET /payments/{id}.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from litestar import Litestar, Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody
from msgspec import Meta, Struct, to_builtins
from program import open_sqlite, parser, run
from trouble import Faults, problem

LIMIT = 20_000  # above this a payment needs a person's signature
SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, paid_at TEXT NOT NULL
)
"""


class Order(Struct, forbid_unknown_fields=True):
    reference: Annotated[str, Meta(min_length=1, max_length=100)]
    amount: Annotated[float, Meta(gt=0)]
    payee: Annotated[str, Meta(min_length=1, max_length=200)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"


def create(state: Path) -> Litestar:
    database = open_sqlite(state, SCHEMA)
    faults = Faults()

    def answer(row) -> dict:
        return {"id": row["id"], "status": "paid", "paidAt": row["paid_at"], **json.loads(row["request"])}

    @post("/payments")
    async def pay(
        data: JSONBody[Order],
        key: Annotated[str, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200)],
    ) -> Response:
        if status := await faults.strike():
            return problem(status, "The payment service is down.")
        if data.amount > LIMIT:
            return problem(422, f"Payments above {LIMIT} {data.currency} need a signature.")
        order = json.dumps(to_builtins(data), sort_keys=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        made = database.execute(
            "INSERT INTO payments VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (f"PAY-{secrets.token_hex(6).upper()}", key, order, now),
        ).rowcount
        row = database.execute("SELECT * FROM payments WHERE key = ?", (key,)).fetchone()
        if row["request"] != order:
            return problem(409, "This Idempotency-Key was used for another payment.")
        return Response(answer(row), status_code=201 if made else 200)

    @get("/payments")
    async def payments() -> list[dict]:
        return [answer(row) for row in database.execute("SELECT * FROM payments ORDER BY paid_at, id")]

    @get("/payments/{id:str}")
    async def payment(id: FromPath[str]) -> Response:
        row = database.execute("SELECT * FROM payments WHERE id = ?", (id,)).fetchone()
        return Response(answer(row)) if row else problem(404, "There is no such payment.")

    return Litestar([pay, payments, payment, faults.handler()], openapi_config=None)


if __name__ == "__main__":
    arguments = parser("The demo's payment service (REST).", 8092).parse_args()
    run("payments", create(arguments.state), arguments.host, arguments.port)
