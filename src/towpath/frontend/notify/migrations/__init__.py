"""Alembic migrations of the notify service's database."""
