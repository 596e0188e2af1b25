"""What can be wrong with an xdomea message or its container."""

from typing import ClassVar

from engine.errors import EnvironmentFaultError, RefusedError
from engine.exchange.errors import UnreadableError


class XdomeaUnreadableError(UnreadableError):
    """An xdomea container or message cannot be read."""

    german: ClassVar[str] = "Die Nachricht kann nicht gelesen werden."
    """What the sender is told, in the language of the standard."""


class NotAContainerError(XdomeaUnreadableError):
    """The file is no ZIP archive."""

    german = "Die Datei ist kein ZIP-Archiv."


class BrokenContainerError(XdomeaUnreadableError):
    """The archive is damaged."""

    german = "Der Container ist beschädigt oder unvollständig."


class HostileContainerError(XdomeaUnreadableError):
    """The archive breaks a limit on count, size, ratio, depth or names."""

    german = "Der Container überschreitet Grenzen oder enthält unzulässige Namen."


class EncryptedContainerError(XdomeaUnreadableError):
    """The archive holds encrypted entries."""

    german = "Der Container enthält verschlüsselte Dateien."


class ContainerNameError(XdomeaUnreadableError):
    """Container and message do not bear the names the standard fixes."""

    german = "Container und Nachricht tragen nicht die Namen, die der Standard vorgibt."


class NotXmlError(XdomeaUnreadableError):
    """The message is not well-formed XML, or uses what is refused in XML from outside."""

    german = "Die Nachricht ist kein zulässiges XML."


class UnknownVersionError(XdomeaUnreadableError):
    """The message is in no version of xdomea that can be read here."""

    german = "Diese Version von xdomea wird hier nicht gelesen."


class SchemaError(XdomeaUnreadableError):
    """The message breaks the official schema of its version."""

    german = "Die Nachricht verletzt das Schema ihrer Version."


class DamagedFieldsError(XdomeaUnreadableError):
    """Our own custom fields in the message are damaged."""

    german = "Anwendungsspezifische Felder der Nachricht sind beschädigt."


class FilesMismatchError(XdomeaUnreadableError):
    """The message speaks of files that are not there, or that are not what it says."""

    german = "Dateien fehlen, heißen falsch oder wurden verändert."


class NotExpressibleError(RefusedError):
    """The message says something that the wanted version of xdomea has no place for."""


class MappingError(RefusedError):
    """The xdomea mapping of a message type is wrong."""


class DocumentChangedError(RefusedError):
    """A document to be sent is not what its digest says."""


class SettingsError(EnvironmentFaultError):
    """The settings of the adapter are wrong."""


class SchemaFolderError(EnvironmentFaultError):
    """The folder with the official schemas cannot be used."""
