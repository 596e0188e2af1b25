"""Authorities as contacts of the standard, and back."""

from adapters.xdomea.contacts import AddressLines, Contact, Reachability
from adapters.xdomea.nodes import Code
from adapters.xdomea.versions import Family
from engine.exchange.ports import Party

LINES = 6
_REACHABLE_URI = {
    Family.V2: "urn:xoev-de:xdomea:codeliste:kommunikationsart",
    Family.V3: "urn:de:xoev:codeliste:erreichbarkeit",
}
_REACHABLE_VERSION = {Family.V2: "1.0", Family.V3: "3"}
_CHANNELS = {Family.V2: {"email": "001", "phone": "002"}, Family.V3: {"email": "01", "phone": "02"}}


def contact_of(party: Party, family: Family) -> Contact:
    """Describe ``party`` for a message of ``family`` (2.x or 3.x)."""
    reachable = [
        Reachability(
            official=True,
            channel=Code(code, None, _REACHABLE_URI[family], _REACHABLE_VERSION[family]),
            value=party.contact[key],
        )
        for key, code in _CHANNELS[family].items()
        if party.contact.get(key)
    ]
    return Contact(
        authority_key=Code(party.authority_id),
        institution=party.name,
        unit=party.unit or None,
        family_name=party.contact.get("person") or None,
        reachable=reachable,
        address_lines=[_lines(party.address)] if party.address else [],
    )


def authority_of(contact: Contact | None) -> str | None:
    """Return the authority that ``contact`` claims to be, where it gives a key."""
    if contact is None:
        return None
    if contact.authority_key is not None:
        return contact.authority_key.code or None
    return contact.directory_key


def _lines(address: tuple[str, ...]) -> AddressLines:
    head, rest = address[: LINES - 1], address[LINES - 1 :]
    lines = [*head, ", ".join(rest)] if rest else list(head)
    node = AddressLines()
    for number, line in enumerate(lines, 1):
        setattr(node, f"line{number}", line)
    return node
