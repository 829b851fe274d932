"""The garages that both demo repair platforms send cars to, and when they have time."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta

SHOPS = [
    ("Garage Hamburg", "Spaldingstraße 64", "20097 Hamburg"),
    ("Autohaus Elbe", "Holstenstraße 110", "22767 Hamburg"),
    ("Karosserie Wagner", "Friedensallee 23", "22765 Hamburg"),
    ("Lack & Blech Nord", "Fuhlsbüttler Straße 405", "22309 Hamburg"),
]


def assign(claim: str, plate: str) -> tuple[str, str, str, datetime] | None:
    """Shop, street, city and time for a claim; None where nobody has time (a plate with NOSHOP)."""
    if "NOSHOP" in plate.upper():
        return None
    seed = hashlib.sha256(claim.encode()).digest()
    name, street, city = SHOPS[seed[0] % len(SHOPS)]
    day = datetime.now(UTC).date() + timedelta(days=2 + seed[1] % 5)
    if day.weekday() > 4:
        day += timedelta(days=7 - day.weekday())
    return name, street, city, datetime.combine(day, time(8 + seed[2] % 8, 30), UTC)
