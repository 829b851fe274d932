"""The tables of the notify service."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

notifications = Table(
    "notify_notification",
    metadata,
    Column("id", String, primary_key=True),
    Column("source", String, nullable=False),  # event:{id} or job:{key}: what it was made of
    Column("recipient", String, nullable=False),  # sub:{subject} or role:{role}
    Column("category", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("link", Text, nullable=True),
    Column("resource", String, nullable=True),
    Column("target", String, nullable=True),
    Column("at", String, nullable=False),  # ISO 8601
    Column("inbox", Boolean, nullable=False),
    UniqueConstraint("source", "recipient"),
)
Index("notify_notification_inbox", notifications.c.recipient, notifications.c.at)

reads = Table(
    "notify_read",
    metadata,
    Column("notification", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("at", String, nullable=False),
    PrimaryKeyConstraint("notification", "subject"),
)

deliveries = Table(
    "notify_delivery",
    metadata,
    Column("id", String, primary_key=True),
    Column("notification", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("channel", String, nullable=False),  # email, push, sync
    Column("address", Text, nullable=False),  # e-mail address, subscription id, subject
    Column("state", String, nullable=False),  # pending, delivered, failed, expired, suppressed
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),  # ms since the epoch
    Column("version", Integer, nullable=False),  # rises when it is to be sent anew
    UniqueConstraint("notification", "channel", "address"),
)
Index("notify_delivery_due", deliveries.c.state, deliveries.c.due)

attempts = Table(
    "notify_attempt",
    metadata,
    Column("delivery", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", String, nullable=False),
    Column("outcome", String, nullable=False),  # delivered, retried, failed, expired, suppressed
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("delivery", "number"),
)

subscriptions = Table(
    "notify_subscription",
    metadata,
    Column("id", String, primary_key=True),  # SHA-256 of the endpoint
    Column("subject", String, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", String, nullable=False),
    Column("auth", String, nullable=False),
    Column("at", String, nullable=False),
)
Index("notify_subscription_subject", subscriptions.c.subject)

preferences = Table(
    "notify_preference",
    metadata,
    Column("subject", String, nullable=False),
    Column("category", String, nullable=False),  # ANY: of every category that says nothing itself
    Column("channel", String, nullable=False),
    Column("enabled", Boolean, nullable=False),
    PrimaryKeyConstraint("subject", "category", "channel"),
)

positions = Table(
    "notify_position",
    metadata,
    Column("feed", String, primary_key=True),
    Column("position", String, nullable=False),
)
