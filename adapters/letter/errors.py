"""Errors of letters."""

from engine.errors import NotFoundError, RefusedError


class LetterUnprintableError(RefusedError):
    """The letter cannot be printed."""


class AttachmentUnprintableError(RefusedError):
    """An attachment cannot be put on paper."""


class LetterheadRefusedError(RefusedError):
    """The letterhead's settings cannot be used."""


class StepUnknownError(NotFoundError):
    """There is no such sending step."""
