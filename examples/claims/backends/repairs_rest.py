"""The second repair platform: REST and JSON, with names of its own.

PUT /bookings/{externalRef} {externalRef, licensePlate, carModel, zip} -> 201 or, again, 200
{bookingNo, garage: {name, street, city}, slot: {start}}; no garage has time -> 409.
DELETE /bookings/{externalRef} -> 204.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated

from litestar import Litestar, Response, delete, get, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from program import open_sqlite, parser, run
from shops import assign
from trouble import Faults, problem

SCHEMA = "CREATE TABLE IF NOT EXISTS bookings (external_ref TEXT PRIMARY KEY, booking TEXT NOT NULL)"


class Order(Struct, rename="camel", forbid_unknown_fields=True):
    external_ref: Annotated[str, Meta(min_length=1, max_length=100)]
    license_plate: Annotated[str, Meta(min_length=1, max_length=20)]
    car_model: str = ""
    zip: str = ""


def create(state: Path) -> Litestar:
    database = open_sqlite(state, SCHEMA)
    faults = Faults()

    def find(ref: str):
        return database.execute("SELECT booking FROM bookings WHERE external_ref = ?", (ref,)).fetchone()

    @put("/bookings/{ref:str}")
    async def book(ref: FromPath[str], data: JSONBody[Order]) -> Response:
        if status := await faults.strike():
            return problem(status, "The platform is down.")
        if data.external_ref != ref:
            return problem(400, "externalRef is not the one of the address.")
        if row := find(ref):
            return Response(json.loads(row["booking"]))
        found = assign(ref, data.license_plate)
        if found is None:
            return problem(409, "No garage near you has time.")
        name, street, city, start = found
        booking = {
            "bookingNo": f"B{secrets.randbelow(10**8):08}",
            "externalRef": ref,
            "garage": {"name": name, "street": street, "city": city},
            "slot": {"start": start.isoformat()},
        }
        database.execute(
            "INSERT INTO bookings VALUES (?, ?) ON CONFLICT DO NOTHING", (ref, json.dumps(booking))
        )
        row = find(ref)
        return Response(json.loads(row["booking"]), status_code=201)

    @get("/bookings/{ref:str}")
    async def booking(ref: FromPath[str]) -> Response:
        row = find(ref)
        return Response(json.loads(row["booking"])) if row else problem(404, "There is no such booking.")

    @delete("/bookings/{ref:str}")
    async def cancel(ref: FromPath[str]) -> None:
        database.execute("DELETE FROM bookings WHERE external_ref = ?", (ref,))

    return Litestar([book, booking, cancel, faults.handler()], openapi_config=None)


if __name__ == "__main__":
    arguments = parser("The demo's second repair platform (REST).", 8094).parse_args()
    run("repairs_rest", create(arguments.state), arguments.host, arguments.port)
