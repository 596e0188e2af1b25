"""The standard's versions and message types, and which version two mailboxes share.

Versions of one family differ in their namespace only, as far as the messages here go; what differs between
families stands in the tables of ``layout``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

NAMESPACE_PREFIX = "urn:xoev-de:xdomea:schema:"


class Family(IntEnum):
    """Versions that spell the same things the same way."""

    V2 = 2
    V3 = 3
    V4 = 4


READABLE = ("2.3.0", "2.4.0", "3.0.0", "3.1.0", "4.0.0")
WRITABLE = ("2.4.0", "3.0.0", "3.1.0")
"""Versions offered to partners, lowest first."""
DEFAULT = "3.1.0"


def family(version: str) -> Family:
    """Return the family of ``version``, one of ``READABLE``."""
    return Family(int(version.partition(".")[0]))


def namespace(version: str) -> str:
    """Return the XML namespace of ``version``."""
    return NAMESPACE_PREFIX + version


def version_of(uri: str) -> str | None:
    """Return the version whose namespace ``uri`` is, or None where it is none we read."""
    version = uri.removeprefix(NAMESPACE_PREFIX)
    return version if uri.startswith(NAMESPACE_PREFIX) and version in READABLE else None


def negotiate(offered: Iterable[str] | None) -> str | None:
    """Return the highest version that we write and ``offered`` lists; None where there is none in common.

    A mailbox that names no versions takes ``DEFAULT``.
    """
    if offered is None:
        return DEFAULT
    wanted = set(offered)
    return next((version for version in reversed(WRITABLE) if version in wanted), None)


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One message type of the standard."""

    code: str
    group: str
    title: str
    receipt: str | None = None
    """Code of the message that confirms receipt."""
    confirms: str | None = None
    """What a message of this type tells about one of ours: ``received`` or ``imported``."""
    import_receipt: str | None = None
    """Code of the message that confirms (or denies) the import."""

    @property
    def element(self) -> str:
        """Local name of the root element, and the middle of the container's name."""
        return f"{self.group}.{self.title}.{self.code}"


KINDS = {
    kind.code: kind
    for kind in (
        MessageKind("0101", "Information", "Information", receipt="0102"),
        MessageKind("0102", "Information", "EmpfangBestaetigen", confirms="received"),
        MessageKind("0201", "Geschaeftsgang", "Geschaeftsgang", receipt="0202"),
        MessageKind("0202", "Geschaeftsgang", "EmpfangBestaetigen", confirms="received"),
        MessageKind("0203", "Geschaeftsgang", "GeaendertenLaufwegMitteilen"),
        MessageKind("0401", "Abgabe", "Abgabe", receipt="0403", import_receipt="0402"),
        MessageKind("0402", "Abgabe", "ImportBestaetigen", confirms="imported"),
        MessageKind("0403", "Abgabe", "EmpfangBestaetigen", confirms="received"),
        MessageKind("0501", "Aussonderung", "Anbieteverzeichnis", receipt="0504"),
        MessageKind("0502", "Aussonderung", "Bewertungsverzeichnis", receipt="0505"),
        MessageKind("0503", "Aussonderung", "Aussonderung", receipt="0507", import_receipt="0506"),
        MessageKind("0504", "Aussonderung", "AnbietungEmpfangBestaetigen", confirms="received"),
        MessageKind("0505", "Aussonderung", "BewertungEmpfangBestaetigen", confirms="received"),
        MessageKind("0506", "Aussonderung", "AussonderungImportBestaetigen", confirms="imported"),
        MessageKind("0507", "Aussonderung", "AussonderungEmpfangBestaetigen", confirms="received"),
    )
}
"""The message types that are understood, by code."""

_SINCE_3 = {"0403", "0507"}


def exists(code: str, version: str) -> bool:
    """Tell whether ``version`` has the message type ``code``."""
    return code in KINDS and (code not in _SINCE_3 or family(version) >= Family.V3)


def confirmed_code(code: str) -> str | None:
    """Return the code of the message that a message of type ``code`` confirms, e.g. 0101 for 0102."""
    return next((kind.code for kind in KINDS.values() if code in (kind.receipt, kind.import_receipt)), None)


def header_code(code: str) -> str:
    """Return what the header's ``Nachrichtentyp`` says for ``code``.

    The code list of 2.4 to 3.1 lacks 0203, so a changed route travels under the code of the route itself; its
    root element tells the two apart.
    """
    return "0201" if code == "0203" else code
