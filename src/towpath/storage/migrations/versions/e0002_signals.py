"""Who waits for which signal."""

import sqlalchemy as sa
from alembic import op

revision = "e0002"
down_revision = "e0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signal_subscription",
        sa.Column("b", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("instance_key", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("b", "name", "key"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("signal_subscription")
