"""Kinds of jobs: of elements, and of listeners."""

import sqlalchemy as sa
from alembic import op

revision = "e0003"
down_revision = "e0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("kind", sa.Text, nullable=False, server_default="BPMN_ELEMENT"))
    op.add_column("job", sa.Column("listener_event", sa.Text))
