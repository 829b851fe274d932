"""Steps of a claim's journey, taken through the gateway as its people take them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from towpath.testing import Answer, Blueprint

T = TypeVar("T")
PATIENCE = 90.0  # seconds; after a kill, a job is offered again only when its lock has run out


def eventually(what: str, look: Callable[[], T | None]) -> T:
    """What ``look`` gives as soon as it gives something."""
    end = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"no {what} within {PATIENCE:g} s"
        time.sleep(0.05)


def start(blueprint: Blueprint, token: str, **data: Any) -> str:
    """Report an accident; gives the claim's id."""
    answer = blueprint.request(
        "POST", "/claims", token=token, body={"policyNumber": "P-1001", "description": "A dent."} | data
    )
    assert answer.status == 201, answer.body
    claim: str = answer.json()["id"]
    return claim


def claim(blueprint: Blueprint, token: str, id_: str) -> Any:
    """The claim's representation."""
    answer = blueprint.request("GET", f"/claims/{id_}", token=token)
    assert answer.status == 200, answer.body
    return answer.json()


def milestones(blueprint: Blueprint, token: str, id_: str) -> list[str]:
    """The texts of the milestones reached."""
    return [milestone["name"] for milestone in claim(blueprint, token, id_)["milestones"]]


def reach(blueprint: Blueprint, token: str, id_: str, milestone: str) -> None:
    """Wait until the claim has reached ``milestone``."""
    eventually(milestone, lambda: milestone in milestones(blueprint, token, id_))


def task(blueprint: Blueprint, token: str, id_: str) -> Any:
    """The open task of the claim that the caller may see, once there is one."""

    def look() -> Any:
        items = blueprint.request("GET", "/tasks", token=token).json()["items"]
        return next((t for t in items if t["businessId"] == id_), None)

    return eventually("task", look)


def complete(blueprint: Blueprint, token: str, task_id: str, *, base: str = "", **variables: Any) -> Answer:
    """Claim a task and complete it, at the gateway or at the API at ``base``."""
    path = f"{base}/tasks/{task_id}"
    claimed = blueprint.request("POST", f"{path}/claim", token=token, body={})
    assert claimed.status in (200, 204), claimed.body
    return blueprint.request("POST", f"{path}/complete", token=token, body={"variables": variables})


def mails(blueprint: Blueprint) -> list[Any]:
    """Every e-mail that was sent."""
    found: list[Any] = blueprint.request("GET", f"{blueprint.mailbox}/messages").json()
    return found


def link(blueprint: Blueprint, id_: str) -> str:
    """The path of the confirmation link that was sent for the claim."""

    def look() -> str | None:
        for mail in mails(blueprint):
            text = str(mail)
            found = re.search(r"http://[^\s\"<>\\]+(/links/[A-Za-z0-9._~-]+)", text)
            if found and id_ in text:
                return found[1]
        return None

    return eventually("e-mail with a link", look)
