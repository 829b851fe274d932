"""Documents with their revision trees, the queue of commands, what is to be refreshed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sync_database",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("profile", sa.Text, nullable=True),
    )
    op.create_table(
        "sync_document",
        sa.Column("database", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("leaves", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("database", "id"),
    )
    op.create_index("sync_document_seq", "sync_document", ["database", "seq"], unique=True)
    op.create_table(
        "sync_revision",
        sa.Column("database", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("rev", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("attachments", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("database", "id", "rev"),
    )
    op.create_table(
        "sync_attachment",
        sa.Column("database", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("database", "digest"),
    )
    op.create_table(
        "sync_local",
        sa.Column("database", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("database", "id"),
    )
    op.create_table(
        "sync_command",
        sa.Column("database", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("fault", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("database", "id"),
    )
    op.create_index("sync_command_lane", "sync_command", ["database", "lane", "state", "seq"])
    op.create_index("sync_command_due", "sync_command", ["state", "due"])
    op.create_table(
        "sync_refresh",
        sa.Column("database", sa.String, nullable=False),
        sa.Column("resource", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("database", "resource", "id"),
    )
    op.create_index("sync_refresh_due", "sync_refresh", ["due"])
    op.create_table(
        "sync_position",
        sa.Column("feed", sa.String, primary_key=True),
        sa.Column("position", sa.String, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "sync_position",
        "sync_refresh",
        "sync_command",
        "sync_local",
        "sync_attachment",
        "sync_revision",
        "sync_document",
        "sync_database",
    ):
        op.drop_table(table)
