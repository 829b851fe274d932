"""FEEL values as the commands print them: FEEL's own text, or JSON."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Any

from towpath.feel import to_json
from towpath.feel.sizes import check_size
from towpath.feel.values import key_text, text

_INDENT = 2  # columns
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def width() -> int | None:
    """The columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def written(value: Any, columns: int | None = None) -> str:
    """A value as FEEL that gives it again; on several lines where it is wider than ``columns``.

    Control characters, which a terminal would obey, are written as escapes. Raises FeelLimitError for what
    is too large to print.
    """
    check_size(value)
    return _laid_out(value, columns, 0)


def _laid_out(value: Any, columns: int | None, indent: int, used: int = 0) -> str:
    """The value at an indentation, in a line of which a key has ``used`` some columns."""
    flat = harmless(text(value, inner=True))
    fits = columns is None or indent + used + len(flat) + 1 <= columns  # one more for a comma
    if fits or not isinstance(value, list | dict) or not value:
        return flat
    inner = indent + _INDENT
    if isinstance(value, list):
        parts = [_laid_out(item, columns, inner) for item in value]
        opening, closing = "[]"
    else:
        heads = [(harmless(key_text(key)) + ": ", item) for key, item in value.items()]
        parts = [head + _laid_out(item, columns, inner, len(head)) for head, item in heads]
        opening, closing = "{}"
    separator = ",\n" + " " * inner
    return f"{opening}\n{' ' * inner}{separator.join(parts)}\n{' ' * indent}{closing}"


def harmless(line: str) -> str:
    """The text with its control characters as FEEL's escapes."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04X}", line)


def raw(value: Any) -> str:
    """A string as it is, and anything else as FEEL."""
    return str(_whole_characters(value)) if isinstance(value, str) else written(value)


def encoded(answer: Any) -> str:
    """A JSON text; FEEL values in it are converted, decimals keep their digits."""
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number")
    answer = to_json(answer)
    try:
        return encoder.encode(answer).decode()
    except UnicodeEncodeError:  # half a surrogate pair is a string to FEEL, and none to JSON
        return encoder.encode(_whole_characters(answer)).decode()


def _whole_characters(answer: Any) -> Any:
    if isinstance(answer, str):
        return answer.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(answer, list):
        return [_whole_characters(item) for item in answer]
    if isinstance(answer, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in answer.items()}
    return answer
