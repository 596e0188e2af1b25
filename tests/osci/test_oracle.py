"""xmlsec as an independent judge of our signatures and encryption, and of theirs by us."""

import copy

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import STRICT
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.envelope import verify_message
from adapters.ego_mail.osci.streams import BytesBlob
from tests.osci.messages import opened, read, stored
from tests.osci.pki import Authority, Party

TEMPLATE = f"""<xenc:EncryptedData xmlns:xenc="{xml.XENC}" xmlns:ds="{xml.DS}"
 Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod
 Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/><ds:KeyInfo><xenc:EncryptedKey><xenc:EncryptionMethod
 Algorithm="http://www.w3.org/2009/xmlenc11#rsa-oaep"><ds:DigestMethod
 Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><xenc11:MGF xmlns:xenc11="{xml.XENC11}"
 Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/></xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue/>
</xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData>
</xenc:EncryptedData>"""


def envelope_of(data: bytes) -> etree._Element:
    start = data.index(b"<soap:Envelope")
    return etree.fromstring(data[start : data.index(b"</soap:Envelope>") + 16])


def public_key(certificate) -> xmlsec.Key:
    return xmlsec.Key.from_memory(
        certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem
    )


def private_key(key) -> xmlsec.Key:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)


def judge(signature: etree._Element, certificate) -> None:
    root = signature.getroottree().getroot()
    xmlsec.tree.add_ids(root, ["Id"])
    # The certificate stands in a header block, where xmlsec does not look: it is given the key.
    signature.remove(signature.find(xml.q(xml.DS, "KeyInfo")))
    context = xmlsec.SignatureContext()
    context.key = public_key(certificate)
    context.verify(signature)


def test_xmlsec_verifies_our_transport_signature(alice: Party, bob: Party) -> None:
    root = envelope_of(stored(alice, bob, [Container([Data(b"x")])]))
    signature = root.find(f".//{xml.q(xml.OSCI, 'ClientSignature')}/{xml.q(xml.DS, 'Signature')}")
    judge(signature, alice.signature)


def test_xmlsec_refuses_our_transport_signature_after_a_change(alice: Party, bob: Party) -> None:
    root = envelope_of(stored(alice, bob, [Container([Data(b"x")])]))
    root.find(f".//{xml.q(xml.OSCI, 'Subject')}").text = "other"
    signature = root.find(f".//{xml.q(xml.OSCI, 'ClientSignature')}/{xml.q(xml.DS, 'Signature')}")
    with pytest.raises(xmlsec.VerificationError):
        judge(signature, alice.signature)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_xmlsec_verifies_our_content_signatures(
    authority: Authority, alice: Party, bob: Party, kind: str
) -> None:
    signer = alice.signer if kind == "rsa" else authority.ec_signer("EC author")
    inner = Container([Data(b"inner")], [signer])
    root = envelope_of(stored(alice, bob, [Container([Data(b"x"), inner], [signer])]))
    signatures = root.find(xml.q(xml.SOAP, "Body")).findall(f".//{xml.q(xml.DS, 'Signature')}")
    assert len(signatures) == 2
    for signature in signatures[::-1]:
        # Judging removes the KeyInfo, which the outer signature covers: each on its own copy.
        copied = copy.deepcopy(root)
        path = root.getroottree().getpath(signature)
        judge(copied.getroottree().xpath(path, namespaces=xml.NSMAP)[0], signer.certificate)


def decrypted(element: etree._Element, key) -> bytes:
    """Decrypt an EncryptedData the way xmlsec does."""
    element = etree.fromstring(etree.tostring(element))
    for announced in element.iter(xml.q(xml.OSCI_128, "IvLength")):
        announced.getparent().remove(announced)  # OSCI's own child, which xmlsec's strict reader refuses
    encrypted_key = element.find(f".//{xml.q(xml.XENC, 'EncryptedKey')}")
    encrypted_key.remove(encrypted_key.find(xml.q(xml.DS, "KeyInfo")))
    manager = xmlsec.KeysManager()
    manager.add_key(private_key(key))
    return xmlsec.EncryptionContext(manager).decrypt(element)


def test_xmlsec_decrypts_our_content(alice: Party, bob: Party, carol: Party) -> None:
    sealed = Sealed(Container([Data(b"secret")], [alice.signer]), [bob.cipher])
    root = envelope_of(stored(alice, bob, [sealed]))
    element = root.find(f".//{xml.q(xml.XENC, 'EncryptedData')}")
    element.attrib.pop("MimeType")
    element.set("Type", "http://www.w3.org/2001/04/xmlenc#Element")
    plain = decrypted(element, bob.cipher_key)
    assert plain.tag == xml.q(xml.OSCI, "ContentContainer")
    value = plain.find(f".//{xml.q(xml.OSCI, 'Base64Content')}")
    assert xml.decode64(value.text) == b"secret"
    judge(plain.find(xml.q(xml.DS, "Signature")), alice.signature)
    with pytest.raises(xmlsec.Error):
        decrypted(element, carol.cipher_key)


def test_we_read_what_xmlsec_signed(alice: Party, bob: Party) -> None:
    data = stored(alice, bob, [Container([Data(b"x")])])
    root = envelope_of(data)
    signature = root.find(f".//{xml.q(xml.OSCI, 'ClientSignature')}/{xml.q(xml.DS, 'Signature')}")
    xmlsec.tree.add_ids(root, ["Id"])
    for name in ("DigestValue", "SignatureValue"):
        for node in signature.iter(xml.q(xml.DS, name)):
            node.text = None
    key_info = signature.find(xml.q(xml.DS, "KeyInfo"))
    signature.remove(key_info)
    context = xmlsec.SignatureContext()
    context.key = private_key(alice.signing_key)
    context.sign(signature)
    signature.append(key_info)
    start = data.index(b"<soap:Envelope")
    end = data.index(b"</soap:Envelope>") + 16
    with read(data[:start] + etree.tostring(root) + data[end:]) as incoming:
        verified = verify_message(incoming.message, incoming.parts, STRICT)
    assert verified.certificate == alice.signature


def test_we_read_what_xmlsec_encrypted(alice: Party, bob: Party) -> None:
    """xmlsec seals a container; only the key's certificate and OSCI's IvLength are added by hand."""
    data = stored(alice, bob, [Sealed(Container([Data(b"placeholder")]), [bob.cipher])])
    root = envelope_of(data)
    ours = root.find(f".//{xml.q(xml.XENC, 'EncryptedData')}")
    container = xml.block(xml.OSCI, "ContentContainer", {"Id": "c"})
    content = xml.child(container, xml.OSCI, "Content")
    xml.child(content, xml.OSCI, "Base64Content", xml.encode64(b"from xmlsec"), Id="d")
    template = etree.fromstring(TEMPLATE)
    manager = xmlsec.KeysManager()
    manager.add_key(public_key(bob.cipher))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.KeyData.AES, 256, xmlsec.KeyDataType.SESSION)
    sealed = etree.fromstring(etree.tostring(context.encrypt_xml(template, container)))
    method = sealed.find(xml.q(xml.XENC, "EncryptionMethod"))
    xml.child(method, xml.OSCI_128, "IvLength", None, Value="12")
    theirs = sealed.find(f".//{xml.q(xml.XENC, 'EncryptedKey')}")
    key_info = ours.find(f".//{xml.q(xml.XENC, 'EncryptedKey')}/{xml.q(xml.DS, 'KeyInfo')}")
    theirs.insert(1, copy.deepcopy(key_info))
    ours.getparent().replace(ours, sealed)
    start = data.index(b"<soap:Envelope")
    end = data.index(b"</soap:Envelope>") + 16
    changed = data[:start] + etree.tostring(root) + data[end:]
    with read(changed) as incoming, opened(incoming, bob.decrypter) as package:
        assert package.data()[0].data == b"from xmlsec"


def test_attachments_are_beyond_xmlsec_but_within_openssl(alice: Party, bob: Party) -> None:
    """An attachment's cipher text opened with nothing but the key that travels in its container."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = Sealed(Container([AttachedFile("a.bin", BytesBlob(b"file" * 99))]), [bob.cipher])
    data = stored(alice, bob, [sealed])
    element = envelope_of(data).find(f".//{xml.q(xml.XENC, 'EncryptedData')}")
    element.attrib.pop("MimeType")
    element.set("Type", "http://www.w3.org/2001/04/xmlenc#Element")
    container = decrypted(element, bob.cipher_key)
    key = xml.decode64(container.find(f".//{xml.q(xml.DS, 'MgmtData')}").text)
    with read(data) as incoming:
        cipher = incoming.parts[0].blob.open().read()
    assert AESGCM(key).decrypt(cipher[:12], cipher[12:], None) == b"file" * 99
