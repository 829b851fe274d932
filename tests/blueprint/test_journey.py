"""A motor claim's journey over channels, and what becomes of it when things go wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.blueprint import journeys
from towpath.testing import Blueprint, running_solution

pytestmark = pytest.mark.blueprint


def confirm_by_link(blueprint: Blueprint, claim: str) -> None:
    path = journeys.link(blueprint, claim)
    answer = blueprint.request("POST", path, form={})
    assert answer.status in (200, 303), answer.body


def test_small_damage_is_paid_without_an_adjuster(blueprint: Blueprint) -> None:
    ada = blueprint.token("ada")
    claim = journeys.start(blueprint, ada, damage="glass")
    confirm_by_link(blueprint, claim)
    journeys.reach(blueprint, ada, claim, "Claim settled")
    found = journeys.claim(blueprint, ada, claim)
    assert found["state"] == "completed"
    assert found["data"]["decision"]["route"] == "fast-track"
    assert found["data"]["payment"]["status"]
    assert "Looked at by our adjuster" not in [m["name"] for m in found["milestones"]]


def test_larger_damage_waits_for_the_adjuster_and_pays_what_was_approved(blueprint: Blueprint) -> None:
    ada, carl = blueprint.token("ada"), blueprint.token("carl")
    claim = journeys.start(blueprint, ada, damage="collision")
    task = journeys.task(blueprint, carl, claim)
    answer = journeys.complete(blueprint, carl, task["id"], approved=True, amount=1234.5, note="ok")
    assert answer.status in (200, 204), answer.body
    journeys.reach(blueprint, ada, claim, "Repair shop found")
    assert journeys.claim(blueprint, ada, claim)["data"]["assessment"]["amount"] == 1234.5
    confirm_by_link(blueprint, claim)
    journeys.reach(blueprint, ada, claim, "Claim settled")


def test_the_appointment_can_be_confirmed_in_the_app_and_only_once(blueprint: Blueprint) -> None:
    ada = blueprint.token("ada")
    claim = journeys.start(blueprint, ada, damage="glass")
    path = journeys.link(blueprint, claim)
    journeys.reach(blueprint, ada, claim, "Repair shop found")
    journeys.eventually("action", lambda: journeys.claim(blueprint, ada, claim)["actions"])
    message = f"/claims/{claim}/messages/appointment-confirmed"
    assert blueprint.request("POST", message, token=ada, body={}).status in (200, 202, 204)
    assert blueprint.request("POST", message, token=ada, body={}).status == 409
    assert blueprint.request("POST", path, form={}).status == 409
    journeys.reach(blueprint, ada, claim, "Claim settled")


def test_an_adjuster_who_refuses_ends_the_claim_without_a_payment(blueprint: Blueprint) -> None:
    ada, carl = blueprint.token("ada"), blueprint.token("carl")
    claim = journeys.start(blueprint, ada, damage="collision")
    task = journeys.task(blueprint, carl, claim)
    journeys.complete(blueprint, carl, task["id"], approved=False, amount=0, note="An old dent.")
    journeys.reach(blueprint, ada, claim, "Claim closed without payment")
    assert "payment" not in {k for k, v in journeys.claim(blueprint, ada, claim)["data"].items() if v}
    journeys.eventually(
        "mail", lambda: [m for m in journeys.mails(blueprint) if "An old dent." in str(m) and claim in str(m)]
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"policyNumber": "P-9999"}, "no policy"),
        ({"policyNumber": "P-3001"}, "no longer in force"),
        ({"policyNumber": "P-2001"}, "not yours"),
        ({"policyNumber": "P-1002", "damage": "dent"}, "Third-party"),
    ],
)
def test_what_is_not_covered_is_refused_with_the_reason(
    blueprint: Blueprint, data: dict[str, str], reason: str
) -> None:
    ada = blueprint.token("ada")
    claim = journeys.start(blueprint, ada, **data)
    journeys.reach(blueprint, ada, claim, "Claim closed without payment")
    assert reason in journeys.claim(blueprint, ada, claim)["data"]["decision"]["reason"]


def test_nobodys_assessment_in_time_is_escalated_and_stays_with_the_adjuster(
    claims: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "claims"
    shutil.copytree(claims, folder, ignore=shutil.ignore_patterns(".towpath", "__pycache__"))
    model = folder / "processes" / "motor-claim.bpmn"
    model.write_text(model.read_text().replace(">PT4H<", ">PT1S<"))
    with running_solution(folder, tmp_path / "state") as blueprint:
        ada, carl, olga = (blueprint.token(name) for name in ("ada", "carl", "olga"))
        claim = journeys.start(blueprint, ada, damage="collision")

        def escalated() -> bool:
            inbox = blueprint.request("GET", "/notify/inbox", token=olga).json()["items"]
            return any(claim in item["title"] for item in inbox)

        journeys.eventually("escalation", escalated)
        assert journeys.task(blueprint, carl, claim)["state"] != "completed"


def test_another_repair_platform_is_a_setting_and_nothing_upstream_changes(
    claims: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "claims"
    shutil.copytree(claims, folder, ignore=shutil.ignore_patterns(".towpath", "__pycache__"))
    settings = folder / "towpath.toml"
    text = settings.read_text()
    assert 'repair_platform = "soap"' in text
    settings.write_text(text.replace('repair_platform = "soap"', 'repair_platform = "rest"'))
    with running_solution(folder, tmp_path / "state") as blueprint:
        ada = blueprint.token("ada")
        claim = journeys.start(blueprint, ada, damage="glass")
        confirm_by_link(blueprint, claim)
        journeys.reach(blueprint, ada, claim, "Claim settled")
        appointment = journeys.claim(blueprint, ada, claim)["data"]["appointment"]
        assert set(appointment) >= {"reference", "shop", "address", "at"}


def test_a_claim_goes_on_after_kill_9_at_every_stage(claims: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    blueprint = Blueprint(claims, state)
    blueprint.start()
    try:
        ada = blueprint.token("ada")
        claim = journeys.start(blueprint, ada, damage="collision")
        blueprint.kill()  # right after the answer: what was answered is kept
        blueprint.start()
        ada, carl = blueprint.token("ada"), blueprint.token("carl")
        task = journeys.task(blueprint, carl, claim)
        answer = journeys.complete(blueprint, carl, task["id"], approved=True, amount=99, note="")
        assert answer.status in (200, 204)
        blueprint.kill()  # while the repair shop is being booked
        blueprint.start()
        ada = blueprint.token("ada")
        path = journeys.link(blueprint, claim)
        assert blueprint.request("POST", path, form={}).status in (200, 303)
        blueprint.kill()  # while the claim is being paid
        blueprint.start()
        ada = blueprint.token("ada")
        journeys.reach(blueprint, ada, claim, "Claim settled")
        found = journeys.claim(blueprint, ada, claim)
        names = [milestone["name"] for milestone in found["milestones"]]
        assert len(names) == len(set(names)), "a milestone was reached twice"
        payments = blueprint.request("GET", f"{blueprint.backend('payments')}/payments").json()
        assert len([p for p in payments if claim in str(p)]) == 1, "the claim was paid twice"
    finally:
        blueprint.stop()


def test_ctrl_c_stops_cleanly_and_leaves_no_process_behind(claims: Path, tmp_path: Path) -> None:
    import psutil

    blueprint = Blueprint(claims, tmp_path / "state")
    blueprint.start()
    children = psutil.Process(blueprint.pid).children(recursive=True)
    assert children
    assert blueprint.stop() == 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert (tmp_path / "state" / "stderr.log").read_text() == ""
