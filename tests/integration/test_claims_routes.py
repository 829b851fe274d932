"""The motor claim's routes against its real back ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from integration_servers import CLAIMS, Backend, Service, claims_settings, serve

from towpath.http import on_behalf_of
from towpath.identity import Identity
from towpath.integration import load_routes

GOLF = {"make": "VW", "model": "Golf", "plate": "HH-A 1"}


async def payments_of(backend: Backend, claim: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{backend.url}/payments") as answer:
        return [p for p in await answer.json() if p["reference"] == claim]


async def test_a_policy_is_found_by_its_number_however_it_is_written(claims: Service) -> None:
    status, answer = await claims.call("POST", "/policy-lookup", {"policyNumber": "p-1001 "})
    assert status == 200
    assert answer == {
        "policy": {
            "number": "P-1001",
            "holder": "Ada Jensen",
            "holderId": "ada",
            "status": "active",
            "cover": "comprehensive",
            "vehicle": {"make": "Volkswagen", "model": "ID.3", "plate": "HH-AJ 1001"},
            "deductible": 300,
        }
    }


async def test_an_unknown_policy_is_a_business_fault_with_its_code(claims: Service) -> None:
    status, problem = await claims.call("POST", "/policy-lookup", {"policyNumber": "P-9' OR 1=1 --"})
    assert (status, problem["code"]) == (422, "POLICY_NOT_FOUND")


async def test_a_message_of_the_wrong_type_is_refused_by_field(claims: Service) -> None:
    status, problem = await claims.call("POST", "/policy-lookup", {"policyNumber": 7})
    assert status == 400
    assert "policyNumber" in problem["detail"]
    status, problem = await claims.call("POST", "/policy-lookup", {})
    assert status == 400
    assert "policyNumber" in problem["detail"]


async def test_people_see_their_own_policies_and_services_see_them_for_them(claims: Service) -> None:
    status, policies = await claims.call("GET", "/policies", who="ada")
    assert status == 200
    assert [p["number"] for p in policies] == ["P-1001", "P-1002", "P-3001"]
    assert set(policies[0]) == {"number", "cover", "status", "vehicle"}

    ben = on_behalf_of(Identity(subject="ben", roles=frozenset({"customer"})))
    status, policies = await claims.call("GET", "/policies", **ben)
    assert [p["number"] for p in policies] == ["P-2001"]


async def test_people_cannot_call_what_is_for_services(claims: Service) -> None:
    body = {"policyNumber": "P-1001"}
    assert (await claims.call("POST", "/policy-lookup", body, who="ada"))[0] == 403
    assert (await claims.call("POST", "/policy-lookup", body, who=None))[0] == 401
    assert (await claims.call("POST", "/policy-lookup", body, who="mallory"))[0] == 401
    # A service that acts for a person has the person's reach.
    ada = on_behalf_of(Identity(subject="ada", roles=frozenset({"customer"})))
    assert (await claims.call("POST", "/policy-lookup", body, **ada))[0] == 403


async def test_a_claim_is_paid_once_however_often_it_is_asked_for(
    claims: Service, backends: dict[str, Backend]
) -> None:
    order = {"claimId": "C-once", "amount": 350, "currency": "EUR", "payee": "Ada Jensen"}
    first = await claims.call("POST", "/claim-payment", order, Idempotency_Key="k-1")
    again = await claims.call("POST", "/claim-payment", order, Idempotency_Key="k-1")
    assert first[0] == again[0] == 200
    assert first[1] == again[1]
    assert first[1]["payment"]["status"] == "paid"
    assert len(await payments_of(backends["payments"], "C-once")) == 1


async def test_a_payment_goes_through_an_outage_by_retries(
    claims: Service, faults: Any, backends: dict[str, Backend]
) -> None:
    await faults("payments", next=503, count=2)
    order = {"claimId": "C-retry", "amount": 10, "payee": "Ada"}
    status, _ = await claims.call("POST", "/claim-payment", order)
    assert status == 200
    assert len(await payments_of(backends["payments"], "C-retry")) == 1
    _, routes = await claims.call("GET", "/routes", who="olga")
    counts = next(r for r in routes if r["id"] == "claim_payment")
    assert (counts["completed"], counts["retries"], counts["failed"]) == (1, 2, 0)


async def test_a_payment_whose_answer_came_too_late_is_not_made_twice(
    claims: Service, faults: Any, backends: dict[str, Backend]
) -> None:
    await faults("payments", delay=1.5, count=1)  # the connection gives up after one second
    status, _ = await claims.call("POST", "/claim-payment", {"claimId": "C-late", "amount": 5, "payee": "A"})
    assert status == 200
    assert len(await payments_of(backends["payments"], "C-late")) == 1


async def test_a_refused_payment_is_a_business_fault(claims: Service) -> None:
    order = {"claimId": "C-rich", "amount": 1_000_000, "payee": "Ada"}
    status, problem = await claims.call("POST", "/claim-payment", order)
    assert (status, problem["code"]) == (422, "PAYMENT_REFUSED")
    assert "signature" in problem["detail"]


async def test_a_payment_that_failed_for_good_waits_in_the_dead_letters_and_can_be_sent_again(
    claims: Service, faults: Any, backends: dict[str, Backend]
) -> None:
    await faults("payments", next=503, count=5)
    order = {"claimId": "C-dead", "amount": 5, "payee": "Ada"}
    status, problem = await claims.call("POST", "/claim-payment", order, Idempotency_Key="k-dead")
    assert (status, problem["attempts"]) == (502, 5)

    status, page = await claims.call("GET", "/dead-letters", who="olga")
    (letter,) = page["items"]
    assert (letter["route"], letter["key"], letter["attempts"]) == ("claim_payment", "k-dead", 5)
    assert "503" in letter["error"]
    whole = (await claims.call("GET", f"/dead-letters/{letter['id']}", who="olga"))[1]
    assert whole["payload"] == order

    status, again = await claims.call("POST", f"/dead-letters/{letter['id']}/redelivery", who="olga")
    assert (status, again["status"]) == (200, "delivered")
    assert again["result"]["payment"]["status"] == "paid"
    assert len(await payments_of(backends["payments"], "C-dead")) == 1
    assert (await claims.call("GET", "/dead-letters", who="olga"))[1]["items"] == []


async def test_dead_letters_are_for_operators_only(claims: Service) -> None:
    assert (await claims.call("GET", "/dead-letters", who="ada"))[0] == 403
    assert (await claims.call("GET", "/routes", who=None))[0] == 401


async def test_a_repair_is_booked_once_for_a_claim_over_soap(claims: Service) -> None:
    order = {"claimId": "C-soap", "vehicle": GOLF, "postcode": "20095"}
    status, first = await claims.call("POST", "/repair-booking", order)
    assert status == 200
    assert set(first["appointment"]) == {"reference", "shop", "address", "at"}
    assert first["appointment"]["reference"].startswith("R-")
    assert (await claims.call("POST", "/repair-booking", order))[1] == first


async def test_a_soap_fault_that_the_route_knows_is_a_business_fault(claims: Service) -> None:
    order = {"claimId": "C-no", "vehicle": GOLF | {"plate": "HH-NOSHOP 1"}}
    status, problem = await claims.call("POST", "/repair-booking", order)
    assert (status, problem["code"]) == (422, "NO_SHOP_AVAILABLE")


async def test_a_repair_platform_that_is_down_for_a_moment_is_tried_again(
    claims: Service, faults: Any
) -> None:
    await faults("repairs_soap", next=503, count=2)
    status, _ = await claims.call("POST", "/repair-booking", {"claimId": "C-flaky", "vehicle": GOLF})
    assert status == 200


@pytest.mark.parametrize("platform", ["soap", "rest"])
async def test_one_value_switches_the_repair_platform_and_nothing_upstream_sees_it(
    platform: str, backends: dict[str, Backend], tmp_path: Path
) -> None:
    settings = claims_settings(backends, repair_platform=platform)
    async with serve(load_routes(CLAIMS / "integrations"), settings, tmp_path / "db") as service:
        order = {"claimId": f"C-{platform}", "vehicle": GOLF, "postcode": "20095"}
        status, answer = await service.call("POST", "/repair-booking", order)
        assert status == 200
        assert set(answer["appointment"]) == {"reference", "shop", "address", "at"}
        assert answer["appointment"]["reference"][0] == {"soap": "R", "rest": "B"}[platform]
        none = order | {"claimId": "C-none", "vehicle": GOLF | {"plate": "NOSHOP"}}
        status, problem = await service.call("POST", "/repair-booking", none)
        assert (status, problem["code"]) == (422, "NO_SHOP_AVAILABLE")
