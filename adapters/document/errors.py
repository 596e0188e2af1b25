"""Errors of letters as documents."""

from engine.errors import RefusedError
from engine.exchange.errors import UnreadableError


class DocumentMappingError(RefusedError):
    """The message type's mapping for documents is not understood."""


class DocumentChangedError(RefusedError):
    """A document is not what its digest says."""


class DataFileError(UnreadableError):
    """The data file of a message is damaged, or does not fit the files beside it."""


class LetterUnreadableError(UnreadableError):
    """A file of a message cannot be opened."""
