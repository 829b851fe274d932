"""Whoever may not, or asks wrongly, is refused through the gateway with problem details."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.blueprint import journeys
from towpath.testing import Answer, Blueprint

pytestmark = pytest.mark.blueprint


def problem(answer: Answer, status: int) -> Any:
    """The problem details of a refusal."""
    assert answer.status == status, (answer.status, answer.body[:300])
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    return body


def client_token(blueprint: Blueprint, client: str) -> str:
    """A token of a client of the solution, whose secret is its name."""
    basic = base64.b64encode(f"{client}:{client}".encode()).decode()
    answer = blueprint.request(
        "POST",
        f"{blueprint.url('identity')}/token",
        form={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.status == 200, answer.body
    token: str = answer.json()["access_token"]
    return token


@pytest.mark.parametrize("path", ["/claims", "/tasks", "/sync/_my", "/notify/inbox", "/data/policies"])
def test_without_a_token_the_gateway_answers_401(blueprint: Blueprint, path: str) -> None:
    problem(blueprint.request("GET", path), 401)


def test_an_expired_token_is_refused_with_401(blueprint: Blueprint) -> None:
    problem(blueprint.request("GET", "/claims", token=client_token(blueprint, "expired")), 401)


def test_a_forged_token_is_refused_with_401(blueprint: Blueprint) -> None:
    header, payload, signature = blueprint.token("ada").split(".")
    claims = base64.urlsafe_b64decode(payload + "==").replace(b'"ada"', b'"ben"')
    forged = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    problem(blueprint.request("GET", "/claims", token=f"{header}.{forged}.{signature}"), 401)


def test_an_unsigned_token_is_refused_with_401(blueprint: Blueprint) -> None:
    payload = blueprint.token("ada").split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    problem(blueprint.request("GET", "/claims", token=f"{header}.{payload}."), 401)


def test_an_operators_page_data_is_refused_to_a_customer_with_403(blueprint: Blueprint) -> None:
    answer = blueprint.request("GET", "/console/api/instances", token=blueprint.token("ada"))
    problem(answer, 403)


def test_a_caller_without_the_role_to_start_is_refused_with_403(blueprint: Blueprint) -> None:
    body = {"policyNumber": "P-1001", "description": "Not mine."}
    problem(blueprint.request("POST", "/claims", token=blueprint.token("carl"), body=body), 403)


def test_another_customers_claim_is_not_found(blueprint: Blueprint) -> None:
    ada, ben = blueprint.token("ada"), blueprint.token("ben")
    claim = journeys.start(blueprint, ada)
    for method, path in (
        ("GET", f"/claims/{claim}"),
        ("GET", f"/claims/{claim}/documents"),
        ("GET", f"/claims/{claim}/events"),
        ("POST", f"/claims/{claim}/messages/appointment-confirmed"),
    ):
        problem(blueprint.request(method, path, token=ben, body={} if method == "POST" else None), 404)
    listed = blueprint.request("GET", "/claims", token=ben).json()["items"]
    assert claim not in [item["id"] for item in listed]


def test_what_does_not_exist_is_not_found(blueprint: Blueprint) -> None:
    token = blueprint.token("ada")
    problem(blueprint.request("GET", "/claims/C-0000000000", token=token), 404)
    problem(blueprint.request("GET", "/no-such-thing", token=token), 404)


def test_an_oversized_photo_is_refused_with_413(blueprint: Blueprint) -> None:
    ada = blueprint.token("ada")
    claim = journeys.start(blueprint, ada)
    boundary = "towpath"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="big.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    body += b"\xff" * (30 * 1024 * 1024) + f"\r\n--{boundary}--\r\n".encode()
    answer = blueprint.request(
        "POST",
        f"/claims/{claim}/documents",
        token=ada,
        body=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    problem(answer, 413)
    assert blueprint.request("GET", f"/claims/{claim}/documents", token=ada).json()["items"] == []


def test_malformed_json_is_refused_with_400(blueprint: Blueprint) -> None:
    answer = blueprint.request(
        "POST",
        "/claims",
        token=blueprint.token("ada"),
        body=b'{"policyNumber": "P-1001", ',
        headers={"Content-Type": "application/json"},
    )
    problem(answer, 400)


def test_a_start_that_does_not_fit_the_form_names_each_field(blueprint: Blueprint) -> None:
    body = {"policyNumber": "1001", "damage": "meteor"}
    answer = blueprint.request("POST", "/claims", token=blueprint.token("ada"), body=body)
    told = str(problem(answer, 400)["errors"])
    assert all(field in told for field in ("policyNumber", "description", "damage"))


def test_who_the_customer_is_cannot_be_claimed(blueprint: Blueprint) -> None:
    body = {"policyNumber": "P-1001", "description": "x", "customer": {"id": "ben"}}
    problem(blueprint.request("POST", "/claims", token=blueprint.token("ada"), body=body), 400)


def test_identity_headers_of_a_client_are_dropped(blueprint: Blueprint) -> None:
    person = base64.urlsafe_b64encode(b'{"sub":"ben","roles":["operator"]}').decode()
    answer = blueprint.request(
        "GET", "/claims", token=blueprint.token("ada"), headers={"X-On-Behalf-Of": person}
    )
    assert answer.status == 200
    problem(
        blueprint.request(
            "GET",
            "/console/api/instances",
            token=blueprint.token("ada"),
            headers={"X-Towpath-Roles": "operator", "X-Towpath-Subject": "olga"},
        ),
        403,
    )


def test_more_than_the_plan_allows_is_refused_with_429(blueprint: Blueprint) -> None:
    token = client_token(blueprint, "garage-hamburg")
    answers = [blueprint.request("GET", "/claims", token=token) for _ in range(70)]
    refused = next(answer for answer in answers if answer.status != 200)
    problem(refused, 429)
    assert int(refused.headers["retry-after"]) >= 0
    # One client's limit is not another's.
    assert blueprint.request("GET", "/claims", token=blueprint.token("ada")).status == 200
