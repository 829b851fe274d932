"""Reading ``towpath.toml`` so that every fault names its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from towpath.faults import Fault
from towpath.solution.settings import Raw, Settings

FILE = "towpath.toml"

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*(\"[^\"]+\"|'[^']+'|[A-Za-z0-9_-]+)\s*=")
_SYNTAX = re.compile(r"\(at line (\d+), column (\d+)\)")
_PLACE = re.compile(r" - at `(?:key in )?\$[^`]*`$")
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
    """The settings, or every fault of them.

    A faulty table is replaced by its defaults; with faults, the settings are for further checking only.
    """
    faults: list[Fault] = []
    good: dict[str, Any] = {}
    known = {field.encode_name: field.type for field in msgspec.structs.fields(Settings)}
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
        found = [_fault(wrong, text) for wrong in _wrongs(value, known[name], (name,))]
        faults += found
        if not found:
            good[name] = msgspec.convert(value, known[name])
    return Settings(**good), faults


class _Wrong(NamedTuple):
    """What is wrong with the value at ``steps``."""

    steps: tuple[str | int, ...]
    message: str
    remedy: str = ""


def _wrongs(value: Any, type_: Any, steps: tuple[str | int, ...]) -> list[_Wrong]:
    """Everything in ``value`` that is not of ``type_``; msgspec alone stops at the first."""
    found: list[_Wrong] = []
    if isinstance(value, dict):
        struct, element = _table_type(type_)
        if struct is not None:
            fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
            found += [
                _Wrong(
                    (*steps, name),
                    f"There is no setting `{name}`",
                    f"The settings here are: {', '.join(fields)}.",
                )
                for name in value
                if name not in fields
            ]
            found += [
                _Wrong(steps, f"The setting `{name}` is missing")
                for name, field in fields.items()
                if field.required and name not in value
            ]
            for name, field in fields.items():
                if name in value:
                    found += _wrongs(value[name], field.type, (*steps, name))
        elif element is not None:
            for name, item in value.items():
                found += _wrongs(item, element, (*steps, name))
    elif isinstance(value, list) and get_origin(type_) is list:
        for index, item in enumerate(value):
            found += _wrongs(item, get_args(type_)[0], (*steps, index))
    if not found:  # each part is of its type; now what the whole has to say
        try:
            msgspec.convert(value, type_)
        except msgspec.ValidationError as error:
            found.append(_Wrong(steps, _PLACE.sub("", str(error))))
    return found


def _table_type(type_: Any) -> tuple[type[msgspec.Struct] | None, Any]:
    """What a table of ``type_`` is: one of our structures, or a mapping to the second of the two."""
    for choice in (type_, *get_args(type_)) if get_origin(type_) is not dict else (type_,):
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct):
            return choice, None
        if get_origin(choice) is dict:
            return None, get_args(choice)[1]
    return None, None


def _fault(wrong: _Wrong, text: str) -> Fault:
    return Fault(
        message=f"{wrong.message.rstrip('.')} ({'.'.join(map(str, wrong.steps))}).",
        rule="solution.setting",
        remedy=wrong.remedy,
        file=FILE,
        line=line_of(text, wrong.steps),
    )


def line_of(text: str, steps: Sequence[str | int]) -> int | None:
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
                line=line_of(text, path),
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
