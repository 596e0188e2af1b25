"""Messages made without a network, for tests that take them apart."""

import re
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from adapters.ego_mail.osci import wire, xml
from adapters.ego_mail.osci.algorithms import STRICT, AlgorithmPolicy
from adapters.ego_mail.osci.content import Item, PackageWriter
from adapters.ego_mail.osci.envelope import ControlBlock, Draft, write_message
from adapters.ego_mail.osci.mime import OutPart
from adapters.ego_mail.osci.opened import OpenedPackage, PackageReader
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    CertificateBook,
)
from adapters.ego_mail.osci.streams import Spool
from engine.identifiers import RandomIds
from tests.osci.pki import Party

IDS = RandomIds()
MESSAGE_ID = "bWVzc2FnZQ=="


def spool_of(data: bytes) -> Spool:
    spool = Spool()
    spool.write(data)
    return spool


def gather(outgoing: wire.Outgoing) -> bytes:
    data = b"".join(outgoing.chunks())
    assert len(data) == outgoing.size
    return data


def stored(alice: Party, bob: Party, items: Sequence[Item], *, signer=None, encrypt: bool = False) -> bytes:
    """A StoreDelivery from alice to bob, as bytes."""
    return compose(alice, bob, items, signer=signer, encrypt=encrypt)[0]


def compose(
    alice: Party, bob: Party, items: Sequence[Item], *, signer=None, encrypt: bool = False
) -> tuple[bytes, list[OutPart]]:
    signer = signer or alice.signer
    book = CertificateBook()
    book.add(ORIGINATOR_CIPHER, alice.cipher)
    book.add(ORIGINATOR_SIGNATURE, signer.certificate)
    book.add(ADDRESSEE_CIPHER, bob.cipher)
    package = PackageWriter(book, IDS).write(items)
    draft = Draft(
        Kind.STORE_DELIVERY,
        ControlBlock("Y2hhbGxlbmdl", sequence=0),
        Order(message_id=MESSAGE_ID, subject="Test"),
        book.finished(),
        package.element,
        package.parts,
    )
    outgoing = wire.plain(write_message(draft, signer), package.parts, IDS)
    if encrypt:
        outgoing = wire.encrypted(outgoing, bob.cipher, IDS)
    data = gather(outgoing)
    package.close()
    return data, package.parts


def read(data: bytes, *decrypters, policy: AlgorithmPolicy = STRICT) -> wire.Incoming:
    return wire.read(spool_of(data), decrypters, policy=policy)


def opened(incoming: wire.Incoming, *decrypters, policy: AlgorithmPolicy = STRICT) -> OpenedPackage:
    reader = PackageReader(incoming.message.certificates, incoming.parts, decrypters, policy)
    return reader.read(incoming.message.package)


def change_xml(data: bytes, change: Callable[[xml.Element], None]) -> bytes:
    """Rewrite the XML part of an unencrypted message and leave the rest."""
    start = data.index(b"<soap:Envelope")
    end = data.index(b"</soap:Envelope>") + len(b"</soap:Envelope>")
    root = xml.parse(data[start:end])
    change(root)
    return data[:start] + xml.canonical(root) + data[end:]


def replace_once(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1, data.count(old)
    return data.replace(old, new)


def substitute(data: bytes, pattern: bytes, new: bytes) -> bytes:
    changed, count = re.subn(pattern, new, data, count=1)
    assert count == 1
    return changed


def reseal(data: bytes, bob: Party, key: bytes, cipher: bytes, method: str, iv: str | None) -> bytes:
    """Put other cipher text into the only sealed container of a message."""

    def change(root: xml.Element) -> None:
        element = root.find(f".//{xml.q(xml.XENC, 'EncryptedData')}")
        assert element is not None
        node = xml.one(element, xml.XENC, "EncryptionMethod")
        node.set("Algorithm", method)
        announced = xml.one(node, xml.OSCI_128, "IvLength")
        if iv is None:
            node.remove(announced)
        else:
            announced.set("Value", iv)
        xml.one(xml.one(element, xml.XENC, "CipherData"), xml.XENC, "CipherValue").text = xml.encode64(cipher)
        wrapped = bob.cipher.public_key().encrypt(  # type: ignore[union-attr]
            key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        )
        holder = element.find(f".//{xml.q(xml.XENC, 'EncryptedKey')}")
        assert holder is not None
        xml.one(xml.one(holder, xml.XENC, "CipherData"), xml.XENC, "CipherValue").text = xml.encode64(wrapped)

    return change_xml(data, change)
