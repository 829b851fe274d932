"""Searches as SQL: what a caller sends is a parameter, never a part of the text."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from towpath.storage.search import INTEGER, KEY, TIME, Entity, Field, SearchError, query

THINGS = Entity(
    "things",
    ("t.key", "t.name"),
    {
        "name": Field("t.name"),
        "owner": Field("t.owner", nullable=True),
        "size": Field("t.size", INTEGER),
        "thingKey": Field("t.key", KEY),
        "made": Field("t.made", TIME),
    },
)


def where(filter_: dict[str, Any]) -> tuple[str, list[Any]]:
    found = query(THINGS, (1,), filter_)
    text = found.total_sql.split("t.b IN (?)")[1].removesuffix(" LIMIT ?) AS found")
    return text.removeprefix(" AND "), found.total_parameters[1:-1]


@pytest.mark.parametrize(
    ("filter_", "text", "parameters"),
    [
        ({}, "", []),
        ({"name": None}, "", []),
        ({"name": "x' OR 1=1 --"}, "t.name = ?", ["x' OR 1=1 --"]),
        ({"name": {"$neq": "x"}}, "t.name <> ?", ["x"]),
        ({"owner": {"$neq": "x"}}, "(t.owner <> ? OR t.owner IS NULL)", ["x"]),
        ({"owner": {"$exists": False}}, "t.owner IS NULL", []),
        ({"size": {"$gt": 1, "$lte": 9}}, "t.size > ? AND t.size <= ?", [1, 9]),
        ({"thingKey": "42"}, "t.key = ?", [42]),
        ({"made": "1970-01-01T00:00:01Z"}, "t.made = ?", [1000]),
        ({"name": {"$like": "a*_?\\*"}}, "t.name LIKE ? ESCAPE '\\'", ["a%\\__*"]),
        ({"$or": [{"name": "a"}, {"size": 2}]}, "((t.name = ?) OR (t.size = ?))", ["a", 2]),
    ],
)
def test_filters_become_conditions(filter_: dict[str, Any], text: str, parameters: list[Any]) -> None:
    assert where(filter_) == (text, parameters)


@pytest.mark.parametrize(
    "filter_",
    [
        {"colour": 1},
        {"name": 7},
        {"name": {"$near": "x"}},
        {"size": "many"},
        {"size": True},
        {"size": 2**80},
        {"thingKey": "-1"},
        {"thingKey": "9" * 40},
        {"made": "yesterday"},
        {"name": {"$in": "x"}},
        {"name": {"$in": ["x"] * 10_000}},
        {"owner": {"$exists": "yes"}},
        {"$or": {}},
        {"$or": [{"$or": [{"$or": [{"$or": [{"$or": [{}]}]}]}]}]},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(filter_: dict[str, Any]) -> None:
    with pytest.raises(SearchError):
        query(THINGS, (1,), filter_)


def test_a_cursor_belongs_to_its_sort_order() -> None:
    by_name = query(THINGS, (1,), {}, [("name", "asc")])
    cursor = by_name.cursor((1, "a", "a", 1))
    assert query(THINGS, (1,), {}, [("name", "asc")], after=cursor).parameters[1:4] == ["a", "a", 1]
    with pytest.raises(SearchError, match="cursor"):
        query(THINGS, (1,), {}, after=cursor)


@pytest.mark.parametrize("filter_", [{"name": "\ud800"}, {"thingKey": "9223372036854775808"}])
def test_what_no_database_can_hold_is_refused(filter_: dict[str, Any]) -> None:
    with pytest.raises(SearchError):
        where(filter_)


@pytest.mark.parametrize("place", [["a", "a", 2**63], ["a", "\ud800", 1]])
def test_a_forged_cursor_is_refused(place: list[Any]) -> None:
    forged = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    with pytest.raises(SearchError, match="cursor"):
        query(THINGS, (1,), {}, [("name", "asc")], after=forged)
