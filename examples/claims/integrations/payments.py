"""The payment back end: a REST service."""

from __future__ import annotations

from typing import Any

from towpath.integration import BpmnError, Exchange, Retry, http, route

payments = http("payments")

REFUSED = 422  # the payment service's answer to what it will not pay


@route(
    "job:claim-payment",
    "http:POST /claim-payment",
    timeout=5.0,
    retry=Retry(attempts=5, initial=0.2, factor=2, maximum=5),
    dead_letter=True,
)
async def claim_payment(
    claim_id: str, amount: float, payee: str, exchange: Exchange, currency: str = "EUR"
) -> dict[str, Any]:
    """Pay a claim. The exchange's key makes a repetition the same payment, not a second one."""
    order = {"reference": claim_id, "amount": amount, "currency": currency, "payee": payee}
    answer = await payments.post("/payments", json=order, idempotency_key=exchange.key, expect=[REFUSED])
    if answer.status == REFUSED:
        raise BpmnError("PAYMENT_REFUSED", str(answer.json().get("detail", "The payment was refused.")))
    paid = answer.json()
    return {"payment": {"id": paid["id"], "status": paid["status"], "paidAt": paid["paidAt"]}}
