"""Errors of the document store."""

from engine.errors import EnvironmentFaultError, NotFoundError


class DocumentMissingError(NotFoundError):
    """The document store does not hold this content."""


class DocumentStoreFullError(EnvironmentFaultError):
    """The document store could not be written."""


class DocumentStoreUnreachableError(EnvironmentFaultError):
    """The document store does not answer."""
