"""Notifications, their deliveries and attempts, subscriptions and preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notify_notification",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=True),
        sa.Column("resource", sa.String, nullable=True),
        sa.Column("target", sa.String, nullable=True),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("inbox", sa.Boolean, nullable=False),
        sa.UniqueConstraint("source", "recipient"),
    )
    op.create_index("notify_notification_inbox", "notify_notification", ["recipient", "at"])
    op.create_table(
        "notify_read",
        sa.Column("notification", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("notification", "subject"),
    )
    op.create_table(
        "notify_delivery",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("notification", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("notification", "channel", "address"),
    )
    op.create_index("notify_delivery_due", "notify_delivery", ["state", "due"])
    op.create_table(
        "notify_attempt",
        sa.Column("delivery", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("delivery", "number"),
    )
    op.create_table(
        "notify_subscription",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("p256dh", sa.String, nullable=False),
        sa.Column("auth", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
    )
    op.create_index("notify_subscription_subject", "notify_subscription", ["subject"])
    op.create_table(
        "notify_preference",
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("subject", "category", "channel"),
    )
    op.create_table(
        "notify_position",
        sa.Column("feed", sa.String, primary_key=True),
        sa.Column("position", sa.String, nullable=False),
    )


def downgrade() -> None:
    for table in ("position", "preference", "subscription", "attempt", "delivery", "read", "notification"):
        op.drop_table(f"notify_{table}")
