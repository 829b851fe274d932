"""Reading ``towpath.toml`` so that every fault names its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from towpath.faults import Fault
from towpath.solution.settings import Raw, Settings

FILE = "towpath.toml"

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*(\"[^\"]+\"|'[^']+'|[A-Za-z0-9_-]+)\s*=")
_SYNTAX = re.compile(r"\(at line (\d+), column (\d+)\)")
_PLACE = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_-]+)*)\}")


def read(text: str) -> tuple[Raw, list[Fault]]:
    """The document as TOML values, or the fault of its syntax."""
    try:
        return tomllib.loads(text), []
    except tomllib.TOMLDecodeError as error:
        place = _SYNTAX.search(str(error))
        line, column = (int(place[1]), int(place[2])) if place else (None, None)
        message = _SYNTAX.sub("", str(error)).strip()
        return {}, [
            Fault(
                message=f"This is not TOML: {message}.",
                rule="solution.toml-syntax",
                remedy="Mend the syntax; strings are in double quotes, tables in brackets.",
                file=FILE,
                line=line,
                column=column,
            )
        ]


def convert(raw: Raw, text: str) -> tuple[Settings, list[Fault]]:
    """The settings, table by table, so that a fault in one table does not hide those of the others.

    A faulty table is replaced by its defaults; with faults, the settings are for further checking only.
    """
    faults: list[Fault] = []
    good: dict[str, Any] = {}
    known = {f.encode_name: f for f in msgspec.structs.fields(Settings)}
    for name, value in raw.items():
        if name not in known:
            faults.append(
                Fault(
                    message=f"There is no table [{name}].",
                    rule="solution.unknown-table",
                    remedy=f"The tables are: {', '.join(sorted(known))}.",
                    file=FILE,
                    line=line_of(text, [name]),
                )
            )
            continue
        try:
            good[name] = msgspec.convert(value, known[name].type)
        except msgspec.ValidationError as error:
            faults.append(_fault(error, name, known[name].type, text))
    return Settings(**good), faults


def _fault(error: msgspec.ValidationError, table: str, type_: Any, text: str) -> Fault:
    message = str(error)
    steps: list[str | int] = [table]
    place = _PLACE.search(message)
    if place:
        message = message[: place.start()]
        for key, index in _STEP.findall(place[1]):
            if index == "...":  # a value of a mapping: msgspec does not say which
                break
            steps.append(key or int(index))
    unknown = _UNKNOWN.search(message)
    remedy = ""
    if unknown:
        steps.append(unknown[1])
        message = f"There is no setting `{unknown[1]}`"
        fields = _fields(type_, steps[1:-1])
        if fields:
            remedy = f"The settings here are: {', '.join(fields)}."
    where = ".".join(str(step) for step in steps)
    return Fault(
        message=f"{message} ({where}).",
        rule="solution.setting",
        remedy=remedy,
        file=FILE,
        line=line_of(text, steps),
    )


def _fields(type_: Any, steps: list[str | int]) -> list[str]:
    """The settings of the table at ``steps`` below ``type_``, where it is one of ours."""
    for step in steps:
        if isinstance(step, int):
            type_ = getattr(type_, "__args__", (None,))[0]
            continue
        if not isinstance(type_, type) or not issubclass(type_, msgspec.Struct):
            return []
        found = next((f for f in msgspec.structs.fields(type_) if f.encode_name == step), None)
        if found is None:
            return []
        type_ = found.type
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return [f.encode_name for f in msgspec.structs.fields(type_)]
    args = getattr(type_, "__args__", ())
    element = args[-1] if args else None
    if isinstance(element, type) and issubclass(element, msgspec.Struct):
        return [f.encode_name for f in msgspec.structs.fields(element)]
    return []


def line_of(text: str, steps: list[str | int]) -> int | None:
    """The line (from 1) of the setting at ``steps``, or of the nearest table that holds it."""
    path = [str(s) for s in steps if not isinstance(s, int)]
    index = next((s for s in steps if isinstance(s, int)), None)
    best: tuple[int, int] | None = None  # (how much of the path it matches, line)
    table: list[str] = []
    seen: dict[str, int] = {}
    wanted = True
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = [part.strip().strip("\"'") for part in header[2].split(".")]
            if header[1] == "[[":
                count = seen.get(header[2], -1) + 1
                seen[header[2]] = count
                wanted = index is None or count == index
            else:
                wanted = True
            here = table
        else:
            key = _KEY.match(line)
            if not key:
                continue
            here = [*table, key[1].strip("\"'")]
        matched = _common(here, path)
        if matched == len(here) and wanted and (best is None or matched > best[0]):
            best = (matched, number)
    return best[1] if best else None


def _common(a: list[str], b: list[str]) -> int:
    count = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        count += 1
    return count


def substitute(raw: Any, values: Mapping[str, str]) -> Any:
    """``raw`` with each ``{name}`` placeholder that ``values`` knows replaced, in every string."""
    if isinstance(raw, str):
        return _PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), raw)
    if isinstance(raw, dict):
        return {key: substitute(value, values) for key, value in raw.items()}
    if isinstance(raw, list):
        return [substitute(value, values) for value in raw]
    return raw


def unresolved(raw: Any, text: str, path: tuple[str | int, ...] = ()) -> list[Fault]:
    """A fault for each ``{backends...}`` or ``{services...}`` placeholder that nothing replaced."""
    if isinstance(raw, str):
        return [
            Fault(
                message=f"`{{{name}}}` names nothing in this file.",
                rule="solution.placeholder",
                remedy="Placeholders are {backends.NAME.port} and {services.NAME.port}.",
                file=FILE,
                line=line_of(text, list(path)),
            )
            for name in _PLACEHOLDER.findall(raw)
            if name.startswith(("backends.", "services."))
        ]
    items: list[tuple[str | int, Any]] = []
    if isinstance(raw, dict):
        items = list(raw.items())
    elif isinstance(raw, list):
        items = list(enumerate(raw))
    return [fault for key, value in items for fault in unresolved(value, text, (*path, key))]


def load(path: Path) -> tuple[Raw, str, list[Fault]]:
    """The raw document of the solution in folder ``path`` and its text."""
    file = path / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return (
            {},
            "",
            [
                Fault(
                    message=f"{path} is no solution: it has no {FILE}.",
                    rule="solution.missing",
                    remedy="Name a solution's folder, or make one with `towpath new NAME`.",
                    file=FILE,
                )
            ],
        )
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(
            message=f"It cannot be read: {error}.",
            rule="solution.unreadable",
            remedy="It must be a UTF-8 text file that you may read.",
            file=FILE,
        )
        return {}, "", [fault]
    raw, faults = read(text)
    return raw, text, faults
