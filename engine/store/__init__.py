"""SQLAlchemy tables, unit of work, Alembic migrations."""
