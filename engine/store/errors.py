"""Errors of the store room."""

from engine.errors import ConflictError, EnvironmentFaultError, RefusedError


class DatabaseUnavailableError(EnvironmentFaultError):
    """The database cannot be reached."""


class DatabaseUrlError(RefusedError):
    """This is not the URL of a database that Dienstweg works with."""


class SchemaOutdatedError(EnvironmentFaultError):
    """The database has another schema version than this program."""


class SchemaNewerError(EnvironmentFaultError):
    """The database was brought to its schema by a newer version of this program."""


class CaseChangedError(ConflictError):
    """The case was changed by somebody else in the meantime."""
