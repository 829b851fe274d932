"""Alembic revisions of the integration service's own tables."""
