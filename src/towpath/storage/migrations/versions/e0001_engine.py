"""The engine's first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "e0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger
TEXT = sa.Text
BYTES = sa.LargeBinary


def column(spec: str) -> sa.Column[object]:
    """``name:type`` with ``!`` where NULL is refused; types k (key or time), i, t, x (bytes)."""
    name, _, kind = spec.partition(":")
    required = kind.endswith("!")
    type_ = {"k": KEY, "i": sa.Integer, "t": TEXT, "x": BYTES}[kind.rstrip("!")]
    return sa.Column(name, type_, nullable=not required, autoincrement=False)


def table(name: str, key: Sequence[str], columns: str) -> None:
    """A table clustered on its primary key, which begins with the bucket."""
    op.create_table(
        name,
        sa.Column("b", sa.Integer, nullable=False, autoincrement=False),
        *(column(spec + "!") for spec in key),
        *(column(spec) for spec in columns.split()),
        sa.PrimaryKeyConstraint("b", *(spec.partition(":")[0] for spec in key)),
        sqlite_with_rowid=False,
    )


def index(name: str, on: str, columns: str, where: str | None = None) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name,
        on,
        [sa.text(part.strip()) for part in columns.split(",")],
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    # ``seq``: the last key given out; ``pos``: the last position of the event feed.
    table("bucket", (), "seq:k! pos:k!")

    table("instance", ("key:k",), "v:k! head:x! data:x!")
    table("channel", ("name:t", "correlation_key:t"), "v:k! data:x!")
    table(
        "timer",
        ("key:k",),
        "due_at:k! kind:t! instance_key:k definition_key:k element_id:t element_instance_key:k detail:t",
    )
    index("timer_due", "timer", "b, due_at")
    index("timer_definition", "timer", "b, definition_key", "kind = 'start'")
    table("pending", ("key:k",), "data:x!")
    table("business_id", ("process_id:t", "business_id:t"), "instance_key:k!")
    table("event", ("pos:k",), "n:i! at:k! instance_key:k root_key:k process_id:t kinds:k! data:x!")
    index("event_root", "event", "b, root_key, pos")

    table(
        "process_instance",
        ("key:k",),
        "definition_key:k! process_id:t! version:i! state:t! business_id:t parent_key:k "
        "parent_element_key:k root_key:k! started_at:k! ended_at:k",
    )
    index("process_instance_state", "process_instance", "b, process_id, state, key")
    index("process_instance_started", "process_instance", "b, started_at, key")
    index("process_instance_business", "process_instance", "b, business_id", "business_id IS NOT NULL")
    index("process_instance_parent", "process_instance", "b, parent_key", "parent_key IS NOT NULL")
    index("process_instance_active", "process_instance", "b, key", "state = 'ACTIVE'")
    table(
        "element_instance",
        ("key:k",),
        "instance_key:k! definition_key:k! process_id:t! element_id:t! name:t type:t! state:t! "
        "scope_key:k! milestone:t started_at:k! ended_at:k",
    )
    index("element_instance_instance", "element_instance", "b, instance_key, key")
    table("flow", ("instance_key:k", "flow_id:t"), "scope_key:k! at:k!")
    table(
        "variable",
        ("scope_key:k", "name:t"),
        "key:k! instance_key:k! process_id:t! short:t! value:t! updated_at:k!",
    )
    index("variable_instance", "variable", "b, instance_key, name")
    index("variable_value", "variable", "b, name, short, instance_key")
    table(
        "job",
        ("key:k",),
        "type:t! state:t! ready:i available_at:k priority:i! retries:i! instance_key:k! "
        "definition_key:k! process_id:t! version:i! business_id:t element_id:t! "
        "element_instance_key:k! headers:t! worker:t error_message:t created_at:k! ended_at:k",
    )
    # Jobs that may be taken, in the order in which they are; jobs that wait for their time.
    index("job_ready", "job", "b, type, priority DESC, key", "ready = 1")
    index("job_waiting", "job", "b, available_at", "ready = 0")
    index("job_instance", "job", "b, instance_key, key")
    table(
        "subscription",
        ("key:k",),
        "instance_key:k! definition_key:k! process_id:t! element_id:t! element_name:t "
        "element_instance_key:k! message_name:t! correlation_key:t! state:t! created_at:k! updated_at:k",
    )
    index("subscription_instance", "subscription", "b, instance_key, key")
    index("subscription_message", "subscription", "b, message_name, correlation_key")
    table(
        "incident",
        ("key:k",),
        "instance_key:k! definition_key:k! process_id:t! element_id:t! element_instance_key:k! "
        "error_type:t! error_message:t! state:t! job_key:k created_at:k! resolved_at:k",
    )
    index("incident_instance", "incident", "b, instance_key, key")
    index("incident_active", "incident", "b, key", "state = 'ACTIVE'")
    table(
        "user_task",
        ("key:k",),
        "instance_key:k! definition_key:k! process_id:t! business_id:t element_id:t! "
        "element_instance_key:k! name:t state:t! assignee:t due_at:k follow_up_at:k priority:i! "
        "form_key:k external_form:t headers:t! candidate_groups:t! candidate_users:t! created_at:k! "
        "ended_at:k",
    )
    index("user_task_instance", "user_task", "b, instance_key, key")
    index("user_task_open", "user_task", "b, assignee, key", "state = 'CREATED'")
    table("user_task_candidate", ("kind:t", "name:t", "task_key:k"), "")
    index("user_task_candidate_task", "user_task_candidate", "b, task_key")
    table(
        "decision_instance",
        ("key:k",),
        "decision_id:t! decision_key:k! instance_key:k process_id:t element_id:t "
        "element_instance_key:k state:t! evaluated_at:k! result:t audit:t message:t",
    )
    index("decision_instance_instance", "decision_instance", "b, instance_key, key")
    table(
        "document",
        ("id:t",),
        "hash:t! file_name:t! content_type:t! size:k! instance_key:k process_id:t properties:t! "
        "object_key:t! created_at:k!",
    )
    index("document_instance", "document", "b, instance_key")

    table("resource", ("key:k",), "name:t! checksum:t! content:x! created_at:k!")
    # ``parent_key``: the decision requirements that a decision belongs to.
    table(
        "definition",
        ("key:k",),
        "kind:t! id:t! name:t version:i! version_tag:t resource_key:k! resource_name:t! checksum:t! "
        "deployment_key:k! parent_key:k created_at:k!",
    )
    index("definition_id", "definition", "b, kind, id, version")
    # What a deployment meant by an id, also where the resource was unchanged and kept its old version.
    table("deployed", ("deployment_key:k", "kind:t", "id:t"), "key:k!")


def downgrade() -> None:
    for name in (
        "deployed",
        "definition",
        "resource",
        "document",
        "decision_instance",
        "user_task_candidate",
        "user_task",
        "incident",
        "subscription",
        "job",
        "variable",
        "flow",
        "element_instance",
        "process_instance",
        "event",
        "business_id",
        "pending",
        "timer",
        "channel",
        "instance",
        "bucket",
    ):
        op.drop_table(name)
