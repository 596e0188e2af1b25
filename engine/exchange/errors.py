"""Errors of the exchange room."""

from engine.errors import RefusedError


class UnreadableError(RefusedError):
    """An arrival is not what it claims to be."""
