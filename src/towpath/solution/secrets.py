"""What a solution must keep to itself: made once, in its state folder, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from towpath.faults import Fault, Faulty

FILE = "secrets.json"


class Secrets(msgspec.Struct, kw_only=True):
    """``service_secret``: of our services' client at the local issuer; ``link_secret`` signs links;
    ``vapid_key``: the PEM of the key that Web Push services know us by."""

    service_secret: str
    link_secret: str
    vapid_key: str


def load(state: Path) -> Secrets:
    """The secrets kept under ``state``, made on first use. Raises :class:`Faulty` if unreadable."""
    file = state / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Secrets)
    except FileNotFoundError:
        return _make(file)
    except (OSError, msgspec.DecodeError) as error:
        raise Faulty(
            [
                Fault(
                    message=f"The solution's secrets cannot be read: {error}.",
                    rule="solution.secrets",
                    remedy="Restore the file from a backup; without it, signed links and push "
                    "subscriptions made so far are void. Removing it makes new ones.",
                    file=str(file),
                )
            ]
        ) from None


def _make(file: Path) -> Secrets:
    key = ec.generate_private_key(ec.SECP256R1())
    made = Secrets(
        service_secret=secrets.token_urlsafe(32),
        link_secret=secrets.token_urlsafe(48),
        vapid_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(made)))
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)
    return made
