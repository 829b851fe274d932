"""What a solution must keep to itself: made once, in its state folder, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from towpath.faults import Fault, Faulty
from towpath.identity.issuer import private_file, service_secret
from towpath.identity.settings import IdentitySettings


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """``service`` gets our services their tokens from the issuer, ``link`` signs links, ``vapid_key`` is the
    PEM of the key by which Web Push services know us."""

    service: str
    link: str
    vapid_key: str


def load(state: Path, identity: IdentitySettings) -> Secrets:
    """The secrets kept under ``state``, made on first use. Raises :class:`Faulty` where one is unusable.

    The services' own secret at an external issuer is in the environment, not here.
    """
    try:
        vapid_key = private_file(state / "vapid-key.pem", _vapid_key)
        load_pem_private_key(vapid_key.encode(), None)
        return Secrets(
            service=service_secret(state / "identity") if identity.is_local else _from_environment(identity),
            link=private_file(state / "link-secret", lambda: secrets.token_urlsafe(48)),
            vapid_key=vapid_key,
        )
    except (OSError, ValueError) as error:
        if isinstance(error, Faulty):
            raise
        raise Faulty(
            [
                Fault(
                    message=f"The solution's secrets cannot be read: {error}.",
                    rule="run.secrets",
                    remedy="Make the file readable, or restore it from a backup. Removing it makes a new "
                    "one: signed links, or push subscriptions, of before are then void.",
                )
            ]
        ) from None


def _vapid_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _from_environment(identity: IdentitySettings) -> str:
    secret = os.environ.get(identity.service_secret_env)
    if secret:
        return secret
    raise Faulty(
        [
            Fault(
                message=f"The environment has no {identity.service_secret_env}: the secret of the client "
                f"{identity.service_client_id!r} at {identity.issuer}.",
                rule="run.service-secret",
                remedy="Set it, so that the services can get tokens of their own.",
            )
        ]
    )
