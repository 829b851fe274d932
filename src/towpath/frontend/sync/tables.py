"""The tables of the sync service.

Every row belongs to a *database*, the unit of access and of sequence; ``/_my`` of a person is one. Its name
leads every primary key, so that all rows a request touches are neighbours (and, on a distributed
PostgreSQL, on one shard).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData()

databases = Table(
    "sync_database",
    metadata,
    Column("name", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),  # of the newest change
    Column("profile", Text, nullable=True),  # JSON of the person, from their last token
)

documents = Table(
    "sync_document",
    metadata,
    Column("database", String, nullable=False),
    Column("id", String, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of its newest change: one row a document in the feed
    Column("deleted", Boolean, nullable=False),  # the winner's
    Column("leaves", Text, nullable=False),  # revision ids, the winner first, joined by spaces
    Column("tree", Text, nullable=False),  # JSON, see revisions.py
    PrimaryKeyConstraint("database", "id"),
)
Index("sync_document_seq", documents.c.database, documents.c.seq, unique=True)

revisions = Table(
    "sync_revision",
    metadata,
    Column("database", String, nullable=False),
    Column("id", String, nullable=False),
    Column("rev", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON object without the members that begin with _
    Column("attachments", Text, nullable=True),  # JSON: name -> {content_type, digest, length, revpos}
    PrimaryKeyConstraint("database", "id", "rev"),
)

attachments = Table(
    "sync_attachment",
    metadata,
    Column("database", String, nullable=False),  # content is shared within a database, never across
    Column("digest", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("database", "digest"),
)

locals_ = Table(
    "sync_local",
    metadata,
    Column("database", String, nullable=False),
    Column("id", String, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("database", "id"),
)

commands = Table(
    "sync_command",
    metadata,
    Column("database", String, nullable=False),
    Column("id", String, nullable=False),
    Column("lane", String, nullable=False),  # commands of one lane are carried out in order
    Column("seq", BigInteger, nullable=False),
    Column("state", String, nullable=False),  # pending, done, failed
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),  # ms since the epoch
    Column("fault", Text, nullable=True),  # why the last attempt did not come through
    PrimaryKeyConstraint("database", "id"),
)
Index("sync_command_lane", commands.c.database, commands.c.lane, commands.c.state, commands.c.seq)
Index("sync_command_due", commands.c.state, commands.c.due)

refreshes = Table(
    "sync_refresh",
    metadata,
    Column("database", String, nullable=False),
    Column("resource", String, nullable=False),
    Column("id", String, nullable=False),  # EVERYTHING: all of the person's
    Column("version", BigInteger, nullable=False),  # rises when it is asked for again
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),  # ms since the epoch
    PrimaryKeyConstraint("database", "resource", "id"),
)
Index("sync_refresh_due", refreshes.c.due)

positions = Table(
    "sync_position",
    metadata,
    Column("feed", String, primary_key=True),
    Column("position", String, nullable=False),
)
