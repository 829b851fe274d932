"""The engine's tables, as far as the hot path knows them: names, columns, and what is written to them.

Every table has ``b``, the bucket, first in its primary key and in every hot index, so that the same SQL runs
on SQLite, PostgreSQL and a PostgreSQL that is distributed by bucket. The tables themselves are made by the
migrations beside this module. Times are ms since the epoch, JSON is text.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """``key`` is the primary key after ``b``; ``columns`` are all, ``b`` first, in the order of a row."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    kept: tuple[str, ...] = ()  # columns that writing over a row leaves as they were

    @property
    def upsert(self) -> str:
        """A row written over the one that is there, if any."""
        keys = ("b", *self.key)
        changed = [column for column in self.columns if column not in keys and column not in self.kept]
        action = (
            "UPDATE SET " + ", ".join(f"{column} = excluded.{column}" for column in changed)
            if changed
            else "NOTHING"
        )
        return f"{self.insert} ON CONFLICT ({', '.join(keys)}) DO {action}"

    @property
    def insert(self) -> str:
        """A row that is new."""
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({marks})"  # noqa: S608

    @property
    def delete(self) -> str:
        """The row of ``(b, *key)``."""
        where = " AND ".join(f"{column} = ?" for column in ("b", *self.key))
        return f"DELETE FROM {self.name} WHERE {where}"  # noqa: S608


def _table(name: str, key: str, columns: str, kept: str = "") -> Table:
    return Table(name, tuple(key.split()), ("b", *key.split(), *columns.split()), tuple(kept.split()))


# --- what the engine needs to go on ----------------------------------------------------------------

INSTANCE = _table("instance", "key", "v head data")
CHANNEL = _table("channel", "name correlation_key", "v data")
TIMER = _table(
    "timer", "key", "due_at kind instance_key definition_key element_id element_instance_key detail"
)
SIGNAL_SUBSCRIPTION = _table("signal_subscription", "name key", "instance_key")
PENDING = _table("pending", "key", "data")
BUSINESS_ID = _table("business_id", "process_id business_id", "instance_key")
EVENT = _table("event", "pos", "n at instance_key root_key process_id kinds data")

# --- what can be searched ---------------------------------------------------------------------------

PROCESS_INSTANCE = _table(
    "process_instance",
    "key",
    "definition_key process_id version state business_id parent_key parent_element_key root_key "
    "started_at ended_at",
)
ELEMENT_INSTANCE = _table(
    "element_instance",
    "key",
    "instance_key definition_key process_id element_id name type state scope_key milestone "
    "started_at ended_at",
)
FLOW = _table("flow", "instance_key flow_id", "scope_key at")
VARIABLE = _table("variable", "scope_key name", "key instance_key process_id short value updated_at", "key")
JOB = _table(
    "job",
    "key",
    "type state ready available_at priority retries instance_key definition_key process_id version "
    "business_id element_id element_instance_key headers worker error_message created_at ended_at "
    "kind listener_event",
)
SUBSCRIPTION = _table(
    "subscription",
    "key",
    "instance_key definition_key process_id element_id element_name element_instance_key message_name "
    "correlation_key state created_at updated_at",
)
INCIDENT = _table(
    "incident",
    "key",
    "instance_key definition_key process_id element_id element_instance_key error_type error_message "
    "state job_key created_at resolved_at",
)
USER_TASK = _table(
    "user_task",
    "key",
    "instance_key definition_key process_id business_id element_id element_instance_key name state "
    "assignee due_at follow_up_at priority form_key external_form headers candidate_groups "
    "candidate_users created_at ended_at",
)
CANDIDATE = _table("user_task_candidate", "kind name task_key", "")
DECISION_INSTANCE = _table(
    "decision_instance",
    "key",
    "decision_id decision_key instance_key process_id element_id element_instance_key state evaluated_at "
    "result audit message",
)
DOCUMENT = _table(
    "document",
    "id",
    "hash file_name content_type size instance_key process_id properties object_key created_at",
)

# --- what is deployed -------------------------------------------------------------------------------

RESOURCE = _table("resource", "key", "name checksum content created_at")
DEFINITION = _table(
    "definition",
    "key",
    "kind id name version version_tag resource_key resource_name checksum deployment_key parent_key "
    "created_at",
)
DEPLOYED = _table("deployed", "deployment_key kind id", "key")

TABLES = (
    INSTANCE,
    CHANNEL,
    TIMER,
    SIGNAL_SUBSCRIPTION,
    PENDING,
    BUSINESS_ID,
    EVENT,
    PROCESS_INSTANCE,
    ELEMENT_INSTANCE,
    FLOW,
    VARIABLE,
    JOB,
    SUBSCRIPTION,
    INCIDENT,
    USER_TASK,
    CANDIDATE,
    DECISION_INSTANCE,
    DOCUMENT,
    RESOURCE,
    DEFINITION,
    DEPLOYED,
)

# Changes to rows that are there already: ``(SET..., b, key)`` in the order of the marks.
END_INSTANCE = "UPDATE process_instance SET state = ?, ended_at = ? WHERE b = ? AND key = ?"
END_ELEMENT = "UPDATE element_instance SET state = ?, ended_at = ? WHERE b = ? AND key = ?"
END_JOB = "UPDATE job SET state = ?, ended_at = ?, ready = NULL, available_at = NULL WHERE b = ? AND key = ?"
# Retries of a job that may be with a worker: its lock stays.
AMEND_JOB = "UPDATE job SET retries = ? WHERE b = ? AND key = ?"
CHANGE_JOB = (
    "UPDATE job SET state = ?, ready = ?, available_at = ?, retries = ?, error_message = ?, worker = NULL "
    "WHERE b = ? AND key = ?"
)
MOVE_JOB_DEADLINE = "UPDATE job SET available_at = ? WHERE b = ? AND key = ? AND ready = 0"
RELEASE_JOB = (
    "UPDATE job SET ready = 1, available_at = ?, worker = NULL WHERE b = ? AND key = ? AND ready = 0"
)
RELEASE_JOBS_OF = (
    "UPDATE job SET ready = 1, available_at = ?, worker = NULL WHERE b = ? AND ready = 0 AND worker LIKE ?"
)
CLOSE_SUBSCRIPTION = "UPDATE subscription SET state = ?, updated_at = ? WHERE b = ? AND key = ?"
RESOLVE_INCIDENT = "UPDATE incident SET state = 'RESOLVED', resolved_at = ? WHERE b = ? AND key = ?"
END_USER_TASK = "UPDATE user_task SET state = ?, assignee = ?, ended_at = ? WHERE b = ? AND key = ?"
CHANGE_USER_TASK = (
    "UPDATE user_task SET state = ?, assignee = ?, due_at = ?, follow_up_at = ?, priority = ?, "
    "candidate_groups = ?, candidate_users = ? WHERE b = ? AND key = ?"
)
DROP_CANDIDATES = "DELETE FROM user_task_candidate WHERE b = ? AND task_key = ?"
POSTPONE_TIMER = "UPDATE timer SET due_at = ? WHERE b = ? AND key = ?"

UPDATES = (
    DROP_CANDIDATES,
    END_INSTANCE,
    END_ELEMENT,
    AMEND_JOB,
    CHANGE_JOB,
    MOVE_JOB_DEADLINE,
    RELEASE_JOB,
    RELEASE_JOBS_OF,
    END_JOB,
    CLOSE_SUBSCRIPTION,
    RESOLVE_INCIDENT,
    CHANGE_USER_TASK,
    END_USER_TASK,
    POSTPONE_TIMER,
)
"""In the order in which one batch carries them out: a job that changed and then ended has ended."""
