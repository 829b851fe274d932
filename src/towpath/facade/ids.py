"""Business ids: short, speakable, and no key of the engine."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: without I, L, O and U
LENGTH = 10  # characters, 50 bits


def fresh_id(prefix: str) -> str:
    """A random id, such as ``C-8F3K2M9QWX``."""
    return _spell(prefix, secrets.randbits(5 * LENGTH))


def derived_id(prefix: str, secret: bytes, *parts: str) -> str:
    """The same id for the same ``parts``; without ``secret`` nobody can tell it beforehand."""
    return _spell(prefix, int.from_bytes(_digest(secret, parts)[:8], "big"))


def derived_token(secret: bytes, *parts: str) -> str:
    """16 hex digits, the same for the same ``parts``."""
    return _digest(secret, parts).hex()[:16]


def sequential_token(number: int) -> str:
    """26 hex digits, ordered by time and then by ``number``; not to be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{number:02x}{secrets.token_hex(6)}"


def _digest(secret: bytes, parts: tuple[str, ...]) -> bytes:
    text = "".join(f"{len(part)}:{part}" for part in parts)  # lengths, so that no two lists read the same
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()


def _spell(prefix: str, number: int) -> str:
    digits = "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(LENGTH))
    return f"{prefix.rstrip('-')}-{digits}"
