"""A small OSCI intermediary for tests and trial. Not for production: it asks nobody about revocation."""
