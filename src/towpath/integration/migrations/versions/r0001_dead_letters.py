"""Dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("route", sa.String(200), nullable=False),
        sa.Column("endpoint", sa.String(400), nullable=False),
        sa.Column("exchange_key", sa.String(400), nullable=False),
        sa.Column("job_key", sa.String(40)),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("route", "exchange_key", name="dead_letters_once"),
    )
    op.create_index("dead_letters_newest", "dead_letters", ["last_at", "id"])


def downgrade() -> None:
    op.drop_table("dead_letters")
