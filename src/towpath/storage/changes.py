"""What a batch wants written: collected in memory, so that a command that fails takes back only its own."""

from __future__ import annotations

from typing import Any

from towpath.storage.tables import UPDATES, Table

Row = list[Any]
Key = int | str | tuple[Any, ...]


class Changes:
    """Rows put (new or over the old ones), rows dropped, and named updates of rows that are there.

    Of several changes to one row the last one counts. Order between tables does not matter: there are no
    foreign keys, and every write names its row.
    """

    __slots__ = ("dropped", "put", "updates")

    def __init__(self) -> None:
        self.put: dict[Table, dict[Key, Row]] = {}
        self.dropped: dict[Table, dict[Key, Row]] = {}
        self.updates: dict[str, list[tuple[Any, ...]]] = {}

    def row(self, table: Table, key: Key, row: Row) -> None:
        """Write ``row`` (in the order of the table's columns)."""
        rows = self.put.get(table)
        if rows is None:
            rows = self.put[table] = {}
        rows[key] = row

    def fresh(self, table: Table, key: Key) -> Row | None:
        """The row if these changes write it: it may still be altered in place."""
        rows = self.put.get(table)
        return rows.get(key) if rows is not None else None

    def drop(self, table: Table, key: Key, row: Row) -> None:
        """Remove the row whose primary key, bucket first, is ``row``."""
        rows = self.put.get(table)
        if rows is not None:
            rows.pop(key, None)
        self.dropped.setdefault(table, {})[key] = row

    def update(self, statement: str, *parameters: Any) -> None:
        """One of :data:`towpath.storage.tables.UPDATES`, for one row."""
        found = self.updates.get(statement)
        if found is None:
            found = self.updates[statement] = []
        found.append(parameters)

    def absorb(self, later: Changes) -> None:
        """Take over what another command, later in the batch, wants written."""
        for table, dropped in later.dropped.items():
            mine = self.put.get(table)
            if mine:
                for key in dropped:
                    mine.pop(key, None)
            self.dropped.setdefault(table, {}).update(dropped)
        for table, rows in later.put.items():
            self.put.setdefault(table, {}).update(rows)
        for statement, parameters in later.updates.items():
            self.updates.setdefault(statement, []).extend(parameters)

    def statements(self) -> list[tuple[str, list[Any]]]:
        """``(SQL, parameter rows)`` in the order in which they are carried out."""
        out: list[tuple[str, list[Any]]] = [
            (table.delete, list(rows.values())) for table, rows in self.dropped.items() if rows
        ]
        # Candidates of a task are dropped before they are written anew; other updates follow the rows.
        for early in (True, False):
            if not early:
                out += [(table.upsert, list(rows.values())) for table, rows in self.put.items() if rows]
            out += [
                (statement, self.updates[statement])
                for statement in UPDATES
                if statement in self.updates and statement.startswith("DELETE") is early
            ]
        return out

    def __bool__(self) -> bool:
        return bool(self.put or self.dropped or self.updates)
