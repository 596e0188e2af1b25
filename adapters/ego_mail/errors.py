"""What the carrier refuses, beside what OSCI itself refuses."""

from engine.errors import EnvironmentFaultError, RefusedError


class EgoMailSettingsError(EnvironmentFaultError):
    """The settings of the carrier, or of a mailbox, cannot be used."""


class NothingToSendError(RefusedError):
    """The dispatch has no part that fits into an OSCI message."""


class UnsignedError(RefusedError):
    """Nothing in written form goes out without what satisfies it."""


class TrialMissingError(EnvironmentFaultError):
    """The trial intermediary is not installed."""


class NotFetchedError(EnvironmentFaultError):
    """Some of what waits at the intermediary could not be fetched."""
