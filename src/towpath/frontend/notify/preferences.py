"""What a person wants to be told, on which channel: for every category, or for one."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from towpath.frontend.notify import tables
from towpath.frontend.notify.settings import CHANNELS
from towpath.http import Problem

ANY = "*"
MOST_CATEGORIES = 200


class Preferences(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``channels``: channel -> wanted; ``categories``: category -> channel -> wanted, which goes before."""

    channels: dict[str, bool] = msgspec.field(default_factory=dict)
    categories: dict[str, dict[str, bool]] = msgspec.field(default_factory=dict)


async def allowed(connection: AsyncConnection, subject: str, category: str, channel: str) -> bool:
    """Whether the person wants this category on this channel; yes where they said nothing."""
    table = tables.preferences
    rows = await connection.execute(
        select(table.c.category, table.c.enabled).where(
            table.c.subject == subject,
            table.c.channel == channel,
            table.c.category.in_([category, ANY]),
        )
    )
    said = {name: bool(enabled) for name, enabled in rows}
    return said.get(category, said.get(ANY, True))


async def get_preferences(engine: AsyncEngine, subject: str) -> Preferences:
    """All of the person's, with every channel named."""
    table = tables.preferences
    found = Preferences(channels=dict.fromkeys(CHANNELS, True))
    async with engine.connect() as connection:
        rows = await connection.execute(
            select(table.c.category, table.c.channel, table.c.enabled).where(table.c.subject == subject)
        )
        for category, channel, enabled in rows:
            place = found.channels if category == ANY else found.categories.setdefault(category, {})
            place[channel] = bool(enabled)
    return found


async def put_preferences(engine: AsyncEngine, subject: str, wanted: Preferences) -> None:
    """Replace the person's preferences. Raises :class:`Problem` 400."""
    rows: list[dict[str, Any]] = []
    if len(wanted.categories) > MOST_CATEGORIES:
        raise Problem(400, f"At most {MOST_CATEGORIES} categories.")
    for category, channels in [(ANY, wanted.channels), *wanted.categories.items()]:
        for channel, enabled in channels.items():
            if channel not in CHANNELS:
                known = ", ".join(CHANNELS)
                raise Problem(400, f"There is no channel {channel!r}; there are: {known}.")
            if category == "" or len(category) > 100:
                raise Problem(400, "A category has 1 to 100 characters.")
            rows.append({"subject": subject, "category": category, "channel": channel, "enabled": enabled})
    async with engine.begin() as connection:
        await connection.execute(delete(tables.preferences).where(tables.preferences.c.subject == subject))
        if rows:
            await connection.execute(insert(tables.preferences), rows)
