"""The third-party repair platform: SOAP 1.1, document/literal, its WSDL at ``/?wsdl``.

BookRepair (claimId, vehicle, postcode) gives one booking for a claim, however often it is called;
CancelRepair (reference). The fault NoShopAvailable is answered for a plate that contains NOSHOP.
Requests are checked against the WSDL's own schema.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from litestar import Litestar, Request, Response, get, post
from lxml import etree
from program import open_sqlite, parser, run
from shops import assign
from trouble import Faults

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "urn:example:repairs:1"
WSDL = Path(__file__).with_name("repairs.wsdl")
MAX_BODY = 256 * 1024  # bytes
SCHEMA = "CREATE TABLE IF NOT EXISTS bookings (claim TEXT PRIMARY KEY, reference TEXT, booking TEXT NOT NULL)"


class Fault(Exception):
    """A SOAP fault; ``detail`` is the local name of the WSDL's fault element."""

    def __init__(self, code: str, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.detail = detail


def parse(content: bytes) -> etree._Element:
    """XML from outside: no entities, no DTD, no network, no huge trees."""
    hardened = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, hardened)
    except etree.XMLSyntaxError as error:
        raise Fault("Client", f"This is not XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise Fault("Client", "A document type declaration is not allowed.")
    return root


def message_schema() -> etree.XMLSchema:
    """The XSD inside the WSDL."""
    element = parse(WSDL.read_bytes()).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    # Written out and read again, it declares the prefixes that the WSDL declares around it.
    return etree.XMLSchema(etree.fromstring(etree.tostring(element)))


def children(element: etree._Element) -> dict[str, Any]:
    """Local name -> text, or the same of its children."""
    return {
        etree.QName(child).localname: children(child) if len(child) else (child.text or "")
        for child in element
        if isinstance(child.tag, str)
    }


def envelope(body: str, status: int = 200) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>{body}</soap:Body></soap:Envelope>'
    )
    return Response(text.encode(), status_code=status, media_type="text/xml; charset=utf-8")


def element(name: str, values: dict[str, Any]) -> str:
    inside = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in values.items())
    return f'<{name} xmlns="{NAMESPACE}">{inside}</{name}>'


def fault_envelope(fault: Fault) -> Response:
    detail = (
        f"<detail>{element(fault.detail, {'reason': str(fault)})}</detail>"
        if fault.detail is not None
        else ""
    )
    reason = escape(str(fault))
    return envelope(
        f"<soap:Fault><faultcode>soap:{fault.code}</faultcode><faultstring>{reason}</faultstring>"
        f"{detail}</soap:Fault>",
        500,  # SOAP 1.1, section 6.2: a fault travels with status 500
    )


class Platform:
    """The bookings, and the operations on them."""

    def __init__(self, state: Path) -> None:
        self._database = open_sqlite(state, SCHEMA)

    def book_repair(self, message: dict[str, Any]) -> str:
        claim = message["claimId"]
        found = assign(claim, message["vehicle"]["plate"])
        if found is None:
            raise Fault("Server", "No repair shop near you has time.", "NoShopAvailable")
        shop, street, city, at = found
        booking = {
            "reference": f"R-{secrets.token_hex(4).upper()}",
            "shop": shop,
            "address": f"{street}, {city}",
            "appointmentTime": at.isoformat(),
        }
        self._database.execute(
            "INSERT INTO bookings VALUES (?, ?, ?) ON CONFLICT (claim) DO NOTHING",
            (claim, booking["reference"], json.dumps(booking)),
        )
        row = self._database.execute("SELECT booking FROM bookings WHERE claim = ?", (claim,)).fetchone()
        return element("BookRepairResponse", json.loads(row["booking"]))

    def cancel_repair(self, message: dict[str, Any]) -> str:
        gone = self._database.execute("DELETE FROM bookings WHERE reference = ?", (message["reference"],))
        return element("CancelRepairResponse", {"canceled": "true" if gone.rowcount else "false"})


def create(state: Path) -> Litestar:
    platform = Platform(state)
    faults = Faults()
    schema = message_schema()
    operations = {"BookRepair": platform.book_repair, "CancelRepair": platform.cancel_repair}

    def carry_out(content: bytes) -> str:
        root = parse(content)
        body = root.find(f"{{{ENVELOPE}}}Body")
        if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
            raise Fault("Client", "Expected a SOAP 1.1 envelope with one element in its body.")
        message = body[0]
        if not schema.validate(message):
            raise Fault("Client", str(schema.error_log[0].message))
        operation = operations.get(etree.QName(message).localname)
        if operation is None:
            raise Fault("Client", "There is no such operation.")
        return operation(children(message))

    @post("/", status_code=200)
    async def call(request: Request) -> Response:
        status = await faults.strike()
        if status == 409:
            return fault_envelope(Fault("Server", "No repair shop near you has time.", "NoShopAvailable"))
        if status:
            return Response(b"The platform is down.", status_code=status, media_type="text/plain")
        try:
            return envelope(carry_out(await request.body()))
        except Fault as fault:
            return fault_envelope(fault)

    @get("/")
    async def describe(request: Request) -> Response:
        text = WSDL.read_text().replace("{address}", escape(str(request.base_url)))
        return Response(text.encode(), media_type="text/xml; charset=utf-8")

    return Litestar([call, describe, faults.handler()], openapi_config=None, request_max_body_size=MAX_BODY)


if __name__ == "__main__":
    arguments = parser("The demo's repair platform (SOAP).", 8093).parse_args()
    run("repairs_soap", create(arguments.state), arguments.host, arguments.port)
