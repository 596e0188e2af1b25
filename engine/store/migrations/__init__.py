"""Alembic's environment; versions are written by hand and never changed once released."""
