"""Our messages against the official schemas, as far as libxml2 can compile them (most violate UPA)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.envelope import ControlBlock, Draft, write_message
from adapters.ego_mail.osci.metadata import (
    Code,
    MessageMetaData,
    PartyIdentifier,
    find_metadata,
    read_metadata,
    write_metadata,
)
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import ORIGINATOR_CIPHER, ORIGINATOR_SIGNATURE, CertificateBook
from adapters.ego_mail.osci.streams import BytesBlob
from tests.osci.conftest import SHARED
from tests.osci.messages import read, stored
from tests.osci.pki import NOW, Party

SCHEMAS = SHARED / "osci12" / "schema"
META = SHARED / "xta2-messagemetadata"

METADATA = MessageMetaData(
    author=PartyIdentifier("ags:10041100", "xoev", "Landeshauptstadt", "Kasse"),
    reader=PartyIdentifier("ags:10044000", "xoev"),
    message_id="urn:uuid:0f0e",
    service="urn:dienstweg:enforcement",
    business_scenario="Vollstreckungshilfe",
    message_type=Code("request", "urn:dienstweg:types", "1", "Ersuchen"),
    payload_schema="urn:dienstweg:payload:1",
    subject="Ersuchen & Anlage",
    in_reply_to=("urn:uuid:0a", "urn:uuid:0b"),
    requester_reference="20-4711/26",
    responder_reference="K 12",
    origin=NOW,
    initial_send=NOW,
    properties={"exchange": "e-1", "type": "request"},
    size=12,
    test=True,
)


WSU = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
 targetNamespace="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">
 <xs:attribute name="Id" type="xs:ID"/></xs:schema>"""
"""Stands in for a schema that is not among the collected ones; only this attribute of it is used."""


class Catalogue(etree.Resolver):
    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files

    def resolve(self, url, _public, context):
        if url.endswith("wssecurity-utility-1.0.xsd"):
            return self.resolve_string(WSU, context)
        for ending, path in self._files.items():
            if url.endswith(ending):
                return self.resolve_filename(str(path), context)
        return None


def compiled(path: Path, files: dict[str, Path]) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Catalogue(files))
    return etree.XMLSchema(etree.parse(str(path), parser))


def soap_schema(kind: str) -> etree.XMLSchema:
    extern = SCHEMAS / "extern"
    return compiled(
        SCHEMAS / f"soap{kind}.xsd",
        {
            "soap/envelope/": extern / "soap-envelope.xsd",
            "xmldsig-core-schema.xsd": extern / "xmldsig-core-schema.xsd",
            "xenc-schema-11.xsd": extern / "xenc-schema-11.xsd",
            "xenc-schema.xsd": extern / "xenc-schema.xsd",
            "2001/xml.xsd": extern / "xml.xsd",
            "XMLSchema.dtd": extern / "XMLSchema.dtd",
            "datatypes.dtd": extern / "datatypes.dtd",
        },
    )


def envelope_of(data: bytes) -> etree._Element:
    start = data.index(b"<soap:Envelope")
    return xml.parse(data[start : data.index(b"</soap:Envelope>") + 16])


def store_delivery(alice: Party, bob: Party) -> etree._Element:
    files = AttachedFile("a.bin", BytesBlob(b"abc"))
    # No container inside a content and one reader: the schema knows neither, the reference library both.
    open_one = Container([Data(b"x"), files], [alice.signer, bob.signer])
    secret = Container([Data(b"y")], [alice.signer])
    return envelope_of(stored(alice, bob, [open_one, Sealed(secret, [bob.cipher])]))


def init_dialog(alice: Party) -> etree._Element:
    book = CertificateBook()
    book.add(ORIGINATOR_CIPHER, alice.cipher)
    book.add(ORIGINATOR_SIGNATURE, alice.signature)
    draft = Draft(Kind.INIT_DIALOG, ControlBlock("Y2g="), Order(), book.finished())
    return envelope_of(write_message(draft, alice.signer))


@pytest.mark.skipif(not SCHEMAS.exists(), reason="needs ../shared/standards/osci12")
@pytest.mark.parametrize(
    ("kind", "make"),
    [("StoreDelivery", store_delivery), ("InitDialog", lambda alice, _bob: init_dialog(alice))],
)
def test_orders_are_valid(kind: str, make: Callable[..., etree._Element], alice: Party, bob: Party) -> None:
    soap_schema(kind).assertValid(make(alice, bob))


@pytest.mark.skipif(not META.exists(), reason="needs ../shared/standards/xta2-messagemetadata")
def test_metadata_is_valid() -> None:
    files = {path.name: path for path in META.glob("*.xsd")}
    schema = compiled(META / "OSCI_MessageMetaData_V2.02.xsd", files)
    element = write_metadata(METADATA)
    del element.attrib["Id"]  # OSCI 1.2 needs it to sign the header, the schema does not know it
    schema.assertValid(element)


def test_metadata_reads_back() -> None:
    assert read_metadata(xml.parse(xml.canonical(write_metadata(METADATA)))) == METADATA
    assert find_metadata([xml.block(xml.OSCI, "Other"), write_metadata(METADATA)]) == METADATA
    assert find_metadata([]) is None


def test_metadata_with_defined_scenario_and_nothing_optional() -> None:
    small = MessageMetaData(
        author=PartyIdentifier("a", "t"),
        reader=PartyIdentifier("b", "t"),
        message_id="urn:x",
        service="urn:s",
        business_scenario=Code("b", "urn:l", "1"),
        message_type=Code("m", "urn:l", "1"),
        payload_schema="urn:p",
    )
    assert read_metadata(write_metadata(small)) == small


def test_orders_tell_who_takes_part(alice: Party, bob: Party) -> None:
    with read(stored(alice, bob, [Container([Data(b"x")])])) as incoming:
        roles = [entry.role for entry in incoming.message.certificates.entries]
    assert roles == [
        "CipherCertificateOriginator",
        "CipherCertificateAddressee",
        "SignatureCertificateOriginator",
    ]
