"""Built pages, kept in ``static`` (made by the build, not in git)."""
