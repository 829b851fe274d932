"""The third-party repair platform.

``RepairPlatform`` is the port: what the company wants of any platform, in its own words. An adapter speaks
to one platform; ``repair_platform`` in ``towpath.toml`` chooses it, and nothing upstream can tell which.
"""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from towpath.integration import BpmnError, Retry, SoapFault, http, route, settings, soap


class Vehicle(Struct):
    make: str
    model: str
    plate: str


class Appointment(Struct):
    """``at``: ISO 8601."""

    reference: str
    shop: str
    address: str
    at: str


class RepairPlatform(Protocol):
    async def book(self, claim_id: str, vehicle: Vehicle, postcode: str) -> Appointment:
        """Book the nearest shop. A claim has one booking, however often it is asked for."""


class SoapPlatform:
    """The platform in use: SOAP 1.1."""

    service = soap("repairs_soap")

    async def book(self, claim_id: str, vehicle: Vehicle, postcode: str) -> Appointment:
        car = {"make": vehicle.make, "model": vehicle.model, "plate": vehicle.plate}
        try:
            booked = await self.service.call("BookRepair", claimId=claim_id, vehicle=car, postcode=postcode)
        except SoapFault as fault:
            if fault.name == "NoShopAvailable":
                raise no_shop(fault.message) from fault
            raise
        return Appointment(booked["reference"], booked["shop"], booked["address"], booked["appointmentTime"])


class RestPlatform:
    """The second platform: JSON, with names of its own."""

    service = http("repairs_rest")
    full = 409  # its answer where no garage has time

    async def book(self, claim_id: str, vehicle: Vehicle, postcode: str) -> Appointment:
        order = {
            "externalRef": claim_id,
            "licensePlate": vehicle.plate,
            "carModel": f"{vehicle.make} {vehicle.model}",
            "zip": postcode,
        }
        answer = await self.service.put("/bookings/{ref}", ref=claim_id, json=order, expect=[self.full])
        if answer.status == self.full:
            raise no_shop(str(answer.json().get("detail", "")))
        booked = answer.json()
        garage = booked["garage"]
        return Appointment(
            booked["bookingNo"],
            garage["name"],
            f"{garage['street']}, {garage['city']}",
            booked["slot"]["start"],
        )


PLATFORMS: dict[str, RepairPlatform] = {"soap": SoapPlatform(), "rest": RestPlatform()}


def no_shop(reason: str) -> BpmnError:
    return BpmnError("NO_SHOP_AVAILABLE", reason or "No shop is available.")


@route(
    "job:repair-booking",
    "http:POST /repair-booking",
    timeout=8.0,
    retry=Retry(attempts=4, initial=0.3, factor=2, maximum=5),
    dead_letter=True,
)
async def repair_booking(claim_id: str, vehicle: Vehicle, postcode: str | None = None) -> dict[str, Any]:
    """Book a repair shop on whichever platform the company uses."""
    platform = PLATFORMS[settings.value("repair_platform", "soap")]
    return {"appointment": await platform.book(claim_id, vehicle, postcode or "20095")}
