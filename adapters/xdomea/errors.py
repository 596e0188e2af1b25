"""What can be wrong with an xdomea message or its container."""

from engine.errors import EnvironmentFaultError, RefusedError
from engine.exchange.errors import UnreadableError


class NotAContainerError(UnreadableError):
    """The file is no ZIP archive."""


class BrokenContainerError(UnreadableError):
    """The archive is damaged."""


class HostileContainerError(UnreadableError):
    """The archive breaks a limit on count, size, ratio, depth or names."""


class EncryptedContainerError(UnreadableError):
    """The archive holds encrypted entries."""


class ContainerNameError(UnreadableError):
    """Container and message do not bear the names the standard fixes."""


class NotXmlError(UnreadableError):
    """The message is not well-formed XML, or uses what is refused in XML from outside."""


class UnknownVersionError(UnreadableError):
    """The message is in no version of xdomea that can be read here."""


class SchemaError(UnreadableError):
    """The message breaks the official schema of its version."""


class DamagedFieldsError(UnreadableError):
    """Our own custom fields in the message are damaged."""


class FilesMismatchError(UnreadableError):
    """The message speaks of files that are not there, or that are not what it says."""


class NotExpressibleError(RefusedError):
    """The message says something that the wanted version of xdomea has no place for."""


class MappingError(RefusedError):
    """The xdomea mapping of a message type is wrong."""


class SchemaFolderError(EnvironmentFaultError):
    """The folder with the official schemas cannot be used."""
