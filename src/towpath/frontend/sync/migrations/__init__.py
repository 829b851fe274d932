"""Alembic migrations of the sync service's database."""
