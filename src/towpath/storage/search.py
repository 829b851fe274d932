"""A search of the API as SQL: filters with operators, sorting, offset and cursor pages.

An :class:`Entity` says which fields of the API a table has. Everything that a caller sends becomes a
parameter; names come from the entity alone, and a name it does not know is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from towpath.storage.store import as_json

MAX_LIMIT = 10_000  # items of a page
MAX_TOTAL = 10_000  # items counted; beyond, the answer says that there are more
MAX_VALUES = 1_000  # values of one $in
MAX_DEPTH = 4  # $or within $or

KEY, TEXT, TIME, INTEGER, BOOLEAN = "key", "string", "date-time", "integer", "boolean"


class SearchError(ValueError):
    """The search cannot be carried out; the message names the field."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the API: the SQL that yields it (``t`` is the table) and its kind."""

    sql: str
    kind: str = TEXT
    nullable: bool = False
    values: Mapping[Any, Any] | None = None  # what the API says -> what is stored


Special = Callable[[Any, list[Any], str], str]
"""A filter of its own kind: appends its parameters and gives a condition on ``t``; the text lists buckets."""


@dataclass(frozen=True, slots=True)
class Entity:
    """``columns`` is what a search selects, in order; ``key`` breaks ties and must be unique."""

    table: str
    columns: tuple[str, ...]
    fields: Mapping[str, Field]
    special: Mapping[str, Special] = field(default_factory=dict)
    key: Field = field(default_factory=lambda: Field("t.key", KEY))


@dataclass(frozen=True, slots=True)
class Query:
    """SQL of a page and of its total; ``reverse``: rows come last first. Cursors are made from rows."""

    sql: str
    parameters: list[Any]
    total_sql: str
    total_parameters: list[Any]
    width: int  # columns of the entity; the rest of a row is its place in the order
    reverse: bool

    def cursor(self, row: Sequence[Any]) -> str:
        """An opaque cursor for the row."""
        return base64.urlsafe_b64encode(msgspec.json.encode(row[self.width :])).decode().rstrip("=")


def query(
    entity: Entity,
    buckets: Sequence[int],
    filter_: Mapping[str, Any],
    sort: Sequence[tuple[str, str]] = (),
    *,
    offset: int = 0,
    limit: int = 100,
    after: str | None = None,
    before: str | None = None,
) -> Query:
    """The SQL of a search. Raises :class:`SearchError` naming what is wrong with it."""
    if not 0 <= limit <= MAX_LIMIT:
        raise SearchError(f"page.limit must be between 0 and {MAX_LIMIT}, not {limit}.")
    if offset < 0:
        raise SearchError(f"page.from must not be negative, but is {offset}.")
    parameters: list[Any] = list(buckets)
    where = f"t.b IN ({', '.join('?' * len(buckets))})"
    condition = _conditions(entity, filter_, parameters, ", ".join(map(str, buckets)), 0)
    if condition:
        where += f" AND {condition}"
    total_parameters = [*parameters, MAX_TOTAL + 1]
    total = f"SELECT count(*) FROM (SELECT 1 FROM {entity.table} t WHERE {where} LIMIT ?) AS found"  # noqa: S608

    order = [(_sortable(entity, name), direction) for name, direction in map(_direction, sort)]
    order.append((entity.key.sql, order[0][1] if order else "ASC"))
    cursor, reverse = (before, True) if before else (after, False)
    if cursor:
        where += f" AND ({_beyond(order, _read_cursor(cursor, len(order)), parameters, reverse)})"
    by = ", ".join(f"{sql} {_flip(direction) if reverse else direction}" for sql, direction in order)
    columns = ", ".join((*entity.columns, *(sql for sql, _ in order)))
    sql = f"SELECT {columns} FROM {entity.table} t WHERE {where} ORDER BY {by} LIMIT ? OFFSET ?"  # noqa: S608
    return Query(sql, [*parameters, limit, offset], total, total_parameters, len(entity.columns), reverse)


# --- filters --------------------------------------------------------------------------------------


def _conditions(entity: Entity, filter_: Any, parameters: list[Any], buckets: str, depth: int) -> str:
    if not isinstance(filter_, Mapping):
        raise SearchError("A filter must be an object.")
    if depth > MAX_DEPTH:
        raise SearchError(f"$or is nested more than {MAX_DEPTH} deep.")
    parts: list[str] = []
    for name, wanted in filter_.items():
        if wanted is None:  # clients send what they have not set as null
            continue
        if name == "$or":
            parts.append(_or(entity, wanted, parameters, buckets, depth))
        elif name in entity.special:
            parts.append(entity.special[name](wanted, parameters, buckets))
        elif name in entity.fields:
            parts.append(_field(name, entity.fields[name], wanted, parameters))
        else:
            known = ", ".join(sorted({*entity.fields, *entity.special}))
            raise SearchError(f"filter.{name} is not a field that can be searched; known are: {known}.")
    return " AND ".join(parts)


def _or(entity: Entity, wanted: Any, parameters: list[Any], buckets: str, depth: int) -> str:
    if not isinstance(wanted, list) or not wanted or len(wanted) > MAX_VALUES:
        raise SearchError("filter.$or must be a list of filters.")
    parts = [_conditions(entity, one, parameters, buckets, depth + 1) or "1 = 1" for one in wanted]
    return f"({' OR '.join(f'({part})' for part in parts)})"


def _field(name: str, spec: Field, wanted: Any, parameters: list[Any]) -> str:
    if not isinstance(wanted, Mapping):
        return _compare(name, spec, "$eq", wanted, parameters)
    if not wanted:
        return "1 = 1"
    return " AND ".join(
        _compare(name, spec, operator, value, parameters) for operator, value in wanted.items()
    )


_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def _compare(name: str, spec: Field, operator: str, value: Any, parameters: list[Any]) -> str:
    if operator == "$exists":
        if not isinstance(value, bool):
            raise SearchError(f"filter.{name}.$exists must be true or false.")
        return f"{spec.sql} IS {'NOT ' if value else ''}NULL"
    if operator in ("$in", "$notIn"):
        return _among(name, spec, value, parameters, negated=operator == "$notIn")
    if operator == "$like":
        return _like(name, spec, value, parameters)
    if spec.kind == BOOLEAN:
        if operator not in ("$eq", "$neq") or not isinstance(value, bool):
            raise SearchError(f"filter.{name} must be true or false.")
        return spec.sql if value is (operator == "$eq") else f"NOT {spec.sql}"
    if operator in _COMPARISONS:
        parameters.append(_value(name, spec, value))
        return f"{spec.sql} {_COMPARISONS[operator]} ?"
    if operator in ("$eq", "$neq"):
        parameters.append(_value(name, spec, value))
        if operator == "$eq":
            return f"{spec.sql} = ?"
        return f"({spec.sql} <> ? OR {spec.sql} IS NULL)" if spec.nullable else f"{spec.sql} <> ?"
    raise SearchError(
        f"filter.{name}: {operator} is not an operator; known are $eq, $neq, $in, $notIn, $like, $exists, "
        "$gt, $gte, $lt, $lte."
    )


def _among(name: str, spec: Field, value: Any, parameters: list[Any], *, negated: bool) -> str:
    if not isinstance(value, list) or spec.kind == BOOLEAN:
        raise SearchError(f"filter.{name}.$in must be a list.")
    if len(value) > MAX_VALUES:
        raise SearchError(f"filter.{name}.$in has {len(value)} values; {MAX_VALUES} are allowed.")
    parameters.append(as_json([_value(name, spec, one) for one in value]))
    number = spec.kind in (KEY, TIME, INTEGER)
    one = "CAST(value->>0 AS bigint)" if number else "value->>0"
    return f"{spec.sql} {'NOT ' if negated else ''}IN (SELECT {one} FROM json_each(?))"  # noqa: S608


def _like(name: str, spec: Field, value: Any, parameters: list[Any]) -> str:
    if not isinstance(value, str) or spec.kind != TEXT:
        raise SearchError(f"filter.{name}.$like needs text.")
    pattern: list[str] = []
    characters = iter(value)
    for character in characters:
        if character == "\\":
            character = next(characters, "\\")
            pattern.append("\\" + character if character in "%_\\" else character)
        else:
            pattern.append({"*": "%", "?": "_", "%": "\\%", "_": "\\_"}.get(character, character))
    parameters.append("".join(pattern))
    return f"{spec.sql} LIKE ? ESCAPE '\\'"


def _value(name: str, spec: Field, value: Any) -> Any:
    if spec.values is not None:
        try:
            return spec.values[value]
        except (KeyError, TypeError):
            known = ", ".join(map(str, spec.values))
            raise SearchError(f"filter.{name} must be one of: {known}.") from None
    if spec.kind == KEY:
        # Keys are strings in the API; numbers are tolerated.
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            return value
        raise SearchError(f"filter.{name} must be a key (digits in a string).")
    if spec.kind == TIME:
        return parse_time(value, f"filter.{name}")
    if spec.kind == INTEGER:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
        raise SearchError(f"filter.{name} must be an integer.")
    if not isinstance(value, str):
        raise SearchError(f"filter.{name} must be a string.")
    if not _is_text(value):
        raise SearchError(f"filter.{name} holds half a character, which no text has.")
    return value


def _is_text(value: str) -> bool:
    """False for a lone surrogate: JSON can escape one, but no database takes it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_time(value: Any, name: str) -> int:
    """ISO 8601 with a zone as ms since the epoch. Raises :class:`SearchError`."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise SearchError(f"{name} must be a time in ISO 8601, such as 2026-11-22T10:00:00Z.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


# --- order and place ------------------------------------------------------------------------------


def _direction(sort: tuple[str, str]) -> tuple[str, str]:
    name, direction = sort
    direction = direction.upper()
    if direction not in ("ASC", "DESC"):
        raise SearchError(f"sort.order of {name} must be ASC or DESC.")
    return name, direction


def _sortable(entity: Entity, name: str) -> str:
    spec = entity.fields.get(name)
    if spec is None or spec.kind == BOOLEAN:
        known = ", ".join(sorted(entity.fields))
        raise SearchError(f"sort.field {name!r} is not known; known are: {known}.")
    if not spec.nullable:
        return spec.sql
    # Databases disagree on where NULL sorts, and a cursor could not be compared with one.
    return f"coalesce({spec.sql}, {chr(39) * 2 if spec.kind == TEXT else '-1'})"


def _flip(direction: str) -> str:
    return "DESC" if direction == "ASC" else "ASC"


def _beyond(order: list[tuple[str, str]], place: list[Any], parameters: list[Any], reverse: bool) -> str:
    """A row lies beyond ``place``: later in the first column where they differ."""
    ways: list[str] = []
    for i, (sql, direction) in enumerate(order):
        sign = ">" if (direction == "ASC") is not reverse else "<"
        ways.append(" AND ".join([*(f"{same} = ?" for same, _ in order[:i]), f"{sql} {sign} ?"]))
        parameters += place[: i + 1]
    return " OR ".join(f"({way})" for way in ways)


def _read_cursor(cursor: str, length: int) -> list[Any]:
    try:
        place = msgspec.json.decode(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True),
            type=list[str | int],
        )
    except (ValueError, binascii.Error):
        place = []
    if len(place) != length or not all(
        _is_text(part) if isinstance(part, str) else abs(part) < 2**63 for part in place
    ):
        raise SearchError("The cursor is not one of this search: cursors belong to their sort order.")
    return place
