"""Secrets of the local issuer: made once, kept in its state folder for its owner's eyes only."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from joserfc.jwk import ECKey, RSAKey

SigningKey = ECKey | RSAKey


def signing_key(state: Path, algorithm: str) -> SigningKey:
    """The private key in ``state``, made where there is none. Raises ValueError where the file is damaged."""
    kind: type[ECKey] | type[RSAKey] = ECKey if algorithm == "ES256" else RSAKey
    path = state / f"signing-key-{algorithm.lower()}.pem"

    def make() -> str:
        key = ECKey.generate_key("P-256") if kind is ECKey else RSAKey.generate_key(2048)
        return key.as_pem(private=True).decode()

    pem = private_file(path, make)
    try:
        key = kind.import_key(pem, {"use": "sig", "alg": algorithm})
    except ValueError as error:
        raise ValueError(f"{path} holds no {algorithm} key; remove it and a new one is made.") from error
    key.ensure_kid()
    return key


def service_secret(state: Path) -> str:
    """The secret by which our own services get tokens from the local issuer whose state is in ``state``."""
    return private_file(state / "service-secret", lambda: secrets.token_urlsafe(32))


def private_file(path: Path, make: Callable[[], str]) -> str:
    """The content of ``path``, made where it is missing, whole or not at all, with mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(make())
            # A link, not a rename: where two processes start at once, the first one's secret stays.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8")
