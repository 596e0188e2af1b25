"""Errors of the post."""

from engine.errors import ConflictError, EnvironmentFaultError, NotFoundError, RefusedError


class NothingToPostError(RefusedError):
    """A dispatch without exactly one letter cannot be posted."""


class PostSettingsRefusedError(RefusedError):
    """The settings of the post cannot be used."""


class TariffMissingError(RefusedError):
    """No tariff is known for this."""


class PrintFolderError(EnvironmentFaultError):
    """The print folder cannot be written."""


class PrintRunDamagedError(EnvironmentFaultError):
    """A print run's files do not fit its journal."""


class PrintRunUnknownError(NotFoundError):
    """There is no such print run."""


class PrintRunUnfinishedError(ConflictError):
    """A print run was cut off before its print file was whole."""
