"""What large values cost in steps, so that many operations on them come to an end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .runtime import Runtime
from .sizes import check_size, check_string

LARGE = 1_000  # items or characters of a value, above which it costs more than its operation
SHARES: dict[type, int] = {list: 8, dict: 8, str: 64}  # items or characters for one step


def is_short(value: Any) -> bool:
    """Whether a value is not so large that an operation on it takes steps."""
    return type(value) not in SHARES or len(value) <= LARGE


def pay(runtime: Runtime, values: Iterable[Any]) -> None:
    """Take steps for the large ones among ``values``."""
    for value in values:
        if not is_short(value):
            runtime.spend(len(value) // SHARES[type(value)])


def pay_whole(runtime: Runtime, value: Any) -> None:
    """Take steps for all that is in a list or context, however deep: comparing goes through all of it."""
    parts = check_size(value)
    if parts > LARGE:
        runtime.spend(parts)


def paid(runtime: Runtime, result: Any) -> Any:
    """A result, once it is known to be no longer than any string may be."""
    if type(result) is str and len(result) > LARGE:
        check_string(len(result))
        runtime.spend(len(result) // SHARES[str])
    return result
