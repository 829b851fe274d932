"""Templates of notifications: ``notifications/{name}.toml`` of the solution.

A template has a ``title``, a ``body`` (text; both are Jinja, sandboxed), and may have ``channels`` and a
``category`` for people's preferences (its name where it says none).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateSyntaxError, Undefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from towpath.faults import Fault, Faulty
from towpath.frontend.notify.settings import CHANNELS

MAX_TITLE = 200  # characters
MAX_BODY = 10_000
KNOWN = ("title", "body", "channels", "category")


class RenderError(ValueError):
    """A template could not be filled; the message says with what."""


class _Absent(Undefined):
    """May be asked for (``a or b``, ``default``), but leaves no hole in a text that goes to a customer."""

    def __str__(self) -> NoReturn:
        self._fail_with_undefined_error()


_environment = ImmutableSandboxedEnvironment(
    undefined=_Absent, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)


def date_time(value: object) -> str:
    """The filter ``date_time``: an ISO 8601 moment as people say it; anything else as it is.

    It keeps the offset that it came with: the time that the clock on the wall there shows.
    """
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{moment:%A}, {moment.day} {moment:%B %Y}, {moment:%H:%M}"


_environment.filters["date_time"] = date_time


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of notification."""

    name: str
    title: str
    body: str
    channels: tuple[str, ...] = CHANNELS
    category: str = ""

    def render(self, variables: Mapping[str, Any]) -> tuple[str, str]:
        """Title and body filled in. Raises :class:`RenderError`."""
        try:
            title = _environment.from_string(self.title).render(variables)
            body = _environment.from_string(self.body).render(variables)
        except UndefinedError as error:
            raise RenderError(f"The template {self.name!r} cannot be filled: {error}.") from None
        except Exception as error:  # whatever a template can do wrong with the variables it got
            raise RenderError(
                f"The template {self.name!r} cannot be filled: {type(error).__name__}: {error}."
            ) from None
        return " ".join(title.split())[:MAX_TITLE], body.strip()[:MAX_BODY]


def load_templates(folder: Path) -> dict[str, Template]:
    """The templates of ``folder`` by name; none where there is no folder. Raises Faulty with every fault."""
    found: dict[str, Template] = {}
    faults: list[Fault] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            found[file.stem] = _load(file)
        except Faulty as faulty:
            faults += faulty.faults
    if faults:
        raise Faulty(faults)
    return found


def _load(file: Path) -> Template:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Faulty([_fault(file, "notify.template-toml", f"This is not TOML: {error}.")]) from None
    faults = [
        _fault(file, "notify.template-field", f"There is no setting {name!r}.", f"Known: {', '.join(KNOWN)}.")
        for name in table
        if name not in KNOWN
    ]
    for name in ("title", "body", "category"):
        value = table.get(name, "" if name == "category" else None)
        if not isinstance(value, str):
            faults.append(_fault(file, "notify.template-text", f"A template needs a {name}, a text."))
        else:
            faults += _syntax(file, name, value)
    channels = table.get("channels", list(CHANNELS))
    if not isinstance(channels, list) or not set(map(str, channels)) <= set(CHANNELS):
        known = ", ".join(CHANNELS)
        faults.append(_fault(file, "notify.template-channel", f"channels is a list of: {known}."))
    if faults:
        raise Faulty(faults)
    return Template(
        file.stem, table["title"], table["body"], tuple(channels), table.get("category") or file.stem
    )


def _syntax(file: Path, name: str, text: str) -> list[Fault]:
    try:
        _environment.parse(text)
    except TemplateSyntaxError as error:
        line = _line_of(file, name)
        where = line + error.lineno - 1 if line else None
        return [_fault(file, "notify.template-syntax", f"{name}: {error.message}", line=where)]
    return []


def _line_of(file: Path, name: str) -> int | None:
    """The line on which the setting's text begins."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.split("=")[0].strip() == name:
            # The newline after the opening quotes is not part of the text.
            return number + line.rstrip().endswith(('"""', "'''"))
    return None


def _fault(file: Path, rule: str, message: str, remedy: str = "", line: int | None = None) -> Fault:
    return Fault(message=message, rule=rule, remedy=remedy, file=str(file), line=line)
