"""Drive one motor claim through every box of the blueprint, from the phone's request to the payment.

    python examples/claims/smoke.py

Starts the solution on free ports with a state of its own, prints a line for each box with what it saw, and
exits with 0 only if all are ok.
"""

from __future__ import annotations

import base64
import re
import struct
import sys
import tempfile
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from towpath.testing import Blueprint, running_solution

HERE = Path(__file__).resolve().parent
PATIENCE = 30.0  # seconds that a step may take before the box counts as not ok


class NotOk(Exception):
    """A box did not do what it is there for."""


def expect(condition: object, otherwise: str) -> None:
    """Raise :class:`NotOk` saying ``otherwise`` unless ``condition`` holds."""
    if not condition:
        raise NotOk(otherwise)


def eventually(what: str, look: Callable[[], Any]) -> Any:
    """What ``look`` gives as soon as it gives something."""
    end = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        expect(time.monotonic() < end, f"no {what} within {PATIENCE:g} s")
        time.sleep(0.1)


def photo() -> bytes:
    """A small PNG: a photo of a very red car, from very near."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xc0\x20\x20" * 32 for _ in range(32))
    header = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Journey:
    """One claim, seen from outside: each method is a step and says what it saw."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.photo = photo()
        self.ada = self.carl = self.olga = ""
        self.claim = ""
        self.link = ""

    def get(self, path: str, token: str) -> Any:
        """The JSON at ``path`` on the gateway."""
        answer = self.blueprint.request("GET", path, token=token)
        expect(answer.status == 200, f"GET {path} answered {answer.status}: {answer.body[:200]!r}")
        return answer.json()

    def representation(self) -> Any:
        """The claim as its owner sees it."""
        return self.get(f"/claims/{self.claim}", self.ada)

    def milestones(self) -> list[str]:
        """The texts of the milestones reached."""
        return [milestone["name"] for milestone in self.representation()["milestones"]]

    def identity(self) -> str:
        self.ada, self.carl, self.olga = (self.blueprint.token(name) for name in ("ada", "carl", "olga"))
        return "tokens for a customer, an adjuster and an operator"

    def gateway(self) -> str:
        request = self.blueprint.request
        without = request("GET", "/claims").status
        forged = request("GET", "/claims", token=self.ada[:-8] + "AAAAAAAA").status
        known = request("GET", "/claims", token=self.ada)
        expect((without, forged, known.status) == (401, 401, 200), f"got {without}, {forged}, {known.status}")
        return "401 without a token, 401 with a forged one, 200 with ada's"

    def sync(self) -> str:
        command = f"command:{uuid.uuid4()}"
        document = {
            "_id": command,
            "type": "command",
            "command": "start",
            "resource": "claims",
            "data": {
                "policyNumber": "P-1001",
                "description": "Somebody opened a door into my car in the garage.",
                "damage": "collision",
            },
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "_attachments": {
                "photo-1.png": {
                    "content_type": "image/png",
                    "data": base64.b64encode(self.photo).decode(),
                }
            },
        }
        answer = self.blueprint.request(
            "POST", "/sync/_my/_bulk_docs", token=self.ada, body={"docs": [document]}
        )
        expect(answer.status == 201, f"_bulk_docs answered {answer.status}: {answer.body[:200]!r}")
        path = "/sync/_my/" + command.replace("command:", "result%3A")

        def result() -> Any:
            found = self.blueprint.request("GET", path, token=self.ada)
            return found.json() if found.status == 200 else None

        done = eventually("result of the command", result)
        expect(done["status"] == "done", f"the command failed: {done.get('problem')}")
        self.claim = done["target"]
        eventually(
            "state document",
            lambda: (
                self.blueprint.request("GET", f"/sync/_my/claims%3A{self.claim}", token=self.ada).status
                == 200
            ),
        )
        return f"the phone's command became claim {self.claim}, and its state came back"

    def facade(self) -> str:
        claim = self.representation()
        expect(claim["state"] == "active", f"the claim is {claim['state']}")
        ben = self.blueprint.token("ben")
        other = self.blueprint.request("GET", f"/claims/{self.claim}", token=ben).status
        expect(other == 404, f"another customer got {other}")
        return f"GET /claims/{self.claim} is active for ada, 404 for ben"

    def storage(self) -> str:
        documents = eventually("document", lambda: self.representation()["documents"])
        answer = self.blueprint.request("GET", documents[0]["href"], token=self.ada)
        expect(answer.status == 200, f"the photo answered {answer.status}")
        expect(answer.body == self.photo, "the photo is not the one that was sent")
        return f"{documents[0]['fileName']}, {len(answer.body)} bytes, came back as it was sent"

    def integration(self) -> str:
        eventually("looked-up policy", lambda: "Policy checked" in self.milestones())
        policies = self.get("/data/policies", self.ada)
        numbers = [policy["number"] for policy in policies]
        expect("P-1001" in numbers, f"ada's policies are {numbers}")
        return f"policy looked up for the process; ada's policies are {', '.join(sorted(numbers))}"

    def process(self) -> str:
        def task() -> Any:
            found = [t for t in self.get("/tasks", self.carl)["items"] if t["businessId"] == self.claim]
            return found[0] if found else None

        found = eventually("task for the adjuster", task)
        for step, body in (
            ("claim", {}),
            ("complete", {"variables": {"approved": True, "amount": 1234.5, "note": "As reported."}}),
        ):
            answer = self.blueprint.request(
                "POST", f"/tasks/{found['id']}/{step}", token=self.carl, body=body
            )
            expect(answer.status in (200, 204), f"{step} answered {answer.status}: {answer.body[:200]!r}")
        decision = self.representation()["data"]["decision"]
        return f"decided {decision['route']!r}; carl completed {found['name']!r}"

    def third_party(self) -> str:
        appointment = eventually("appointment", lambda: self.representation()["data"].get("appointment"))
        return f"{appointment['shop']} gave {appointment['reference']} over SOAP"

    def notify(self) -> str:
        def mail() -> Any:
            messages = self.blueprint.request("GET", f"{self.blueprint.mailbox}/messages").json()
            links = re.findall(r"http://[^\s\"<>]+/links/[A-Za-z0-9._~-]+", str(messages))
            return links[0] if links else None

        self.link = eventually("e-mail with a link", mail)
        inbox = self.get("/notify/inbox", self.ada)
        return f"{len(inbox['items'])} notifications in ada's inbox, and an e-mail with a link"

    def channel(self) -> str:
        path = self.link.removeprefix(self.blueprint.gateway)
        page = self.blueprint.request("GET", path)
        expect(page.status == 200, f"the link's page answered {page.status}")
        answer = self.blueprint.request("POST", path, form={})
        expect(answer.status in (200, 303), f"the link answered {answer.status}: {answer.body[:200]!r}")
        eventually("confirmation", lambda: "Appointment confirmed" in self.milestones())
        return "the appointment was confirmed by the link in the e-mail"

    def back_ends(self) -> str:
        payment = eventually("payment", lambda: self.representation()["data"].get("payment"))
        kept = self.blueprint.request("GET", f"{self.blueprint.backend('payments')}/payments/{payment['id']}")
        expect(kept.status == 200, f"the payment service does not know {payment['id']}: {kept.status}")
        eventually("end", lambda: self.representation()["state"] == "completed")
        return f"payment {payment['id']} is {payment['status']}; the claim is settled"

    def pages(self) -> str:
        seen = []
        for path in ("/app/", "/console/tasks", "/console/operate", "/docs"):
            answer = self.blueprint.request("GET", path)
            expect(answer.status == 200, f"{path} answered {answer.status}")
            expect(b"<html" in answer.body.lower(), f"{path} is no page")
            seen.append(path)
        return ", ".join(seen)


BOXES = (
    ("identity", "identity"),
    ("gateway", "gateway"),
    ("sync", "sync"),
    ("facade", "facade"),
    ("storage", "storage"),
    ("integration", "integration"),
    ("process", "process"),
    ("third party", "third_party"),
    ("notify", "notify"),
    ("channels", "channel"),
    ("back ends", "back_ends"),
    ("pages", "pages"),
)


def main() -> int:
    """Run the journey; gives the exit status."""
    begun = time.monotonic()
    failed = False
    with (
        tempfile.TemporaryDirectory(prefix="towpath-smoke-") as state,
        running_solution(HERE, Path(state)) as blueprint,
    ):
        print(f"{'started':12} in {time.monotonic() - begun:.1f} s at {blueprint.gateway}", flush=True)
        journey = Journey(blueprint)
        for box, step in BOXES:
            try:
                print(f"{box + ' ok':15} {getattr(journey, step)()}", flush=True)
            except (NotOk, OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
                failed = True
                print(f"{box + ' NOT OK':15} {type(error).__name__}: {error}", flush=True)
    print(f"{'failed' if failed else 'all ok':15} {time.monotonic() - begun:.1f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
