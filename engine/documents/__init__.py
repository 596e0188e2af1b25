"""Content-addressed document store."""
